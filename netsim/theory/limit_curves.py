"""Limits L, n -> infinity at fixed tau = sum_l 1/n_l of one neuron's dimensionless cumulants.

z^(L+1) is Gaussian with variance S_L given layer L, so kappa_{2k} (the 2k-th cumulant divided by
(2k-1)!!) is the k-th cumulant of S_L at every width. At criticality S_L/K^(L+1), K the kernel of
infinite width, tends to a law that depends on tau and on the class of the activation only:

- slopes (a_+, a_-), C_b = 0: S_L/K = prod_l X_l exactly, E X_l = 1, Var X_l = v/n_l with
  v = 3 A_4/A_2^2 - 1, A_k = (a_+^k + a_-^k)/2. Hence a log-normal law, E (S/K)^p -> q^{p(p-1)/2},
  q = exp(v tau).
- K* = 0 (tanh, sin, erf), equal widths: with -a_1 > 0 the coefficient in F(K) = K + a_1 K^2 + ...,
  dS = a_1 S^2 dl + sqrt(2/n) S dB, so S/K -> tau / int_0^tau exp(sqrt 2 B_s + s) ds: a_1 drops out.
  With m_p = E (S/K)^p and X ~ N(0, tau/2)

      m_1 = exp(-tau/4) E[X / sinh X],    m_{p+1} = (1 + (p-1) tau) m_p - (tau/p) m_p'.

Sources: Hanin, arXiv 2204.01058 (kappa_{2k}/kappa_2^k = O((L/n)^{k-1})); Roberts-Yaida-Hanin, arXiv
2106.10165, ch. 5 (classes). m_1 is the identity E[1/int_0^t e^{2 B_s} ds | B_t = x] = x e^{-x}/(t
sinh x) of Matsumoto and Yor; the recursion is Ito's formula for the reciprocal of the integral.
Both limits exchange L, n -> infinity with the moments.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from mpmath import MPContext

from netsim.networks.critical import critical_couplings
from netsim.networks.network import Network
from netsim.theory.base import OutsideDomain

__all__ = ["RATIOS", "limit_name", "limit_ratios", "lognormal_ratios", "universal_ratios"]

RATIOS = ("kappa2/K", "kappa4/kappa2^2", "kappa6/kappa2^3", "kappa8/kappa2^4")
LOG_NORMAL, UNIVERSAL = "log-normal limit", "universal K*=0 limit"
_MP = MPContext()  # our own: the global precision of mpmath is the user's


def limit_name(network: Network) -> str:
    """The limit law of S_L/K: "log-normal limit" or "universal K*=0 limit".

    **Raises:** `OutsideDomain`, saying why, for weights that are not Gaussian, activations without a
    critical point or with K* > 0, couplings off criticality, and unequal widths where K* = 0.
    """
    sigma = network.activation
    if not network.weights.is_gaussian:
        raise OutsideDomain(
            f"the limit curves are for gaussian weights, not {network.weights.name}"
        )
    try:
        C_b, C_W, K = critical_couplings(sigma)
    except ValueError as error:
        raise OutsideDomain(str(error)) from None
    if K is not None and K > 0:
        raise OutsideDomain(
            f"{sigma.name} is critical at K* = {K:.6g} > 0 (half-stable): its mean there changes by "
            "O(L^2/n), so there is no limit at fixed L/n"
        )
    for name, given, critical in (
        ("weight_variance", network.weight_variance, C_W),
        ("bias_variance", network.bias_variance, C_b),
    ):
        off = [value for value in given if not math.isclose(value, critical, rel_tol=1e-9)]
        if off:
            raise OutsideDomain(
                f"{name} = {off[0]:.9g} in some layer: the limit at fixed L/n is for the critical "
                f"value {critical:.9g} of {sigma.name} in every layer"
            )
    if K is None:
        return LOG_NORMAL
    if len(set(network.widths)) > 1:
        raise OutsideDomain(
            f"the limit of {sigma.name} (K* = 0) depends on the width profile, not on sum 1/n_l "
            "alone; it is given for equal hidden widths only"
        )
    return UNIVERSAL


def limit_ratios(network: Network, tau: np.ndarray) -> dict[str, np.ndarray]:
    """kappa_2/K and kappa_{2k}/kappa_2^k, k = 2, 3, 4, in the limit at fixed tau.

    The network says which limit; its own widths and depth do not enter. Relative error < 1e-13.

    **Arguments:** `tau`, any shape: values of sum_l 1/n_l (L/n at equal widths), finite, >= 0.

    **Returns:** arrays of tau's shape, keyed by `RATIOS`.

    ```python
    from netsim.networks.network import network
    from netsim.theory.limit_curves import limit_ratios
    limit_ratios(network("tanh", width=64, depth=8), [1.0])["kappa4/kappa2^2"]  # [0.8214...]
    ```

    **Raises:** `OutsideDomain` as `limit_name`; `ValueError` for tau negative, not finite, or so
    large that a ratio leaves the range of float64.
    """
    if limit_name(network) == UNIVERSAL:
        return universal_ratios(tau)
    slopes = network.activation.slopes
    assert slopes is not None  # the log-normal limit is that of piecewise linear activations
    a, b = sorted(abs(slope) for slope in slopes)
    r = (a / b) ** 2
    v = 6 * (1 + r * r) / (1 + r) ** 2 - 1  # 3 A_4/A_2^2 - 1
    return lognormal_ratios(tau, v)


def lognormal_ratios(tau: np.ndarray, v: float) -> dict[str, np.ndarray]:
    """Ratios of the cumulants of S with E (S/K)^p = q^{p(p-1)/2}, q = exp(v tau).

        kappa_2 = K,  kappa_4 = q - 1,  kappa_6 = (q-1)^2 (q+2),
        kappa_8 = (q-1)^3 (q^3 + 3 q^2 + 6 q + 6)        in units of K

    **Arguments:** `tau`, any shape, >= 0; `v`, n Var X_l of one layer (linear 2, ReLU 5).

    **Returns, raises:** as `limit_ratios`.
    """
    tau = _checked(tau)
    with np.errstate(over="ignore"):
        q, d = np.exp(v * tau), np.expm1(v * tau)  # factored: nothing cancels at small tau
        values = [np.ones_like(tau), d, d**2 * (q + 2), d**3 * (((q + 3) * q + 6) * q + 6)]
    return _finite(tau, values)


def universal_ratios(tau: np.ndarray) -> dict[str, np.ndarray]:
    """Ratios of the cumulants of S where K* = 0, from m_1..m_4 of the module's heading.

    **Arguments:** `tau`, any shape, >= 0.

    **Returns, raises:** as `limit_ratios`.
    """
    tau = _checked(tau)
    values = np.array([_universal(float(t)) for t in tau.ravel()]).reshape(-1, 4).T
    return _finite(tau, [value.reshape(tau.shape) for value in values])


def _checked(tau) -> np.ndarray:
    tau = np.asarray(tau, dtype=np.float64)
    if not np.all(np.isfinite(tau) & (tau >= 0)):
        bad = tau[~(np.isfinite(tau) & (tau >= 0))].ravel()[0]
        raise ValueError(f"tau = {bad}: sum_l 1/n_l must be a finite number >= 0")
    return tau


def _finite(tau: np.ndarray, values: list[np.ndarray]) -> dict[str, np.ndarray]:
    lost = ~np.all(np.isfinite(values), axis=0)
    if np.any(lost):
        raise ValueError(
            f"tau = {tau[lost].min():.6g}: a ratio exceeds the range of float64; ask for smaller tau"
        )
    return dict(zip(RATIOS, map(np.asarray, values), strict=True))


@lru_cache(maxsize=4096)
def _universal(tau: float) -> tuple[float, ...]:
    """The four ratios at one tau, in `RATIOS`' order."""
    if tau == 0:
        return 1.0, 0.0, 0.0, 0.0
    # kappa_8 = O(tau^3) is left of moments of order 1, and sinh X of order sqrt(tau) cancels too
    digits = 30 + math.ceil(4 * max(0.0, -math.log10(tau)))
    with _MP.workdps(digits):
        t = _MP.mpf(tau)
        a, b, c, d = _moments(t, _hermite_means(t, digits))
        ratios = (
            a,
            (b - a**2) / a**2,
            (c - 3 * a * b + 2 * a**3) / a**3,
            (d - 4 * a * c - 3 * b**2 + 12 * a**2 * b - 6 * a**4) / a**4,
        )
        return tuple(float(ratio) for ratio in ratios)


