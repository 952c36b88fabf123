"""Counter-based random words and normals: the number at (seed, draw, layer, position) is a function.

Threefry-2x32 with 20 rounds (Salmon et al., SC 2011), written out in plain jnp so that XLA fuses
words, normals and what uses them into one loop; bit-identical to `jax.extend.random.threefry_2x32`
(tested). The stream has a name; a stored state is continued only by the same stream.
"""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt32

from netsim.samplers.names import RNG

__all__ = ["NAME", "layer_key", "normal_pair", "seed_words", "threefry"]

NAME = RNG

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_KEYS_64 = (0x9E3779B9, 0x3C6EF372)  # multiples of 2^32 / golden ratio; any two would do
_PARITY = 0x1BD11BDA  # key schedule constant of Threefry with 32-bit words

Word = UInt32[Array, "..."]
Key = tuple[Word, Word]


def seed_words(seed: int) -> tuple[int, int]:
    """The two 32-bit halves of a seed.

    **Raises:** `ValueError` unless 0 <= seed < 2^64.
    """
    if isinstance(seed, bool) or int(seed) != seed or not 0 <= seed < 2**64:
        raise ValueError(f"seed={seed!r}: must be a whole number from 0 to 2^64 - 1")
    return int(seed) & 0xFFFFFFFF, int(seed) >> 32


# inlined: the program is the same, but 100 operations are traced once per shape, not at every call
@partial(jax.jit, inline=True)
def threefry(key: Key, x0: Word, x1: Word) -> tuple[Word, Word]:
    """Two random words for the counter (x0, x1) under `key`; shapes broadcast."""
    k0, k1 = key
    schedule = (k0, k1, k0 ^ k1 ^ jnp.uint32(_PARITY))
    x0, x1 = x0 + k0, x1 + k1
    for group in range(5):
        for distance in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = (x1 << jnp.uint32(distance)) | (x1 >> jnp.uint32(32 - distance))
            x1 = x1 ^ x0
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + schedule[(group + 2) % 3] + jnp.uint32(group + 1)
    return x0, x1


def layer_key(seed: Key, layer: Word, stream: int | Word) -> Key:
    """Key of one layer and one stream (a field's noise, the weights, the biases), or of several."""
    return threefry(seed, jnp.asarray(layer, jnp.uint32), jnp.uint32(stream))


@partial(jax.jit, static_argnames="dtype", inline=True)
def normal_pair(
    key: Key, draw: Word, position: Word, dtype: str
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Two independent standard normals at (draw, position), Box-Muller.

    float32: one Threefry block; the radius keeps 31 bits (tails to 6.66 standard deviations,
    the 8th moment, 105, right to 4e-5). float64: two blocks, 64-bit radius and angle.
    """
    if dtype == "float64":
        return _normal_pair_64(key, draw, position)
    return _box_muller_32(*threefry(key, draw, position))


def _normal_pair_64(key: Key, draw: Word, position: Word):
    # keys of their own: a float64 run is independent of the float32 run of the same seed
    first, second = ((key[0] ^ jnp.uint32(constant), key[1]) for constant in _KEYS_64)
    a, b = threefry(first, draw, position)
    c, d = threefry(second, draw, position)
    wide = lambda hi, lo: hi.astype(jnp.float64) * 2.0**-32 + lo.astype(jnp.float64) * 2.0**-64
    radius = jnp.sqrt(-2.0 * jnp.log(wide(a, b) + 2.0**-65))
    angle = 2.0 * math.pi * wide(c, d)
    return radius * jnp.cos(angle), radius * jnp.sin(angle)


def _horner(coefficients: tuple[float, ...], x):
    y = jnp.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        y = y * x + jnp.float32(c)
    return y


# Cephes logf: log(1+f) = f - f^2/2 + f^3 P(f) on sqrt(1/2) <= 1+f < sqrt(2)
_LOG = (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
# minimax for sin(t)/t - 1 and cos(t) - 1 in t^2 on |t| <= pi/4 (Cephes sinf/cosf, one term more)
_SIN = (2.7181216275479732e-6, -1.9839334836096632e-4, 8.3333293048425631e-3, -0.16666666617)
_COS = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2, -0.5)


def _log_32(x):
    """Natural log of positive normal float32, relative error 1e-7, without a library call."""
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    exponent = (bits - jnp.int32(0x3F3504F3)) >> 23  # 0x3F3504F3 is sqrt(1/2)
    f = jax.lax.bitcast_convert_type(bits - (exponent << 23), jnp.float32) - 1
    f2 = f * f
    correction = _horner(_LOG, f) * f * f2 - jnp.float32(0.5) * f2
    return f + correction + exponent.astype(jnp.float32) * jnp.float32(math.log(2))


def _box_muller_32(w0: Word, w1: Word):
    """Two float32 normals from two words: radius from w0, angle from w1."""
    uniform = ((w0 >> jnp.uint32(1)).astype(jnp.float32) + jnp.float32(0.5)) * jnp.float32(2.0**-31)
    radius = jnp.sqrt(jnp.float32(-2) * _log_32(uniform))
    # bits 31..29 of w1 choose the octant by a swap and two signs; the rest is an angle in
    # (-pi/4, pi/4), on midpoints so that odd moments vanish exactly
    turn = jax.lax.bitcast_convert_type(w1 << jnp.uint32(3), jnp.int32).astype(jnp.float32)
    t = (turn + jnp.float32(4)) * jnp.float32(2.0**-31 * math.pi / 4)
    t2 = t * t
    sine, cosine = t * (1 + t2 * _horner(_SIN, t2)), 1 + t2 * _horner(_COS, t2)
    swap = (w1 & jnp.uint32(0x80000000)) != 0
    first, second = jnp.where(swap, sine, cosine), jnp.where(swap, cosine, sine)

    def signed(value, shift: int):
        bits = jax.lax.bitcast_convert_type(value, jnp.uint32)
        sign = (w1 << jnp.uint32(shift)) & jnp.uint32(0x80000000)
        return jax.lax.bitcast_convert_type(bits ^ sign, jnp.float32)

    return radius * signed(first, 1), radius * signed(second, 2)
