"""Claims about powers of 1/n: bounds and slopes, and coefficients that are not zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from netsim.claims.claim import Trial
from netsim.claims.hierarchy import scaling, sharpness
from netsim.claims.hierarchy.leading import coefficients, exact_scaled, extrapolated
from netsim.claims.run import run_claim
from netsim.networks.input_sets import build
from netsim.networks.network import network


def test_extrapolation_is_exact_for_polynomials_in_one_over_n():
    widths = (16, 24, 40, 64, 100)
    x = 1 / np.array(widths)
    values = np.stack([3 + 2 * x - 5 * x**4, -1 + x**2], axis=1)
    np.testing.assert_allclose(extrapolated(widths, values), [3, -1], atol=1e-12)
    # one point fewer than the degree asks for
    assert abs(extrapolated(widths[1:], values[1:])[0] - 3) > 1e-7


def test_scaled_cumulants_are_those_of_the_oracle():
    """tanh, C_b = 0, C_W = 1, |x|^2/n_0 = 1, L = 5, n = 64; leading coefficients of relu, L = 8."""
    net = network("tanh", width=64, depth=5)
    value, error = exact_scaled(net, build("single", norm2=1.0))
    K = 0.1034406080524
    exact = [0.1021971026972 - K, 4.99535740530e-4, 4.37374e-6, 4.81457e-8]
    powers = np.array([64.0, 64.0, 64.0**2, 64.0**3])
    digits = np.array([1e-8, 1e-10, 2e-6, 2e-6])  # as many as the oracle has
    assert np.all(np.abs(value - powers * exact) < digits * np.abs(value))
    assert np.all(error < 1e-8 * np.abs(value))
    found = coefficients(network("relu", width=7, depth=8), 0.5)
    np.testing.assert_allclose(found[[0, 1, 2, 3], [0, 1, 2, 3]], [1, 40, 4552, 908304], rtol=1e-12)


def verdicts(checks):
    return {check.verdict for check in checks}


def test_coefficients_of_relu_are_limits_of_the_exact_law():
    case = next(case for case in sharpness.CASES if case.activation == "relu")
    assert verdicts(sharpness._limits(Trial(), case)) == {"holds"}
    assert verdicts(sharpness._limits(Trial(wrong={"coefficient": 1e-6}), case)) == {"fails"}


def test_deviations_from_the_bare_exponent():
    for part in (scaling._bare, scaling._log_normal):
        assert verdicts(part(Trial())) == {"holds"}
    assert "fails" in verdicts(scaling._bare(Trial(wrong={"bare": 0.25})))
    assert verdicts(scaling._log_normal(Trial(wrong={"deviation": 0.03}))) == {"fails"}


def test_two_widths_of_relu_and_wrong_values():
    case = replace(scaling.CASES[0], draws=2**17)
    widths = (32, 64)
    assert verdicts(scaling._decade(Trial(), case, widths)) == {"holds"}
    for knob, size in {"fourth": 0.05, "sixth": 0.15, "eighth": 0.3, "exponent": 0.25}.items():
        assert "fails" in verdicts(scaling._decade(Trial(wrong={knob: size}), case, widths)), knob


def test_the_mean_of_relu_has_no_correction():
    checks = list(sharpness._no_correction(Trial(), "relu", 4, 8, 2**18))
    assert verdicts(checks) == {"holds"}
    wrong = sharpness._no_correction(Trial(wrong={"zero": 0.06}), "relu", 4, 8, 2**18)
    assert "fails" in verdicts(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("claim", [scaling.CLAIM, sharpness.CLAIM], ids=lambda claim: claim.name)
def test_what_is_left_undecided(claim):
    outcome = run_claim("hierarchy", claim, Trial())
    assert outcome.verdict == "holds", [check.what for check in outcome.failed]
    left = [check.what for check in outcome.checks if check.verdict == "undecided"]
    assert all("(too noisy for a logarithm)" in what for what in left) and len(left) <= 3
