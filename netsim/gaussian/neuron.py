"""Cumulants of sigma(z)^2 for one neuron, z ~ N(0, K), and their K-derivatives.

A layer's collective variable C_b + (C_W/n) sum_j sigma(z_j)^2, given the layer before, has k-th
cumulant C_W^k n^{1-k} c_k(K) (plus C_b for k = 1), c_k the k-th cumulant of sigma(z)^2.
"""

from __future__ import annotations

import math

import numpy as np

from netsim.gaussian.one_field import check_variance, expectation, taylor
from netsim.networks.activation import Activation

__all__ = ["neuron_cumulants", "neuron_moments"]


def neuron_moments(
    sigma: Activation, K: float, count: int = 4, derivatives: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """d^q/dK^q <sigma^{2j}>_K for q = 0..derivatives, j = 1..count.

    Slopes (a_+, a_-): <sigma^{2j}> = (2j-1)!! (a_+^{2j} + a_-^{2j})/2 K^j, exact.

    **Returns:** two arrays (derivatives+1, count): values and errors.
    """
    K = check_variance(K)
    if sigma.slopes is not None:
        unit = _slopes_moments(sigma.slopes, count)
        value = _powers(unit, K, derivatives)
        return value, 1e-15 * np.abs(value)

    def powers(z: np.ndarray) -> np.ndarray:
        square = sigma.numpy(z) ** 2
        return np.stack([square**j for j in range(1, count + 1)])

    value, error = taylor(powers, K, derivatives, sigma=sigma)
    factorial = np.array([math.factorial(q) for q in range(derivatives + 1)])[:, None]
    return value * factorial, error * factorial


def neuron_cumulants(
    sigma: Activation, K: float, derivatives: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """d^q/dK^q c_k(K), q = 0..derivatives, k = 1..4: cumulants of sigma(z)^2, z ~ N(0, K).

    From moments about <sigma^2>_K, so that small cumulants keep their digits.

    **Returns:** two arrays (derivatives+1, 4): values and errors.

    **Raises:** `ValueError` for K < 0, and for K = 0 with derivatives >= 1.
    """
    K = check_variance(K)
    if sigma.slopes is not None:
        moments = _slopes_moments(sigma.slopes, 4)[:, None]
        unit, _ = _cumulants(moments, np.zeros((4, 1)))
        value = _powers(unit[:, 0], K, derivatives)
        return value, 4e-15 * np.abs(value)
    mean, mean_error = expectation(lambda z: sigma.numpy(z) ** 2, K, sigma=sigma)

    def powers(z: np.ndarray) -> np.ndarray:
        centred = sigma.numpy(z) ** 2 - mean
        return np.stack([centred**j for j in range(1, 5)])

    moments, errors = taylor(powers, K, derivatives, sigma=sigma)
    moments[0, 0] = 0.0  # exact: `mean` is the mean
    errors[0, 0] = mean_error
    value, error = _cumulants(moments.T, errors.T)
    value[0, 0] = mean
    factorial = np.array([math.factorial(q) for q in range(derivatives + 1)])
    return (value * factorial).T, (error * factorial).T


def _slopes_moments(slopes: tuple[float, float], count: int) -> np.ndarray:
    a, b = slopes
    return np.array(
        [
            math.prod(range(1, 2 * j, 2)) * (a ** (2 * j) + b ** (2 * j)) / 2
            for j in range(1, count + 1)
        ]
    )


def _powers(unit: np.ndarray, K: float, derivatives: int) -> np.ndarray:
    """(derivatives+1, count): d^q/dK^q of unit[k-1] K^k."""
    rows = []
    for q in range(derivatives + 1):
        rows.append(
            [
                c * math.perm(k, q) * K ** (k - q) if k >= q else 0.0
                for k, c in enumerate(unit.tolist(), 1)
            ]
        )
    return np.array(rows)


def _cumulants(moments: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulant series from moment series, (4, degree+1) each, and a first-order error bound."""
    degree = moments.shape[1]

    def times(p, q):
        return np.convolve(p, q)[:degree]

    value, error = [], []
    for k in range(1, 5):
        c, e = moments[k - 1].copy(), errors[k - 1].copy()
        for j in range(1, k):
            binomial = math.comb(k - 1, j - 1)
            other = moments[k - j - 1]
            c -= binomial * times(value[j - 1], other)
            e += binomial * times(np.abs(value[j - 1]), errors[k - j - 1])
            e += binomial * times(error[j - 1], np.abs(other))
        value.append(c)
        error.append(e)
    return np.array(value), np.array(error)
