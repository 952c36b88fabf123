"""Claims about single joint cumulants: odd ones vanish, even ones are sums over pairings."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from netsim.claims.claim import Trial
from netsim.claims.hierarchy import odd, pairing
from netsim.claims.hierarchy.battery import ROOM, joint_cumulants, logistic, narrow, three_inputs
from netsim.claims.hierarchy.outputs import outputs
from netsim.claims.measured import estimates
from netsim.claims.run import run_claim
from netsim.experiment import measure
from netsim.experiment.experiment import experiment
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.quantities import parse
from netsim.theory.pairings import output_pairings

LITTLE = 2**18


@pytest.mark.parametrize("paired", [True, False])
def test_random_cumulants_are_what_they_should_be(paired):
    texts = joint_cumulants(300, (2, 4, 6), random.Random(1), paired=paired)
    assert len(set(texts)) == 300 == len(texts)
    assert texts == joint_cumulants(300, (2, 4, 6), random.Random(1), paired=paired)
    seen = {order: 0 for order in (2, 4, 6)}
    for text in texts:
        legs = parse(text).legs
        neurons = [leg.indices[0] for leg in legs]
        even = all(neurons.count(i) % 2 == 0 for i in neurons)
        assert even == paired and set(neurons) <= {1, 2, 3}
        assert all(len(leg.slots[0].directions) <= 2 for leg in legs)
        seen[len(legs)] += 1
    assert min(seen.values()) > 40
    every = " ".join(texts)
    assert all(word in every for word in ("z1a", "z1b", "z1c", "z2", "z3", "'u", "'uu"))


def test_the_logistic_activation_knows_its_derivatives():
    sigma, x, h = logistic(), np.linspace(-3, 3, 13), 1e-5
    for order in (0, 1):
        slope = (sigma.numpy(x + h, order) - sigma.numpy(x - h, order)) / (2 * h)
        np.testing.assert_allclose(slope, sigma.numpy(x, order + 1), atol=1e-9)


@pytest.mark.slow
def test_outputs_are_those_of_the_common_road():
    """The same draws, summed by the compiled estimator."""
    texts = [parse(text).text for text in ("cum[z1a^2 z2b z2a'u]@out", "cum[z1a z1c]@out")]
    net = narrow("tanh", (2,))
    options = {"sampler": "dense", "estimators": ["raw"], "seed": 3}
    found = outputs(experiment(net, three_inputs(), texts, **options), LITTLE, ROOM)
    twin = estimates(net, three_inputs(), texts, LITTLE, **options)
    assert found.draws == LITTLE
    for text in texts:
        row = twin[text.replace("@out", "@2")]
        # float32 draws of two programs
        assert abs(found.results[text].value[0] - row.value) < 1e-3 * row.error
        assert 0.6 < found.results[text].error[0] / row.error < 1.6  # other blocks


def judged(checks):
    return [check for check in checks if check.verdict != "undecided"]


def test_a_few_odd_ones_vanish_and_a_wrong_value_is_seen():
    texts = joint_cumulants(6, odd.LOW, random.Random(0), paired=False)
    checks = list(odd._vanish(Trial(), (2,), texts, 0, LITTLE))
    assert len(judged(checks)) >= 3 and all(c.verdict == "holds" for c in judged(checks))
    wrong = odd._vanish(Trial(wrong={"low": 0.03}), (2,), texts, 0, LITTLE)
    assert any(check.verdict == "fails" for check in wrong)


@pytest.mark.slow
def test_pairs_of_many_outputs_and_a_wrong_value():
    checks = list(pairing._many_outputs(Trial(), (1, 1), LITTLE, 8))
    assert [check.verdict for check in checks] == ["holds"] * 6
    assert [check.knob for check in checks] == list(pairing.PATTERNS)
    for i, (knob, check) in enumerate(zip(pairing.PATTERNS, checks, strict=True)):
        # 5 errors beyond where it stands
        assert check.detects is not None and check.predicted is not None
        size = check.detects + abs(check.measured / check.predicted - 1)
        wrong = list(pairing._many_outputs(Trial(wrong={knob: size}), (1, 1), LITTLE, 8))
        assert [j for j, other in enumerate(wrong) if other.verdict == "fails"] == [i]


def test_cumulants_of_a_mixture_count_the_pairings():
    """Given S two or three neurons are Gaussian: 1, 3, 1, 15, 3, 1 pairings."""
    S, w = np.array([0.2, 1.0, 2.5]), np.array([0.5, 0.3, 0.2])
    m1, m2, m3 = (w @ S**k for k in (1, 2, 3))
    k2, k3 = m2 - m1**2, m3 - 3 * m2 * m1 + 2 * m1**3
    moments = [[m] for m in (m1, 3 * m2, m2, 15 * m3, 3 * m3, m3)]
    found = pairing._cumulants(*np.array(moments))
    np.testing.assert_allclose(found[0], [m1, 3 * k2, k2, 15 * k3, 3 * k3, k3], rtol=1e-12)
    legs = [sum(output_pairings(parse(text).legs).values()) for text in pairing.PATTERNS.values()]
    assert legs == [1, 3, 1, 15, 3, 1]


def test_power_sums_are_means_over_different_neurons(monkeypatch):
    z = np.random.default_rng(0).normal(size=(6, 4))
    made = experiment(
        network("tanh", widths=(1,), outputs=4), build("single"), ["kappa2@out"], sampler="dense",
        estimators=["raw"], seed=0,
    )  # fmt: skip
    monkeypatch.setattr(pairing, "outputs_of", lambda made, chunk: z)
    pairs, triples = (list(itertools.permutations(range(4), r)) for r in (2, 3))
    moments = [
        np.mean(z**2),
        np.mean(z**4),
        np.mean([z[:, i] ** 2 * z[:, j] ** 2 for i, j in pairs]),
        np.mean(z**6),
        np.mean([z[:, i] ** 4 * z[:, j] ** 2 for i, j in pairs]),
        np.mean([np.prod(z[:, list(t)] ** 2, axis=1) for t in triples]),
    ]
    values, errors = pairing._of_powers(made, 1)
    np.testing.assert_allclose(values, pairing._cumulants(*np.array(moments)[:, None])[0])
    np.testing.assert_allclose(errors, 0, atol=1e-12)  # all blocks are the same


@pytest.mark.slow
def test_two_hundred_cumulants_are_judged():
    checks = run_claim("hierarchy", pairing.CLAIM, Trial()).checks
    assert len([check for check in judged(checks) if check.what.startswith("cum[")]) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["4", "6", "4+2"])
def test_one_missing_pairing_of_a_pattern_is_seen(pattern, monkeypatch):
    """One of 3 or 15, in the sum that predicts: the check of that pattern fails, and no other."""
    monkeypatch.setattr("netsim.claims.measured._RUNS", {})
    true, text = measure.output_pairings, pairing.PATTERNS[pattern]

    def too_few(legs):
        found = true(legs)
        if list(legs) == list(parse(text).legs):
            found[max(found)] -= 1
        return found

    monkeypatch.setattr(measure, "output_pairings", too_few)
    checks = list(pairing._many_outputs(Trial(), (1, 1), 2 * pairing.DRAWS))
    assert [check.knob for check in checks if check.verdict == "fails"] == [pattern]


@pytest.mark.slow
def test_a_missing_pairing_is_seen(monkeypatch):
    """One of the pairings left out of every sum that has several terms."""
    monkeypatch.setattr("netsim.claims.hierarchy.outputs._RUNS", {})
    texts = joint_cumulants(40, (4,), random.Random(0), paired=True)
    right = list(pairing._battery(Trial(), (1,), texts, 0, LITTLE))
    assert all(check.verdict == "holds" for check in judged(right)) and len(judged(right)) > 30
    true = measure.output_pairings

    def too_few(legs):
        found = true(legs)
        lost = max(found)
        return (
            found if len(found) < 2 else {pairs: m for pairs, m in found.items() if pairs != lost}
        )

    monkeypatch.setattr(measure, "output_pairings", too_few)
    monkeypatch.setattr("netsim.claims.hierarchy.outputs._RUNS", {})
    wrong = list(pairing._battery(Trial(), (1,), texts, 0, LITTLE))
    assert sum(check.verdict == "fails" for check in wrong) >= 5
