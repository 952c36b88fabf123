"""Every recursion of the hierarchy: K, V, D, T, Q; the tensors of inputs and derivatives."""

from __future__ import annotations

from collections.abc import Iterator

from netsim.claims.check import Check
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.recursion_algebra import exact_fractions, scalars, tensors
from netsim.claims.hierarchy.recursion_draws import (
    means,
    measured,
    second_derivatives,
    sine_means,
)
from netsim.claims.hierarchy.recursion_nets import ACTIVATIONS

__all__ = ["CLAIM"]


def _checks(trial: Trial) -> Iterator[Check]:
    yield from scalars(trial, ACTIVATIONS)
    yield from exact_fractions(trial)
    yield from tensors(trial, ACTIVATIONS)
    yield from means(trial)
    yield from sine_means(trial)
    yield from second_derivatives(trial)
    yield from measured(trial, ACTIVATIONS)


CLAIM = Claim(
    name="recursions",
    statement=(
        "Write kappa_2 = K + D + ..., and V, T, Q for the leading terms of kappa_4, kappa_6, "
        "kappa_8. Those of every layer follow from the layer before: K' = F(K), D' = F' D + F'' V/2, "
        "V' = G + F'^2 V, T' = H + 3F'G'V + 3F'^2 F'' V^2 + F'^3 T and its like for Q, and tensors "
        "Cov and D for several inputs and input derivatives; so they do for relu, tanh, gelu, erf, "
        "sin, swish, abs, a cubic and a user's own x/sqrt(1 + x^2), at unequal widths. At finite "
        "width the same law of a layer given the one before gives every cumulant that is simulated."
    ),
    source=(
        "Hanin, arXiv 2204.01058: the hierarchy of recursions, K, D and V; derived: T, Q and the "
        "tensors with derivatives, by expanding the conditional law of a layer (S' given S is a mean "
        "of n independent terms) in the fluctuation of S"
    ),
    checks=_checks,
    rejects={
        "coefficient": 1e-6, "kappa2": 0.03, "mean": 0.03, "kappa4": 0.03, "kappa6": 0.1,
        "kappa8": 0.3, "tensor": 0.03,
    },
    knobs={
        "coefficient": "any coefficient of K, D, V, T, Q, and of the tensors, in the hierarchy",
        "kappa2": "kappa_2 of one neuron",
        "mean": "kappa_2 - K, what finite width adds to the variance",
        "kappa4": "kappa_4 of one neuron",
        "kappa6": "kappa_6 of one neuron",
        "kappa8": "kappa_8 of one neuron",
        "tensor": "means and covariances of S over inputs and derivatives",
    },
    axes=Axes("predicted", "measured", log_x=True, log_y=True),
)  # fmt: skip
