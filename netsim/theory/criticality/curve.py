"""The whole curves of a critical point at fixed tau = L/n, where they exist.

Scale invariant: log-normal. K* = 0, F(K) - K = -|a| K^{1+p}: the chain S_l becomes

    dS = -|a| S^{1+p} dl + sqrt(v/n) S dB,   so that   (S/K)^p -> t / A_t,   t = p^2 v tau/2,
    A_t = int_0^t exp(sqrt 2 B_s + mu s) ds,   mu = 1/p,

by Ito's formula for S^{-p} and a change of time: a drops out. For p = 1 it is the universal curve of
`netsim.theory.limit_curves` at v tau/2. For whole mu the moments m_r = E (t/A_t)^r follow from

    m_1 = exp(-(2 mu - 1) t/4) E[X/sinh X],  X ~ N((mu - 1) t/2, t/2),
    m_{r+1} = (1 + (r - mu) t) m_r - (t/r) m_r',

and E (S/K)^k = m_{k mu}. (m_1: E[1/int_0^t e^{2 B_s} ds | B_t = x] = x e^{-x}/(t sinh x), Matsumoto and
Yor, for any drift; the recursion is Ito's formula for A^{-r}.) The limit L, n -> infinity is exchanged
with the moments.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from mpmath import MPContext

from netsim.theory.base import OutsideDomain
from netsim.theory.criticality.point import SCALE_INVARIANT, CriticalPoint
from netsim.theory.limit_curves import RATIOS, lognormal_ratios, universal_ratios

__all__ = ["curve_name", "limit_curve"]

_MP = MPContext()  # our own: the global precision of mpmath is the user's
_DIGITS = 40


def curve_name(point: CriticalPoint) -> str:
    """Which curve `limit_curve` gives.

    **Raises:** `OutsideDomain`, saying why there is none.
    """
    if point.kind == SCALE_INVARIANT:
        return f"log-normal, v = {point.noise:.6g}"
    if point.K:
        raise OutsideDomain("at K* > 0 the mean moves by O(L^2/n)")
    if point.attracts != "above":
        raise OutsideDomain("K leaves K* = 0")
    if point.p is None:
        raise OutsideDomain("K approaches 0 more slowly than any power of L")
    if not (1 / point.p).is_integer():
        power = -1 / point.p
        raise OutsideDomain(f"K falls like L^{power:.4g}; only whole powers of 1/L are worked out")
    return f"K*=0, p = {point.p:g}, v = {point.noise:.6g}"


def limit_curve(point: CriticalPoint, tau: np.ndarray) -> dict[str, np.ndarray]:
    """kappa_2/K and kappa_{2k}/kappa_2^k for L, n -> infinity at fixed tau = L/n.

    **Returns:** arrays of tau's shape, keyed as `netsim.theory.limit_curves.RATIOS`.

    **Raises:** `OutsideDomain` where there is no such curve; `ValueError` for a bad tau.
    """
    curve_name(point)
    tau = np.asarray(tau, dtype=np.float64)
    if point.p is None:
        return lognormal_ratios(tau, point.noise)
    if point.p == 1:
        return universal_ratios(point.noise / 2 * tau)
    if not np.all(np.isfinite(tau) & (tau >= 0)):
        raise ValueError("tau = L/n must be finite and >= 0")
    mu = round(1 / point.p)
    times = (point.p**2 * point.noise / 2 * tau).ravel().tolist()
    rows = np.array([_ratios(t, mu) for t in times]).reshape(-1, 4).T
    if not np.all(np.isfinite(rows)):
        raise ValueError("a ratio exceeds the range of float64: ask for smaller tau")
    return dict(zip(RATIOS, rows.reshape(4, *tau.shape), strict=True))


@lru_cache(maxsize=1024)
def _ratios(t: float, mu: int) -> tuple[float, ...]:
    """The four ratios at one t."""
    if t == 0:
        return 1.0, 0.0, 0.0, 0.0
    # kappa_8 = O(t^3) is left of moments of order 1, and each m_{r+1} of a derivative
    with _MP.workdps(_DIGITS + 10 * mu + math.ceil(6 * max(0.0, -math.log10(t)))):
        a, b, c, d = _moments(_MP.mpf(t), mu)
        ratios = (
            a,
            (b - a**2) / a**2,
            (c - 3 * a * b + 2 * a**3) / a**3,
            (d - 4 * a * c - 3 * b**2 + 12 * a**2 * b - 6 * a**4) / a**4,
        )
        return tuple(float(ratio) for ratio in ratios)


def _moments(t, mu: int) -> list:
    """m_mu, m_2mu, m_3mu, m_4mu: the recursion on Taylor coefficients about t."""
    count = 4 * mu
    series = _first_moment(t, mu, count)
    found = {1: series[0]}
    for r in range(1, count):
        slope = [(i + 1) * series[i + 1] for i in range(len(series) - 1)]
        times_t = [t * f + (slope[i - 1] if i else 0) for i, f in enumerate(slope)]
        shifted = [t * f + (series[i - 1] if i else 0) for i, f in enumerate(series)]
        series = [
            series[i] + (r - mu) * shifted[i] - times_t[i] / r for i in range(len(series) - 1)
        ]
        found[r + 1] = series[0]
    return [found[k * mu] for k in range(1, 5)]


def _first_moment(t, mu: int, count: int) -> list:
    """Taylor coefficients 0..count-1 of m_1 about t.

    E[X/sinh X] = int f(x) N(x; (mu-1)t/2, t/2) dx by the trapezoidal rule; the exponent
    -(x - (mu-1)t/2)^2/t - (2 mu - 1)t/4 = -x^2/t + (mu-1) x - mu^2 t/4 is expanded in t at each node.
    """
    D = _MP.dps * _MP.ln(10)
    step = min(_MP.sqrt(t) * _MP.pi / _MP.sqrt(D), 2 * _MP.pi**2 / (D + _MP.pi**2 / t))
    step = min(step, _MP.sqrt(t / 2) * _MP.sqrt(2 * _MP.pi**2 / D))
    reach = (mu - 1) * t / 2 + _MP.sqrt(t * D)
    nodes = [j * step for j in range(-int(reach / step) - 1, int(reach / step) + 2)]
    total = [_MP.mpf(0)] * count
    for x in nodes:
        f = step * (x / _MP.sinh(x) if x else 1)
        # 1/(t + e) = sum (-e)^i/t^{i+1}
        exponent = [-(x**2) * (-1) ** i / t ** (i + 1) for i in range(count)]
        exponent[0] += (mu - 1) * x - _MP.mpf(mu) ** 2 * t / 4
        exponent[1] -= _MP.mpf(mu) ** 2 / 4
        for i, value in enumerate(_exponential(exponent)):
            total[i] += f * value
    root = [_MP.binomial(_MP.mpf(-1) / 2, i) / t**i for i in range(count)]  # (1 + e/t)^{-1/2}
    norm = 1 / _MP.sqrt(_MP.pi * t)
    return [norm * sum(root[j] * total[i - j] for j in range(i + 1)) for i in range(count)]


def _exponential(series: list) -> list:
    """Coefficients of exp of a power series: i y_i = sum_k k s_k y_{i-k}."""
    result = [_MP.exp(series[0])]
    for i in range(1, len(series)):
        result.append(sum(k * series[k] * result[i - k] for k in range(1, i + 1)) / i)
    return result
