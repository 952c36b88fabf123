"""Quadrature for functions of D standard normals that nothing is known about, in two sizes.

Products of trapezoids (one or two dimensions) and of Gauss-Hermite rules (three or four): for smooth
functions their error falls exponentially with the number of points, with a kink like a power of it,
and a smaller rule shows which. Beyond, scrambled Sobol points in independent replicates, whose scatter
is the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy import special
from scipy.stats import qmc

__all__ = ["MOST", "Rule", "rules"]

MOST = 16  # dimensions: 4 neurons at 4 inputs
REPLICATES = 16
_REACH = 11.0  # g^8 exp(-g^2/2) is 1e-18 there: derivatives bring powers
_STEPS = {1: 1 / 512, 2: 1 / 12}
_NODES = {3: (40, 28), 4: (20, 14)}
_SOBOL = 13  # 2^13 points a replicate
_CHUNK = 1 << 15  # points evaluated at a time

Rule = list[tuple[np.ndarray, np.ndarray]]  # chunks of points (N, D) and weights (N,)


@lru_cache(maxsize=16)
def rules(dimensions: int) -> tuple[bool, list[Rule]]:
    """(whether the rules are replicates, the rules): else the first is the fine one.

    **Raises:** `ValueError` for more than `MOST` dimensions.
    """
    if not 1 <= dimensions <= MOST:
        raise ValueError(f"integrals over 1 to {MOST} normals, not {dimensions}")
    if dimensions in _STEPS:
        lines = [_trapezoid(size * _STEPS[dimensions]) for size in (1, 2)]
        return False, [list(_product(dimensions, *line)) for line in lines]
    if dimensions in _NODES:
        lines = [_hermite(nodes) for nodes in _NODES[dimensions]]
        return False, [list(_product(dimensions, *line)) for line in lines]
    return True, [list(_sobol(dimensions, seed)) for seed in range(REPLICATES)]


def _trapezoid(step: float) -> tuple[np.ndarray, np.ndarray]:
    # no point at 0, where a kink would favour one of the two sizes
    g = np.arange(-_REACH + step / 2, _REACH, step)
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
