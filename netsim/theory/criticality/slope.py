"""sigma' of an activation that comes without its derivative: piecewise Chebyshev interpolation.

On panels that end at the kinks, halved until the Chebyshev coefficients of sigma fall to rounding,
the interpolating polynomial is differentiated (Trefethen, Approximation Theory and Approximation
Practice, ch. 21).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import chebyshev

from netsim.gaussian.line import graded_points
from netsim.networks.activation import Activation

__all__ = ["SLOPE_ERROR", "NumericalSlope", "with_slope"]

SLOPE_ERROR = 4e-12  # relative to the largest slope around: rounding, amplified by differentiation
_DEGREE = 24
_RESOLVED = 1e-14  # last coefficients, relative to the largest
_FLAT = 1e-15  # or, as a slope, relative to sigma around 0: where sigma fades into rounding
_MOST_PANELS = 1 << 14
_NARROWEST = 1e-13  # a panel this narrow, relative to where it lies, holds a kink nobody told of


@dataclass(frozen=True, eq=False)
class NumericalSlope:
    """sigma' as Chebyshev series, (P, degree) `coefficients` on panels between (P+1,) `edges`."""

    name: str
    edges: np.ndarray
    coefficients: np.ndarray

    def __call__(self, x, xp) -> np.ndarray:
        """**Raises:** `ValueError` for |x| beyond the panels."""
        del xp  # theory evaluates with NumPy
        x = np.asarray(x, dtype=np.float64)
        if np.any(np.abs(x) > self.edges[-1]):
            raise ValueError(f"sigma' of {self.name} is known for |z| <= {self.edges[-1]:g} only")
        # an edge belongs to the panel on its left, as relu'(0) = 0
        panel = np.clip(np.searchsorted(self.edges, x) - 1, 0, len(self.coefficients) - 1)
        a, b = self.edges[panel], self.edges[panel + 1]
        t = (2 * x - a - b) / (b - a)
        return chebyshev.chebval(t, np.moveaxis(self.coefficients[panel], -1, 0), tensor=False)


def with_slope(sigma: Activation, reach: float) -> Activation:
    """`sigma` itself if it has sigma', else a copy with a numerical sigma' for |z| <= `reach`.

    Where sigma overflows within `reach`, or oscillates too often to be resolved, up to the largest
    reach/2^k where it does not.

    **Raises:** `ValueError` for a sigma that is not finite, or not resolved on [-1, 1] either.
    """
    if len(sigma.functions) > 1:
        return sigma
    while True:
        try:
            edges, coefficients = _panels(sigma, reach)
            break
        except ValueError:
            if reach < 2:
                raise
            reach /= 2
    slopes = chebyshev.chebder(coefficients, axis=1) * (2 / np.diff(edges))[:, None]
    return replace(sigma, functions=(*sigma.functions, NumericalSlope(sigma.name, edges, slopes)))


def _panels(sigma: Activation, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges (P+1,) and Chebyshev coefficients (P, degree+1) of sigma on each panel."""
    t = chebyshev.chebpts1(_DEGREE + 1)
    fit = np.linalg.inv(chebyshev.chebvander(t, _DEGREE))
    edges = np.unique(np.concatenate([[-reach, reach], graded_points(sigma, reach)]))
    a, b = edges[:-1], edges[1:]
    size = float(np.max(np.abs(sigma.numpy(np.linspace(-2.0, 2.0, 101)))))
    done: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    count = 0
    while len(a):
        half, middle = 0.5 * (b - a), 0.5 * (a + b)
        x = middle[:, None] + half[:, None] * t
        with np.errstate(all="ignore"):
            y = np.asarray(sigma.numpy(x.ravel()), dtype=np.float64).reshape(x.shape)
        if not np.all(np.isfinite(y)):
            raise ValueError(f"{sigma.name} is not finite everywhere in |z| <= {reach:g}")
        c = y @ fit.T
        tail = np.max(np.abs(c[:, -3:]), axis=1)
        good = (tail <= _RESOLVED * np.max(np.abs(c), axis=1)) | (tail <= _FLAT * size * half)
        good |= half <= _NARROWEST * np.maximum(1.0, np.abs(middle))
        count += len(a)
        if count > _MOST_PANELS:
            raise ValueError(
                f"{sigma.name} varies too fast in |z| <= {reach:g} to be differentiated numerically: "
                "register its derivative, too"
            )
        done.append((a[good], b[good], c[good]))
        a, b = np.concatenate([a[~good], middle[~good]]), np.concatenate([middle[~good], b[~good]])
    left, right, rows = (np.concatenate(parts) for parts in zip(*done, strict=True))
    order = np.argsort(left)
    return np.append(left[order], right[order][-1]), rows[order]
