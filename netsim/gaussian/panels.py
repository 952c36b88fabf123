"""Integrals over a plane of many functions at once, by graded panels fixed in advance.

int phi(g_1) int phi(g_2) f(g_1, g_2) dg_2 dg_1, f being built from sigma and its derivatives at z =
A g, A lower triangular: panels have edges where a z meets a kink and grow from sigma's own scale.
Unlike `netsim.gaussian.plane` nothing is halved until it agrees, so that derivatives which cancel
to rounding cost no more than others; the difference of two rules is the error.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from netsim.gaussian.legendre import legendre
from netsim.gaussian.line import EPSILON, REACH, graded_points
from netsim.gaussian.plane import outer_edges
from netsim.networks.activation import Activation

__all__ = ["integrate_panels"]

_NODES = (20, 14)  # per panel, of the rule and of the comparison rule
_CHUNK = 32  # outer nodes at a time: bounds memory


def integrate_panels(
    f: Callable[[np.ndarray], np.ndarray], A: np.ndarray, sigma: Activation
) -> tuple[np.ndarray, np.ndarray]:
    """int f(g) phi(g) d^2 g and an error.

    **Arguments:** `f`, (2, N) -> (P, N); `A`, (2, 2) lower triangular, z = A g; `sigma`.

    **Returns:** (P,) values, (P,) errors.
    """
    points = graded_points(sigma, REACH * (abs(A[1, 0]) + abs(A[1, 1])))
    outer = outer_edges(A, sigma)
    (fine, size), (coarse, _) = (_sum(f, A, outer, points, nodes) for nodes in _NODES)
    return fine, np.abs(fine - coarse) + 4 * EPSILON * size


def _sum(f, A: np.ndarray, outer: np.ndarray, points: np.ndarray, nodes: int):
    """Sums of the terms and of their sizes."""
    x, w = legendre(nodes)
    g1, w1 = _nodes(outer[None], x, w)
    uniform = np.linspace(-REACH, REACH, int(2 * REACH) + 1)
    total = size = np.zeros(1)  # (P,) from the first chunk on
    for k in range(0, g1.shape[1], _CHUNK):
        some, weight = g1[0, k : k + _CHUNK], w1[0, k : k + _CHUNK]
        near = np.clip((points - A[1, 0] * some[:, None]) / A[1, 1], -REACH, REACH)
        edges = np.concatenate([near, np.tile(uniform, (len(some), 1))], axis=1)
        g2, w2 = _nodes(np.sort(edges, axis=1), x, w)
        g = np.stack([np.repeat(some, g2.shape[1]), g2.ravel()])
        terms = f(g) * (weight[:, None] * w2).ravel()
        total = total + np.sum(terms, axis=1)
        size = size + np.sum(np.abs(terms), axis=1)
    return total, size


def _nodes(edges: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows, N) nodes between the edges of each row, and weights with the normal density."""
    half = 0.5 * np.diff(edges, axis=1)[:, :, None]
    g = edges[:, :-1, None] + half * (1 + x)
    weight = half * w * np.exp(-0.5 * g * g) / math.sqrt(2 * math.pi)
    return g.reshape(len(edges), -1), weight.reshape(len(edges), -1)
