"""Claims on growth with depth, width profiles and the universal curve, and what they reject."""

from __future__ import annotations

import pytest

from netsim.claims.claim import Trial
from netsim.claims.hierarchy import growth, universal_curve, width_profile

CLAIMS = (growth.CLAIM, width_profile.CLAIM, universal_curve.CLAIM)


def verdicts(checks) -> set[str]:
    return {check.verdict for check in checks}


def wrong(module, knob: str) -> Trial:
    return Trial(wrong={knob: module.CLAIM.rejects[knob]})


@pytest.mark.parametrize("case", [growth.CASES[0], growth.CASES[3], growth.CASES[5]])
def test_exponents_of_each_class(case):
    assert verdicts(growth.exponents(Trial(), case, (1024,))) == {"holds"}
    assert verdicts(growth.exponents(wrong(growth, "exponent"), case, (1024,))) == {"fails"}


def test_constants_of_growth():
    relu = growth.CASES[3]
    for checks in (
        lambda trial: growth.half_stable(trial, "gelu", 16),
        lambda trial: growth.absent(trial, relu, 64),
    ):
        assert verdicts(checks(Trial())) == {"holds"}
        assert verdicts(checks(wrong(growth, "constant"))) == {"fails"}


def test_weights_of_layers_where_the_critical_kernel_is_zero():
    assert verdicts(width_profile.weight_exponents(Trial(), "sin", 1024)) == {"holds"}
    assert verdicts(width_profile.halves(Trial(), "sin", 1024)) == {"holds"}
    assert "fails" in verdicts(
        width_profile.weight_exponents(wrong(width_profile, "exponent"), "sin", 1024)
    )
    assert verdicts(width_profile.halves(wrong(width_profile, "halves"), "sin", 1024)) == {"fails"}


@pytest.mark.parametrize("name", ["relu", "swish"])
def test_flat_weights_of_the_other_classes(name):
    assert verdicts(width_profile.flat_weights(Trial(), name, 16)) == {"holds"}
    assert "fails" in verdicts(width_profile.flat_weights(wrong(width_profile, "flat"), name, 16))


def test_finite_width_beside_the_exact_law():
    checks = list(universal_curve.finite_width(Trial(), "sin", 4, 65536))
    assert {check.verdict for check in checks} == {"holds"} and len(checks) == 12


@pytest.mark.slow
def test_continuation_to_the_limit_is_rejected_from_wrong_curves():
    for knob in ("limit", "kappa6", "kappa8"):
        trial = wrong(universal_curve, knob)
        found = list(universal_curve.towards_the_limit(trial, "sin", (16, 32, 64)))
        assert any(check.kind == "equal" and check.verdict == "fails" for check in found), knob
