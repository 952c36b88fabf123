"""The scalar equation of criticality, and what it needs of one kernel.

The three conditions F(K) = K, chi_parallel(K) = 1, chi_perp(K) = 1 with F(K) = C_b + C_W <sigma^2>_K
determine C_W = 1/<sigma'^2>_K and C_b = K - C_W <sigma^2>_K, and leave one equation for K*,

    h(K) = chi_parallel/chi_perp - 1 = <sigma sigma' z>_K / (K <sigma'^2>_K) - 1
         = <sigma sigma''>_K / <sigma'^2>_K = 0 .

chi_parallel = C_W <sigma sigma' z>_K/K is F' after one integration by parts, so that a kink of sigma
(a delta in sigma'') costs nothing. (Criticality: Roberts-Yaida-Hanin, arXiv 2106.10165, ch. 5.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netsim.gaussian.line import EPSILON, REACH
from netsim.gaussian.one_field import derivative, expectation
from netsim.networks.activation import Activation
from netsim.theory.criticality.slope import SLOPE_ERROR, NumericalSlope

__all__ = [
    "Averages",
    "averages",
    "check_continuous",
    "imbalance",
    "kernel_derivative",
    "perp_slope",
]

_CONSTANT = 1e-22  # <sigma'^2> in units of <sigma^2> that rounding leaves of a constant
_MOST_POINTS = 50_000  # of one average: a scan takes hundreds of averages


@dataclass(frozen=True)
class Averages:
    """Averages over z ~ N(0, K), each with its error.

    **Fields:** `square`, <sigma^2>; `slope`, its K-derivative; `perp`, <sigma'^2>.
    """

    square: tuple[float, float]
    slope: tuple[float, float]
    perp: tuple[float, float]


def averages(sigma: Activation, K: float) -> Averages:
    """<sigma^2>_K, d/dK <sigma^2>_K and <sigma'^2>_K.

    **Raises:** `ValueError` unless K > 0 and everything is finite, and for a sigma that oscillates too
    often within the width of the Gaussian.
    """
    used = 0

    def terms(z: np.ndarray) -> np.ndarray:
        nonlocal used
        used += len(z)
        if used > _MOST_POINTS:
            raise ValueError(f"{sigma.name} oscillates too fast to be averaged at K={K:g}")
        y, slope = sigma.numpy(z), sigma.numpy(z, 1)
        return np.stack([y * y, y * slope * z / K, slope * slope])

    with np.errstate(all="ignore"):  # what overflows is refused by the quadrature
        value, error = expectation(terms, K, sigma=sigma)
        used = 0
        rest = math.exp(-(REACH**2) / 2) * np.max(
            np.abs(terms(REACH * np.array([-1.0, 1.0]) * K**0.5))
        )
    if not rest <= EPSILON * np.max(np.abs(value)):
        raise ValueError(f"{sigma.name} grows too fast to be averaged at K={K:g}")
    error = error + EPSILON * np.abs(value)
    if not _has_slope(sigma):
        size = value[2] + math.sqrt(value[0] * value[2] / K)  # <|sigma z|>/K <= sqrt(<sigma^2>/K)
        error[1:] += SLOPE_ERROR * np.array([size, 2 * value[2]])
    square, slope, perp = zip(value.tolist(), error.tolist(), strict=True)
    return Averages(square, slope, perp)


def _has_slope(sigma: Activation) -> bool:
    return not isinstance(sigma.functions[1], NumericalSlope)


def imbalance(sigma: Activation, K: float) -> tuple[float, float]:
    """(h(K), error): chi_parallel/chi_perp - 1, whatever C_W is.

    **Raises:** `ValueError` as `averages`, and where <sigma'^2>_K is 0.
    """
    found = averages(sigma, K)
    perp, slope = found.perp[0], found.slope[0]
    if perp <= _CONSTANT * found.square[0] / max(K, 1.0):
        raise ValueError(f"<sigma'^2> of {sigma.name} is 0 at K={K:g}: sigma is a constant there")
    error = (found.slope[1] + abs(slope / perp) * found.perp[1]) / perp
    return slope / perp - 1.0, error


def kernel_derivative(sigma: Activation, K: float, order: int) -> tuple[float, float]:
    """(d^q/dK^q <sigma^2>_K, error), q = `order`."""
    with np.errstate(all="ignore"):
        value, error = derivative(lambda z: sigma.numpy(z) ** 2, K, order, sigma=sigma)
    return float(value), float(error)


def perp_slope(sigma: Activation, K: float) -> tuple[float, float]:
    """(d/dK <sigma'^2>_K, error)."""
    with np.errstate(all="ignore"):
        value, error = derivative(lambda z: sigma.numpy(z, 1) ** 2, K, 1, sigma=sigma)
    extra = 0.0 if _has_slope(sigma) else 2 * SLOPE_ERROR * averages(sigma, K).perp[0] / K
    return float(value), float(error) + extra


def check_continuous(sigma: Activation) -> None:
    """<sigma'(m + z)> = <z sigma(m + z)>/K at some m: fails where sigma jumps.

    **Raises:** `ValueError` for a sigma with a jump (or whose sigma' is not its derivative).
    """
    for shift in (0.0, 0.7, -1.3):

        def terms(z: np.ndarray, shift: float = shift) -> np.ndarray:
            y = sigma.numpy(z + shift)
            return np.stack([sigma.numpy(z + shift, 1), z * y, np.abs(z * y)])

        with np.errstate(all="ignore"):
            (slope, other, size), error = expectation(terms, 1.0)
        if abs(slope - other) > 1e-9 * size + error[0] + error[1]:
            raise ValueError(
                f"{sigma.name} jumps (or its derivative is not that of the function): chi_perp is "
                "infinite, so that no couplings are critical"
            )
