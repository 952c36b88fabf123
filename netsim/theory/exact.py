"""Exact laws at every width for piecewise linear activations (linear, ReLU, leaky) and one input.

sigma(sqrt(s) g)^2 = s sigma(g)^2, so S_l = C_b + S_{l-1} X_l with independent
X_l = (C_W/n_l) sum_{j<=n_l} sigma(g_j)^2, and all moments close:

    E S_l^p = sum_q binom(p, q) C_b^{p-q} E[X_l^q] E[S_{l-1}^q].

Every term is positive, so 1024-bit arithmetic leaves them exact to 300 digits; the cumulants lose at
most log10(n^k) of these, and what is returned is the correctly rounded float64. Couplings may be
floats (taken at their exact binary value) or `fractions.Fraction`.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial, log1p, prod
from typing import Any

import numpy as np
from mpmath import MPContext

from netsim.networks.network import Network

__all__ = ["cumulants", "death_probability", "moments", "relative_error_of_cumulant"]

_MP = MPContext()  # our own: the global precision of mpmath is the user's
_MP.prec = 1024


def _number(value):
    ratio = Fraction(value)
    return _MP.mpf(ratio.numerator) / ratio.denominator


def slopes_of(network: Network) -> tuple[float, float]:
    """(a_+, a_-) of a network within the reach of this module.

    **Raises:** `ValueError` for other activations, and for weights that are not Gaussian.
    """
    if network.activation.slopes is None:
        raise ValueError(
            f"activation {network.activation.name}: closed forms at finite width exist for linear, "
            "relu, leaky_relu(a) and slopes(a_plus, a_minus); for others use the transfer operator"
        )
    if not network.weights.is_gaussian:
        raise ValueError(f"weights {network.weights.name}: only Gaussian weights have closed forms")
    return network.activation.slopes


def _power_sums(slopes: tuple[float, float], n: int, order: int) -> list:
    """E (sum_{j<=n} sigma(g_j)^2)^k, k = 0..order.

    E y^j = (2j-1)!! (a_+^{2j} + a_-^{2j})/2; the coefficients b_k of (sum_j E[y^j] t^j/j!)^n obey
    b_k = (1/k) sum_{j=1}^k ((n+1)j - k) a_j b_{k-j} (Euler).
    """
    plus, minus = _number(slopes[0]) ** 2, _number(slopes[1]) ** 2
    a = [
        prod(range(1, 2 * j, 2)) * (plus**j + minus**j) / (2 * factorial(j))
        for j in range(order + 1)
    ]
    b = [_MP.mpf(1)]
    for k in range(1, order + 1):
        b.append(sum(((n + 1) * j - k) * a[j] * b[k - j] for j in range(1, k + 1)) / k)
    return [b[k] * factorial(k) for k in range(order + 1)]


def _moments(network: Network, x2, order: int, biased: bool = True) -> list[list]:
    """[E S_l^p for p = 0..order] for l = 0..L as 1024-bit numbers; `biased=False` drops C_b."""
    slopes = slopes_of(network)
    if not isinstance(x2, Fraction) and not np.isfinite(x2) or x2 < 0:
        raise ValueError(f"x2={x2}: |x|^2/n_0 must be a finite number >= 0")
    if order < 1:
        raise ValueError(f"order={order}: at least one moment must be asked for")
    C_W = [_number(c) for c in network.weight_variance]
    C_b = [_number(c) if biased else _MP.mpf(0) for c in network.bias_variance]
    S0 = C_b[0] + C_W[0] * _number(x2)
    rows = [[S0**p for p in range(order + 1)]]
    for l, n in enumerate(network.widths, start=1):
        sums = _power_sums(slopes, n, order)
        XS = [(C_W[l] / n) ** q * sums[q] * rows[-1][q] for q in range(order + 1)]
        rows.append(
            [
                sum(comb(p, q) * C_b[l] ** (p - q) * XS[q] for q in range(p + 1))
                for p in range(order + 1)
            ]
        )
    return rows


def _cumulants(m: list) -> list:
    """Cumulants 1..order from raw moments m[0..order]."""
    kappa = [_MP.mpf(0)]
    for p in range(1, len(m)):
        rest = sum(comb(p - 1, j - 1) * kappa[j] * m[p - j] for j in range(1, p))
        kappa.append(m[p] - rest)
    return kappa[1:]


def _central(m: list) -> list:
    """Central moments 0..order from raw moments."""
    return [
        sum(comb(p, q) * m[q] * (-m[1]) ** (p - q) for q in range(p + 1)) for p in range(len(m))
    ]


def moments(network: Network, x2: float | Fraction, order: int) -> np.ndarray:
    """E S_l^p, exact.

    **Arguments:** `x2` = |x|^2/n_0; `order`, the highest power p.

    **Returns:** (L+1, order+1) float64, rows l = 0..L, columns p = 0..order; correctly rounded
    (infinite beyond 1e308).

    **Raises:** `ValueError` for activations that are not piecewise linear.
    """
    return np.array([[float(v) for v in row] for row in _moments(network, x2, order)])


def cumulants(network: Network, x2: float | Fraction, order: int = 4) -> np.ndarray:
    """kappa_{2k}^{(l+1)} = cum_k(S_l), exact: 1/(2k-1)!! times the cumulant of one neuron.

    **Arguments:** as `moments`; `order`, the highest k.

    **Returns:** (L+1, order) float64, row l is layer l+1 (row 0: K_1 and zeros), column k-1 is
    kappa_{2k}; correctly rounded.

    **Raises:** `ValueError` for activations that are not piecewise linear.
    """
    rows = [_cumulants(row) for row in _moments(network, x2, order)]
    rows[0] = [rows[0][0]] + [0] * (order - 1)  # S_0 is a number; 1024 bits leave 1e-300 there
    return np.array([[float(v) for v in row] for row in rows])


def relative_error_of_cumulant(
    network: Network, x2: float | Fraction, k: int, draws: float
) -> np.ndarray:
    """Relative standard error of the k-statistic of order k of S_l from `draws` networks.

    To leading order in 1/draws, with c = S - mean, m_p = E c^p and the influence functions

        psi_1 = c, psi_2 = c^2 - m_2, psi_3 = c^3 - m_3 - 3 m_2 c,
        psi_4 = c^4 - m_4 - 4 m_3 c - 6 m_2 (c^2 - m_2),    error^2 = Var(psi_k)/(draws kappa^2),

    from exact moments up to order 2k. Above about 0.3 the estimate itself cannot be trusted.

    **Arguments:** `k`, 1 to 4; `draws`, the number of independent networks.

    **Returns:** (L+1,) float64, rows l = 0..L; row 0 is 0 for k = 1 (S_0 is a number) and NaN
    otherwise (the cumulant is zero).

    **Raises:** `ValueError` for other k or draws, or activations that are not piecewise linear.

    Source: delta method (e.g. van der Vaart, Asymptotic Statistics, ch. 3 and 20).
    """
    if k not in (1, 2, 3, 4):
        raise ValueError(f"k={k}: errors of k-statistics of order 1 to 4 are known")
    if not draws > 0:
        raise ValueError(f"draws={draws}: must be a positive number")
    errors = [0.0 if k == 1 else float("nan")]
    for raw in _moments(network, x2, 2 * k)[1:]:
        m, kappa = _central(raw), _cumulants(raw)
        if kappa[k - 1] == 0:
            errors.append(float("nan"))
            continue
        psi = _influence(m, k)
        variance = sum(a * b * m[i + j] for i, a in psi.items() for j, b in psi.items())
        errors.append(float(_MP.sqrt(variance / _number(draws)) / abs(kappa[k - 1])))
    return np.array(errors)


def _influence(m: list, k: int) -> dict[int, Any]:
    """psi_k as coefficients of powers of c."""
    if k == 1:
        return {1: 1}
    if k == 2:
        return {2: 1, 0: -m[2]}
    if k == 3:
        return {3: 1, 1: -3 * m[2], 0: -m[3]}
    return {4: 1, 2: -6 * m[2], 1: -4 * m[3], 0: 6 * m[2] ** 2 - m[4]}


def death_probability(network: Network, x2: float | Fraction) -> np.ndarray:
    """P(S_l = C_b): all neurons of layer l are silent, exact.

    A layer fed by S_{l-1} > 0 is silent with probability 2^-n_l if one slope is zero, and 0
    otherwise; fed by S_{l-1} = 0 (a silent layer without bias) it is silent. Without biases this is
    1 - prod_{m<=l} (1 - 2^-n_m).

    **Returns:** (L+1,) float64, rows l = 0..L; row 0 is 1 if x = 0 and else 0.

    **Raises:** `ValueError` for activations that are not piecewise linear.
    """
    slopes = slopes_of(network)
    rows = [1.0 if x2 == 0 else 0.0]
    log_alive = -np.inf if x2 == 0 else 0.0
    for l, n in enumerate(network.widths, start=1):
        if network.bias_variance[l - 1] > 0:
            log_alive = 0.0
        if 0 in slopes:
            log_alive += log1p(-(0.5**n))
        rows.append(float(-np.expm1(log_alive)))
    return np.array(rows)
