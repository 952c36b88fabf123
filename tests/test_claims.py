"""Checks, claims and `netsim verify`: verdicts that can fail, a runner that keeps what it has."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import netsim
from netsim.claims import bodies
from netsim.claims.check import LIMIT, bound, equal, pull, unjudged
from netsim.claims.claim import Claim, Trial
from netsim.claims.hierarchy import neurons
from netsim.claims.measured import estimates, predicted, pulls
from netsim.claims.run import run_claim
from netsim.cli.main import main
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.report.claims import claims_section
from netsim.report.page import write_page
from netsim.store.claims import read_claims, write_claims
from netsim.store.points import StoreError


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (pull("x", 1.0, 1.4, 0.1), "holds"),
        (pull("x", 1.0, 2.0, 0.1), "fails"),
        (pull("x", 1.0, 2.0, 0.1, uncertainty=0.06), "undecided"),
        (pull("x", 1.0, 1.0, 0.0), "holds"),
        (pull("x", 1.0, 1.1, 0.0), "fails"),
        (pull("x", math.nan, 1.0, 0.1), "fails"),
        (pull("x", 1.0, 1.0, math.inf), "fails"),
        (pull("x", 1.0, 1.0, math.nan, uncertainty=math.inf), "fails"),
        (pull("x", 1.0, math.nan, 0.1), "fails"),
        (unjudged("x", "no theory", 1.0, None), "undecided"),
        (unjudged("x", "no theory", math.nan, None), "fails"),
        (equal("x", 1.0, 1.0 + 1e-9, 1e-8), "holds"),
        (equal("x", 1.0, 1.0 + 1e-7, 1e-8), "fails"),
        (equal("x", math.nan, 1.0, 1e-8), "fails"),
        (bound("x", 0.5, 0.0, 1.0), "holds"),
        (bound("x", 1.1, 0.0, 1.0), "fails"),
        (bound("x", 1.1, 0.0, 1.0, error=0.03), "holds"),  # 0.1 beyond is not significant
        (bound("x", 1.5, None, 1.0, error=0.03), "fails"),
        (bound("x", 0.5, None, 1.0, error=0.3), "undecided"),
        (bound("x", 0.5, None, 1.0, uncertainty=math.inf), "undecided"),
        (bound("x", math.nan, None, 1.0), "fails"),
        (bound("x", 0.2, 0.5, None), "fails"),
    ],
)
def test_verdicts(check, verdict):
    assert check.verdict == verdict
    assert json.loads(json.dumps(check.json()))["verdict"] == verdict


def test_a_bound_without_bounds_is_refused():
    with pytest.raises(ValueError, match="give low, high or both"):
        bound("x", 1.0, None, None)


def test_what_is_detected_is_rejected_with_probability_095():
    """Over 4000 noisy measurements of a truth that is off by `detects`."""
    error, truth = 0.01, 1.0
    size = pull("x", truth, truth, error).detects or 0.0
    noise = np.random.default_rng(0).normal(0.0, error, 4000)
    wrong = truth * (1 + size)
    fails = np.mean([pull("x", truth + e, wrong, error).verdict == "fails" for e in noise])
    # the map from t makes pulls a little smaller than z, so a little less than 0.95 may fail
    assert 0.85 < fails < 0.97
    assert LIMIT == 5.0


def _claim(checks, **more) -> Claim:
    facts = {"name": "c", "statement": "s", "source": "derived", "rejects": {"k": 0.1}}
    return Claim(checks=checks, knobs={"k": "a constant"}, **(facts | more))


def test_verdict_of_a_claim():
    def some(*checks):
        return run_claim("b", _claim(lambda trial: iter(checks)), Trial())

    good, bad = pull("x", 1, 1, 0.01, knob="k"), pull("x", 1, 2, 0.1)
    weak = pull("x", 1, 1, 0.01, uncertainty=1, knob="k")
    assert some(good, weak).verdict == "holds"
    assert some(good, bad, weak).verdict == "fails"
    assert some(weak).doubt == "1 of 1 checks are undecided"
    assert some(good, weak, weak).verdict == "undecided"  # less than half is decided
    nothing = some()
    assert nothing.verdict == "fails" and nothing.problem == "it made no check"


def test_a_claim_that_breaks_keeps_its_checks_and_ends_no_other():
    def checks(trial):
        yield pull("x", 1, 1, 0.01, knob="k")
        raise ValueError("outside of the domain")

    outcome = run_claim("b", _claim(checks), Trial())
    assert outcome.verdict == "fails" and len(outcome.checks) == 1
    assert outcome.problem == "ValueError: outside of the domain"


def test_knobs_need_a_wrong_value_each():
    with pytest.raises(ValueError, match="every knob needs"):
        _claim(lambda trial: iter(()), rejects={"k": 0.1, "other": 1.0})


def test_pulls_of_a_simulation_and_a_wrong_constant():
    net, inputs = network("relu", width=16, depth=4), build("single", norm2=1.0)
    common = (net, inputs, ["kappa4/kappa2^2"], 65536)
    right = list(pulls(Trial(), "k", *common, seed=1, layers=(2, 5)))
    assert [check.verdict for check in right] == ["holds"] * 4
    wrong = list(pulls(Trial(wrong={"k": 0.2}), "k", *common, seed=1, layers=(2, 5)))
    assert "fails" in {check.verdict for check in wrong}
    assert [c.measured for c in right] == [c.measured for c in wrong]  # one simulation, kept
    names = {f"kappa4/kappa2^2[a]@{layer}" for layer in range(2, 6)}
    assert names <= set(estimates(net, inputs, ["kappa4/kappa2^2"], 65536, seed=1, layers=(2, 5)))
    best = predicted(net, inputs, ["kappa4/kappa2^2"], layers=(2, 5))
    assert {best[name].source for name in names} == {"theory:exact"}
    with pytest.raises(ValueError, match="one at a time"):
        estimates(net, inputs, ["kappa4"], 65536, estimators=("raw", "rao_blackwell"))


def test_thorough_draws_more():
    assert Trial("thorough").draws(10) == 160 and Trial().draws(10) == 10


def test_names_of_claims():
    every = bodies.claims_named(["all"])
    assert ("hierarchy", neurons.CLAIM) in every
    assert bodies.claims_named(["hierarchy.neurons"]) == [("hierarchy", neurons.CLAIM)]
    assert bodies.claims_named(["hierarchy", "hierarchy.neurons"]) == [
        pair for pair in every if pair[0] == "hierarchy"
    ]
    with pytest.raises(ValueError, match="Did you mean 'hierarchy.neurons'"):
        bodies.claims_named(["hierarchy.neuron"])


def test_every_claim_says_what_it_is():
    for body, claim in bodies.claims_named(["all"]):
        assert len(claim.statement) > 40 and len(claim.source) > 20, (body, claim.name)
        for knob, size in claim.rejects.items():
            assert 0 < abs(size) <= 0.3, (claim.name, knob)


@pytest.fixture
def small(monkeypatch):
    """`hierarchy` made of one quick claim."""

    def checks(trial):
        for i, x in enumerate((0.1, 0.2, 0.4)):
            value = trial.scaled("k", x)
            yield pull(f"check {i}", x, value, 0.01 * x, series="n = 8", x=x, knob="k")

    from netsim.claims.claim import Axes

    claim = _claim(checks, name="quick", axes=Axes("L/n", "value"), command="netsim sweep")
    monkeypatch.setattr(bodies, "BODIES", {"hierarchy": ("what it is", ("quick",))})
    monkeypatch.setattr(bodies, "_claim", lambda body, module: claim)
    return claim


def test_verify_lists_runs_and_writes(small, tmp_path, capsys):
    assert main(["verify"]) == 0
    assert "hierarchy.quick" in capsys.readouterr().out
    assert main(["verify", "hierarchy", f"out={tmp_path}", "--quiet"]) == 0
    said = capsys.readouterr()
    assert "holds     hierarchy.quick: 3 holds" in said.out and "1 of 1 claims hold" in said.out
    assert said.err == ""
    page = (tmp_path / "index.html").read_text()
    assert "Claims: hierarchy" in page and "<svg" in page and "✓ holds" in page
    assert "No points yet" not in page
    assert [o["name"] for o in read_claims(tmp_path)] == ["quick"]
    assert "netsim verify hierarchy" in page and "1 of 1 claim hold, by 3 checks" in page
    assert main(["report", f"out={tmp_path}"]) == 0  # a folder of claims alone
    assert "index.html" in capsys.readouterr().out
    assert main(["verify", "all", f"out={tmp_path}", "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["verdict"] == "holds"


def test_verify_exits_with_1_when_a_claim_fails(small, tmp_path, capsys, monkeypatch):
    wrong = run_claim("hierarchy", small, Trial(wrong=small.rejects))
    monkeypatch.setattr("netsim.claims.run.run_claim", lambda *_: wrong)
    assert main(["verify", "hierarchy.quick", f"out={tmp_path}", "--quiet"]) == 1
    out = capsys.readouterr().out
    assert "fails     hierarchy.quick" in out and "claimed" in out and "0 of 1 claims hold" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "hierarchi"], "Did you mean 'hierarchy'"),
        (["verify", "width=3"], "verify has no key 'width'"),
        (["verify", "--cfg", "job"], "leave --cfg out"),
        (["sweep", "--thorough"], "--thorough is an option of verify"),
    ],
)
def test_verify_refuses(words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_claims_are_stored_beside_others_and_foreign_files_refused(small, tmp_path):
    first = run_claim("hierarchy", small, Trial()).json()
    write_claims(tmp_path, [first, first | {"name": "other"}])
    write_claims(tmp_path, [first | {"seconds": 7.0}])
    found = read_claims(tmp_path)
    assert [o["name"] for o in found] == ["quick", "other"] and found[0]["seconds"] == 7.0
    for text in ("[]", "{", '{"schema": 99, "outcomes": []}'):
        (tmp_path / "claims.json").write_text(text)
        with pytest.raises(StoreError, match=r"claims\.json"):
            read_claims(tmp_path)


def test_a_page_with_points_gets_a_section(small, tmp_path):
    outcome = run_claim("hierarchy", small, Trial(wrong={"k": 0.5})).json()
    assert "✗ fails" in claims_section([outcome]) and claims_section([]) == ""
    page = write_page([], tmp_path / "index.html", "t", "c", [outcome])
    assert "✗ fails" in page.read_text()


def test_verify_in_python(small):
    seen = []
    verdicts = netsim.verify(
        "hierarchy", show=lambda claim, count: seen.append((claim.name, count))
    )
    assert verdicts.holds and verdicts.failed == () and seen == [("quick", i) for i in (1, 2, 3)]
    assert verdicts["quick"] is verdicts["hierarchy.quick"]
    assert "holds     hierarchy.quick" in repr(verdicts) and "<svg" in verdicts._repr_html_()
    with pytest.raises(KeyError, match="run here: quick"):
        verdicts["slow"]
    with pytest.raises(ValueError, match=r"name what to verify: all, hierarchy, hierarchy\.quick"):
        netsim.verify()
    with pytest.raises(ValueError, match="effort='huge'"):
        netsim.verify("hierarchy", effort="huge")
