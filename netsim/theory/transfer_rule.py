"""The law of sigma(sqrt(s) g)^2, g ~ N(0, 1), as a positive quadrature rule, for any activation."""

from __future__ import annotations

from functools import cache

import numpy as np

from netsim.networks.activations import Activation

__all__ = ["neuron_rule", "square_bound"]

_TOP = 13.0  # P(|g| > 13) = 6e-39
_FINEST = 4  # halvings of the panels at most: 2^-5, finer than any built-in activation needs


@cache
def _legendre(points: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(points)


def _panels(s: float, kinks: tuple[float, ...], halvings: int) -> np.ndarray:
    """Panel edges on [-13, 13]: even ones, geometric ones towards 0, and the kinks.

    At large s the activation's own scale, |x| of order 1, lies at |g| of order 1/sqrt(s): the
    geometric panels resolve it at every s alike.
    """
    even = np.arange(0.5**halvings, 0.5**halvings + _TOP, 0.5 ** (halvings + 1)) / 1.0
    half = np.concatenate([2.0 ** np.arange(-20.0, 0.0), even[even >= 1.0], [_TOP]])
    edges = np.concatenate([-half, [0.0], half])
    if s > 0:
        edges = np.concatenate([edges, np.asarray(kinks, dtype=float) / np.sqrt(s)])
    return np.unique(edges[np.abs(edges) <= _TOP])


def _rule(activation: Activation, s: float, halvings: int, points: int):
    x, w = _legendre(points)
    edges = _panels(s, activation.kinks, halvings)
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    g = (middle[:, None] + half[:, None] * x).ravel()
    weight = (half[:, None] * w).ravel() * np.exp(-g * g / 2)
    return activation.numpy(np.sqrt(s) * g) ** 2, weight / weight.sum()
