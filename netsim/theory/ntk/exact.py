"""Exact first and second moments of the NTK at every width, piecewise linear activations, one input.

With the slopes m_j = a_+ or a_- by the sign of z_j, sigma_j = m_j z_j and sigma'_j = m_j. The m_j are
independent of each other and of everything even in each z_j, with E m^2 = A2 = (a_+^2 + a_-^2)/2 and
E m^4 = A4 likewise, so the moments of

    S = C_b + (C_W/n)|sigma|^2,   Theta = lambda_b + (lambda_W/n)|sigma|^2 + (C_W/n) tr M,
    f = (C_W/n)^2 sigma.M.sigma,   m = (C_W/n)^2 |M|^2,        M_jk = m_j m_k H_jk,

close. With primes for the layer being built, s = |sigma|^2, t = tr M, d = n A4, q = n(n-1) A2^2:

    E s = n A2 E S,   E t = n A2 E Theta,   E s^2 = (3d + q) E S^2,
    E s t = d E(S Theta + 2f) + q E S Theta,   E t^2 = d E(Theta^2 + 2m) + q E Theta^2,
    E f' = (C_W/n)^2 [d E(S Theta + 2f) + q E f],   E m' = (C_W/n)^2 [d E(Theta^2 + 2m) + q E m],

S and Theta of the layer before, f = m = 0 in layer 1. A layer without bias that is fed by a silent
layer (ReLU) has z = 0, where sigma' is taken as 0: those networks, of probability 2^-n per layer, are
kept apart, for Theta = lambda_b in them. 1024-bit arithmetic leaves the variances exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from mpmath import MPContext

from netsim.networks.network import Network
from netsim.theory.exact import slopes_of
from netsim.theory.ntk.rates import Rate, check_norm2, rates

__all__ = ["NTKExact", "ntk_exact"]

_MP = MPContext()  # our own: the global precision of mpmath is the user's
_MP.prec = 1024


@dataclass(frozen=True)
class NTKExact:
    """Moments of one input's NTK, correctly rounded; fields (L+1,), row l being layer l+1.

    **Fields:** `K` = E z_1^2; `H` = E H_11; `V` = Var S; `D` = Cov(S, Theta) = Cov(z_1^2, H_22);
    `A` = Cov(H_11, H_22) = Var Theta; `B` = E H_12^2; `F` = E z_1 z_2 H_12; `variance` = Var H_11 =
    A + 2 B.
    """

    K: np.ndarray
    H: np.ndarray
    V: np.ndarray
    D: np.ndarray
    A: np.ndarray
    B: np.ndarray
    F: np.ndarray
    variance: np.ndarray


def ntk_exact(
    network: Network,
    x2: float | Fraction,
    weight_rate: Rate | None = None,
    bias_rate: Rate | None = None,
) -> NTKExact:
    """Exact NTK moments for linear, relu, leaky_relu(a) and slopes(a_plus, a_minus).

    ```python
    from netsim.networks.network import network
    from netsim.theory.ntk.exact import ntk_exact
    ntk_exact(network("relu", widths=[8, 12]), 0.5).variance[-1]
    ```

    **Arguments:** as `netsim.theory.ntk.first_order.ntk_first_order`; floats count as their exact
    binary value. sigma'(0) = 0 where one slope is 0.

    **Raises:** `ValueError` for other activations, weights that are not Gaussian, bad x2 or rates, and
    x = 0 without bias, where sigma' of a kinked activation has no value.
    """
    slopes = slopes_of(network)
    x2 = check_norm2(x2)
    weight = [_number(r) for r in rates(network, weight_rate, "weight_rate")]
    bias = [_number(r) for r in rates(network, bias_rate, "bias_rate")]
    C_W = [_number(c) for c in network.weight_variance]
    C_b = [_number(c) for c in network.bias_variance]
    if x2 == 0 and C_b[0] == 0 and slopes[0] != slopes[1]:
        raise ValueError("x = 0 without bias in the first layer: sigma'(0) is not defined")
    living = _point(C_b[0] + C_W[0] * _number(x2), bias[0] + weight[0] * _number(x2))
    still = 0 * living  # the part of the expectations from networks with z = 0 in this layer
    rows = [living]
    for l, n in enumerate(network.widths, 1):
        step = (C_W[l], C_b[l], weight[l], bias[l], n)
        silent = living[0] * (_number(slopes.count(0)) / 2) ** n * _point(C_b[l], bias[l])
        still = still[0] * _point(C_b[l], bias[l])
        living = _layer(slopes, step, living)
        if C_b[l] > 0:
            living, still = living + still, 0 * still
        else:
            living, still = living - silent, still + silent
        rows.append(living + still)
    return NTKExact(*np.array([_result(row) for row in rows]).T)


def _number(value):
    ratio = Fraction(value)
    return _MP.mpf(ratio.numerator) / ratio.denominator


def _point(S, Theta) -> np.ndarray:
    """(1, S, Theta, S^2, S Theta, Theta^2, f, m) where S and Theta are numbers and f = m = 0."""
    zero = _MP.mpf(0)
    return np.array([zero + 1, S, Theta, S * S, S * Theta, Theta * Theta, zero, zero], dtype=object)


def _layer(slopes: tuple[float, float], step: tuple, moments: np.ndarray) -> np.ndarray:
    """One layer of the recursion; `step` is (C_W, C_b, lambda_W, lambda_b, n_l)."""
    C_W, C_b, rate, bias, n = step
    one, S, Theta, SS, ST, TT, f, m = moments
    plus, minus = (_number(a) ** 2 for a in slopes)
    A2, A4 = (plus + minus) / 2, (plus**2 + minus**2) / 2
    d, q, mu, lam = n * A4, n * (n - 1) * A2**2, C_W / n, rate / n
    s, t = n * A2 * S, n * A2 * Theta
    ss, st, tt = (3 * d + q) * SS, d * (ST + 2 * f) + q * ST, d * (TT + 2 * m) + q * TT
    grown = lam * s + mu * t  # E[Theta' - lambda_b]
    return np.array(
        [
            one,
            C_b * one + mu * s,
            bias * one + grown,
            C_b**2 * one + 2 * C_b * mu * s + mu**2 * ss,
            C_b * bias * one + bias * mu * s + C_b * grown + mu * (lam * ss + mu * st),
            bias**2 * one + 2 * bias * grown + lam**2 * ss + 2 * lam * mu * st + mu**2 * tt,
            mu**2 * (d * (ST + 2 * f) + q * f),
            mu**2 * (d * (TT + 2 * m) + q * m),
        ],
        dtype=object,
    )


def _result(moments: np.ndarray) -> list[float]:
    """K, H, V, D, A, B, F and Var H_11 as float64."""
    _, S, Theta, SS, ST, TT, f, m = moments
    V, D, A = SS - S * S, ST - S * Theta, TT - Theta * Theta
    return [float(v) for v in (S, Theta, V, D, A, m, f, A + 2 * m)]
