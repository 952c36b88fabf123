"""All critical points (C_W, C_b, K*) of an activation, each with its class.

K* > 0: the zeros of h(K) = chi_parallel/chi_perp - 1 with C_b >= 0 (`equation`).
K* = 0: sigma(0) = 0, sigma'(0) != 0 (`origin`). Scale invariant: h = 0 and F(K) = K for
every K. The class follows from the first term of F(K) - K about K* (classes: Roberts-Yaida-Hanin,
arXiv 2106.10165, ch. 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsim.gaussian.neuron import neuron_cumulants
from netsim.networks.activation import Activation
from netsim.theory.criticality.equation import (
    averages,
    check_continuous,
    imbalance,
    kernel_derivative,
    perp_slope,
)
from netsim.theory.criticality.origin import Origin, Term, origin
from netsim.theory.criticality.point import (
    DEGENERATE,
    DEGENERATE_POSITIVE,
    HALF_STABLE,
    SCALE_INVARIANT,
    STABLE,
    UNSTABLE,
    CriticalPoint,
)
from netsim.theory.criticality.slope import with_slope
from netsim.theory.criticality.zeros import Scan, Zero, log_grid, scan, zeros

__all__ = ["HIGH", "LOW", "REACH", "Criticality", "criticality"]

LOW, HIGH = 1e-8, 1e8  # kernels that are scanned for K* > 0
REACH = 16 * HIGH**0.5  # of z in those quadratures


@dataclass(frozen=True)
class Criticality:
    """What criticality an activation has.

    **Fields:** `activation`; `points`, in increasing K*; `rejected`: (K*, C_W, C_b) of solutions with
    C_b < 0; `scanned`: the range of K > 0 that was searched; `remarks`: sentences on what was excluded,
    and why.
    """

    activation: Activation
    points: tuple[CriticalPoint, ...]
    rejected: tuple[tuple[float, float, float], ...]
    scanned: tuple[float, float]
    remarks: tuple[str, ...]


def criticality(sigma: Activation) -> Criticality:
    """Every critical point of `sigma`, its class and stability.

    K* > 0 is searched for on [1e-8, 1e8] (less where sigma overflows), 16 points a decade: zeros that
    lie closer together are found where |h| has a minimum between its neighbours on that grid.

    ```python
    from netsim.networks.activations import activation
    from netsim.theory.criticality.solve import criticality
    criticality(activation("gelu")).points[1].K      # 3.5615528128088...
    ```

    **Returns:** `Criticality`; a sigma that jumps, or whose averages are finite nowhere, has no points
    and a remark that says so.
    """
    try:
        usable = with_slope(sigma, REACH)
        check_continuous(usable)
        found = scan(lambda K: imbalance(usable, K), log_grid(LOW, HIGH))
    except ValueError as error:
        return Criticality(sigma, (), (), (LOW, HIGH), (str(error),))
    scanned = float(found.K[0]), float(found.K[-1])
    try:
        at_zero, excluded = origin(sigma), ""
    except ValueError as error:
        at_zero, excluded = None, f"K* = 0: {error}"
    if not np.any(found.sign):
        return _everywhere(sigma, usable, scanned, at_zero)
    points = [] if at_zero is None else [_at_zero(sigma, usable, at_zero, found)]
    rejected = []
    for zero in zeros(lambda K: imbalance(usable, K), found):
        point = _positive(sigma, usable, zero)
        if isinstance(point, CriticalPoint):
            points.append(point)
        else:
            rejected.append(point)
    remarks = _remarks(found, scanned, excluded, [*points[at_zero is not None :], *rejected])
    return Criticality(sigma, tuple(points), tuple(rejected), scanned, remarks)


def _remarks(found: Scan, scanned: tuple[float, float], excluded: str, positive: list) -> tuple:
    """Why there is nothing at K* = 0 or beyond it."""
    remarks = [excluded] if excluded else []
    if not positive:
        side = ">" if np.any(found.sign > 0) else "<"
        remarks.append(
            f"K* > 0: chi_parallel {side} chi_perp at every K from {scanned[0]:g} to {scanned[1]:g}"
        )
    return tuple(remarks)


def _everywhere(
    sigma: Activation, usable: Activation, scanned: tuple[float, float], at_zero: Origin | None
) -> Criticality:
    """h = 0 for every K: scale invariant if F is linear, too."""
    rows = [averages(usable, float(K)) for K in np.geomspace(*scanned, 9)]
    Ks = np.geomspace(*scanned, 9)
    gaps = [
        abs(row.square[0] - K * row.slope[0]) - row.square[1] - K * row.slope[1]
        for K, row in zip(Ks, rows, strict=True)
    ]
    if max(gaps) > 0 or at_zero is None:
        biases = [K - row.square[0] / row.perp[0] for K, row in zip(Ks, rows, strict=True)]
        why = "all of them with C_b < 0" if max(biases) < 0 else "each with couplings of its own"
        remark = f"chi_parallel = chi_perp at every K, {why}: no K* is singled out"
        return Criticality(sigma, (), (), scanned, (remark,))
    point = CriticalPoint(
        activation=sigma,
        kind=SCALE_INVARIANT,
        weight_variance=at_zero.weight_variance,
        bias_variance=0.0,
        K=None,
        errors=(at_zero.error, 0.0, 0.0),
        attracts="stays",
        kernel=None,
        perp=None,
        noise=at_zero.noise,
    )
    return Criticality(sigma, (point,), (), scanned, ())


def _at_zero(sigma: Activation, usable: Activation, found: Origin, grid: Scan) -> CriticalPoint:
    kernel = found.kernel[0] if found.kernel else None
    sign = np.sign(kernel.coefficient) if kernel else _sign_near_zero(usable, found, grid)
    kind = STABLE if sign < 0 else UNSTABLE
    if kernel is None or kernel.power > 2:
        kind = DEGENERATE
    return CriticalPoint(
        activation=sigma,
        kind=kind,
        weight_variance=found.weight_variance,
        bias_variance=0.0,
        K=0.0,
        errors=(found.error, 0.0, 0.0),
        attracts="above" if sign < 0 else "nothing",
        kernel=kernel,
        perp=found.perp[0] if found.perp else None,
        noise=found.noise,
    )


def _sign_near_zero(sigma: Activation, found: Origin, grid: Scan) -> float:
    """The sign of F(K) - K at the smallest K where it is not lost in rounding; 0 if it is lost."""
    for K in grid.K.tolist():
        square, error = averages(sigma, K).square
        gap = found.weight_variance * square - K
        if abs(gap) > found.weight_variance * error + found.error * square:
            return float(np.sign(gap))
    return 0.0


def _positive(
    sigma: Activation, usable: Activation, zero: Zero
) -> CriticalPoint | tuple[float, float, float]:
    """The critical point at a zero of h; (K*, C_W, C_b) where it would need C_b < 0."""
    K, found = zero.K, averages(usable, zero.K)
    (square, square_error), (perp, perp_error) = found.square, found.perp
    C_W, C_b = 1 / perp, K - square / perp
    b, b_error = perp_slope(usable, K)
    C_W_error = (abs(b) * zero.error + perp_error) / perp**2
    # dC_b/dK* = 1 - chi_parallel/chi_perp + <sigma^2> d<sigma'^2>/<sigma'^2>^2, the first two cancel
    C_b_error = square_error / perp + square * C_W_error + 2e-16 * K
    if C_b < -C_b_error:
        return K, C_W, C_b
    kernel, kind = _first_term(usable, zero, C_W)
    half = kind == HALF_STABLE
    falls = kernel.coefficient < 0
    sides = ("above", "below") if half else ("both sides", "nothing")
    return CriticalPoint(
        activation=sigma,
        kind=kind,
        weight_variance=C_W,
        bias_variance=max(C_b, 0.0),
        K=K,
        errors=(C_W_error, C_b_error, zero.error),
        attracts=sides[0] if falls else sides[1],
        kernel=kernel,
        perp=Term(1.0, C_W * b, C_W * b_error),
        noise=C_W**2 * float(neuron_cumulants(sigma, K)[0][0, 1]) / K**2,
    )


def _first_term(sigma: Activation, zero: Zero, C_W: float) -> tuple[Term, str]:
    """The first term of F(K) - K about K* > 0, and the class."""
    second, second_error = kernel_derivative(sigma, zero.K, 2)
    third, third_error = kernel_derivative(sigma, zero.K, 3)
    error = second_error + abs(third) * zero.error
    if abs(second) > error:
        return Term(2.0, C_W * second / 2, C_W * error / 2), HALF_STABLE
    return Term(3.0, C_W * third / 6, C_W * third_error / 6), DEGENERATE_POSITIVE
