"""Quadrature for functions of D standard normals that nothing is known about, each several times.

Rules that share no points, so that no kink or step makes the same error in all of them:

- one or two dimensions: products of trapezoids with steps whose ratios are irrational, shifted; for
  smooth functions their error falls exponentially with 1/step, with a step of the function like step;
- three or four: products of Gauss-Hermite rules of even and odd size;
- from two on scrambled Sobol points: for rough functions the better of both, and beyond four all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy import special
from scipy.stats import qmc

__all__ = ["MOST", "REACH", "Rule", "products", "replicates"]

MOST = 16  # dimensions: 4 neurons at 4 inputs
REACH = 11.0  # g^8 exp(-g^2/2) is 1e-18 there: derivatives bring powers
_REPLICATES = 16
_STEPS = {1: 1 / 1024, 2: 1 / 16}
_RATIOS = {1: (1.0, 2.0**0.5, 3.0**0.5, 5.0**0.5, 7.0**0.5), 2: (1.0, 2.0**0.5, 3.0**0.5)}
_SHIFTS = (0.5, 0.29, 0.83, 0.11, 0.67)
_NODES = {3: (40, 33, 29), 4: (20, 17, 15)}
_SOBOL = 13  # 2^13 points a replicate
_CHUNK = 1 << 15  # points evaluated at a time

Rule = list[tuple[np.ndarray, np.ndarray]]  # chunks of points (N, D) and weights (N,)


@lru_cache(maxsize=8)
def products(dimensions: int) -> list[Rule]:
    """Three product rules or more, the finest first; none beyond four dimensions."""
    if dimensions in _STEPS:
        lines = [
            _trapezoid(_STEPS[dimensions] * ratio, shift)
            for ratio, shift in zip(_RATIOS[dimensions], _SHIFTS, strict=False)
        ]
    else:
        lines = [_hermite(nodes) for nodes in _NODES.get(dimensions, ())]
    return [list(_product(dimensions, *line)) for line in lines]


@lru_cache(maxsize=8)
def replicates(dimensions: int) -> list[Rule]:
    """Independent replicates, from two dimensions on: on a line they are no help."""
    if dimensions == 1:
        return []
    return [list(_sobol(dimensions, seed)) for seed in range(_REPLICATES)]


def _trapezoid(step: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    g = np.arange(-REACH + shift * step, REACH, step)
    w = np.exp(-(g**2) / 2)
    return g, w / w.sum()


def _hermite(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    g, w = np.polynomial.hermite_e.hermegauss(nodes)
    return g, w / w.sum()


def _product(
    dimensions: int, g: np.ndarray, w: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    size = len(g) ** dimensions
    for begin in range(0, size, _CHUNK):
        at = np.unravel_index(np.arange(begin, min(begin + _CHUNK, size)), [len(g)] * dimensions)
        yield np.stack([g[i] for i in at], axis=1), np.prod([w[i] for i in at], axis=0)


def _sobol(dimensions: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    points = qmc.Sobol(dimensions, rng=np.random.default_rng(seed)).random_base2(_SOBOL)
    g = special.ndtri(np.clip(points, 1e-16, 1 - 1e-16))
    yield g, np.full(len(g), 1 / len(g))
