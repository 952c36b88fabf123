"""Neurons of a layer are uncorrelated but dependent, and what they share is set by L/n."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from netsim.claims.check import Check, pull
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.measured import estimates, predicted, pulls
from netsim.experiment.observables import OBSERVABLES, observable
from netsim.networks.input_sets import build
from netsim.networks.network import network

__all__ = ["CLAIM"]

DEPTH, DRAWS = 32, 65536
COVARIANCE, CORRELATION = "ncum[z1a^2 z2a^2]", "ncum[{first_square}a {second_square}a]"


def _checks(trial: Trial) -> Iterator[Check]:
    yield from _covariance(trial, (32, 128))
    yield from _correlation(trial, 8, 80 * DRAWS)


def _covariance(trial: Trial, widths: tuple[int, ...]) -> Iterator[Check]:
    inputs = build("single", norm2=1.0)
    for n in widths:
        yield from pulls(
            trial, "covariance", network("relu", width=n, depth=DEPTH), inputs, [COVARIANCE],
            2 * DRAWS, seed=n, layers=(2, DEPTH + 1), series=f"n = {n}",
            x=lambda row, n=n: ((row.layer or 1) - 1) / n,
        )  # fmt: skip


def _correlation(trial: Trial, n: int, draws: int) -> Iterator[Check]:
    """Measured from outputs alone, near saturation; V itself is exact."""
    _register()
    inputs, depth = build("single", norm2=1.0), 2 * n
    net = network("tanh", width=n, depth=depth)
    layers = (depth // 2, depth + 1)
    exact = predicted(net, inputs, ["kappa4/kappa2^2"], layers=layers)
    found = estimates(net, inputs, [CORRELATION], trial.draws(draws), seed=n, layers=layers)
    for row in found.values():
        V = exact[f"kappa4/kappa2^2[a]@{row.layer}"]
        assert row.error is not None and V.error is not None
        own = 2 / (2 + 3 * V.value) ** 2 * V.error
        yield pull(
            f"Corr(z_1^2, z_2^2) at layer {row.layer} of tanh, n = {n}, V = {V.value:.3g}",
            row.value,
            trial.scaled("correlation", V.value / (2 + 3 * V.value)),
            row.error,
            uncertainty=math.inf if "unreliable" in row.flags else own,
            draws=row.draws,
            knob="correlation",
        )


def _register() -> None:
    def first_square(z: Any) -> Any:
        return z[0, 0] ** 2

    def second_square(z: Any) -> Any:
        return z[1, 0] ** 2

    if "first_square" not in OBSERVABLES:
        observable("first_square", neurons=1, inputs=1)(first_square)
        observable("second_square", neurons=2, inputs=1)(second_square)


CLAIM = Claim(
    name="neurons",
    statement="Neurons of one layer are uncorrelated but not independent: Cov(z_1^2, z_2^2)/kappa_2^2 "
    "= V, V = kappa_4/kappa_2^2, which grows with L/n, and the correlation coefficient of z_1^2 and "
    "z_2^2 is V/(2 + 3 V): it starts as L/n and saturates at 1/3.",
    source="Hanin, arXiv 2204.01058: cumulants of several neurons. Given layer l the neurons of layer "
    "l+1 are independent with variance S_l, so Cov(z_1^2, z_2^2) = Var S = kappa_4 and Var z_1^2 = "
    "2 kappa_2^2 + 3 kappa_4, at every width.",
    checks=_checks,
    rejects={"covariance": 0.03, "correlation": 0.03},
    knobs={"covariance": "Cov(z_1^2, z_2^2)/kappa_2^2", "correlation": "Corr(z_1^2, z_2^2)"},
    axes=Axes("L/n", "Cov(z_1^2, z_2^2)/kappa_2^2", log_x=True, log_y=True),
)
