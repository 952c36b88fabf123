"""Joint cumulants of outputs are sums over pairings of their legs, at every width."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import numpy as np

from netsim.claims.check import Check, pull
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.battery import ROOM, joint_cumulants, narrow, three_inputs
from netsim.claims.hierarchy.outputs import CHUNK, outputs, outputs_of
from netsim.claims.measured import estimates
from netsim.estimators import BLOCKS, jackknife
from netsim.experiment.experiment import Experiment, experiment
from netsim.networks.input_sets import build
from netsim.quantities import parse

__all__ = ["CLAIM"]

WIDTHS, EACH, DRAWS = ((1,), (2,), (3, 2), (3, 3)), 55, 2**18
MANY = 16  # outputs
KNOBS = {2: "second", 4: "fourth", 6: "sixth"}
PREDICTING = 1000  # seeds of the runs that predict begin here
_SQUARES: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}


def _checks(trial: Trial) -> Iterator[Check]:
    rng = random.Random(0)
    for seed, widths in enumerate(WIDTHS):
        texts = joint_cumulants(EACH, tuple(KNOBS), rng, paired=True)
        yield from _battery(trial, widths, texts, seed, DRAWS)
    yield from _many_outputs(trial, (1, 1), 2 * DRAWS)


def _battery(
    trial: Trial, widths: tuple[int, ...], texts: Sequence[str], seed: int, draws: int
) -> Iterator[Check]:
    """Outputs alone on one side; on the other S of other networks. An unreliable pair is undecided."""
    net, inputs = narrow("tanh", widths), three_inputs()
    sides = [
        outputs(
            experiment(net, inputs, texts, sampler="dense", estimators=[name], seed=own),
            trial.draws(draws),
            ROOM,
        )
        for name, own in (("raw", seed), ("rao_blackwell", PREDICTING + seed))
    ]
    for text in texts:
        z, S = (side.results[text] for side in sides)
        order = len(parse(text).legs)
        poor = any("unreliable" in found.flags[0] for found in (z, S))
        yield pull(
            f"{text} of tanh, n = {widths}",
            z.value[0],
            trial.scaled(KNOBS[order], S.value[0]),
            math.hypot(z.error[0], S.error[0]),
            uncertainty=math.inf if poor else 0.0,
            draws=sides[0].draws,
            series=f"order {order}",
            x=float(S.value[0]),
        )


def _many_outputs(trial: Trial, widths: tuple[int, ...], draws: int) -> Iterator[Check]:
    """cum(z_1^2), cum(z_1^2, z_2^2), cum(z_1^2, z_2^2, z_3^2) = cum_k(S), k = 1, 2, 3, averaged over
    which of many outputs are called 1, 2, 3: that makes errors small."""
    net, inputs = narrow("tanh", widths, MANY), build("single", norm2=1.0, dimension=4)
    made = experiment(net, inputs, ["kappa2@out"], sampler="dense", estimators=["raw"], seed=0)
    key = made.id, trial.draws(draws)
    if key not in _SQUARES:
        _SQUARES[key] = _of_squares(made, trial.draws(draws))
    values, errors = _SQUARES[key]
    L = len(widths)
    names = [f"cum[Saa^{k}]@{L}".replace("^1", "") for k in (1, 2, 3)]
    S = estimates(net, inputs, names, trial.draws(draws), seed=PREDICTING)
    for k, name in enumerate(names, start=1):
        row = S[name]
        assert row.error is not None
        squares = ", ".join(f"z_{i}^2" for i in range(1, k + 1))
        yield pull(
            f"cum({squares}) over all of {MANY} outputs of tanh, n = {widths}",
            values[k - 1],
            trial.scaled(KNOBS[2 * k], row.value),
            math.hypot(errors[k - 1], row.error),
            draws=row.draws,
            series=f"order {2 * k}",
            x=row.value,
        )


def _of_squares(made: Experiment, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Joint cumulants of the squares of 1, 2, 3 different outputs, and their errors.

    With p_k = sum_i z_i^(2k) over M outputs of one network, the means over pairs and triples of
    different neurons are (p_1^2 - p_2)/(M (M-1)) and (p_1^3 - 3 p_1 p_2 + 2 p_3)/(M (M-1) (M-2)).
    """
    M, chunks = made.network.outputs, BLOCKS * -(-draws // (BLOCKS * CHUNK))
    sums = np.zeros((BLOCKS, 3))
    for chunk in range(chunks):
        z = outputs_of(made, chunk)
        p1, p2, p3 = (np.sum(z ** (2 * k), axis=1) for k in (1, 2, 3))
        pairs, triples = p1**2 - p2, p1**3 - 3 * p1 * p2 + 2 * p3
        means = p1 / M, pairs / (M * (M - 1)), triples / (M * (M - 1) * (M - 2))
        sums[chunk % BLOCKS] += [mean.mean() for mean in means]
    replicates = np.vstack([sums.sum(axis=0), sums.sum(axis=0) - sums])
    m1, m2, m3 = (replicates / np.array([[chunks], *BLOCKS * [[chunks - chunks / BLOCKS]]])).T
    found = jackknife(
        np.stack([m1, m2 - m1**2, m3 - 3 * m2 * m1 + 2 * m1**3], axis=1), np.ones(BLOCKS)
    )
    return found.corrected, found.error


CLAIM = Claim(
    name="pairing",
    statement="A joint cumulant of 2k outputs is a sum over the pairings of its legs that join equal "
    "neurons, each giving the joint cumulant of the k collective variables S of the pairs: "
    "cum(z_{i1 a1}, ..., z_{i2k a2k}) = sum over pairings P of prod delta_ij cum(S_ab: pairs of P). It "
    "holds at every width, 1 included, for any inputs, neurons and derivatives.",
    source="Hanin, arXiv 2204.01058: given layer l the outputs are independent Gaussians with "
    "covariance S_l over inputs and derivatives; the law of total cumulance then leaves the second "
    "conditional cumulants alone. The left side is estimated from outputs of networks with all their "
    "weights, the right side from S of other networks.",
    checks=_checks,
    rejects={"second": 0.03, "fourth": 0.03, "sixth": 0.10},
    knobs={
        "second": "joint cumulants of 2 outputs",
        "fourth": "joint cumulants of 4 outputs",
        "sixth": "joint cumulants of 6 outputs",
    },
    axes=Axes("sum over pairings of cumulants of S", "joint cumulant of outputs"),
)
