"""`netsim predict --symbolic`: what it prints, as text and as JSON, and what it refuses."""

from __future__ import annotations

import json
import sys

import pytest
import sympy

import netsim
from command import netsim as run
from netsim.cli.complete import complete
from netsim.theory import exact

RELU = "predict --symbolic network.activation=relu network.width=16 network.depth=4"


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_command_for_people(capsys, scratch):
    ended = run(capsys, f"{RELU} quantities=[kappa4]")
    assert ended.code == 0 and ended.err == ""
    for words in (
        "kappa4[a] (cum[z1a^4]), made of S_4", "kappa(S_aa, S_aa)", "V -> C_W**2*c_2/n_l + V*dF**2",
        "K_1**2*(((n + 5)/n)**L - 1)", "5*K_1**2*L/n", "where n = 16, L = 4, K_1 = 2", r"\frac",
    ):  # fmt: skip
        assert words in ended.out


def test_command_for_machines(capsys, scratch):
    line = f"{RELU} --json inputs=pair 'quantities=[kappa6[a],cum[Sab Sbb],cum[z1a^3]]'"
    ended = run(capsys, line)
    assert ended.code == 0 and ended.err == ""
    kappa6, pair, zero = json.loads(ended.out)
    for record in (kappa6, pair, zero):
        keys = {"quantity", "cumulants_of_S", "recursion", "closed_form", "series", "where"}
        assert keys <= set(record)
    read = sympy.sympify(kappa6["closed_form"]["sympy"])
    value = read.subs({name: sympy.Rational(v) for name, v in kappa6["where"].items()})
    net = netsim.network("relu", width=16, depth=4)
    assert float(value) == exact.cumulants(net, 1.0)[-1, 2]
    assert [step["symbol"] for step in kappa6["recursion"]] == ["K", "V", "T"]
    assert pair["closed_form"] is None and "one input" in pair["reasons"]["closed_form"]
    assert pair["recursion"][-1]["symbol"] == "V_bb__bb"
    assert zero["cumulants_of_S"]["sympy"] == "0" and zero["recursion"] is None


def test_command_order_and_grids(capsys, scratch):
    words = "network.activation=relu,tanh network.width=16 network.depth=4 quantities=[kappa4]"
    relu, tanh = json.loads(run(capsys, f"predict --symbolic --json order=2 {words}").out)
    assert relu["id"] != tanh["id"]
    for record in (relu, tanh):
        symbols = [step["symbol"] for step in record["recursion"]]
        assert symbols == ["K", "D", "V", "V_2", "T"]
        assert "n**2" in record["series"]["sympy"] and "n**3" not in record["series"]["sympy"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("quantities=[]", "empty"),
        ("quantities=", "statistic"),
        ("'quantities=[cum[]]'", "at least one leg"),
        ("'quantities=[cum[z1a^4]~1]'", "leave out ~1"),
        ("'quantities=[logcum[Saa]]'", "log-moments"),
        ("quantities=[kappa4@99]", "99"),
        ("order=6", "order=6"),
        ("network.weights=rademacher sampler=dense", "gaussian"),
    ],
)
def test_command_errors(capsys, scratch, words, told):
    ended = run(capsys, f"{RELU} {words}")
    assert ended.code == 2 and told in ended.err and ended.out == ""


def test_only_predict_is_symbolic(capsys, scratch, monkeypatch):
    ended = run(capsys, "simulate --symbolic")
    assert ended.code == 2 and "predict" in ended.err
    assert complete(["netsim predict --sy"]) == ["--symbolic "]
    assert complete(["netsim simulate --sy"]) == []
    monkeypatch.setitem(sys.modules, "sympy", None)
    ended = run(capsys, f"{RELU} quantities=[kappa4]")
    assert ended.code == 2 and "netsim[symbolic]" in ended.err


def test_symbols_for_long_numbers_are_explained(capsys, scratch):
    leaky = RELU.replace("relu", "'leaky_relu(0.1)'")
    ended = run(capsys, f"{leaky} quantities=[kappa4]")
    assert ended.code == 0 and "A_4 = 0.50005" in ended.out and "A_k = (a_+^k" in ended.out
    ended = run(capsys, f"{RELU} inputs=pair 'quantities=[cum[Sab]]'")
    assert ended.code == 0 and "F_ab__aa: its derivative in K_aa" in ended.out


def test_derivatives_and_unequal_widths(capsys, scratch):
    line = "predict --symbolic --json network.activation=relu network.widths=[4,8,6]"
    names = "quantities=[cum[z1a'u^4],kappa4,cum[qa]@3]"
    ended = run(capsys, f'{line} inputs.directions=1 "{names}"')
    assert ended.code == 0
    slope, kappa4, norm = json.loads(ended.out)
    assert slope["cumulants_of_S"]["sympy"].startswith("3*kappa(") and slope["recursion"] is None
    assert set(slope["reasons"]) == {"recursion", "closed_form", "series"}
    assert "Product" in kappa4["closed_form"]["sympy"] and kappa4["where"]["L"] == "3"
    assert norm["closed_form"] is None and "equal widths" in norm["reasons"]["closed_form"]
    assert float(norm["series"]["sympy"]) == pytest.approx(2.0)
