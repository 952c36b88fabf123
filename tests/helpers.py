"""Lists of all samplers, theories, ... and what the batteries over them share."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from netsim.networks.activation import Activation
from netsim.networks.inputs import Inputs, from_vectors
from netsim.samplers.conditional import conditional
from netsim.samplers.dense import dense

SAMPLERS = {"conditional": conditional, "dense": dense}
HARD_TANH = Activation(
    "hard_tanh_of_these_tests",
    (
        lambda x, xp: xp.where(xp.abs(x) < 1, x, xp.where(x > 0, 1.0, -1.0)),
        lambda x, xp: xp.where(xp.abs(x) < 1, 1.0, 0.0),
    ),
    1,
    0.0,
    (-1.0, 1.0),
)


def vectors(count: int, dimension: int, seed: int, directions: int = 0) -> Inputs:
    """Random inputs with |x|^2/n_0 = 1, and random directions."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((count, dimension))
    x /= np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    v = generator.standard_normal((directions, dimension)) if directions else None
    return from_vectors(x, v, source="test")


@jax.jit
def _batch(draw, index):
    return jax.vmap(draw)(index)


def layers_of_draws(draw, count: int, first: int = 0) -> dict[str, np.ndarray]:
    """`count` draws from index `first`, float64 NumPy, draws leading; one compilation per shape."""
    with jax.enable_x64(True):
        result = _batch(draw, jnp.arange(first, first + count, dtype=jnp.uint32))
        return {name: np.asarray(value, np.float64) for name, value in result.items()}


def z_scores(sample: np.ndarray, expected) -> np.ndarray:
    """(mean over draws - expected) / its standard error, where there is one."""
    error = sample.std(axis=0, ddof=1) / np.sqrt(len(sample))
    difference = sample.mean(axis=0) - expected
    scale = np.abs(expected) + np.abs(sample).max(axis=0)
    rounding = error <= 1e-6 * scale  # a deterministic entry up to float32 rounding
    assert np.all(np.abs(difference)[rounding] <= 1e-5 * scale[rounding])
    return np.where(rounding, 0.0, difference / np.where(rounding, 1.0, error))


def two_sample_z(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """z-scores of the difference of two means over draws."""
    variance = first.var(axis=0, ddof=1) / len(first) + second.var(axis=0, ddof=1) / len(second)
    difference = first.mean(axis=0) - second.mean(axis=0)
    scale = np.abs(first).max(axis=0) + np.abs(second).max(axis=0)
    rounding = np.sqrt(variance) <= 1e-7 * scale
    assert np.all(np.abs(difference)[rounding] <= 1e-5 * scale[rounding])
    return np.where(rounding, 0.0, difference / np.sqrt(np.where(rounding, 1.0, variance)))
