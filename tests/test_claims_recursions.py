"""Claims about one layer after another: every recursion, and what decides the next layer."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from netsim.claims.claim import Trial
from netsim.claims.hierarchy import closure, recursions
from netsim.claims.hierarchy.closure_laws import matched_laws
from netsim.claims.hierarchy.rational import (
    polynomial_powers,
    rational_cumulants,
    slope_powers,
)
from netsim.claims.hierarchy.recursion_algebra import exact_fractions, scalars, tensors
from netsim.claims.hierarchy.recursion_draws import measured, second_derivatives, sine_means
from netsim.claims.hierarchy.recursion_nets import ACTIVATIONS
from netsim.claims.hierarchy.sine import sine_pair
from netsim.claims.run import run_claim
from netsim.networks.network import network
from netsim.theory.transfer.chain import transfer_cumulants

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
SLOPES = {"linear": (1, 1), "relu": (1, 0), "leaky0.1": (1, "1/10"), "leaky0.5": (1, "1/2")}


def failed(checks):
    return [check.what for check in checks if check.verdict != "holds"]


@pytest.mark.parametrize(
    "entry",
    [e for e in ORACLES if e["kind"] == "homogeneous_exact"],
    ids=lambda entry: entry["id"],
)
def test_rational_cumulants_are_the_oracles(entry):
    a_plus, a_minus = (Fraction(a) for a in SLOPES[entry["activation"]])
    couplings = (Fraction(entry["C_W"]), Fraction(entry["C_b"]))
    found = rational_cumulants(
        slope_powers(a_plus, a_minus), entry["widths"], couplings, Fraction(entry["x2"])
    )
    true = [Fraction(entry[f"kappa{2 * k}"]["fraction"]) for k in range(1, 5)]
    assert found == true


def test_a_linear_polynomial_is_a_linear_network():
    arguments = ((3, 5), (Fraction(9, 10), Fraction(1, 4)), Fraction(2))
    assert rational_cumulants(polynomial_powers([0, 1]), *arguments) == rational_cumulants(
        slope_powers(1, 1), *arguments
    )


def test_a_cubic_neuron_by_hand():
    """One hidden layer: kappa_{2k} = C_W^k n^{1-k} c_k, from moments of (z + z^3)^2, z ~ N(0, 1)."""
    m1, m2 = 1 + 6 + 15, 3 + 4 * 15 + 6 * 105 + 4 * 945 + 10395
    found = rational_cumulants(polynomial_powers([0, 1, 0, 1]), (7,), (1, 0), 1, 2)
    assert found == [m1, Fraction(m2 - m1**2, 7)]


def test_the_sine_pair_contains_one_input():
    net = network("sin", widths=(6, 5), weight_variance=1.3, bias_variance=0.1)
    mean, covariance = sine_pair(net, np.array([[1.0, 0.5], [0.5, 0.8]]))
    for i, x2 in enumerate((1.0, 0.8)):
        exact, _ = transfer_cumulants(net, x2, [3])
        found = [mean[i, i], covariance[i, i, i, i]]
        np.testing.assert_allclose(found, exact[0, :2], rtol=1e-11)


@pytest.mark.parametrize("shared", [1, 2, 3])
def test_laws_have_their_cumulants(shared):
    a, n = (0.9, 0.4, 0.5, 0.0), 64
    laws = matched_laws(a, shared)
    for i, law in enumerate(laws):
        s, w = law.nodes(n)
        mean = w @ s
        m2, m3, m4 = (w @ (s - mean) ** p for p in (2, 3, 4))
        true = np.array(law.a) * float(n) ** -np.arange(4)
        # rounding of the moments that kappa_4 is a difference of
        room = 1e-11 * np.array([mean, m2, m2**1.5, m2**2])
        assert np.all(np.abs([mean, m2, m3, m4 - 3 * m2**2] - true) <= room), law.name
        drawn = law.draw(np.random.default_rng(i), n, 10000)
        sd = np.sqrt(m2 / len(drawn))
        assert abs(drawn.mean() - mean) <= 5 * sd + 1e-12
        assert abs(drawn.var() - m2) <= 5 * np.sqrt((m4 - m2**2) / len(drawn)) + 1e-12
        assert law.a[:shared] == pytest.approx(a[:shared])
    assert len({round(law.a[shared], 12) for law in laws}) == len(laws)


@pytest.mark.parametrize("part", ["scalars", "exact_fractions", "tensors", "closure"])
def test_recursions_written_out_and_a_wrong_value(part):
    names = ("tanh", "slopes(1, -1)", ACTIVATIONS[-1])
    made = {
        "scalars": lambda trial: scalars(trial, names),
        "exact_fractions": exact_fractions,
        "tensors": lambda trial: tensors(trial, names[:2]),
        "closure": lambda trial: closure.differences(trial, ("sin",)),
    }[part]
    checks = list(made(Trial()))
    assert checks and not failed(checks)
    wrong: dict[str, float] = {"coefficient": 1e-6, "shared": 1e-6, "difference": 1e-6}
    seen = failed(made(Trial(wrong=wrong)))
    assert len(seen) > len(checks) / 2


@pytest.mark.slow
def test_a_simulated_pair_and_a_wrong_value():
    checks = list(sine_means(Trial(), 2**16))
    assert len(checks) == 5 and not failed(checks)
    assert failed(sine_means(Trial(wrong={"tensor": 0.1}), 2**16))


@pytest.mark.slow
def test_second_derivatives_and_a_wrong_value():
    checks = list(second_derivatives(Trial()))
    assert len(checks) == 6 and not failed(checks)
    assert failed(second_derivatives(Trial(wrong={"tensor": 0.03})))


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_measured(name):
    checks = list(measured(Trial(), [name]))
    assert len(checks) == 15 and not failed(checks)


@pytest.mark.slow
@pytest.mark.parametrize("claim", [recursions.CLAIM, closure.CLAIM], ids=lambda claim: claim.name)
def test_what_is_left_undecided(claim):
    outcome = run_claim("hierarchy", claim, Trial())
    assert outcome.verdict == "holds", (outcome.problem, [check.what for check in outcome.failed])
    assert all(check.verdict == "holds" for check in outcome.checks)
