"""Joint cumulants of outputs with an odd number of legs on some neuron vanish."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

from netsim.claims.check import Check, pull
from netsim.claims.claim import Claim, Trial
from netsim.claims.hierarchy.battery import (
    ROOM,
    joint_cumulants,
    logistic,
    narrow,
    three_inputs,
)
from netsim.claims.hierarchy.outputs import outputs
from netsim.experiment.experiment import experiment
from netsim.quantities import parse

__all__ = ["CLAIM"]

WIDTHS, EACH, DRAWS = ((1, 1), (2, 2), (3, 3)), 24, 2**18
LOW, HIGH = (1, 2, 3, 4), (5, 6)


def _checks(trial: Trial) -> Iterator[Check]:
    rng = random.Random(0)
    for seed, widths in enumerate(WIDTHS):
        texts = joint_cumulants(EACH, LOW + HIGH, rng, paired=False)
        yield from _vanish(trial, widths, texts, seed, DRAWS)


def _vanish(
    trial: Trial, widths: tuple[int, ...], texts: Sequence[str], seed: int, draws: int
) -> Iterator[Check]:
    """In units of the legs' standard deviations."""
    texts = [text.replace("cum[", "ncum[") for text in texts]
    net = narrow(logistic(), widths)
    made = experiment(net, three_inputs(), texts, sampler="dense", estimators=["raw"], seed=seed)
    found = outputs(made, trial.draws(draws), ROOM)
    for text in texts:
        estimate, order = found.results[text], len(parse(text).legs)
        poor = "unreliable" in estimate.flags[0]
        knob = "low" if order in LOW else "high"
        yield pull(
            f"{text} of logistic, n = {widths}",
            estimate.value[0],
            trial.shifted(knob, 0.0),
            estimate.error[0],
            uncertainty=math.inf if poor else 0.0,
            draws=found.draws,
            knob=knob,
            unit=1.0,
        )


CLAIM = Claim(
    name="odd-cumulants",
    statement="A joint cumulant of outputs vanishes if some neuron has an odd number of its legs: all "
    "of odd order do, and cum(z_1, z_2) or cum(z_1^3, z_2) as well, at every width, for any inputs and "
    "derivatives, whether or not the activation is odd.",
    source="Hanin, arXiv 2204.01058. The last weights and bias of one neuron may change sign together "
    "without changing the law of the network, which turns that neuron's outputs around.",
    checks=_checks,
    rejects={"low": 0.03, "high": 0.10},
    knobs={
        "low": "cumulants of 1 to 4 legs, in units of their standard deviations",
        "high": "cumulants of 5 and 6 legs, in units of their standard deviations",
    },
)
