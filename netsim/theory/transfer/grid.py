"""Grids in s on which functions of the collective variable S_l are interpolated.

Functions f(s) = E[S_L^p | S_l = s] are smooth in a power root of s - C_b and, divided by a weight
that grows like them, up to infinity. Interpolation is by the polynomial in t through the Chebyshev
points t_i of the first kind, where s = s(t); cardinal functions by the barycentric formula.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["BoundedGrid", "Grid", "HalfLineGrid", "LogGrid"]

# s - C_b = b ((1+t)/2)^3. Without bias the laws spread over decades below 1/L, and the cube puts
# nodes there: at L = 64, n = 32, tanh, the error falls from 1e-6 (power 1) to 1e-14.
_BOUNDED_POWER = 3
# s - C_b = x_0 ((1+t)/(1-t))^2: unbounded sigma have half-integer powers of 1/s at large s.
_HALF_LINE_POWER = 2


def _chebyshev(size: int) -> tuple[np.ndarray, np.ndarray]:
    angle = (2 * np.arange(size) + 1) * np.pi / (2 * size)
    return np.cos(angle), (-1.0) ** np.arange(size) * np.sin(angle)


def _cardinals(t: np.ndarray, size: int) -> np.ndarray:
    """(..., size): l_j(t), by the barycentric formula (Berrut and Trefethen 2004)."""
    nodes, weights = _chebyshev(size)
    distance = t[..., None] - nodes
    hit = distance == 0
    l = weights / np.where(hit, 1.0, distance)
    l /= l.sum(-1, keepdims=True)
    return np.where(hit.any(-1, keepdims=True), hit, l)


@dataclass(frozen=True)
class BoundedGrid:
    """S in [lower, lower + width]: bounded activations; lower = C_b, width = C_W sup sigma^2."""

    lower: float
    width: float
    size: int

    @property
    def points(self) -> np.ndarray:
        """(size,) the values of s at the nodes."""
        t, _ = _chebyshev(self.size)
        return self.lower + self.width * ((1 + t) / 2) ** _BOUNDED_POWER

    def weight(self, s: np.ndarray, order: int) -> np.ndarray:
        """1: f needs no weight where S is bounded."""
        return np.ones_like(s)

    def cardinals(self, s: np.ndarray) -> np.ndarray:
        """(..., size): the cardinal functions at s.

        **Raises:** `ValueError` for s above the interval.
        """
        _check_bound(s, self.lower, self.width)
        x = np.maximum(s - self.lower, 0.0) / self.width
        return _cardinals(2 * np.minimum(x, 1.0) ** (1 / _BOUNDED_POWER) - 1, self.size)


@dataclass(frozen=True)
class HalfLineGrid:
    """S in [lower, infinity): unbounded activations; `scale` is a typical S."""

    lower: float
    scale: float
    size: int

    @property
    def points(self) -> np.ndarray:
        """(size,) the values of s at the nodes."""
        t, _ = _chebyshev(self.size)
        return self.lower + self.scale * ((1 + t) / (1 - t)) ** _HALF_LINE_POWER

    def _root(self, s: np.ndarray) -> np.ndarray:
        return (np.maximum(s - self.lower, 0.0) / self.scale) ** (1 / _HALF_LINE_POWER)

    def weight(self, s: np.ndarray, order: int) -> np.ndarray:
        """A function that grows like s^order: f/weight is bounded for f = O(s^order)."""
        return (1 + self._root(s)) ** (_HALF_LINE_POWER * order)

    def cardinals(self, s: np.ndarray) -> np.ndarray:
        """(..., size): the cardinal functions at s."""
        u = self._root(s)
        return _cardinals((u - 1) / (u + 1), self.size)


@dataclass(frozen=True)
class LogGrid:
    """S in [lower, lower + width] where typical S, `scale`, are far below: t linear in log(1 + x).

    x = (s - lower)/scale. Bounded activations in their ordered phase: S shrinks from layer to layer,
    but functions of it bend where sigma saturates, at s of order 1. The half line's nodes thin out
    like powers of s and meet that bend with one or two (tanh, C_W = 1/2, n = L = 32: errors of
    kappa_2 of 1e-10, which grow with the number of nodes); here every decade has as many.
    """

    lower: float
    scale: float
    width: float
    size: int

    @property
    def _range(self) -> float:
        return float(np.log1p(self.width / self.scale))

    @property
    def points(self) -> np.ndarray:
        """(size,) the values of s at the nodes."""
        t, _ = _chebyshev(self.size)
        return self.lower + self.scale * np.expm1(self._range * (1 + t) / 2)

    def _x(self, s: np.ndarray) -> np.ndarray:
        return np.maximum(s - self.lower, 0.0) / self.scale

    def weight(self, s: np.ndarray, order: int) -> np.ndarray:
        """A function that grows like s^order, so that small S keep their relative precision."""
        return (1 + self._x(s)) ** order

    def cardinals(self, s: np.ndarray) -> np.ndarray:
        """(..., size): the cardinal functions at s.

        **Raises:** `ValueError` for s above the interval.
        """
        _check_bound(s, self.lower, self.width)
        t = 2 * np.log1p(self._x(s)) / self._range - 1
        return _cardinals(np.minimum(t, 1.0), self.size)


def _check_bound(s: np.ndarray, lower: float, width: float) -> None:
    if np.max(s) - lower > (1 + 1e-9) * width:
        raise ValueError(
            f"S = {np.max(s):g} lies above C_b + C_W sup sigma^2 = {lower + width:g}: "
            "the activation is declared bounded (growth=0) but is not; declare its growth"
        )


Grid = BoundedGrid | HalfLineGrid | LogGrid
