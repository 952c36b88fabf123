"""Half of the draws with larger noise, weighted back: smaller errors of high cumulants.

High moments of S are carried by draws in which most layers are larger than typical. Draws of odd
index multiply a layer's standard normals g of the first field by sqrt(1 + delta), positive and
negative ones by their own factor, so that such draws are common; with p the plain density of all
normals up to layer l and p' the widened one, both kinds of draw get the weight of the mixture,

    W_l = 2 p/(p + p'),   0 < W_l < 2,   E W_l f = E_plain f   for every f of layers 1..l,

so that no draw can spoil an estimate, and none is lost where the two laws are close (defensive
mixtures: T. Hesterberg, Technometrics 37 (1995) 185; balance heuristic: E. Veach, L. Guibas,
SIGGRAPH 1995). delta decides efficiency only, never the mean.

delta_l^+- = SHIFT r^+- / sqrt(N_l), N_l = sum over layers <= l and neurons of (r^+^2 + r^-^2)/2: the
sum of r g^2 over all layers up to l is then shifted by about SHIFT sqrt 2 of its standard
deviations, at every l and whatever follows; log(p'/p) has variance SHIFT^2/2 (log l + 0.58).
The directions r^+- = E[sigma(sqrt K g)^2 (g^2 - 1); +-g > 0] are the response of S to a wider
positive or negative half of g, scaled to a maximum of one: (1, 0) for ReLU, (1, 1) for odd sigma.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from netsim.networks.network import Network

__all__ = ["SHIFT", "Wider", "wider_noise"]

# Errors of kappa_2, 4, 6, 8 at (n, L) = (64, 8) relative to plain draws: linear 0.8, 0.4, 0.25, 0.17,
# ReLU 0.75, 0.4, 0.2, 0.2; flat between 1 and 2 (benchmarks/mixture.py)
SHIFT = 1.4
_GRID = 64  # directions are rounded to 1/64: the same on every machine


def wider_noise(network: Network, variances: np.ndarray) -> np.ndarray:
    """(L, 2): delta of every hidden layer, for g > 0 and for g < 0.

    **Arguments:** `variances`: (L,) the variance of the first field in layers 1..L at infinite
    width.
    """
    r = _directions(network, np.asarray(variances, float))
    N = np.cumsum(np.array(network.widths) * np.sum(r**2, axis=1) / 2)[:, None]
    delta = SHIFT * np.divide(r, np.sqrt(N), out=np.zeros_like(r), where=N > 0)
    # sqrt(1 + delta) is then a float32 number: float32 draws have the law that the weights assume
    return np.sqrt(1 + delta).astype(np.float32).astype(np.float64) ** 2 - 1


def _directions(network: Network, K: np.ndarray) -> np.ndarray:
    """(L, 2) multiples of 1/64 in [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(64)
    g = 4 * (x + 1)  # [0, 8]
    weight = w * np.exp(-0.5 * g**2) * (g**2 - 1)
    at = np.stack([g, -g])
    squares = network.activation.numpy(np.sqrt(K)[:, None, None] * at) ** 2  # (L, 2, nodes)
    response = np.maximum(squares @ weight, 0.0)
    # a constant has no response: what is left is rounding
    r = np.where(response > 1e-9 * (squares @ np.abs(weight)), response, 0.0)
    largest = r.max(axis=1, keepdims=True)
    return np.round(_GRID * np.divide(r, largest, out=np.zeros_like(r), where=largest > 0)) / _GRID


class Wider:
    """The wider noise of one layer of one draw, on the device.

    g are the unscaled standard normals of the first field: a complex number for two neurons.
    """

    def __init__(self, delta, index, dtype: str):
        odd = (index & jnp.uint32(1)) != 0
        self.factor = jnp.where(odd, jnp.sqrt(1 + delta), 1.0).astype(dtype)  # (2,)
        self.slope = jnp.where(odd, delta / 2, delta / (2 + 2 * delta))
        self.constant = -jnp.log1p(delta) / 2

    def scaled(self, g):
        """The noise that the layer uses."""

        def part(x):
            return x * jnp.where(x > 0, self.factor[0], self.factor[1])

        return jax.lax.complex(part(jnp.real(g)), part(jnp.imag(g)))

    def log_ratio(self, g, exists: tuple):
        """log p'/p of the noise of those of the two neurons that exist: a float64 scalar."""
        parts = (jnp.real(g), jnp.imag(g))
        terms = [
            jnp.where(there, self._one(part.astype(jnp.float64)), 0.0)
            for part, there in zip(parts, exists, strict=True)
        ]
        return terms[0] + terms[1]

    def _one(self, x):
        up = x > 0
        slope = jnp.where(up, self.slope[0], self.slope[1])
        return jnp.where(up, self.constant[0], self.constant[1]) + slope * x * x
