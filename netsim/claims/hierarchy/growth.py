"""How the coefficient of every power of 1/n grows with depth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from netsim.claims.check import Check, bound, equal, pull, unjudged
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.universal_curve import QUANTITIES
from netsim.claims.measured import estimates, predicted
from netsim.compare import uncertainty
from netsim.gaussian.neuron import neuron_cumulants
from netsim.networks.critical import critical_couplings
from netsim.networks.input_sets import build
from netsim.networks.inputs_transform import norm2_for_kernel
from netsim.networks.network import Network, network
from netsim.theory.hierarchy.one_input import cumulant_series

__all__ = ["CLAIM", "absent", "exponents", "half_stable", "measured_slopes"]

ORDER = 3
DEPTHS = (1024, 4096)
STATIONARY = 1e-6  # off criticality coefficients converge exponentially
KAPPAS = ("kappa_2", "kappa_4", "kappa_6", "kappa_8")


@dataclass(frozen=True)
class Case:
    """A network whose coefficients of n^-k in kappa_2j/K^j, j <= k+1, grow as L^(slope k).

    **Fields:** `words`; `slope`; `mean`, whether kappa_2 has a correction at all; `couplings`.
    """

    words: str
    activation: str
    slope: float = 1.0
    mean: bool = True
    couplings: dict[str, Any] = field(default_factory=dict)

    def network(self, depth: int) -> Network:
        # coefficients do not depend on the width
        return network(self.activation, width=1, depth=depth, **self.couplings)


_OFF = {"weight_variance": 1.4, "bias_variance": 0.1}
CASES = (
    Case("tanh, K* = 0", "tanh"),
    Case("erf, K* = 0", "erf"),
    Case("sin, K* = 0", "sin"),
    Case("ReLU, scale invariant", "relu", mean=False),
    Case("linear, scale invariant", "linear", mean=False),
    Case("tanh off criticality", "tanh", slope=0.0, couplings=_OFF),
    Case("GELU off criticality", "gelu", slope=0.0, couplings=_OFF | {"weight_variance": 1.0}),
)


def _checks(trial: Trial) -> Iterator[Check]:
    for case in CASES:
        yield from exponents(trial, case, DEPTHS)
        if not case.mean:
            yield from absent(trial, case, DEPTHS[-1])
    for name in ("gelu", "swish"):
        yield from half_stable(trial, name, 256)
    yield from measured_slopes(trial, 32, 4 * 65536)


def exponents(trial: Trial, case: Case, depths: tuple[int, ...]) -> Iterator[Check]:
    """Local log-slopes between L/2 and L against k, within their finite-L correction.

    At K* = 0 kernels are K (1 + O(log L/L)), so a term of order n^-k has slope k + O(k log L/L); at
    other critical points corrections are O(k^2/L).
    """
    values = _coefficients(case, max(depths))
    for L in depths:
        for k in range(1, ORDER + 1):
            room = 4 * k * math.log(L) / L if case.slope else STATIONARY
            for j in range(0 if case.mean else 1, k + 1):
                slope = math.log2(abs(values[L, j, k] / values[L // 2, j, k]))
                p = trial.shifted("exponent", case.slope * k)
                yield bound(
                    f"slope in L of the n^-{k} term of {KAPPAS[j]}/K^{j + 1} between L = {L // 2} and "
                    f"{L}, {case.words}",
                    slope,
                    p - room,
                    p + room,
                    knob="exponent",
                    unit=1.0,
                )


def absent(trial: Trial, case: Case, depth: int) -> Iterator[Check]:
    """The mean of homogeneous activations has no correction."""
    values = _coefficients(case, depth)
    for k in range(1, ORDER + 1):
        yield equal(
            f"n^-{k} term of kappa_2/K at L = {depth}, {case.words}",
            values[depth, 0, k],
            trial.shifted("constant", 0.0),
            1e-7,
            knob="constant",
            unit=1.0,
        )


def half_stable(trial: Trial, name: str, depth: int) -> Iterator[Check]:
    """At K*: F' = 1, so V = c L and D = (1/4) F'' c L (L-1), c = C_W^2 c_2(K*), in units of 1/n."""
    net = network(name, width=1, depth=depth)
    C_b, C_W, K = critical_couplings(net.activation)
    assert K is not None
    terms = cumulant_series(net, norm2_for_kernel(K, C_b, C_W), 1).coefficients
    cumulants, _ = neuron_cumulants(net.activation, K, 2)
    c, curvature = C_W**2 * cumulants[0, 1], C_W * cumulants[2, 0]
    for L in (depth // 2, depth):
        for j, value in ((0, curvature * c * L * (L - 1) / 4), (1, c * L)):
            value = trial.scaled("constant", value)
            yield equal(
                f"n^-1 term of {KAPPAS[j]} at L = {L}, {name} at K*",
                terms[L, j, 1],
                value,
                2e-7 * abs(value),
                knob="constant",
            )


def measured_slopes(trial: Trial, n: int, draws: int) -> Iterator[Check]:
    """1 - kappa_2/K and kappa_4/kappa_2^2 between L = n/4, n/2 and n, beside the exact law's slopes."""
    net, inputs, depths = network("tanh", width=n, depth=n), build("single", norm2=1.0), (n // 2, n)
    # a run that the claim on the universal curve makes as well
    wanted = [f"{q}@{L + 1}" for L in (n // 4, n // 2, n) for q in QUANTITIES]
    found = estimates(net, inputs, wanted, trial.draws(draws), seed=n)
    exact = predicted(net, inputs, wanted)
    kernel = predicted(net, inputs, wanted, theory="infinite_width")
    for quantity, words in (("kappa2", "1 - kappa_2/K"), ("kappa4/kappa2^2", "kappa_4/kappa_2^2")):

        def size(rows, L: int, quantity=quantity) -> tuple[float, float]:
            row, K = rows[f"{quantity}[a]@{L + 1}"], kernel[f"kappa2[a]@{L + 1}"].value
            own = uncertainty(row) if row.source.startswith("theory:") else row.error
            error = math.inf if own is None or "unreliable" in row.flags else own
            return (1 - row.value / K, error / K) if quantity == "kappa2" else (row.value, error)

        for L in depths:
            # depths of one run are positively correlated: the sum of variances is the larger one
            (value, error), (true, own) = (
                _slope(size(rows, L // 2), size(rows, L)) for rows in (found, exact)
            )
            about = f"slope of {words} between L = {L // 2} and {L}, tanh, n = {n}"
            if math.isinf(error):
                yield unjudged(about, "unreliable", value, 0.0, knob="measured")
                continue
            yield pull(
                about,
                value,
                trial.shifted("measured", true),
                error,
                uncertainty=own,
                draws=found[f"{quantity}[a]@{L + 1}"].draws,
                series=words,
                x=L / n,
                knob="measured",
                unit=1.0,
            )


def _slope(below: tuple[float, float], here: tuple[float, float]) -> tuple[float, float]:
    """log_2 of the ratio of two values with errors, and its error."""
    error = math.hypot(below[1] / below[0], here[1] / here[0]) / math.log(2)
    return math.log2(here[0] / below[0]), error


@lru_cache(maxsize=16)
def _series(net: Network, x2: float) -> np.ndarray:
    found = cumulant_series(net, x2, ORDER).coefficients
    K = found[:, 0, 0]
    return found / K[:, None, None] ** np.arange(1, 5)[:, None]


def _coefficients(case: Case, depth: int) -> np.ndarray:
    """(L+1, 4, ORDER+1): [l, j-1, k], of n^-k in kappa_2j/K^j; row l belongs to layer l+1."""
    return _series(case.network(depth), 1.0)


CLAIM = Claim(
    name="growth",
    statement=(
        "The coefficient of n^-k in kappa_2j/K^j, j <= k+1, grows as L^p: p = k at criticality, both "
        "for scale-invariant activations (ReLU, linear) and for K* = 0 (tanh, erf, sin), so that "
        "there the series is one in L/n; p = 0 off criticality. The mean kappa_2 of homogeneous "
        "activations has no correction at any order; that of half-stable ones (GELU, swish) at K* has "
        "L(L-1) for k = 1, while their kappa_4 has L: there p = k does not hold."
    ),
    source=(
        "Hanin, arXiv 2204.01058: kappa_2k/kappa_2^k = O((L/n)^{k-1}). Derived for all orders: where "
        "F' = 1 - O(1/L) each power of 1/n comes with one sum over layers. At K* > 0, F' = 1 and F'' "
        "is not 0: V = c L/n, D = (1/4) F'' c L(L-1)/n, c = C_W^2 Var(sigma^2)."
    ),
    checks=_checks,
    rejects={"exponent": 0.25, "measured": 0.25, "constant": 1e-6},
    knobs={
        "exponent": "every exponent of L of the series, by this amount",
        "measured": "local slopes in L of simulated cumulants, by this amount",
        "constant": "coefficients at K*, relative, and those that vanish, absolute",
    },
    axes=Axes("L/n", "local slope in L at finite n"),
    command="netsim sweep experiment=growth",
)
