"""Susceptibilities of one layer and the critical couplings they define.

    F(K)            = C_b + C_W <sigma^2>_K
    chi_parallel(K) = F'(K) = C_W <sigma^2 (z^2 - K)>_K / (2 K^2)
    chi_perp(K)     = C_W <sigma'^2>_K

Critical: F(K*) = K*, chi_parallel(K*) = chi_perp(K*) = 1 (Roberts-Yaida-Hanin, arXiv 2106.10165,
ch. 5).
"""

from __future__ import annotations

from typing import Any

from scipy.optimize import brentq

from netsim.gaussian.one_field import check_variance, derivative, expectation
from netsim.networks.activation import Activation

__all__ = ["chi_parallel", "chi_perp", "solve_critical"]


def chi_parallel(sigma: Activation, weight_variance: float, K: float) -> tuple[float, float]:
    """(chi_parallel(K), error): how a change of |z|^2 passes a layer.

    At K = 0 it is C_W (sigma'(0)^2 + sigma(0) sigma''(0)).

    **Raises:** `ValueError` for K < 0.
    """
    K = check_variance(K)
    if sigma.slopes is not None:
        value = weight_variance * (sigma.slopes[0] ** 2 + sigma.slopes[1] ** 2) / 2
        return value, 1e-15 * value
    if K == 0:
        f = [expectation(lambda z, k=k: sigma.numpy(z, k), 0.0)[0] for k in range(3)]
        value = float(weight_variance * (f[1] ** 2 + f[0] * f[2]))
        return value, 1e-15 * abs(value)
    value, error = derivative(lambda z: sigma.numpy(z) ** 2, K, 1, sigma=sigma)
    return float(weight_variance * value), float(weight_variance * error)


def chi_perp(sigma: Activation, weight_variance: float, K: float) -> tuple[float, float]:
    """(chi_perp(K), error): how a change of z orthogonal to z, and a gradient, pass a layer.

    **Raises:** `ValueError` for K < 0.
    """
    value, error = expectation(lambda z: sigma.numpy(z, 1) ** 2, K, sigma=sigma)
    return float(weight_variance * value), float(weight_variance * error)


def solve_critical(
    sigma: Activation, bracket: tuple[float, float] = (1e-2, 1e3)
) -> tuple[float, float, float]:
    """(C_b, C_W, K*) with K* > 0 in `bracket`, for half-stable activations such as gelu and swish.

    K* is the zero of <sigma^2>_K' - <sigma'^2>_K; then C_W = 1/<sigma'^2>, C_b = K* - C_W <sigma^2>.

    **Raises:** `ValueError` if the bracket holds no sign change, or C_b < 0 comes out.
    """

    def difference(K: float) -> float:
        return chi_parallel(sigma, 1.0, K)[0] - chi_perp(sigma, 1.0, K)[0]

    low, high = bracket
    at_low, at_high = difference(low), difference(high)
    if not at_low * at_high < 0:
        raise ValueError(
            f"{sigma.name}: chi_parallel - chi_perp is {at_low:.3g} at K={low:g} and {at_high:.3g} "
            f"at K={high:g}, without a change of sign: no critical K* is isolated there; give "
            "another bracket"
        )
    solve: Any = brentq  # SciPy has no types; those guessed from its source are wrong
    K = float(solve(difference, low, high, xtol=1e-15 * low, rtol=1e-15))
    C_W = 1.0 / chi_perp(sigma, 1.0, K)[0]
    square = float(expectation(lambda z: sigma.numpy(z) ** 2, K, sigma=sigma)[0])
    C_b = K - C_W * square
    if C_b < 0:
        raise ValueError(f"{sigma.name}: criticality at K*={K:g} would need C_b={C_b:g} < 0")
    return C_b, C_W, K
