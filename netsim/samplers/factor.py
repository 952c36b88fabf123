"""A square root of a covariance that may be singular: LDL with exact zero pivots, no jitter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

__all__ = ["TOLERANCE", "square_root"]

# a pivot below 8 rounding units of its diagonal entry is rounding of S itself
TOLERANCE = 8 * 2.0**-52


def square_root(S: Sequence[Sequence[Any]]) -> tuple[list[list[Any]], Any]:
    """Lower-triangular T with T T^T = S, for one draw, written in scalars.

    A pivot d_k <= `TOLERANCE` * S_kk is a field that is a linear function of those before it: its
    column is exactly 0, so identical inputs stay identical bit for bit. The error is at most that
    pivot.

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
        T[k][k] = root
        for a in range(k + 1, F):
            ratio = jnp.where(keep, s[a][k] / safe, 0.0)
            T[a][k] = ratio * root
            for b in range(k + 1, a + 1):
                s[a][b] = s[a][b] - ratio * s[b][k]
        rank = rank + jnp.asarray(keep, jnp.int32)
    return T, rank
