"""All fixed points of the kernel map F(K) = C_b + C_W <sigma^2>_K, with their stability."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from netsim.networks.activation import Activation
from netsim.theory.criticality.equation import averages
from netsim.theory.criticality.precise import one_sided
from netsim.theory.criticality.slope import with_slope
from netsim.theory.criticality.solve import HIGH, LOW, REACH
from netsim.theory.criticality.zeros import Scan, log_grid, scan, zeros

__all__ = ["FixedPoint", "fixed_points"]


@dataclass(frozen=True)
class FixedPoint:
    """F(K) = K.

    **Fields:** `K`, None if every K is one; `error`; `chi_parallel`, `chi_perp` there (NaN where they
    are not known: K = 0 and no Taylor series); `stability`: "stable", "unstable", "attracts from
    above", "attracts from below" or "neutral".
    """

    K: float | None
    error: float
    chi_parallel: float
    chi_perp: float
    stability: str


def fixed_points(
    sigma: Activation, weight_variance: float, bias_variance: float
) -> tuple[FixedPoint, ...]:
    """Every fixed point K = 0 or K in [1e-8, 1e8], in increasing order.

    A double one (half-stable) is found if the couplings are critical to rounding; its `error` is how
    far it moves, or splits, within rounding.

    ```python
    from netsim.networks.activations import activation
    from netsim.theory.criticality.fixed import fixed_points
    [point.K for point in fixed_points(activation("tanh"), 1.5, 0.0)]     # [0.0, 0.2868...]
    ```

    **Raises:** `ValueError` for variances that are not finite, C_W <= 0 or C_b < 0.
    """
    C_W, C_b = float(weight_variance), float(bias_variance)
    if not (math.isfinite(C_W) and C_W > 0 and math.isfinite(C_b) and C_b >= 0):
        raise ValueError(
            f"weight_variance={weight_variance}, bias_variance={bias_variance}: must be finite, the "
            "first > 0 and the second >= 0"
        )
    usable = with_slope(sigma, REACH)

    def excess(K: float) -> tuple[float, float]:
        square, error = averages(usable, K).square
        return (C_b + C_W * square) / K - 1.0, C_W * error / K + 2e-16 * (1 + C_b / K)

    def slope(K: float) -> float:  # of `excess`, times K^2
        found = averages(usable, K)
        return C_W * found.slope[0] * K - C_W * found.square[0] - C_b

    found = scan(excess, log_grid(LOW, HIGH))
    if not np.any(found.sign):
        chi = averages(usable, 1.0)
        return (FixedPoint(None, 0.0, C_W * chi.slope[0], C_W * chi.perp[0], "neutral"),)
    points = [] if C_b > 0 else _zero(sigma, C_W, found)
    for zero in zeros(excess, found, slope):
        chi, stability = averages(usable, zero.K), _STABILITY[zero.below, zero.above]
        both = C_W * chi.slope[0], C_W * chi.perp[0]
        points.append(FixedPoint(zero.K, zero.error, *both, stability))
    return tuple(points)


_STABILITY = {
    (1, -1): "stable",
    (-1, 1): "unstable",
    (-1, -1): "attracts from above",
    (1, 1): "attracts from below",
}


def _zero(sigma: Activation, C_W: float, found: Scan) -> list[FixedPoint]:
    """K = 0, if sigma(0) = 0."""
    at_zero, around = sigma.numpy(np.array([0.0])), sigma.numpy(np.array([-1.0, 1.0]))
    if np.abs(at_zero[0]) > 1e-14 * np.max(np.abs(around)):
        return []
    try:
        plus, minus = one_sided(sigma)
        chi = C_W * (plus[1] ** 2 + minus[1] ** 2) / 2
    except ValueError:
        chi = math.nan
    above = int(found.sign[np.flatnonzero(found.sign)[0]])
    return [FixedPoint(0.0, 0.0, chi, chi, "stable" if above < 0 else "unstable")]
