"""Matrices of independent weights times vectors, column by column."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32

from netsim.networks.weights import WeightLaw
from netsim.samplers.laws import weight_pair
from netsim.samplers.rng import Key, Word

__all__ = ["independent_matrix", "independent_product"]


def independent_product(
    law: WeightLaw,
    key: Key,
    draw: Word,
    h: Float[Array, "size F"],
    columns: Int32[Array, ""],
    rows: int,
) -> Float[Array, "{rows} F"]:
    """w h for standardised independent weights w_ij, which depend on i, j and `columns` alone.

    Two columns at a time, so that the matrix is never in memory.

    **Arguments:** `h`: zero from row `columns` on; `rows`: how many are returned.
    """
    half = (columns + 1) // 2  # two weights of a row share one block of random words
    i = jnp.arange(rows, dtype=jnp.int32)
    h = jnp.concatenate([h, jnp.zeros((h.shape[0] % 2, h.shape[1]), h.dtype)])

    # as in the conditional sampler the weights ride in the carry as one complex array, because XLA's
    # CPU fusions would draw them again for each field
    def weights(pair):
        position = (i * half + pair).astype(jnp.uint32)
        return jax.lax.complex(*weight_pair(law, key, draw, position, str(h.dtype)))

    def step(pair, carry):
        z, w = carry
        first, second = h[2 * pair], h[2 * pair + 1]
        z = z + jnp.real(w)[:, None] * first[None, :] + jnp.imag(w)[:, None] * second[None, :]
        return z, weights(pair + 1)

    zero = jnp.zeros((rows, h.shape[1]), h.dtype)
    return jax.lax.fori_loop(0, half, step, (zero, weights(jnp.int32(0))))[0]


def independent_matrix(
    law: WeightLaw,
    key: Key,
    draw: Word,
    columns: Int32[Array, ""],
    shape: tuple[int, int],
    dtype: str,
) -> Float[Array, "rows size"]:
    """The weights w_ij of `independent_product` as a matrix; arbitrary from column `columns` on."""
    rows, size = shape
    half = (columns + 1) // 2
    i = jnp.arange(rows, dtype=jnp.int32)
    count = (size + 1) // 2

    # written in a loop, for a carry is in memory: fused into what uses it, it would be drawn again
    def step(pair, w):
        position = (i * half + pair).astype(jnp.uint32)
        return w.at[pair].set(jax.lax.complex(*weight_pair(law, key, draw, position, dtype)))

    none = jnp.zeros((count, rows), jnp.complex128 if dtype == "float64" else jnp.complex64)
    w = jax.lax.fori_loop(0, count, step, none)
    return jnp.stack([jnp.real(w), jnp.imag(w)], 1).reshape(2 * count, rows)[:size].T
