"""A claim holds only if it was tested: checks know what they reject, and weak ones do not do."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from netsim.claims import measured
from netsim.claims.bodies import claims_named
from netsim.claims.check import Check, bound, equal, pull
from netsim.claims.claim import Claim, Trial
from netsim.claims.hierarchy import leading
from netsim.claims.measured import pulls
from netsim.claims.run import Outcome, run_claim
from netsim.claims.text import outcome_text
from netsim.cli.main import main
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.report.claims import claims_section
from netsim.store.claims import write_claims


@pytest.mark.parametrize(
    ("check", "size"),
    [
        (pull("x", 2.0, 2.0, 0.01, knob="k"), 6.645 * 0.01 / 2),
        (pull("x", 2.0, 2.0, 0.01, knob="k", unit=1.0), 6.645 * 0.01),
        (pull("x", 0.01, 0.0, 0.01, knob="k", unit=1.0), 6.645 * 0.01),
        (equal("x", 2.0, 2.0, 1e-3, knob="k"), 1e-3),
        (equal("x", 2.0, 2.0, 1e-3, knob="k", unit=1.0), 2e-3),
        (bound("x", 0.2, None, 1.0, knob="k", unit=1.0), 0.8),
        (bound("x", 0.2, None, 1.0, error=0.01, knob="k", unit=2.0), (0.8 + 0.06645) / 2),
        (bound("x", 0.2, 0.0, 1.0, knob="k", unit=1.0), 0.8),  # in either direction
        (bound("x", 1.01, None, 1.0, error=0.01, knob="k", unit=1.0), 0.06645),
    ],
)
def test_the_size_that_a_check_rejects(check, size):
    assert check.verdict == "holds"
    assert check.rejects(1.0001 * size) and not check.rejects(0.9999 * size)
    assert not replace(check, knob=None).rejects(100.0)


def test_what_a_check_rejects_fails():
    """Insert the size itself, both ways."""
    size = 0.1
    for sign in (-1, 1):
        two = equal("x", 1.0, 1.0 + sign * size, 0.049, knob="k")
        assert equal("x", 1.0, 1.0, 0.049, knob="k").rejects(size) and two.verdict == "fails"
        inside = bound("x", 1.0, 0.95, 1.05, knob="k", unit=1.0)
        moved = bound("x", 1.0, 0.95 + sign * size, 1.05 + sign * size)
        assert inside.rejects(size) and moved.verdict == "fails"
    assert not pull("x", 1.0, 0.0, 0.1, knob="k").rejects(1.0)  # relative, and predicted is 0
    assert not pull("x", 1.0, 2.0, 0.1, knob="k").rejects(9.0)  # it fails as it is


def _claim(**more) -> Claim:
    """kappa_4 of ReLU networks at every layer, by a run that test_claims.py makes as well."""

    def checks(trial):
        net, inputs = network("relu", width=16, depth=4), build("single", norm2=1.0)
        names = ["kappa4/kappa2^2"]
        yield from pulls(trial, "k", net, inputs, names, 65536, seed=1, layers=(2, 5))

    facts = {"rejects": {"k": 0.08}, "knobs": {"k": "kappa_4"}}
    return Claim("product", "s", "derived", checks, **(facts | more))


def test_a_claim_holds_and_names_the_knob_that_nothing_tests():
    assert run_claim("b", _claim(), Trial()).verdict == "holds"
    assert run_claim("b", _claim(), Trial(wrong={"k": 0.08})).verdict == "fails"
    two = _claim(rejects={"k": 0.08, "l": 0.1}, knobs={"k": "kappa_4", "l": "a rate"})
    outcome = run_claim("b", two, Trial())
    assert outcome.verdict == "undecided"
    assert outcome.doubt == "no check that holds would reject 0.1 in a rate (l)"
    assert "undecided: no check that holds would reject 0.1 in a rate (l)" in outcome_text(outcome)
    assert "would reject 0.1 in a rate (l)" in claims_section([outcome.json()])
    fine = _claim(rejects={"k": 1e-4})
    assert run_claim("b", fine, Trial()).verdict == "undecided"


# what a broken sampler, estimator or theory may do to rows -> verdict
MUTATIONS = {
    "errors x10": (lambda row: replace(row, error=10 * row.error), "undecided"),
    "values +20%, errors x10": (
        lambda row: replace(row, value=1.2 * row.value, error=10 * row.error),
        "undecided",
    ),
    "values +20%": (lambda row: replace(row, value=1.2 * row.value), "fails"),
    "NaN": (lambda row: replace(row, value=math.nan), "fails"),
    "infinite": (lambda row: replace(row, value=math.inf), "fails"),
    "errors NaN": (lambda row: replace(row, error=math.nan), "fails"),
    "errors infinite": (lambda row: replace(row, error=math.inf), "fails"),
    "no errors": (lambda row: replace(row, error=None), "undecided"),
    "flagged": (lambda row: replace(row, flags=("unreliable",)), "undecided"),
    "flagged NaN": (lambda row: replace(row, value=math.nan, flags=("unreliable",)), "fails"),
}


@pytest.mark.parametrize("words", MUTATIONS)
def test_broken_rows_do_not_hold(words, monkeypatch, tmp_path):
    change, verdict = MUTATIONS[words]
    true = measured.estimates
    monkeypatch.setattr(
        measured,
        "estimates",
        lambda *a, **o: {name: change(row) for name, row in true(*a, **o).items()},
    )
    outcome = run_claim("b", _claim(), Trial())
    assert outcome.verdict == verdict and len(outcome.checks) == 4
    # told and kept, whatever the numbers are
    assert outcome_text(outcome).startswith(verdict) and verdict in claims_section([outcome.json()])
    assert json.loads(write_claims(tmp_path, [outcome.json()]).read_text())["outcomes"]


@pytest.mark.parametrize("value", [None, math.nan])
def test_without_predictions_nothing_holds(value, monkeypatch):
    true = measured.predicted
    found = {} if value is None else None

    def predicted(*args, **options):
        rows = true(*args, **options)
        return (
            {name: replace(row, value=value) for name, row in rows.items()}
            if found is None
            else found
        )

    monkeypatch.setattr(measured, "predicted", predicted)
    outcome = run_claim("b", _claim(), Trial())
    assert outcome.verdict == "undecided"
    assert all("(no theory predicts it)" in check.what for check in outcome.checks)


def test_an_undecided_claim_exits_with_1(monkeypatch, tmp_path, capsys):
    claim = _claim(rejects={"k": 1e-4})
    monkeypatch.setattr("netsim.claims.bodies.claims_named", lambda names: [("b", claim)])
    assert main(["verify", "b.product", f"out={tmp_path}", "--quiet"]) == 1
    assert "no check that holds would reject 0.0001 in kappa_4 (k)" in capsys.readouterr().out


def test_an_unknown_uncertainty_is_not_zero(monkeypatch):
    net, inputs = network("relu", width=8, depth=2), build("single", norm2=1.0)
    assert (leading.exact_scaled(net, inputs)[1] < 1e-6).all()
    monkeypatch.setattr(leading, "uncertainty", lambda row: None)
    assert (leading.exact_scaled(net, inputs)[1] == math.inf).all()


def _worse(check: Check) -> Check:
    """Measured +20% with ten times its error."""
    if check.kind != "pull" or not check.error:
        return check
    return replace(check, measured=1.2 * check.measured, error=10 * check.error)


@pytest.mark.slow
@pytest.mark.parametrize("name", [claim.name for _, claim in claims_named(["all"])])
def test_every_claim_holds_and_rejects_its_smallest_wrong_values(name):
    ((body, claim),) = [found for found in claims_named(["all"]) if found[1].name == name]
    outcome = run_claim(body, claim, Trial())
    assert outcome.verdict == "holds", outcome_text(outcome)
    for knob, size in claim.rejects.items():
        wrong = run_claim(body, claim, Trial(wrong={knob: size}))
        assert wrong.failed and wrong.problem is None, knob


@pytest.mark.slow
@pytest.mark.parametrize("name", [claim.name for _, claim in claims_named(["all"])])
def test_no_claim_holds_by_weak_checks(name):
    """Each claim is tested as stated, and not by noisy, flagged or half of its checks."""
    ((body, claim),) = [found for found in claims_named(["all"]) if found[1].name == name]
    outcome = run_claim(body, claim, Trial())
    assert outcome.verdict == "holds", outcome_text(outcome)
    assert all(outcome.tested(knob) for knob in claim.rejects)

    def verdict(change) -> str:
        checks = tuple(map(change, outcome.checks))
        return Outcome(body, claim, checks, outcome.seconds).verdict

    if any(check.kind == "pull" and check.error for check in outcome.checks):
        assert verdict(_worse) != "holds"
    assert verdict(lambda check: replace(check, uncertainty=math.inf)) == "undecided"
    assert verdict(lambda check: replace(check, measured=math.nan)) == "fails"
    assert verdict(lambda check: replace(check, knob=None)) == "undecided"
