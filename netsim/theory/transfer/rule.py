"""The law of sigma(sqrt(s) g)^2, g ~ N(0, 1), as a positive quadrature rule, for any activation."""

from __future__ import annotations

import numpy as np

from netsim.gaussian.legendre import legendre
from netsim.networks.activation import Activation

__all__ = ["neuron_rule", "neuron_rules", "square_bound"]

_TOP = 13.0  # P(|g| > 13) = 6e-39
_GEOMETRIC = -20  # panels towards 0 down to 2^-20: resolves |x| of order 1 up to s = 10^12
_HALVINGS = 3  # panels of 1/2 are halved at most so often, to 1/16: sin up to s = 10^4
_TOLERANCE = 1e-14


def _edges(s: float, kinks: tuple[float, ...], halvings: int) -> np.ndarray:
    """Panel edges on [-13, 13]: even ones, geometric ones towards 0, and the kinks.

    At large s the activation's own scale, |x| of order 1, lies at |g| of order 1/sqrt(s): the
    geometric panels resolve it at every s alike.
    """
    step = 0.5 ** (halvings + 1)
    half = np.concatenate(
        [2.0 ** np.arange(_GEOMETRIC, -halvings - 1), np.arange(step, _TOP + step / 2, step)]
    )
    edges = np.concatenate([-half, [0.0], half])
    if s > 0:
        edges = np.concatenate([edges, np.asarray(kinks, dtype=float) / np.sqrt(s)])
    return np.unique(edges[np.abs(edges) <= _TOP])


def _panel_rule(activation: Activation, s: float, halvings: int, points: int):
    x, w = legendre(points)
    edges = _edges(s, activation.kinks, halvings)
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    g = (middle[:, None] + half[:, None] * x).ravel()
    weight = (half[:, None] * w).ravel() * np.exp(-g * g / 2)
    return activation.numpy(np.sqrt(s) * g) ** 2, weight / weight.sum()


def neuron_rule(activation: Activation, s: float, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Points y and weights w with E f(sigma(z)^2) = sum w f(y), z ~ N(0, s).

    Composite Gauss-Legendre in g, `points` to a panel, split at 0 and at the activation's kinks.
    Panels are halved until the first two moments agree to 1e-14 (activations that oscillate at
    large s), three times at most: beyond, the rule's error shows in rules with fewer points.

    **Arguments:** `s >= 0`, the variance of z. **Returns:** two (N,) arrays.
    """
    y, w = _panel_rule(activation, s, 0, points)
    for halvings in range(1, _HALVINGS + 1):
        finer = _panel_rule(activation, s, halvings, points)
        moments = np.array([[w @ y, w @ y**2] for y, w in ((y, w), finer)])
        if np.all(np.abs(moments[1] - moments[0]) <= _TOLERANCE * moments[1]):
            break
        y, w = finer
    return y, w


def neuron_rules(
    activation: Activation, variances: np.ndarray, points: int
) -> tuple[np.ndarray, np.ndarray]:
    """The rules of `neuron_rule` at every variance, (B, N) each, padded with weights of zero."""
    rules = [neuron_rule(activation, float(s), points) for s in variances]
    size = max(len(y) for y, _ in rules)
    x = np.stack([np.pad(y, (0, size - len(y)), mode="edge") for y, _ in rules])
    w = np.stack([np.pad(w, (0, size - len(w))) for _, w in rules])
    return x, w


def square_bound(activation: Activation) -> float:
    """sup sigma^2 of a bounded activation, seen on |x| <= 60 densely and up to 1e8 sparsely."""
    x = np.concatenate([np.linspace(0.0, 60.0, 120001), np.geomspace(60.0, 1e8, 20001)])
    # between the points sigma^2 may be larger by (curvature) (step)^2 / 8, about 1e-8 relative
    return 1.000001 * max(float(np.max(activation.numpy(sign * x) ** 2)) for sign in (1.0, -1.0))
