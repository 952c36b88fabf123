"""Standardised weights from random words, for every law of independent weights."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from netsim.networks.weights import WeightLaw
from netsim.samplers.rng import Key, Word, normal_pair, threefry

__all__ = ["weight_pair"]

Weights = Float[Array, "..."] | Complex[Array, "..."]

# further keys of the same position, for laws that need more than one block of words: any distinct
# constants would do; these are multiples of 2^32 / golden ratio, as in the stream itself
_FURTHER = (0, 0x9E3779B9, 0x3C6EF372, 0xDAA66D2B)


def weight_pair(
    law: WeightLaw, key: Key, draw: Word, position: Word, dtype: str
) -> tuple[Weights, Weights]:
    """Two independent weights of mean 0 and variance 1 at (draw, position).

    One word a weight: uniform on 2^31 midpoints; rademacher the sign bit; sparse(p) keeps a weight
    if its 31 low bits lie below p 2^31, rounded (p to 2.4e-10; p >= 1e-6). One block of two words a
    weight (two blocks in float64): student_t(nu), see `_student_32`; complex, (g + i g')/sqrt 2 with
    two normals.

    **Arguments:** `dtype`: "float32" or "float64", also of real and imaginary parts.

    **Raises:** `ValueError` for "orthogonal", whose weights are not drawn one by one
    (`netsim.samplers.orthogonal`).
    """
    if law.kind == "gaussian":
        return normal_pair(key, draw, position, dtype)
    keys = [(key[0], key[1] ^ jnp.uint32(constant)) for constant in _FURTHER]
    if law.kind == "complex":
        half = math.sqrt(0.5)
        first, second = (normal_pair(k, draw, position, dtype) for k in keys[:2])
        return half * jax.lax.complex(*first), half * jax.lax.complex(*second)
    if law.kind == "student_t" and law.parameter is not None:
        nu = float(law.parameter)
        if dtype == "float64":
            a, b, c, d = (threefry(k, draw, position) for k in keys)
            return _student_64(nu, *a, *b), _student_64(nu, *c, *d)
        first, second = (threefry(k, draw, position) for k in keys[:2])
        return _student_32(nu, *first), _student_32(nu, *second)
    first, second = threefry(key, draw, position)
    return _one(law, first, dtype), _one(law, second, dtype)


def _one(law: WeightLaw, word: Word, dtype: str) -> Weights:
    sign = jnp.where((word >> jnp.uint32(31)) != 0, -1.0, 1.0).astype(dtype)
    low = word & jnp.uint32(0x7FFFFFFF)
    if law.kind == "uniform":
        # |w| uniform on (0, sqrt 3), the sign apart: exactly symmetric
        return sign * (low.astype(dtype) + 0.5) * (2.0**-31 * math.sqrt(3.0))
    if law.kind == "rademacher":
        return sign
    if law.kind == "sparse" and law.parameter is not None:
        p = float(law.parameter)
        kept = low < jnp.uint32(min(round(p * 2**31), 2**31))
        return jnp.where(kept, sign / math.sqrt(p), jnp.zeros_like(sign))
    raise ValueError(f"weights of the law {law.name} are not drawn one by one")


def _student(nu: float, uniform, quarter, negative):
    """sqrt((nu-2)/nu) T with T = sqrt(nu (U^(-2/nu) - 1)) cos(2 pi V), Student t of nu degrees.

    Bailey, Mathematics of Computation 62 (1994) 779, polar method. His sine partner is uncorrelated
    with T but not independent of it (they share U, and only at nu = infinity does that not matter),
    so a pair of (U, V) gives one weight. |cos 2 pi V| is drawn as sin(pi/2 x), x = `quarter`
    uniform on (0, 1), which keeps its relative precision near 0, and a sign.
    """
    # expm1 keeps the bulk at large nu, where U^(-2/nu) - 1 is small
    radius = jnp.sqrt((nu - 2) * jnp.expm1(jnp.log(uniform) * (-2 / nu)))
    return jnp.where(negative, -radius, radius) * _sine(quarter * (math.pi / 2))


def _sine(t):
    """sin t on (0, pi/2), to the precision of t."""
    if t.dtype == jnp.float64:
        return jnp.sin(t)
    # the Taylor series to t^11: relative error 6e-8 at pi/2, and a third of the library's time
    t2, series = t * t, jnp.zeros_like(t)
    for k in (11, 9, 7, 5, 3):
        series = (1 + series) * t2 * (-1.0 / (k * (k - 1)))
    return t * (1 + series)


def _student_32(nu: float, w0: Word, w1: Word):
    """One float32 weight from a block: 40 bits for U, 24 for V.

    U >= 2^-41, so that |w| <= sqrt(nu-2) 2^(41/nu) (13,000 at nu = 3, 500 at 5): the law is cut where
    its tail has probability 2^-40, unseen in fewer than 10^12 weights. E w^2k loses the fraction
    2^(-40 (1 - 2k/nu)) or less, below the scatter of a mean over so many weights.
    """
    uniform = w0.astype(jnp.float32) * 2.0**-32
    uniform = uniform + ((w1 >> jnp.uint32(24)).astype(jnp.float32) + 0.5) * 2.0**-40
    quarter = ((w1 & jnp.uint32(0x7FFFFF)).astype(jnp.float32) + 0.5) * 2.0**-23
    return _student(nu, uniform, quarter, (w1 & jnp.uint32(0x800000)) != 0)


def _student_64(nu: float, w0: Word, w1: Word, w2: Word, w3: Word):
    """One float64 weight from two blocks: 64 bits for U (to 2^-65), 63 and a sign for V."""
    wide = lambda hi, lo: hi.astype(jnp.float64) * 2.0**-32 + lo.astype(jnp.float64) * 2.0**-64
    quarter = 2 * wide(w2 & jnp.uint32(0x7FFFFFFF), w3) + 2.0**-64
    return _student(nu, wide(w0, w1) + 2.0**-65, quarter, (w2 >> jnp.uint32(31)) != 0)
