"""Simulated cumulants and tensors against the law at the same widths."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from netsim.claims.check import Check, pull, unjudged
from netsim.claims.claim import Trial
from netsim.claims.hierarchy.rational import polynomial_powers, rational_cumulants
from netsim.claims.hierarchy.recursion_nets import (
    ACTIVATIONS,
    CUBIC,
    NORM2,
    POLYNOMIAL,
    recursion_net,
)
from netsim.claims.hierarchy.sine import sine_pair
from netsim.claims.hierarchy.tensors import tensor_recursions
from netsim.claims.measured import estimates, predicted, why_unjudged
from netsim.compare import uncertainty
from netsim.networks.input_sets import build
from netsim.networks.network import Network, network
from netsim.quantities import Slot
from netsim.rows import Row

__all__ = ["means", "measured", "second_derivatives", "sine_means"]

DRAWS = 2**18
KAPPA = ("kappa2", "kappa4", "kappa6", "kappa8")
OVERLAPS = (
    "cum[Sab]", "cum[Saa Sbb]", "cum[Sab^2]", "cum[Saa Sab]",
    "cum[Saa Sa'ua'u]", "cum[Saa'u^2]", "cum[Sa'ua'u^2]",
)  # fmt: skip
SECOND = (
    "cum[Saa'uu]", "cum[Sa'ua'uu]", "cum[Sa'uua'uu]", "cum[Saa'uu^2]", "cum[Saa Sa'uua'uu]",
    "cum[Saa'uu Sa'ua'u]",
)  # fmt: skip


def measured(trial: Trial, names: Sequence[str], draws: int = DRAWS) -> Iterator[Check]:
    """Simulation against the law at the same widths: kappa_2..8, and tensors to n^-3."""
    inputs = build("pair", angle=60, norm2=NORM2, directions=1, seed=1)
    for name in names:
        net = recursion_net(name, (16, 12))
        if name == POLYNOMIAL:
            # a cubic's moments grow like powers of 27 in depth: S must fluctuate little
            net = recursion_net(name, (64, 48), weight_variance=0.8)
        quantities = [f"{kappa}[a]" for kappa in KAPPA] + list(OVERLAPS)
        best = predicted(net, inputs, quantities, order=3, layers=(2, 3))
        if name == POLYNOMIAL:
            best |= _exact(net, best)
        found = estimates(
            net, inputs, quantities, trial.draws(draws), seed=ACTIVATIONS.index(name), layers=(2, 3)
        )
        for key, row in found.items():
            if row.alias is not None or row.quantity.startswith("cum[S"):
                yield _pull(trial, row, key, best.get(key), net)


def second_derivatives(trial: Trial, draws: int = DRAWS) -> Iterator[Check]:
    """Simulation of tensors with second derivatives, to n^-3, in a tanh network."""
    inputs = build("single", norm2=NORM2, directions=1, seed=1)
    net = recursion_net("tanh", (32, 24))
    best = predicted(net, inputs, SECOND, order=3, layers=(2, 2))
    seed = len(ACTIVATIONS) + 2
    found = estimates(net, inputs, SECOND, trial.draws(draws), seed=seed, layers=(2, 2))
    for key, row in found.items():
        yield _pull(trial, row, key, best.get(key), net)


def _exact(net: Network, best: dict[str, Row]) -> dict[str, Row]:
    """kappa_2..8 of the polynomial, exact, in place of their series."""
    couplings = (net.weight_variance[0], net.bias_variance[0])
    found = {}
    for layer in (2, 3):
        exact = rational_cumulants(
            polynomial_powers(CUBIC), net.widths[: layer - 1], couplings, NORM2
        )
        for kappa, value in zip(KAPPA, exact, strict=True):
            key = f"{kappa}[a]@{layer}"
            found[key] = replace(
                best[key], value=float(value), error=0.0, truncation="exact", truncation_error=None
            )
    return found


def means(trial: Trial, draws: int = 2**19) -> Iterator[Check]:
    """Simulation of kappa_2 - K where it is large."""
    inputs, quantities = build("single", norm2=1.0), ["kappa2"]
    net = network("tanh", width=4, depth=12)
    best = predicted(net, inputs, quantities, layers=(9, 13))
    limit = predicted(net, inputs, quantities, theory="infinite_width", layers=(9, 13))
    found = estimates(
        net, inputs, quantities, trial.draws(draws), seed=len(ACTIVATIONS), layers=(9, 13)
    )
    for key, row in found.items():
        if row.alias is not None:
            K, exact = limit[key].value, best[key]
            own = uncertainty(exact)
            own = math.inf if own is None else own
            yield _shift(trial, f"{key} - K of tanh, n = 4", row, K, exact.value, own)


def sine_means(trial: Trial, draws: int = 2**19) -> Iterator[Check]:
    """Simulation of two inputs of a narrow sine network, whose law is exact: means - K, tensors."""
    pair = build("pair", angle=60, norm2=NORM2)
    net = recursion_net("sin", (6, 5))
    gram = pair.gram([Slot("a"), Slot("b")])
    mean, covariance = sine_pair(net, gram)
    K = tensor_recursions(net, gram, False)[0][-1]
    texts = ["cum[Saa]", "cum[Sab]", "cum[Sab^2]", "cum[Saa Sbb]", "cum[Saa Sab]"]
    found = estimates(
        net, pair, texts, trial.draws(draws), seed=len(ACTIVATIONS) + 1, layers=(2, 2)
    )
    for p, b in (((0, 0), "a"), ((0, 1), "b")):
        row = found[f"cum[Sa{b}]@2"]
        yield _shift(trial, f"{row.quantity} - K of sin, widths (6, 5)", row, K[p], mean[p])
    for text, index in (
        (texts[2], (0, 1, 0, 1)),
        (texts[3], (0, 0, 1, 1)),
        (texts[4], (0, 0, 0, 1)),
    ):
        row = found[f"{text}@2"]
        yield pull(
            f"{row.quantity} of sin, widths (6, 5)", row.value,
            trial.scaled("tensor", float(covariance[index])), _error(row), draws=row.draws,
            knob="tensor",
        )  # fmt: skip


def _shift(trial: Trial, what: str, row: Row, K: float, exact: float, own: float = 0.0) -> Check:
    shift = trial.scaled("mean", float(exact - K))
    own = math.inf if "unreliable" in row.flags else own
    return pull(
        what, row.value - K, shift, _error(row), uncertainty=own, draws=row.draws, knob="mean"
    )


def _error(row: Row) -> float:
    """Without an error a check fails."""
    return math.nan if row.error is None else row.error


def _pull(trial: Trial, row: Row, key: str, prediction: Row | None, net: Network) -> Check:
    stem = key.split("[")[0]
    knob = stem if stem in KAPPA else "tensor"
    about = f"{key} of {net.activation.name}, widths {net.widths}"
    why = why_unjudged(row, prediction)
    if why or prediction is None:
        return unjudged(about, why, row.value, row.error, knob=knob)
    own = uncertainty(prediction)
    shown = row.value > 0 and prediction.value > 0
    return pull(
        about,
        row.value,
        trial.scaled(knob, prediction.value),
        _error(row),
        uncertainty=float("inf") if own is None else own,
        draws=row.draws,
        series=stem if knob != "tensor" else "covariances of S",
        x=prediction.value if shown else None,
        knob=knob,
    )
