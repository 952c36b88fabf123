"""Fluctuations of gradients and of the tangent kernel at the output, for `netsim.advise`."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import numpy as np

from netsim.api.advise_finding import Finding, unknown
from netsim.api.advise_ratios import Ratios
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.exact import cumulants
from netsim.theory.hierarchy.expansion import Expansion
from netsim.theory.hierarchy_fields.cumulants import FieldSeries
from netsim.theory.hierarchy_fields.fields import hierarchy_fields
from netsim.theory.ntk.exact import ntk_exact
from netsim.theory.ntk.first_order import ntk_first_order

__all__ = ["gradient", "tangent_kernel"]

_EPS = float(np.finfo(float).eps)
_SECOND, _FIRST = 8, 100  # depths to which n^-2, and the term behind n^-1, take a second or so
_SMALL = 1e-5  # kernels below which derivatives in K take seconds a layer, for rounding
_FLUCTUATION, _MEAN = "sqrt(Var H)/H", "H/H_infinity - 1"


def gradient(ratios: Ratios) -> Finding:
    """R - 1 = E u^4/(3 (E u^2)^2) - 1 = Var(S_uu)/(E S_uu)^2, u = D_v z of one output neuron.

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
    z, u = Slot("a"), Slot("a", ("u",))
    order = 2 if network.depth <= _SECOND else 1
    more = network.depth <= _FIRST
    gram = np.diag([norm2, 1.0])  # v.x = 0, |v|^2/n_0 = 1, which R does not depend on
    found = hierarchy_fields(network, gram, [z, u], order, next_term=more)
    mean, variance = (_expansion(found.cumulant(*[(u, u)] * k)) for k in (1, 2))
    ratio = reduce(Expansion.__mul__, [mean.inverse_root()] * 4, variance)
    powers = float(network.widths[0]) ** -np.arange(ratio.terms.shape[1])
    terms, errors = ratio.terms[0] * powers, ratio.errors[0] * powers
    value, error = float(np.sum(terms[: order + 1])), float(np.sum(errors[: order + 1]))
    missing = abs(float(terms[order + 1])) if more else abs(value)
    remark = ""
    if not more:
        remark = f"the next term is computed to {_FIRST} layers only: the last one stands for it"
    elif missing > abs(value):
        remark = "the first term left out exceeds the sum: the series says nothing here"
    return Finding(item, value, "hierarchy_fields", error, order, missing, remark)


def _expansion(series: FieldSeries) -> Expansion:
    terms = series.coefficients[-1:]
    beyond = np.zeros(0) if series.beyond is None else series.beyond[-1:]
    terms = np.append(terms, beyond.reshape(1, -1), axis=1)
    # the coefficient behind the last is only a size: its error is not needed
    return Expansion(terms, np.pad(series.errors[-1:], [(0, 0), (0, len(beyond))]))


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
                Finding(_FLUCTUATION, fluctuation, "exact", 4 * _EPS * fluctuation, "exact", 0.0),
                Finding(_MEAN, change, "exact", error, "exact", 0.0),
            ]
    except ValueError as error:
        return [unknown(_FLUCTUATION, error), unknown(_MEAN, error)]
    variance, change = first.variance[-1], float(first.H1[-1] / H)
    variance_error = first.error["A"][-1] + 2 * first.error["B"][-1]
    fluctuation = float(np.sqrt(variance) / H)
    relative = variance_error / (2 * variance) + H_error / H
    change_error = float(first.error["H1"][-1] / H + abs(change) * H_error / H)
    source = "ntk_first_order"
    return [
        Finding(_FLUCTUATION, fluctuation, source, float(fluctuation * relative), 1),
        Finding(_MEAN, change, source, change_error, 1),
    ]
