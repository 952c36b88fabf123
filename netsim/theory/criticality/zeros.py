"""All zeros of a function of a kernel on a logarithmic grid: simple ones, and double ones.

A zero is simple where the function changes its sign, double where it only touches zero. Values
within their own error of zero have no sign: nothing is concluded from rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

__all__ = ["Scan", "Zero", "log_grid", "scan", "zeros"]

# K -> (value, error); ValueError where it has no value
Measured = Callable[[float], tuple[float, float]]

_PER_DECADE = 16  # points of the grid
_FINER = 24  # parts of a cell beside something of interest
_DEEP = 0.9  # a minimum that leaves 90% of |f| is a ripple, or rounding


@dataclass(frozen=True)
class Zero:
    """f(K) = 0.

    **Fields:** `K`; `error`; `below`, `above`: the sign of f on either side, equal at a double zero.
    """

    K: float
    error: float
    below: int
    above: int


@dataclass(frozen=True)
class Scan:
    """f on a grid: the stretch about K = 1 where it has values.

    **Fields**, each (N,): `K`, increasing; `value`; `error`; `sign`: -1, 1, or 0 within the error.
    """

    K: np.ndarray
    value: np.ndarray
    error: np.ndarray
    sign: np.ndarray


def log_grid(low: float, high: float) -> np.ndarray:
    """K from `low` to `high`, 16 a decade."""
    count = math.ceil(_PER_DECADE * math.log10(high / low)) + 1
    return np.geomspace(low, high, count)


def scan(f: Measured, grid: np.ndarray) -> Scan:
    """f at the points of `grid`, outwards from K = 1 until it has no value (overflow, cost).

    Cells beside a change of sign or a minimum of |f| are then divided into 24.

    **Raises:** `ValueError` if f has a value nowhere.
    """
    refusal: ValueError | None = None
    for start in np.argsort(np.abs(np.log(grid)), kind="stable").tolist()[::_PER_DECADE]:
        try:
            rows = {float(grid[start]): f(float(grid[start]))}
            break
        except ValueError as error:
            refusal = refusal or error
    else:
        raise refusal or ValueError("an empty grid")
    for way in (grid[start + 1 :], grid[:start][::-1]):
        for K in way.tolist():
            try:
                rows[K] = f(K)
            except ValueError:
                break
    coarse = _collected(rows)
    beside = {j for i in _interesting(coarse) for j in (i - 1, i) if 0 <= j < len(coarse.K) - 1}
    for j in sorted(beside):
        finer = np.geomspace(coarse.K[j], coarse.K[j + 1], _FINER + 1)[1:-1]
        rows |= {K: f(K) for K in finer.tolist()}
    return _collected(rows)


def _collected(rows: dict[float, tuple[float, float]]) -> Scan:
    K = np.array(sorted(rows))
    value, error = np.array([rows[k] for k in K.tolist()]).T
    sign = np.where(np.abs(value) <= error, 0, np.sign(value)).astype(int)
    return Scan(K, value, error, sign)


def _interesting(found: Scan) -> set[int]:
    """Points beside changes of sign, and minima of |f| between points of one sign."""
    known = np.flatnonzero(found.sign)
    changes = np.flatnonzero(np.diff(found.sign[known]))
    return {int(i) for k in changes for i in range(known[k], known[k + 1] + 1)} | set(
        _minima(found)
    )


def _minima(found: Scan) -> list[int]:
    """Points of one sign where |f| is least, unless the parabola through three stays far from zero."""
    size, x = np.abs(found.value), np.log(found.K)
    results = []
    for i in range(1, len(size) - 1):
        near = slice(i - 1, i + 2)
        one_sign = found.sign[i - 1] == found.sign[i] == found.sign[i + 1] != 0
        if one_sign and size[i] <= size[near].min():
            c, b, a = np.polynomial.polynomial.polyfit(x[near] - x[i], size[near], 2)
            if a > 0 and c - b * b / (4 * a) < _DEEP * size[i]:
                results.append(i)
    return results


def zeros(f: Measured, found: Scan, minimum: Callable[[float], float] | None = None) -> list[Zero]:
    """Every zero between points of a scan of f, in increasing order.

    **Arguments:** `minimum`: a function with a simple zero where f has a double one, better known
    than f's own minimum (found to the root of rounding only).

    **Returns:** no zero where f is within its error of zero at every point of the scan.
    """
    known = np.flatnonzero(found.sign)
    results = []
    for i, j in zip(known[:-1], known[1:], strict=True):
        low, high = float(found.K[i]), float(found.K[j])
        if found.sign[i] != found.sign[j]:
            results.append(_simple(f, low, high, int(found.sign[i])))
        elif j > i + 1:
            results += _touching(f, (low, high), int(found.sign[i]), minimum)
    for i in _minima(found):
        ends = float(found.K[i - 1]), float(found.K[i + 1])
        results += _touching(f, ends, int(found.sign[i]), minimum)
    return sorted(results, key=lambda zero: zero.K)


def _simple(f: Measured, low: float, high: float, below: int) -> Zero:
    solve: Any = brentq  # SciPy has no types; those guessed from its source are wrong
    K = float(solve(lambda K: f(K)[0], low, high, xtol=1e-15 * low, rtol=1e-15))
    step = min(1e-4, (high / low - 1) / 2)
    up, down = f(K * (1 + step)), f(K * (1 - step))
    slope = abs(up[0] - down[0]) / (2 * step * K)
    error = f(K)[1] / slope if slope > 0 else high - low
    return Zero(K, min(error + 4e-16 * K, high - low), below, -below)


def _touching(f: Measured, ends: tuple[float, float], sign: int, minimum) -> list[Zero]:
    """The zeros of f where |f| has a minimum between `ends`: none, a double one, or two."""
    K = _minimum(f, ends, sign, minimum)
    value, error = f(K)
    if sign * value < -error:
        return [_simple(f, ends[0], K, sign), _simple(f, K, ends[1], -sign)]
    if abs(value) > error:
        return []
    step = min(K / ends[0], ends[1] / K) / 4 - 0.25
    around = [abs(f(K * (1 + s))[0]) for s in (-step, step)] if step > 0 else [0.0]
    curvature = max(around) / (step * K) ** 2 if step > 0 else 0.0  # |f| = curvature (K - K*)^2
    blur = math.sqrt(error / curvature) if curvature > 0 else ends[1] - ends[0]
    return [Zero(K, min(blur, ends[1] - ends[0]), sign, sign)]


def _minimum(f: Measured, ends: tuple[float, float], sign: int, minimum) -> float:
    least: Any = minimize_scalar
    bounds = (math.log(ends[0]), math.log(ends[1]))
    found = least(
        lambda u: sign * f(math.exp(u))[0], bounds=bounds, method="bounded", options={"xatol": 1e-9}
    )
    K = math.exp(float(found.x))
    if minimum is None:
        return K
    for step in (10.0 ** np.arange(-6, 0)).tolist():
        low, high = max(K * (1 - step), ends[0]), min(K * (1 + step), ends[1])
        if minimum(low) * minimum(high) < 0:
            solve: Any = brentq
            return float(solve(minimum, low, high, xtol=1e-15 * low, rtol=1e-15))
    return K
