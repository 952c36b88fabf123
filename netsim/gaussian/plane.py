"""Integrals over a plane with kinks or steep places: adaptive outside, graded panels inside.

int phi(g_1) [int phi(g_2) f(g_1, g_2) dg_2] dg_1, where f is built from sigma(z_1), sigma(z_2) with
z = A g, A lower triangular. For given g_1 the inner panels have edges where z_2 meets a kink and
around z_2 = 0, on sigma's own scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from netsim.gaussian.legendre import legendre
from netsim.gaussian.line import REACH, graded_points, integrate_line, line_edges
from netsim.networks.activation import Activation

__all__ = ["integrate_plane", "outer_edges"]

_FINE, _COARSE = 20, 14  # inner nodes per panel; their difference is the inner error
_CHUNK = 64  # outer nodes at a time: bounds memory


def integrate_plane(
    f: Callable[[np.ndarray], np.ndarray], A: np.ndarray, sigma: Activation
) -> tuple[np.ndarray, np.ndarray]:
    """int f(g) phi(g) d^2 g and an error, for any kinks, scales and angle.

    **Arguments:** `f`, (2, N) -> (P, N); `A`, (2, 2) lower triangular, z = A g; `sigma`.

    **Returns:** (P,) values, (P,) errors.
    """
    points = graded_points(sigma, REACH * (abs(A[1, 0]) + abs(A[1, 1])))
    outer = outer_edges(A, sigma)
    fine, error = integrate_line(_inner(f, A, points, _FINE), outer)
    coarse, _ = integrate_line(_inner(f, A, points, _COARSE), outer)
    return fine, error + np.abs(fine - coarse)


def outer_edges(A: np.ndarray, sigma: Activation) -> np.ndarray:
    """Panel edges in g_1 for functions of sigma at z = A g, A (2, 2) lower triangular."""
    edges = line_edges([A[0, 0]], sigma)
    if A[1, 0] == 0:
        return edges
    # seen from g_1, a kink of z_2 is smeared over A_11
    kinks = np.array([0.0, *sigma.kinks])
    smear = A[1, 1] * 2.0 ** np.arange(0, 60, 2)
    smear = smear[smear < REACH * abs(A[1, 0])]
    near = (kinks[:, None] + np.concatenate([-smear, [0.0], smear])).ravel() / A[1, 0]
    return np.unique(np.concatenate([edges, near[np.abs(near) < REACH]]))


def _inner(f, A: np.ndarray, points: np.ndarray, nodes: int):
    x, w = legendre(nodes)
    uniform = np.linspace(-REACH, REACH, int(2 * REACH) + 1)

    def chunk(g1: np.ndarray) -> np.ndarray:
        near = np.clip((points - A[1, 0] * g1[:, None]) / A[1, 1], -REACH, REACH)
        edges = np.sort(np.concatenate([near, np.tile(uniform, (len(g1), 1))], axis=1), axis=1)
        half = 0.5 * np.diff(edges, axis=1)[:, :, None]
        g2 = edges[:, :-1, None] + half * (1 + x)
        weight = half * w * np.exp(-0.5 * g2 * g2) / math.sqrt(2 * math.pi)
        outer = np.broadcast_to(g1[:, None, None], g2.shape)
        y = f(np.stack([outer.ravel(), g2.ravel()]))
        return np.sum(y.reshape(len(y), len(g1), -1) * weight.reshape(1, len(g1), -1), axis=2)

    def integrand(g1: np.ndarray) -> np.ndarray:
        parts = [chunk(g1[k : k + _CHUNK]) for k in range(0, len(g1), _CHUNK)]
        return np.concatenate(parts, axis=1)

    return integrand
