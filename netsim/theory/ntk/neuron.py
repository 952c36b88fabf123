"""Gaussian moments of sigma, sigma' and sigma'' of one neuron that the NTK's recursion needs.

With y = sigma^2 and e = sigma'^2, z ~ N(0, K), dots being K-derivatives:

    0..2   <y>, d<y>, d^2<y>       3..5   <e>, d<e>, d^2<e>
    6..8   Var y, Cov(y, e), Var e       9, 10   <sigma sigma''>, <sigma sigma'' sigma'^2>

For piecewise linear sigma, sigma sigma'' is 0 (a delta function where sigma = 0) and the others are
powers of K.
"""

from __future__ import annotations

import numpy as np

from netsim.gaussian.one_field import expectation, taylor
from netsim.networks.activation import Activation

__all__ = ["COUNT", "tangent_moments"]

COUNT = 11


def tangent_moments(sigma: Activation, K: float) -> tuple[np.ndarray, np.ndarray]:
    """The moments above at K.

    K-derivatives are by Hermite weights, and 0 at K = 0, where they meet no fluctuation.

    **Returns:** values and errors, (11,) each; 9 and 10 are NaN if sigma has no second derivative and
    is not piecewise linear.

    **Raises:** `ValueError` for K = 0 at a kink, where sigma' has no value, and for an activation
    without a first derivative.
    """
    if K == 0 and 0.0 in sigma.kinks and _has_corner(sigma):
        raise ValueError(
            f"K=0 with {sigma.name}: sigma'(0) is not defined; use x2 > 0, or a bias in the first "
            "layer"
        )
    if sigma.slopes is not None:
        value = _slopes(sigma.slopes, K)
        return value, 4e-16 * np.abs(value)
    return _smooth(sigma, K)


def _has_corner(sigma: Activation) -> bool:
    """Whether sigma' may jump at 0: fewer than two derivatives and unequal slopes."""
    if sigma.slopes is not None:
        return sigma.slopes[0] != sigma.slopes[1]
    return sigma.derivatives < 2


def _slopes(slopes: tuple[float, float], K: float) -> np.ndarray:
    A2, A4 = (sum(a**k for a in slopes) / 2 for k in (2, 4))
    spread = A4 - A2**2
    return np.array(
        [A2 * K, A2, 0, A2, 0, 0, (3 * A4 - A2**2) * K**2, spread * K, spread, 0, 0], dtype=float
    )


def _smooth(sigma: Activation, K: float) -> tuple[np.ndarray, np.ndarray]:
    def squares(z: np.ndarray) -> np.ndarray:
        return np.stack([sigma.numpy(z) ** 2, sigma.numpy(z, 1) ** 2])

    mean, mean_error = expectation(squares, K, sigma=sigma)
    twice = sigma.derivatives >= 2

    def integrand(z: np.ndarray) -> np.ndarray:
        y, e = squares(z) - mean[:, None]  # centred: small variances keep their digits
        curved = sigma.numpy(z) * sigma.numpy(z, 2) if twice else np.zeros_like(z)
        return np.stack([y, e, y * y, y * e, e * e, curved, curved * sigma.numpy(z, 1) ** 2])

    found = taylor(integrand, K, 2 if K > 0 else 0, sigma=sigma)
    value, error = np.zeros(COUNT), np.zeros(COUNT)
    for whole, part in zip((value, error), found, strict=True):
        whole[6:] = part[0, 2:]
        if K > 0:
            whole[[1, 4]] = part[1, :2]
            whole[[2, 5]] = 2 * part[2, :2]  # Taylor coefficients to derivatives
    value[[0, 3]], error[[0, 3]] = mean, mean_error
    if not twice:
        value[9:], error[9:] = np.nan, np.nan
    return value, error
