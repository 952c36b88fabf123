"""E sigma(z_1) sigma(z_2) in closed form, for piecewise linear sigma, erf and sin.

With D = sqrt(K11 K22 - K12^2):

    slopes:  alpha^2 K12 + beta^2 (2/pi) (D + K12 atan2(K12, D)),  sigma = alpha x + beta |x|
    erf:     (2/pi) atan2(2 K12, sqrt((1 + 2 K11)(1 + 2 K22) - 4 K12^2))
    sin:     (exp(-(K11 + K22 - 2 K12)/2) - exp(-(K11 + K22 + 2 K12)/2))/2

(Cho and Saul 2009; Williams 1997.) No term cancels another near equal or opposite inputs.
"""

from __future__ import annotations

import math

from netsim.gaussian.covariance import determinant
from netsim.gaussian.line import EPSILON
from netsim.networks.activation import Activation

__all__ = ["plain_product"]


def plain_product(
    sigma: Activation, K11: float, K12: float, K22: float
) -> tuple[float, float] | None:
    """(E sigma(z_1) sigma(z_2), error), or None where no closed form is known here.

    **Raises:** `ValueError` if [[K11, K12], [K12, K22]] is not positive semidefinite.
    """
    K11, K12, K22 = float(K11), float(K12), float(K22)
    if sigma.slopes is not None:
        D = math.sqrt(determinant(K11, K12, K22))
        alpha, beta = (sigma.slopes[0] + s * sigma.slopes[1] for s in (1, -1))
        alpha, beta = alpha / 2, beta / 2
        value = alpha**2 * K12 + beta**2 * (2 / math.pi) * (D + K12 * math.atan2(K12, D))
        return value, 4 * EPSILON * (alpha**2 + beta**2) * math.sqrt(K11 * K22)
    if sigma.name == "erf":
        # (1+2a)(1+2b) - 4c^2 = 1 + 2(a+b) + 4(ab - c^2): nothing cancels
        root = math.sqrt(1 + 2 * (K11 + K22) + 4 * determinant(K11, K12, K22))
        value = (2 / math.pi) * math.atan2(2 * K12, root)
        return value, 4 * EPSILON * abs(value)
    if sigma.name == "sin":
        determinant(K11, K12, K22)
        if abs(K12) < 1:
            value = math.exp(-(K11 + K22) / 2) * math.sinh(K12)
            return value, (4 + K11 + K22) * EPSILON * abs(value)
        value = 0.5 * (math.exp(-(K11 + K22 - 2 * K12) / 2) - math.exp(-(K11 + K22 + 2 * K12) / 2))
        return value, 4 * EPSILON * (abs(value) + (K11 + K22) * abs(value))
    return None
