"""Claims about whole laws: series in 1/n against exact values, and five ways to one number."""

from __future__ import annotations

import pytest

from netsim.claims.claim import Trial
from netsim.claims.hierarchy import five_ways, series
from netsim.claims.run import run_claim


def failed(checks):
    return [check.what for check in checks if check.verdict != "holds"]


@pytest.mark.parametrize("case", series.CASES[:3], ids=lambda case: case.name)
def test_remainders_of_exact_fractions_and_wrong_values(case):
    checks = list(series.remainders(Trial(), [case]))
    assert len(checks) > 40 and not failed(checks)
    slopes = [check for check in checks if "slope from" in check.what]
    left = [check for check in checks if "what is left" in check.what]
    ended = [check for check in checks if "nothing is left" in check.what]  # of polynomials in 1/n
    assert len(slopes) > 15 and len(left) > 20 and ended
    wrong = list(series.remainders(Trial(wrong={"exponent": 0.25}), [case]))
    assert set(failed(wrong)) == {check.what for check in slopes}
    wrong = list(series.remainders(Trial(wrong={"coefficient": 1e-6}), [case]))
    assert len(failed(wrong)) > len(left) / 2


def test_theories_agree_and_a_wrong_value():
    point = five_ways.POINTS[:1]
    checks = list(five_ways.theories(Trial(), point))
    assert len(checks) >= 10 and not failed(checks)
    assert {theory for c in checks for theory in five_ways.THEORIES if theory in c.what} >= {
        "exact", "exact_fields", "hierarchy", "hierarchy_fields",
    }  # fmt: skip
    assert failed(five_ways.theories(Trial(wrong={"theory": 1e-6}), point)) == [
        check.what for check in checks
    ]


def test_laws_agree_and_a_wrong_value():
    point = five_ways.POINTS[:1]
    checks = list(five_ways.laws(Trial(), point))
    assert len(checks) == 24 and not failed(checks)  # four ways in pairs, four cumulants
    assert len(failed(five_ways.laws(Trial(wrong={"law": 1e-6}), point))) == 24


@pytest.mark.slow
@pytest.mark.parametrize("claim", [series.CLAIM, five_ways.CLAIM], ids=lambda claim: claim.name)
def test_what_is_left_undecided(claim):
    outcome = run_claim("hierarchy", claim, Trial())
    assert outcome.verdict == "holds", (outcome.problem, [check.what for check in outcome.failed])
    # moments of outputs need more draws than there are
    left = [check.what for check in outcome.checks if check.verdict == "undecided"]
    assert all("z, dense (unreliable)" in what for what in left) and len(left) <= 3


@pytest.mark.slow
def test_the_table_of_tanh():
    checks = list(series.table(Trial()))
    assert [check.high for check in checks] == [6e-6, 8e-8, 4e-9, 2e-10, 4e-13]
    assert not failed(checks)
