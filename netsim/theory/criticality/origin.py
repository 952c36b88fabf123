"""The kernel map near K = 0, for sigma with sigma(0) = 0.

With sigma(z) = sum_k t_k^+- z^k on either side of 0 and g ~ N(0, 1),

    <sigma^2>_K = sum_m mu_m K^{m/2},  mu_m = (E|g|^m/2) sum_{i+j=m} [t_i^+ t_j^+ + (-1)^m t_i^- t_j^-]
    <sigma'^2>_K = sum_m rho_m K^{m/2},  rho_m the same of the coefficients of sigma'

so that C_W = 1/mu_2, C_b = 0 make K* = 0 critical: F(K) = K + sum_{m>2} (mu_m/mu_2) K^{m/2}. Where
sigma is smooth at 0 only even m remain and, with s_k = sigma^(k)(0)/sigma'(0), the coefficients of K^2
in F and of K in chi_perp are a_1 = s_3 + 3 s_2^2/4 and b_1 = s_3 + s_2^2 (Roberts-Yaida-Hanin, arXiv
2106.10165, ch. 5). The t_k come from sigma itself in high precision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netsim.networks.activation import Activation
from netsim.theory.criticality.precise import one_sided

__all__ = ["Origin", "Term", "origin"]

_ROUNDING = 64 * 2.0**-52  # of the activation's own constants, which are float64


@dataclass(frozen=True)
class Term:
    """coefficient K^power, with an error."""

    power: float
    coefficient: float
    error: float


@dataclass(frozen=True)
class Origin:
    """The critical point K* = 0.

    **Fields:** `weight_variance`, C_W = 1/mu_2, and `error`; `kernel`: the terms of F(K) - K;
    `perp`: those of chi_perp(K) - 1, zero ones left out of both; `noise`: v = Var(sigma^2)/<sigma^2>^2
    as K -> 0.
    """

    weight_variance: float
    error: float
    kernel: tuple[Term, ...]
    perp: tuple[Term, ...]
    noise: float


def origin(sigma: Activation) -> Origin:
    """The expansion at K = 0.

    **Raises:** `ValueError`, saying why K* = 0 is not critical: sigma(0) is not 0, sigma'(0) is 0, or
    sigma has no Taylor series on a side of 0.
    """
    plus, minus = one_sided(sigma)
    size = float(np.max(np.abs(sigma.numpy(np.array([-1.0, 1.0])))))
    if max(abs(plus[0]), abs(minus[0])) > _ROUNDING * size:
        raise ValueError(f"sigma(0) = {plus[0]:.6g} is not 0, so K = 0 is no fixed point")
    plus, minus = [0.0, *plus[1:]], [0.0, *minus[1:]]
    if abs(plus[1]) + abs(minus[1]) <= _ROUNDING * size:
        raise ValueError("sigma'(0) = 0, so chi_perp vanishes at K = 0")
    kernel = _means(plus, minus)
    slopes = [[k * t for k, t in enumerate(side)][1:] for side in (plus, minus)]
    perp = _means(*slopes)
    mu, error = kernel[2]
    fourth = (plus[1] ** 4 + minus[1] ** 4) / 2
    return Origin(
        weight_variance=1 / mu,
        error=error / mu**2,
        kernel=_terms(kernel, 2, mu),
        perp=_terms(perp, 0, mu),
        noise=3 * fourth / mu**2 - 1,
    )


def _means(plus: list[float], minus: list[float]) -> list[tuple[float, float]]:
    """(coefficient of K^{m/2}, rounding) in the mean square, m = 0..len-1."""
    rows = []
    for m in range(len(plus)):
        absolute = math.prod(range(m - 1, 0, -2)) * (
            math.sqrt(2 / math.pi) if m % 2 else 1
        )  # E|g|^m
        total = scale = 0.0
        for side, sign in ((plus, 1.0), (minus, (-1.0) ** m)):
            products = [sign * side[i] * side[m - i] for i in range(m + 1)]
            total += math.fsum(products)
            scale += math.fsum(map(abs, products))
        rows.append((absolute / 2 * total, absolute / 2 * _ROUNDING * scale))
    return rows


def _terms(rows: list[tuple[float, float]], first: int, mu: float) -> tuple[Term, ...]:
    """The terms that are not zero within rounding, behind number `first`, in units of `mu`."""
    return tuple(
        Term(m / 2, value / mu, error / mu)
        for m, (value, error) in enumerate(rows)
        if m > first and abs(value) > error
    )
