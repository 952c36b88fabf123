"""Each leading coefficient has its predicted value and sign, and is not 0 unless theory says so."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from netsim.claims.check import LIMIT, Check, bound, equal, pull
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.leading import (
    KAPPAS,
    coefficients,
    exact_scaled,
    extrapolated,
    measured_scaled,
)
from netsim.networks.input_sets import build
from netsim.networks.network import Network, network

__all__ = ["CLAIM"]

DEPTH, NORM2 = 4, 1.0
NAMES = ("n (kappa_2 - K)", "n kappa_4", "n^2 kappa_6", "n^3 kappa_8")
KNOBS = ("mean", "fourth", "sixth", "eighth")


@dataclass(frozen=True)
class Case:
    """**Fields:** `activation`, critical; `depth`; `pair`: simulated widths n, 2n; `draws` of each;
    `far`: widths at which the exact law is extrapolated."""

    activation: str
    depth: int
    pair: tuple[int, int]
    draws: int
    far: tuple[int, ...]

    def network(self, n: int) -> Network:
        return network(self.activation, width=n, depth=self.depth)

    @property
    def leading(self) -> np.ndarray:
        """Coefficients of n^-1, n^-1, n^-2, n^-3 of kappa_2, kappa_4, kappa_6, kappa_8."""
        found = coefficients(self.network(1), NORM2)
        return found[np.arange(4), [1, 1, 2, 3]]


CASES = (
    Case("tanh", 1, (4, 8), 2**20, (16, 32, 48, 64, 96, 128)),
    Case("tanh", DEPTH, (8, 16), 2**22, (16, 32, 48, 64, 96, 128)),
    Case("swish", DEPTH, (32, 64), 2**20, (64, 96, 128, 192, 256, 384, 512)),
    Case("relu", DEPTH, (32, 64), 2**19, (64, 128, 256, 512, 1024, 2048)),
)
MORE = (
    Case("sin", DEPTH, (8, 16), 2**20, (16, 24, 32, 48, 64, 96, 128)),
    Case("erf", DEPTH, (8, 16), 2**20, (16, 24, 32, 48, 64, 96, 128)),
    Case("gelu", DEPTH, (32, 64), 2**20, (64, 96, 128, 192, 256, 384, 512)),
)
ZERO, ZERO_WIDTH, ZERO_DRAWS = (("linear", DEPTH), ("relu", DEPTH), ("tanh", 1)), 8, 2**20


def _checks(trial: Trial) -> Iterator[Check]:
    for activation, depth in ZERO:
        yield from _no_correction(trial, activation, depth, ZERO_WIDTH, ZERO_DRAWS)
    for case in (*CASES, *MORE) if trial.thorough else CASES:
        yield from _limits(trial, case)
        yield from _simulated(trial, case)


def _limits(trial: Trial, case: Case) -> Iterator[Check]:
    """The exact law at finite widths, extrapolated in 1/n, against the series in 1/n."""
    inputs = build("single", norm2=NORM2)
    exact = [exact_scaled(case.network(n), inputs)[0] for n in case.far]
    limits = extrapolated(case.far, np.array(exact))
    for name, limit, c in zip(NAMES, limits, case.leading, strict=True):
        if c:
            what = f"limit of {name}, {case.activation}, L = {case.depth}, over its coefficient"
            yield equal(what, limit / c, trial.scaled("coefficient", 1.0), 5e-7, knob="coefficient")


def _simulated(trial: Trial, case: Case) -> Iterator[Check]:
    """At both widths against the exact value there; then 2 f(2n) - f(n), from draws alone, has the
    sign of the limit of f."""
    inputs, leading = build("single", norm2=NORM2), case.leading
    about = f"{case.activation}, L = {case.depth}"
    values, errors, sure = [], [], np.ones(4, bool)
    for n in case.pair:
        exact, own = exact_scaled(case.network(n), inputs)
        value, error, reliable = measured_scaled(case.network(n), inputs, trial.draws(case.draws))
        sure &= reliable
        values.append(value)
        errors.append(error)
        for k, c in enumerate(leading):
            if c:
                yield pull(
                    f"{NAMES[k]} over its coefficient, {about}, n = {n}",
                    value[k] / c,
                    trial.scaled(KNOBS[k], exact[k] / c),
                    error[k] / abs(c),
                    uncertainty=own[k] / abs(c) if reliable[k] else math.inf,
                    draws=trial.draws(case.draws),
                    series=f"kappa_{KAPPAS[k]}, {about}",
                    x=n,
                    knob=KNOBS[k],
                )
    for k, c in enumerate(leading):
        if c:
            yield bound(
                f"2 f(2n) - f(n) of f = {NAMES[k]}, {about}, n = {case.pair[0]}, in errors "
                f"and with the sign of its coefficient {c:.4g}",
                math.copysign(1, c)
                * (2 * values[1][k] - values[0][k])
                / math.hypot(2 * errors[1][k], errors[0][k]),
                LIMIT,
                None,
                uncertainty=0.0 if sure[k] else math.inf,
            )


def _no_correction(trial: Trial, activation: str, L: int, n: int, draws: int) -> Iterator[Check]:
    """kappa_2 = K at every width: each power of 1/n is missing, and so it is from the draws."""
    inputs, net = build("single", norm2=NORM2), network(activation, width=n, depth=L)
    found = coefficients(net, NORM2, 6)[0]
    K = found[0]
    for power in range(1, 7):
        yield equal(
            f"kappa2~{power} of {activation}, L = {L}, over K", found[power] / K, 0.0, 1e-12
        )
    for width in (1, 2, n):
        own = exact_scaled(network(activation, width=width, depth=L), inputs)[0][0]
        yield equal(
            f"n (kappa_2/K - 1) of {activation}, L = {L}, n = {width}", own / K, 0.0, 1e-12 * width
        )
    value, error, reliable = measured_scaled(net, inputs, trial.draws(draws))
    yield pull(
        f"(kappa_2/K - 1) n/L of {activation}, n = {n}, L = {L}",
        value[0] / (K * L),
        trial.shifted("zero", 0.0),
        error[0] / (K * L),
        uncertainty=0.0 if reliable[0] else math.inf,
        draws=trial.draws(draws),
        knob="zero",
        unit=1.0,
    )


CLAIM = Claim(
    name="sharpness",
    statement="The powers n^(1-k) of kappa_2k and n^-1 of kappa_2 - K cannot be improved: their "
    "coefficients have the predicted values and signs and are not zero, with two exceptions that "
    "theory knows: the mean of activations that are linear on either side of 0, and any mean "
    "behind one hidden layer, where kappa_2 = K at every width. Signs at critical couplings: the "
    "mean is below K for tanh and above it for swish; kappa_4, kappa_6 and kappa_8 are positive at "
    "L = 4, while kappa_8 of tanh is negative behind one layer.",
    source="Hanin, arXiv 2204.01058: recursions of the leading orders. Coefficients: the series in "
    "1/n. Exact law: the transfer operator on S (rational arithmetic for relu), extrapolated to n = "
    "infinity. kappa_2 = K because E sigma(z)^2 is linear in the variance of z, or because that of "
    "layer 1 is fixed.",
    checks=_checks,
    rejects={
        "coefficient": 1e-6, "mean": 0.03, "fourth": 0.03, "sixth": 0.10, "eighth": 0.30, "zero": 0.03,
    },
    knobs={
        "coefficient": "leading coefficients against the limit of the exact law",
        "mean": "kappa_2 - K",
        "fourth": "kappa_4",
        "sixth": "kappa_6",
        "eighth": "kappa_8",
        "zero": "kappa_2/K - 1 where it is 0, in units of L/n",
    },
    axes=Axes("n", "n^(k-1) kappa_2k over its limit", log_x=True),
    command="netsim predict 'quantities=[kappa2~1,kappa4~1,kappa6~2,kappa8~3]' network.activation=tanh "
    "network.depth=4",
)  # fmt: skip