def _moments(tau, means: list) -> list:
    """m_1..m_4 from E[f He_{2i}], i = 0..3.

    As d/dtau E f = (1/4) E f'' and E f^(2i)(X) = E[f He_{2i}(X/s)]/s^{2i}, s^2 = tau/2,
    m_1^(j) = exp(-tau/4) sum_i binom(j, i) (-1/4)^{j-i} E[f He_{2i}]/(2 tau)^i.
    """
    front, quarter = _MP.exp(-tau / 4), _MP.mpf(-1) / 4
    g = [mean / (2 * tau) ** i for i, mean in enumerate(means)]
    derivatives = [
        front * sum(math.comb(j, i) * quarter ** (j - i) * g[i] for i in range(j + 1))
        for j in range(4)
    ]
    moments = [derivatives[0]]
    for p in range(1, 4):  # the recursion differentiated j times, by Leibniz
        derivatives = [
            (1 + (p - 1) * tau) * derivatives[j]
            + (j * (p - 1) * derivatives[j - 1] if j else 0)
            - (tau * derivatives[j + 1] + j * derivatives[j]) / p
            for j in range(len(derivatives) - 1)
        ]
        moments.append(derivatives[0])
    return moments


def _hermite_means(tau, digits: int) -> list:
    """E[f(X) He_{2i}(X/s)], i = 0..3, f(x) = x/sinh x, X ~ N(0, s^2 = tau/2), to about `digits`.

    Trapezoidal rule with step h: moving the line of integration by i a costs exp(-2 pi a/h +
    a^2/(2 s^2)), least at a = 2 pi s^2/h; beyond the pole of f at i pi, a = pi is all there is.
    """
    D = digits * _MP.ln(10)
    s = _MP.sqrt(tau / 2)
    gaussian = s * _MP.sqrt(2 * _MP.pi**2 / D)
    pole = 2 * _MP.pi**2 / (D + _MP.pi**2 / (2 * s**2))
    h = gaussian if 2 * _MP.pi * s**2 / gaussian < _MP.pi else pole
    # last node: x^2/(2 s^2) + x = D, where density times f is exp(-D)
    count = int(_MP.ceil(2 * D / (1 + _MP.sqrt(1 + 2 * D / s**2)) / h))
    step, growth = (h / s) ** 2, _MP.exp(h)
    weight = h / (s * _MP.sqrt(2 * _MP.pi))
    sums = [weight, -weight, 3 * weight, -15 * weight]  # He_{2i}(0), f(0) = 1
    ratio, square = _MP.exp(-step / 2), _MP.exp(-step)
    power = _MP.mpf(1)
    for j in range(1, count + 1):  # recurrences instead of an exp a node; both signs of x at once
        weight, ratio, power = weight * ratio, ratio * square, power * growth
        y = step * j * j
        term = 4 * weight * j * h / (power - 1 / power)
        sums[0] += term
        sums[1] += term * (y - 1)
        sums[2] += term * ((y - 6) * y + 3)
        sums[3] += term * (((y - 15) * y + 45) * y - 15)
    return sums
