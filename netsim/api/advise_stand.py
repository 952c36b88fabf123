"""Where a network stands: class of its critical point, kernels, susceptibilities, L/n."""

from __future__ import annotations

import math
import shlex
from functools import partial

from netsim.api.advise_finding import Finding, unknown
from netsim.api.advise_ratios import Ratios
from netsim.networks.activation import Activation
from netsim.networks.critical import critical_couplings
from netsim.networks.inputs_transform import norm2_for_kernel
from netsim.networks.network import Network
from netsim.theory.criticality.point import CriticalPoint
from netsim.theory.criticality.slope import with_slope
from netsim.theory.criticality.solve import REACH, criticality
from netsim.theory.susceptibility import chi_parallel, chi_perp

__all__ = ["couplings_of", "critical_point", "default_norm2", "standing"]

_SAME = 1e-6  # couplings closer to critical ones than this, relative, count as critical


def couplings_of(
    sigma: Activation, weight_variance: float | str, bias_variance: float | str
) -> tuple[float | str, float | str]:
    """(C_W, C_b), "critical" for numbers where `netsim.network` knows none and there is one point.

    **Raises:** `ValueError` where there is none, or a choice.
    """
    wanted = "critical" in (weight_variance, bias_variance)
    try:
        if wanted:
            critical_couplings(sigma)
        return weight_variance, bias_variance
    except ValueError:
        points = criticality(sigma).points
    if len(points) != 1:
        many = (
            f"{sigma.name} has {len(points)} critical points"
            if points
            else (f"no critical point is known for {sigma.name}, and none is found")
        )
        what = "lists them" if points else "says why"
        raise ValueError(
            f"{many}: give weight_variance and bias_variance as numbers; `netsim tune "
            f"{shlex.quote(f'activation={sigma.name}')}` (in Python netsim.tune({sigma.name!r})) {what}"
        )
    C_W, C_b = points[0].weight_variance, points[0].bias_variance
    return (
        C_W if weight_variance == "critical" else weight_variance,
        C_b if bias_variance == "critical" else bias_variance,
    )


def critical_point(network: Network) -> CriticalPoint | None:
    """The critical point whose couplings `network` has to 1e-6, or None."""
    C_W, C_b = network.weight_variance[0], network.bias_variance[0]
    for point in criticality(network.activation).points:
        size = max(point.bias_variance, C_b)
        if math.isclose(C_W, point.weight_variance, rel_tol=_SAME) and (
            abs(C_b - point.bias_variance) <= _SAME * size
        ):
            return point
    return None


def default_norm2(network: Network, point: CriticalPoint | None) -> float:
    """|x|^2/n_0 that puts the first kernel at K* > 0; 1 where there is no such K*."""
    if point is None or not point.K:
        return 1.0
    return norm2_for_kernel(point.K, network.bias_variance[0], network.weight_variance[0])


def standing(ratios: Ratios, point: CriticalPoint | None) -> list[Finding]:
    """Class, kernel of the output at infinite width, susceptibilities there, and L/n."""
    network = ratios.network
    L, n = network.depth, network.widths[0]
    ratio = Finding("L/n", L / n, "definition", 0.0, "exact", 0.0)
    first = network.bias_variance[0] + network.weight_variance[0] * ratios.norm2
    if isinstance(ratios.series, str):
        names = ("kernel", "chi_parallel", "chi_perp")
        every = [unknown(name, ratios.series) for name in names]
        return [_class(point, first, every[-1]), ratio, *every]
    last = float(ratios.series.coefficients[-1, 0, 0])
    error = float(ratios.series.errors[-1, 0, 0])
    limit = partial(Finding, source="infinite_width", truncation="infinite_width")
    chis = []
    sigma, C_W = network.activation, network.weight_variance[-1]
    for name, chi in (("chi_parallel", chi_parallel), ("chi_perp", chi_perp)):
        try:
            usable = sigma if chi is chi_parallel else with_slope(sigma, REACH)
            value, numerical = chi(usable, C_W, last)
        except ValueError as reason:
            chis.append(unknown(name, reason))
            continue
        chis.append(limit(name, value, error=numerical))
    kernel = limit("kernel", last, error=error, remark=f"K1 = {first:.6g}")
    return [_class(point, first, chis[1]), ratio, kernel, *chis]


def _class(point: CriticalPoint | None, first: float, perp: Finding) -> Finding:
    if point is not None:
        at = "" if point.K is None else f"K* = {point.K:.6g}; "
        return Finding("class", point.kind, remark=f"{at}K1 = {first:.6g}")
    remark = "these couplings are not critical (netsim tune finds those that are)"
    if isinstance(perp.value, float):
        way = "shrink" if perp.value < 1 else "amplify"
        remark = f"a further layer would {way} gradients; {remark}"
    return Finding("class", "not critical", remark=remark)
