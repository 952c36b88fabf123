"""R, the relative size of a gradient's square: what the claims about gradients measure and predict.

Z = D_v z of one output neuron, R = E[Z^4]/(3 E[Z^2]^2) = E[S_11^2]/(E S_11)^2, where S_11 is the
variance of Z given the last hidden layer: R = 1 if gradients do not fluctuate from network to
network. v is orthogonal to x, |v|^2 = n_0. In the grammar R - 1 = ncum[z1a'u^4]/3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from netsim.claims.check import Check, pull
from netsim.claims.claim import Trial
from netsim.claims.measured import estimates
from netsim.networks.input_sets import build
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.rows import Row
from netsim.theory.exact_derivatives import field_moments
from netsim.theory.hierarchy_fields.cumulants import FieldSeries
from netsim.theory.hierarchy_fields.fields import hierarchy_fields

__all__ = [
    "FIELDS",
    "excess_terms",
    "exact_excess",
    "excess_name",
    "first_order_excess",
    "gradient_inputs",
    "measured_excess",
    "ratio_pulls",
]

FIELDS = (Slot("a"), Slot("a", ("u",)))


def gradient_inputs(norm2: float = 1.0, dimension: int = 16) -> Inputs:
    """One input and one direction orthogonal to it."""
    return build(
        "single", norm2=norm2, dimension=dimension, directions=1, direction_kind="orthogonal"
    )


def excess_name(depth: int) -> str:
    """The quantity 3 (R - 1) behind `depth` hidden layers."""
    return f"ncum[z1a'u^4]@{depth + 1}"


def exact_excess(net: Network) -> float:
    """R - 1, for piecewise linear activations, from the closed recursion of second moments."""
    mean, covariance = field_moments(net, gradient_inputs(), FIELDS)
    return float(covariance[-1, 1, 1, 1, 1] / mean[-1, 1, 1] ** 2)


def first_order_excess(net: Network, norm2: float) -> np.ndarray:
    """(L+1,): n (R - 1) to first order in 1/n, rows l = 0..L; smooth sigma, equal widths.

    In units of 1/n, K_11' = chi_perp K_11 and, with dashes at sigma, chi_perp' = d chi_perp/dK,

        V'   = C_W^2 Var(sigma^2) + chi_par^2 V                                (Var S_00)
        C'   = C_W^2 K_11 Cov(sigma^2, sigma'^2) + chi_par (chi_perp C + chi_perp' K_11 V)
        W'   = C_W^2 K_11^2 (3 <sigma'^4> - <sigma'^2>^2) + chi_perp^2 W
               + 2 chi_perp chi_perp' K_11 C + (chi_perp' K_11)^2 V            (Var S_11)
    """
    g = np.linspace(-10.0, 10.0, 641)
    weight = np.exp(-g * g / 2) / np.sum(np.exp(-g * g / 2))
    K, C_W = net.bias_variance[0] + net.weight_variance[0] * norm2, net.weight_variance
    V = C = W = 0.0  # C in units of K_11, W of its square
    found = [0.0]
    for l in range(1, net.depth + 1):
        z = np.sqrt(K) * g
        square, slope = net.activation.numpy(z) ** 2, net.activation.numpy(z, 1) ** 2
        mean, perp = C_W[l] * weight @ square, C_W[l] * weight @ slope
        raised = weight * (g * g - 1) / (2 * K)  # d<f>/dK = <f (g^2 - 1)>/(2 K)
        par, change = C_W[l] * raised @ square, C_W[l] * raised @ slope / perp
        sources = C_W[l] ** 2 * np.array(
            [weight @ square**2, weight @ (square * slope), 3 * weight @ slope**2]
        ) - np.array([mean**2, mean * perp, perp**2])
        W = sources[2] / perp**2 + W + 2 * change * C + change**2 * V
        C = sources[1] / perp + par * (C + change * V)
        V = sources[0] + par**2 * V
        K = net.bias_variance[l] + mean
        found.append(W)
    return np.array(found)


def excess_terms(net: Network, norm2: float, order: int = 1) -> np.ndarray:
    """(L+1, order+2): coefficients of n^0..n^-(order+1) in R - 1, rows l = 0..L."""
    gram = gradient_inputs(norm2).gram(FIELDS)
    found = hierarchy_fields(net, gram, FIELDS, order)
    pair = (FIELDS[1], FIELDS[1])
    mean, variance = (_with_next(found.cumulant(*legs)) for legs in ((pair,), (pair, pair)))
    terms = np.zeros_like(variance)
    # (sum_i m_i n^-i)^2 (R - 1) = variance, power by power
    square = np.array([np.convolve(m, m)[: order + 2] for m in mean])
    for k in range(order + 2):
        known = sum(square[:, i] * terms[:, k - i] for i in range(1, k + 1))
        terms[:, k] = (variance[:, k] - known) / square[:, 0]
    return terms


def _with_next(series: FieldSeries) -> np.ndarray:
    assert series.beyond is not None
    return np.column_stack([series.coefficients, series.beyond])


def _predicted_excess(net: Network, depth: int, norm2: float) -> tuple[float, float]:
    """(R - 1, uncertainty): exact, or to n^-3 with the next term as uncertainty."""
    net = replace(
        net,
        widths=net.widths[:depth],
        weight_variance=net.weight_variance[: depth + 1],
        bias_variance=net.bias_variance[: depth + 1],
    )
    if net.activation.slopes is not None:
        return exact_excess(net), 0.0
    terms = excess_terms(net, norm2, 3)[-1] * float(net.widths[0]) ** -np.arange(5.0)
    return float(np.sum(terms[:-1])), float(abs(terms[-1]))


def measured_excess(
    trial: Trial, net: Network, depths: Sequence[int], draws: int, *, norm2: float = 1.0, seed: int
) -> dict[int, Row]:
    """Rows of 3 (R - 1) behind the first `depths` layers: one run serves all."""
    names = {depth: excess_name(depth) for depth in depths}
    inputs = gradient_inputs(norm2)
    found = estimates(net, inputs, list(names.values()), trial.draws(draws), seed=seed)
    return {depth: found[name] for depth, name in names.items()}


def ratio_pulls(
    trial: Trial, knob: str, net: Network, rows: dict[int, Row], *, norm2: float = 1.0
) -> Iterator[Check]:
    """Measured R - 1 beside what theory gives at the same width and depth."""
    for depth, row in rows.items():
        value, own = _predicted_excess(net, depth, norm2)
        assert row.error is not None
        yield pull(
            f"R - 1 of {net.activation.name}, n = {net.widths[0]}, L = {depth}",
            row.value / 3,
            trial.scaled(knob, value),
            row.error / 3,
            uncertainty=math.inf if "unreliable" in row.flags else own,
            draws=row.draws,
            knob=knob,
        )
