"""Standardised weights from random words, for every weight law."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from netsim.networks.weights import WeightLaw
from netsim.samplers.rng import Key, Word, normal_pair, threefry

__all__ = ["weight_pair"]

Weights = Float[Array, "..."]


def weight_pair(
    law: WeightLaw, key: Key, draw: Word, position: Word, dtype: str
) -> tuple[Weights, Weights]:
    """Two independent weights of mean 0 and variance 1 at (draw, position).

    One word a weight: uniform on 2^31 midpoints; rademacher the sign bit; sparse(p) keeps a weight
    if its 31 low bits lie below p 2^31 (p to 5e-10).
    """
    if law.kind == "gaussian":
        return normal_pair(key, draw, position, dtype)
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
    raise ValueError(f"no sampler for the weight law {law.name}")
