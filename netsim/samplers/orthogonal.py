"""Haar orthogonal matrices times vectors, without the matrix in memory.

The standardised matrix of shape (rows, columns), m = max(rows, columns), is

    w = sqrt(m) Q,   Q the corner (the first rows, the first columns) of a Haar matrix of O(m),

so Q has orthonormal rows if rows <= columns and orthonormal columns otherwise, and every entry of w
has variance 1. A Haar matrix of O(m) is G_0 G_1 ... G_{m-1}: G_k is the identity on the first k
coordinates and takes e_k to v_k/|v_k|, v_k a standard normal vector on the coordinates k..m-1.
Then column 0 is uniform on the sphere and the rest is Haar in its complement, by induction
(subgroup algorithm: Stewart, SIAM J. Numer. Anal. 17 (1980) 403; Diaconis, Shahshahani, Probab.
Engrg. Inform. Sci. 1 (1987) 15). G_k is minus a sign times a Householder reflection:

    s = sign of v_kk,   u = v_k + s |v_k| e_k,   G_k = -s (1 - 2 u u^T/|u|^2) = G_k^T.

That is what Householder's QR does to a Gaussian matrix, with the signs that make R positive; but Q h
costs O(m min(rows, columns)) instead of O(m^3).

No padding: coordinates beyond m are left alone. Sizes are traced, a loop over layers compiles once.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32

from netsim.samplers.rng import Key, Word, normal_pair

__all__ = ["orthogonal_product"]

Size = Int32[Array, ""]


def orthogonal_product(
    key: Key, draw: Word, h: Float[Array, "size F"], columns: Size, rows: Size
) -> Float[Array, "size F"]:
    """w h for a standardised (rows, columns) orthogonal matrix w, see above.

    The matrix depends on key, draw, rows and columns alone: a flat one (rows < columns) is the first
    rows of the square one, a tall one the transpose of the flat one of the transposed shape.

    **Arguments:** `h`: zero from row `columns` on; its size is at least max(rows, columns).

    **Returns:** w h, zero from row `rows` on; of h's precision.
    """
    m, short = jnp.maximum(rows, columns), jnp.minimum(rows, columns)
    half = (m + 1) // 2  # v_k of an even k and the next share blocks of random words
    pairs = (short + 1) // 2
    # Q is Haar and so is Q^T = ... G_1 G_0, whose first rows need G_0 ... G_{rows-1} only; of the
    # first columns of Q = G_0 G_1 ... those beyond `columns` act on zeros
    flat = rows <= columns
    i = jnp.arange(h.shape[0], dtype=jnp.int32)

    def place(step):
        return jnp.where(flat, step, pairs - 1 - step)

    def noise(step):
        # one complex carry: XLA's CPU fusions would draw two arrays twice
        position = (i * half + place(step)).astype(jnp.uint32)
        return jax.lax.complex(*normal_pair(key, draw, position, str(h.dtype)))

    def step(t, carry):
        y, v = carry
        even, odd, k = jnp.real(v), jnp.imag(v), 2 * place(t)
        y = _turn(y, jnp.where(flat, even, odd), jnp.where(flat, k, k + 1), m, short)
        y = _turn(y, jnp.where(flat, odd, even), jnp.where(flat, k + 1, k), m, short)
        return y, noise(t + 1)

    y, _ = jax.lax.fori_loop(0, pairs, step, (h, noise(jnp.int32(0))))
    root = jnp.sqrt(m.astype(h.dtype))
    return jnp.where((i < rows)[:, None], root * y, 0)


def _turn(y, v, k, m, short):
    """G_k y; y itself where k >= short."""
    i = jnp.arange(y.shape[0], dtype=jnp.int32)
    inside = (i >= k) & (i < m)
    v = jnp.where(inside, v, 0)
    pivot = v[k]
    sign = jnp.where(pivot < 0, -1, 1).astype(y.dtype)
    length = jnp.sqrt(jnp.sum(v * v))
    # u is v but for its entry k, v_kk + s |v|; |u|^2/2 = |v| (|v| + |v_kk|)
    overlap = jnp.sum(v[:, None] * y, 0) + sign * length * y[k]
    half = length * (length + jnp.abs(pivot))
    # a float32 normal is 0 with probability 2^-25 (the uniform of Box-Muller rounds to 1). If v_k has
    # one coordinate, k = m - 1, |v| is 0 then and G_k = -1, as for a negative v_kk; still orthogonal
    overlap = overlap / jnp.where(half > 0, half, 1)
    u = jnp.where(i == k, v + sign * length, v)
    turned = sign * (u[:, None] * overlap[None, :] - y)
    return jnp.where((inside & (k < short))[:, None], turned, y)
