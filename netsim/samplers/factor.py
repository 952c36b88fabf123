"""A square root of a covariance that may be singular: LDL with exact zero pivots, no jitter.

Twice: in scalars for a few fields, which a batch of draws turns into vector loops, and in arrays for
many. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float64

__all__ = ["TOLERANCE", "square_root", "square_root_array"]

# a pivot below 8 rounding units of its diagonal entry is rounding of S itself
TOLERANCE = 8 * 2.0**-52


def square_root(S: Sequence[Sequence[Any]]) -> tuple[list[list[Any]], Any]:
    """Lower-triangular T with T T^T = S, for one draw, written in scalars.

    A pivot d_k <= `TOLERANCE` * S_kk is a field that is a linear function of those before it: its
    column is exactly 0, so identical inputs stay identical bit for bit. The error is at most that
    pivot. Where S has fewer independent rows than fields, what is left after them is rounding, and
    entries are kept within |T_ak|^2 <= (what is left of S_aa), so that its quotients stay small.
    Where S_kk overflowed, field k is nan from here on: a draw that exploded never looks healthy.

    **Arguments:** `S[a][b]`, b <= a, float64 scalars (or arrays of one shape, elementwise).
    **Returns:** (T, rank): `T[a][b]` for b <= a, and the number of pivots kept.
    """
    F = len(S)
    s = [list(row) for row in S]
    T: list[list[Any]] = [[None] * (a + 1) for a in range(F)]
    rank = jnp.int32(0)
    for k in range(F):
        pivot = s[k][k]
        keep = pivot > TOLERANCE * S[k][k]
        safe = jnp.where(keep, pivot, 1.0)
        root = jnp.where(keep, jnp.sqrt(safe), 0.0)
        T[k][k] = jnp.where(jnp.isfinite(S[k][k]), root, jnp.nan)
        for a in range(k + 1, F):
            # Cauchy-Schwarz, which rounding breaks where pivot and s_aa are rounding themselves
            most = jnp.sqrt(jnp.maximum(s[a][a], 0.0) / safe)
            ratio = jnp.where(keep, jnp.clip(s[a][k] / safe, -most, most), 0.0)
            T[a][k] = ratio * root
            for b in range(k + 1, a + 1):
                s[a][b] = s[a][b] - ratio * s[b][k]
        rank = rank + jnp.asarray(keep, jnp.int32)
    return T, rank


def square_root_array(S: Float64[Array, "F F"]) -> Float64[Array, "F F"]:
    """Lower-triangular T with T T^T = S, one column after the other; zero pivots as in `square_root`.

    The program has the same size for every F.

    **Arguments:** `S`, of which only the lower triangle is read.
    """
    F = S.shape[0]
    here = jnp.arange(F, dtype=jnp.int32)

    # columns of T are rows of U, so that each step reads U once and writes one row; `left` is what
    # of the diagonal is not explained yet
    def column(k, carry):
        U, left = carry
        pivot = left[k]
        keep = pivot > TOLERANCE * S[k, k]
        root = jnp.sqrt(jnp.where(keep, pivot, 1.0))
        rest = S[:, k] - jnp.matmul(U[:, k], U, precision="highest")
        most = jnp.sqrt(jnp.maximum(left, 0.0))
        entries = jnp.where(here > k, jnp.clip(rest / root, -most, most), 0.0)
        row = jnp.where(keep, jnp.where(here == k, root, entries), 0.0)
        return U.at[k].set(row), left - row * row

    begin = (jnp.zeros_like(S), jnp.diagonal(S))
    T = jax.lax.fori_loop(jnp.int32(0), jnp.int32(F), column, begin)[0].T
    overflown = ~jnp.isfinite(jnp.diagonal(S))
    return jnp.where(jnp.diag(overflown), jnp.nan, T)
