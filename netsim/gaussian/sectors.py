"""Integrals over a plane of functions that are polynomials in each of a few sectors.

For sigma piecewise linear with its kink at 0, products of features are polynomials between the lines
z_i = 0. In polar coordinates each sector is integrated to rounding, however narrow it is: nearly
equal inputs keep their accuracy (arc-cosine kernels, Cho and Saul 2009, in a form that takes any
features).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from netsim.gaussian.legendre import legendre
from netsim.gaussian.line import EPSILON

__all__ = ["integrate_sectors"]


@cache
def _radial() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of int_0^inf f(r) r exp(-r^2/2) dr, to rounding for polynomials."""
    x, w = legendre(16)
    edges = np.arange(0.0, 15.0)
    r = (edges[:, None] + 0.5 * (x + 1)).ravel()
    return r, np.tile(0.5 * w, len(edges)) * r * np.exp(-0.5 * r * r)


def integrate_sectors(
    f: Callable[[np.ndarray], np.ndarray], A: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """int f(g) phi(g) d^2 g, f being polynomial in g between the lines (A g)_i = 0.

    **Arguments:** `f`, (2, N) -> (P, N); `A`, (m, 2), the directions of the z's.

    **Returns:** (P,) values and (P,) errors. Nearly parallel rows of A come out of the rounding of
    a covariance: what their angle may be off by, times the size of f, is part of the error.
    """
    lines = np.arctan2(A[:, 1], A[:, 0]) + math.pi / 2
    lines = np.unique(np.mod(lines, math.pi))
    edges = np.concatenate([lines, lines + math.pi, lines[:1] + 2 * math.pi])
    x, w = legendre(24)
    half = 0.5 * np.diff(edges)
    angle = (edges[:-1, None] + half[:, None] * (1 + x)).ravel()
    weight = (half[:, None] * w).ravel() / (2 * math.pi)
    r, radial = _radial()
    g = np.stack([np.outer(r, np.cos(angle)).ravel(), np.outer(r, np.sin(angle)).ravel()])
    terms = f(g) * np.outer(radial, weight).ravel()
    size = np.sum(np.abs(terms), axis=1)
    narrow = float(np.min(np.abs(np.sin(np.diff(edges))), initial=1.0, where=np.diff(edges) > 0))
    blur = EPSILON / max(narrow, math.sqrt(EPSILON))
    return np.sum(terms, axis=1), (8 * EPSILON + blur) * size
