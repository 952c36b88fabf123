"""Integrals against the standard normal density on a line, adaptive, with an error.

int f(g) phi(g) dg, phi(g) = exp(-g^2/2)/sqrt(2 pi), by Gauss-Legendre panels. A panel is accepted
when it agrees with its two halves; their difference, which bounds the error of the cruder of the
two, is what the returned error adds up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from netsim.gaussian.legendre import legendre
from netsim.networks.activation import Activation

__all__ = ["EPSILON", "REACH", "graded_points", "integrate_line", "line_edges"]

REACH = 16.0  # phi(16) = 1e-56: the rest is nothing for any f below |g|^100
EPSILON = float(np.finfo(np.float64).eps)
_NODES = 20
_ACCEPT = 1e-15  # of E|f|: just above what rounding lets two sums agree to
_MOST_PANELS = 1 << 16


def graded_points(sigma: Activation | None, reach: float) -> np.ndarray:
    """Points in z, |z| <= reach, between which sigma varies little: 0, +-w 2^j, and the kinks.

    w = min(1, pole/2): the scale on which sigma varies near 0; farther out the distance to the
    poles grows with |z|, so that doubling panels suffice.
    """
    width = 1.0 if sigma is None else min(1.0, sigma.pole / 2)
    count = max(0, math.ceil(math.log2(max(reach / width, 1.0))))
    powers = width * 2.0 ** np.arange(min(count, 200) + 1)
    kinks = () if sigma is None else sigma.kinks
    points = np.unique(np.concatenate([-powers, [0.0], powers, np.asarray(kinks, float)]))
    return points[np.abs(points) <= reach]


def line_edges(scales: Iterable[float], sigma: Activation | None = None) -> np.ndarray:
    """Panel edges in g that resolve sigma(s g) for every s of `scales`, with its kinks as edges."""
    parts = [np.linspace(-REACH, REACH, int(2 * REACH) + 1)]
    for s in scales:
        if s != 0:
            parts.append(graded_points(sigma, REACH * abs(s)) / s)
    edges = np.unique(np.clip(np.concatenate(parts), -REACH, REACH))
    return edges


def integrate_line(
    f: Callable[[np.ndarray], np.ndarray], edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """int f(g) phi(g) dg over the line, and a bound on its error.

    **Arguments:** `f`, (N,) -> (P, N), smooth between the `edges`; `edges`, increasing.

    **Returns:** (P,) values and (P,) errors. Where 65536 panels do not suffice (an integrand that
    oscillates 10^5 times) the error says so.

    **Raises:** `ValueError` where f is not finite.
    """
    a, b = edges[:-1], edges[1:]
    total = error = scale = np.zeros(1)  # (P,) from the first round on
    used = 0
    while len(a):
        middle = 0.5 * (a + b)
        whole, _ = _panels(f, a, b)
        left, left_size = _panels(f, a, middle)
        right, right_size = _panels(f, middle, b)
        halves = left + right
        gap = np.abs(halves - whole)
        if used == 0:
            scale = np.sum(left_size + right_size, axis=1)
        used += len(a)
        good = np.all(gap <= _ACCEPT * scale[:, None], axis=0)
        if used > _MOST_PANELS:
            good[:] = True
        total = total + np.sum(halves[:, good], axis=1)
        error = error + np.sum(gap[:, good], axis=1)
        again = ~good
        a, b = (
            np.concatenate([a[again], middle[again]]),
            np.concatenate([middle[again], b[again]]),
        )
    # a jump that no edge marks may hide in a panel below the threshold, beside the rounding
    return total, error + 4 * _ACCEPT * scale


def _panels(f, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(P, panels) integrals of f phi and of |f| phi over [a, b]."""
    x, w = legendre(_NODES)
    half = 0.5 * (b - a)
    g = (0.5 * (a + b))[:, None] + half[:, None] * x
    weight = half[:, None] * w * np.exp(-0.5 * g * g) / math.sqrt(2 * math.pi)
    y = np.asarray(f(g.ravel()), dtype=np.float64)
    y = y.reshape(-1, *g.shape)
    if not np.all(np.isfinite(y)):
        where = g[tuple(np.argwhere(~np.isfinite(y))[0][1:])]
        raise ValueError(
            f"the integrand is not finite at {where:g} standard deviations: it must be finite on "
            f"[-{REACH:g}, {REACH:g}]; scale it, or use a smaller kernel"
        )
    terms = y * weight
    return np.sum(terms, axis=2), np.sum(np.abs(terms), axis=2)
