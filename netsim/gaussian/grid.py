"""Integrals of smooth functions against the standard normal density in 2 to 4 dimensions: trapezoid.

The uniform trapezoid rule with step h errs by exp(-2 pi a/(h s)), a the distance of sigma's poles
from the real axis and s the largest standard deviation, and by exp(-2 pi^2/h^2) from the density.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from netsim.gaussian.line import EPSILON

__all__ = ["grid_points", "integrate_grid"]

# dimensions -> (-log of the step error, reach): finer where it is cheap. 60, so that the comparison
# rule, too, reaches rounding after the large factors that poles of high order bring
_PLAN = {2: (60.0, 12.0), 3: (38.0, 10.0), 4: (28.0, 8.5)}
_ENTIRE = 1.5  # erf, gelu, sin have no poles; their growth off the axis acts like one at 1.5
_COARSE = 1.3  # the comparison rule's step over the step
_MOST_POINTS = 2e7
_CHUNK = 1 << 17


def _step(dimensions: int, scale: float, pole: float) -> float:
    digits, _ = _PLAN[dimensions]
    h = 2 * math.pi * min(pole, _ENTIRE) / (digits * max(scale, 1e-3))
    return min(h, math.pi * math.sqrt(2 / (_COARSE * digits)))


def grid_points(dimensions: int, scale: float, pole: float) -> float:
    """Number of points per dimension that full accuracy needs."""
    return 2 * _PLAN[dimensions][1] / _step(dimensions, scale, pole)


def integrate_grid(
    f: Callable[[np.ndarray], np.ndarray], dimensions: int, scale: float, pole: float
) -> tuple[np.ndarray, np.ndarray]:
    """int f(g) phi(g) d^r g and an error.

    **Arguments:** `f`, (r, N) -> (P, N), smooth; `dimensions`, 2 <= r <= 4; `scale`, the largest
    standard deviation inside f; `pole`, of its activation.

    **Returns:** (P,) values and (P,) errors: the difference to a rule with a 1.3 times larger step,
    plus what the cut-off and rounding may leave out.
    """
    h = _step(dimensions, scale, pole)
    reach = _PLAN[dimensions][1]
    h = max(h, 2 * reach / _MOST_POINTS ** (1 / dimensions))
    fine, size, tail = _trapezoid(f, dimensions, h, reach)
    coarse, _, _ = _trapezoid(f, dimensions, _COARSE * h, reach)
    return fine, np.abs(fine - coarse) + 2 * tail + 4 * EPSILON * size


def _trapezoid(f, dimensions: int, h: float, reach: float):
    """(P,) sum, sum of |terms|, and the part of the latter on the outermost shell."""
    half = math.ceil(reach / h)
    x = h * np.arange(-half, half + 1)
    w = h * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    shape = (len(x),) * dimensions
    count = len(x) ** dimensions
    total = size = tail = np.zeros(1)  # (P,) from the first chunk on
    for start in range(0, count, _CHUNK):
        index = np.unravel_index(np.arange(start, min(start + _CHUNK, count)), shape)
        weight = np.prod([w[i] for i in index], axis=0)
        outer = np.any([np.abs(i - half) == half for i in index], axis=0)
        terms = f(np.stack([x[i] for i in index])) * weight
        total = total + np.sum(terms, axis=1)
        size = size + np.sum(np.abs(terms), axis=1)
        tail = tail + np.sum(np.abs(terms[:, outer]), axis=1)
    return total, size, tail
