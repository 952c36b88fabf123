"""Fluctuations of gradients and of the tangent kernel at the output, for `netsim.advise`."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from netsim.api.advise_finding import Finding, unknown
from netsim.api.advise_ratios import Ratios
from netsim.api.theories import FIELDS_ORDER
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.base import Values
from netsim.theory.combine import over_root
from netsim.theory.exact import cumulants
from netsim.theory.hierarchy.expansion import Expansion
from netsim.theory.hierarchy_fields.cumulants import FieldSeries
from netsim.theory.hierarchy_fields.fields import hierarchy_fields
from netsim.theory.ntk.exact import ntk_exact
from netsim.theory.ntk.first_order import ntk_first_order
from netsim.theory.ntk.tensors import missing

__all__ = ["gradient", "tangent_kernel"]

_EPS = float(np.finfo(float).eps)
_SECOND, _NEXT = 100, 20  # depths to which n^-2, and the term behind it, take some seconds
_SLOW = 0.25  # share of the last term in the sum above which the terms do not fall fast enough
_SMALL = 1e-5  # kernels below which derivatives in K take seconds a layer, for rounding
_FLUCTUATION, _MEAN = "sqrt(Var H)/H", "H/H_infinity - 1"


def gradient(ratios: Ratios) -> Finding:
    """R - 1 = Var(S_uu)/(E S_uu)^2, R = E u^4/(3 (E u^2)^2), u = D_v z of one output neuron.

    v is orthogonal to x; for piecewise linear activations every direction has the same R, exactly.
    """
    item, network = "gradient R - 1", ratios.network
    try:
        if not ratios.is_linear:
            if isinstance(ratios.series, str):
                raise ValueError(ratios.series)
            return _gradient_series(item, network, ratios.norm2)
        # S_uu is the S of the same network without biases
        bare = replace(network, bias_variance=(0.0,) * (network.depth + 1))
        two, four = cumulants(bare, 1.0, 2)[-1].tolist()
    except ValueError as error:
        return unknown(item, error)
    if not (two > 0 and four > 0 and np.isfinite(four)):
        return unknown(item, "E S_uu leaves the range of float64: use fewer layers")
    value = four / two / two
    return Finding(item, value, "exact_fields", 4 * _EPS * value, "exact", 0.0)


def _gradient_series(item: str, network: Network, norm2: float) -> Finding:
    """The ratio of the sums of both series, as `netsim predict` has it for ncum[z1a'u^4]/3."""
    z, u = Slot("a"), Slot("a", ("u",))
    order = FIELDS_ORDER if network.depth <= _SECOND else 1
    more = network.depth <= _NEXT
    gram = np.diag([norm2, 1.0])  # v.x = 0, |v|^2/n_0 = 1, which R does not depend on
    found = hierarchy_fields(network, gram, [z, u], order, next_term=more)
    mean, variance = (found.cumulant(*[(u, u)] * k) for k in (1, 2))
    mean_values, ratio = (
        Values(series.value(), series.error(), order, series.truncation_error())
        for series in (mean, variance)
    )
    for _ in range(4):
        ratio = over_root(ratio, mean_values)
    if ratio.truncation_error is None or not np.isfinite(ratio.value[-1]):
        return unknown(item, "E S_uu is not a positive number to this order")
    value, missing = float(ratio.value[-1]), float(ratio.truncation_error[-1])
    remarks = []
    if not more:
        remarks.append(f"to {_NEXT} layers the next term is known: here the last one stands for it")
    terms = np.abs(_terms(mean, variance, float(network.widths[0])))
    share = float(terms[-1]) / abs(value)
    if share > _SLOW:
        # beyond it the next term is too small a measure: simulations are off by 1.5 of it
        every = share > 2 * _SLOW or order < 2
        missing = max(missing, float(np.sum(terms if every else terms[2:])))
        what = "all of them" if every else "those behind n^-1"
        remarks.append(f"the terms fall too slowly: the uncertainty is at least the sum of {what}")
    if missing > abs(value):
        return unknown(
            item, f"to n^-{order} known to +-{missing:.1g} only, which exceeds its value"
        )
    error = float(ratio.error[-1])
    return Finding(item, value, "hierarchy_fields", error, order, missing, "; ".join(remarks))


def _terms(mean: FieldSeries, variance: FieldSeries, n: float) -> np.ndarray:
    """The terms of the series of Var S_uu/(E S_uu)^2, n^0 first."""
    factors = [_expansion(mean).inverse_root()] * 4
    terms = reduce(Expansion.__mul__, factors, _expansion(variance)).terms[0]
    return terms * n ** -np.arange(len(terms), dtype=float)


def _expansion(series: FieldSeries) -> Expansion:
    return Expansion(series.coefficients[-1:], series.errors[-1:])


def tangent_kernel(ratios: Ratios) -> list[Finding]:
    """sqrt(Var H_11)/H and H/H_infinity - 1 of the output's tangent kernel, H = E H_11, one input.

    Learning rates are those of the NTK parametrisation, lambda_W = C_W and lambda_b = C_b.
    """
    network, norm2, series = ratios.network, ratios.norm2, ratios.series
    try:
        if isinstance(series, str):
            raise ValueError(series)
        least = float(min(series.coefficients[:, 0, 0]))
        if least < _SMALL and not ratios.is_linear:
            raise ValueError(
                f"the kernel falls to {least:.2g}: its quadratures are slow below {_SMALL:g}"
            )
        first = ntk_first_order(network, norm2)
        K, H, H_error = first.K[-1], first.H[-1], first.error["H"][-1]
        if not (K > 0 and 0 < H < np.inf):
            raise ValueError(f"the tangent kernel is {H:.3g} at infinite width")
        if ratios.is_linear:
            exact = ntk_exact(network, norm2)
            mean, variance = exact.H[-1], exact.variance[-1]
            fluctuation = float(np.sqrt(variance) / mean)
            # equal but for dead networks: what is left is the rounding of H_infinity
            change, error = float(mean / H - 1), float(H_error / H + 2 * _EPS)
            change = change if abs(change) > error else 0.0
            return [
                Finding(
                    _FLUCTUATION, fluctuation, "ntk_exact", 4 * _EPS * fluctuation, "exact", 0.0
                ),
                Finding(_MEAN, change, "ntk_exact", error, "exact", 0.0),
            ]
    except ValueError as error:
        return [unknown(_FLUCTUATION, error), unknown(_MEAN, error)]
    return _first_order(vars(first))


def _first_order(found: dict[str, Any]) -> list[Finding]:
    """Both from first order in 1/n, with what `theory:ntk` says that it leaves out."""
    last = {key: float(found[key][-1]) for key in ("H", "H1", "A", "B")}
    error = {key: float(found["error"][key][-1]) for key in last}
    left = {key: float(missing([found], key)[-1]) for key in ("H", "A", "B")}
    exact = len(found["K"]) == 2  # layer 2, behind one hidden layer
    truncation = "exact" if exact else 1
    mean, variance = last["H"] + last["H1"], last["A"] + 2 * last["B"]
    change = Finding(
        _MEAN, last["H1"] / last["H"], "ntk",
        error["H1"] / last["H"] + abs(last["H1"]) * error["H"] / last["H"] ** 2,
        truncation, left["H"] / last["H"],
    )  # fmt: skip
    if not (mean > 0 and variance > 0):
        why = f"to n^-1 E H = {mean:.3g} and Var H = {variance:.3g}: one of them says nothing"
        return [unknown(_FLUCTUATION, why), _judged(change)]
    value = math.sqrt(variance) / mean
    numerical = (error["A"] + 2 * error["B"]) / (2 * variance) + (error["H"] + error["H1"]) / mean
    share = (left["A"] + 2 * left["B"]) / variance
    # of a square root, the wider of both sides
    beyond = max(1 - math.sqrt(max(0.0, 1 - share)), math.sqrt(1 + share) - 1) + left["H"] / mean
    fluctuation = Finding(_FLUCTUATION, value, "ntk", value * numerical, truncation, value * beyond)
    return [_judged(fluctuation), _judged(change)]


def _judged(found: Finding) -> Finding:
    """Without its value where that is not even known to a factor; a small change is something known."""
    left, size = found.truncation_error or 0.0, abs(float(found.value or 0.0))
    if left <= size:
        return found
    if found.item == _MEAN and left < 1:
        return replace(found, remark="the uncertainty exceeds the value")
    why = f"to n^-1 known to +-{left:.1g} only, which exceeds its value"
    return unknown(found.item, why)
