"""Gauss-Legendre rules, correctly rounded: the one source of nodes and weights."""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["legendre"]


@cache
def legendre(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [-1, 1]: P(x) = 0, w = 2/((1 - x^2) P'(x)^2).

    NumPy's and SciPy's weights are off by up to 1e-13 near the ends, which sums of many panels and
    high Hermite orders feel.

    **Returns:** two (points,) arrays, read-only: all who ask share them.
    """
    from mpmath import MPContext

    mp = MPContext()
    mp.dps = 30
    x = np.array([mp.mpf(v) for v in np.polynomial.legendre.leggauss(points)[0]], dtype=object)
    w = x
    for _ in range(3):  # Newton: 16 digits, 30, and the weights there
        before, P = 1 + 0 * x, x
        for k in range(2, points + 1):
            before, P = P, ((2 * k - 1) * x * P - (k - 1) * before) / k
        slope = points * (before - x * P) / (1 - x * x)
        w = 2 / ((1 - x * x) * slope**2)
        x = x - P / slope
    rule = x.astype(np.float64), w.astype(np.float64)
    for array in rule:
        array.setflags(write=False)
    return rule
