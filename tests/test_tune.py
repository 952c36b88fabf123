"""`netsim tune` and `netsim.tune`: what they print, return and refuse."""

from __future__ import annotations

import json
import math
import shlex
import subprocess
import sys

import pytest

import netsim
from command import netsim as run
from netsim.cli.complete import complete
from netsim.theory.base import OutsideDomain

LAYERS = "layers=64"  # fewer than by default: the tests are about what is said


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def rows(capsys, line: str) -> list[dict]:
    ended = run(capsys, f"tune {line} --json")
    assert ended.code == 0 and ended.err == ""
    return json.loads(ended.out)


# --- the command ----------------------------------------------------------------------------------


def test_every_solution_of_gelu(capsys):
    unstable, half = rows(capsys, f"activation=gelu {LAYERS}")
    assert (unstable["class"], unstable["kernel"], unstable["weight_variance"]) == (
        "K*=0 unstable", 0.0, pytest.approx(4.0),
    )  # fmt: skip
    assert unstable["starts"] == [] and unstable["limit"] is None
    assert (half["class"], half["attracts"]) == ("half-stable", "above")
    assert half["kernel"] == pytest.approx((3 + math.sqrt(17)) / 2, rel=1e-13)
    assert half["kernel_term"]["power"] == 2 and half["kernel_term"]["coefficient"] < 0
    assert [point["stability"] for point in half["fixed_points"]] == [
        "stable",
        "attracts from above",
    ]
    assert [start["start"] for start in half["starts"]] == ["K1 = K*", "K1 > K*"]
    laws = {law["quantity"]: law for law in half["starts"][0]["laws"]}
    assert laws["kappa4/kappa2^2"]["layers_needed"] == 1
    assert laws["kappa6/kappa2^3"]["layers_needed"] is None
    assert laws["kappa6/kappa2^3"]["layers_searched"] == 64


def test_the_overrides_are_ready_to_paste(capsys):
    """At these couplings a network started at K* stays there."""
    (*_, half) = rows(capsys, f"activation=gelu {LAYERS}")
    K, C_W, C_b = half["kernel"], half["weight_variance"], half["bias_variance"]
    words = f"predict {half['overrides']} network.width=8 network.depth=6 quantities=kappa2"
    ended = run(capsys, f"{words} inputs.norm2={(K - C_b) / C_W!r} --json")
    values = [r["value"] for r in json.loads(ended.out) if r["source"] == "theory:infinite_width"]
    assert ended.code == 0 and values == pytest.approx([K] * len(values), rel=1e-12)
    (leaky,) = rows(capsys, f"'activation=leaky_relu(0.1)' {LAYERS}")
    words = shlex.join(["predict", *shlex.split(leaky["overrides"]), "--cfg", "job"])
    assert "leaky_relu(0.1)" in run(capsys, words).out


def test_text_for_people(capsys):
    ended = run(capsys, f"tune activation=tanh,softplus {LAYERS}")
    assert ended.code == 0 and ended.err == ""
    for words in (
        "tanh: 1 critical point", "network.weight_variance=1.0 network.bias_variance=0.0",
        "F(K) - K = -2 K^2", "0.666667 L/n", "not within 16 (searched to 64)", "0.821413",
        "softplus: 0 critical points", "sigma(0) = 0.693147 is not 0",
        "chi_parallel > chi_perp at every K",
    ):  # fmt: skip
        assert words in ended.out


def test_none_in_json(capsys):
    (row,) = rows(capsys, "activation=softplus")
    assert row["class"] == "none" and len(row["remarks"]) == 2
    (row,) = rows(capsys, "'activation=polynomial([3, 1, 0, -0.1])'")
    assert row["class"] == "none" and row["rejected"][0]["bias_variance"] < 0


def test_where_a_first_kernel_goes(capsys):
    ended = run(capsys, f"tune network.activation=gelu kernel=2 {LAYERS}")
    assert "from K1 = 2 K goes to 3.03498" in ended.out and "from K1 = 2 K goes to inf" in ended.out
    *_, half = rows(capsys, f"activation=gelu kernel=4 tolerance=0.1 {LAYERS}")
    assert [(s["start"], s["kernel"]) for s in half["starts"]] == [("K1 > K*", 4.0)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "tune needs an activation"),
        ("activation=gleu", "did you mean 'gelu'"),
        ("activation=gelu kernl=2", "Did you mean kernel? Keys: activation, kernel"),
        ("activation=gelu kernel=big", "kernel=big: must be a number"),
        ("activation=gelu kernel=-1", "must lie in 1e-12..1e+12"),
        ("activation=gelu kernel=1,2", "only activation= takes several"),
        ("activation=gelu tolerance=2", "between 0 and 1"),
        ("activation=gelu layers=1.5", "a whole number of layers"),
        ("gelu", "is not an override"),
        ("activation=gelu --cfg job", "leave --cfg out"),
    ],
)
def test_bad_input(capsys, line, words):
    ended = run(capsys, f"tune {line}")
    assert ended.code == 2 and words in ended.err and ended.out == ""


def test_help_and_completion(capsys):
    ended = run(capsys, "tune --help")
    assert ended.code == 0 and "every critical point" in ended.out
    assert "tune " in run(capsys, "--help").out
    assert complete(["netsim tu"]) == ["tune "]
    assert complete(["netsim tune ac"]) == ["activation="]
    assert complete(["netsim tune activation=relu,ta"]) == ["activation=relu,tanh"]
    assert complete(["netsim tune net"]) == []


def test_no_jax_is_loaded():
    code = (
        "import sys; from netsim.cli.main import main; main(sys.argv[1:]);"
        "print('loaded', *sorted(sys.modules))"
    )
    words = [sys.executable, "-c", code, "tune", "activation=linear", "layers=4"]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.stderr == ""
    loaded = set(ended.stdout.rsplit("loaded ", 1)[1].split())
    assert "netsim.theory.criticality" in loaded and not loaded & {"jax", "equinox", "matplotlib"}


# --- Python ---------------------------------------------------------------------------------------


def test_own_activation():
    """A registered function without a derivative, and what a network with it gets."""
    sigma = netsim.register_activation(
        "tuned_mish", lambda x, xp: x * xp.tanh(xp.logaddexp(x, 0 * x))
    )
    found = netsim.tune(sigma, layers=64)
    assert [one.point.kind for one in found.points] == ["K*=0 unstable", "half-stable"]
    point = found.points[1].point
    assert 1e-12 < point.errors[2] < 1e-8 and point.K == pytest.approx(1.67016913, abs=1e-8)
    net = netsim.network(
        "tuned_mish", width=8, depth=2,
        weight_variance=point.weight_variance, bias_variance=point.bias_variance,
    )  # fmt: skip
    assert net.weight_variance[0] == point.weight_variance
    assert net.activation is sigma


def test_what_comes_back():
    found = netsim.tune("tanh", layers=64, tolerance=0.1)
    (one,) = found.points
    assert found.tolerance == 0.1 and found.kernel is None
    assert one.limit([1.0])["kappa4/kappa2^2"][0] == pytest.approx(0.8214131585277341, rel=1e-12)
    assert one.flows_to(3.0) == 0.0
    assert repr(found).startswith(
        "tanh: 1 critical point (K* > 0 searched for from 1e-08 to 1e+08)"
    )
    cubic = netsim.tune("polynomial([0, 1, 0, -0.1])", layers=64)
    first, second = cubic.points
    assert [first.flows_to(K) for K in (0.5, 3.9, 4.1)] == [0.0, 0.0, math.inf]
    assert second.flows_to(3.0) == pytest.approx(10 / 3, rel=1e-6)
    assert second.flows_to(3.5) == math.inf
    with pytest.raises(OutsideDomain):
        second.limit([1.0])
    (relu,) = netsim.tune("relu", layers=64).points
    assert relu.flows_to(0.3) == 0.3


def test_default_first_kernels_lie_in_the_basin():
    """Where |x|^2/n_0 = 1 lies beyond another fixed point, a smaller kernel is taken."""
    one = netsim.tune("polynomial([0, 1, 0, -3])", layers=64).points[0]
    (start,) = one.starts
    assert one.flows_to(1.0) == math.inf and one.flows_to(start.kernel) == 0.0


def test_progress_of_layers(capsys):
    told = []
    netsim.tune("gelu", layers=80, progress=told.append)
    titles = list(dict.fromkeys(p.title for p in told))
    assert titles == ["gelu, half-stable, K1 = K*", "gelu, half-stable, K1 > K*"]
    for title in titles:
        steps = [(p.done, p.total) for p in told if p.title == title]
        assert steps == [(l, n) for n in (64, 80) for l in range(1, n + 1)]
    assert told[-1].text.startswith("80 of 80 layers, ") and all(p.rate > 0 for p in told)
    netsim.tune("gelu", layers=80)
    assert capsys.readouterr() == ("", "")  # short work leaves nothing in a log


@pytest.mark.parametrize("use", [netsim.tune, lambda s: netsim.network(s, width=4, depth=1)])
def test_a_bare_function_is_told_how_to_register(use):
    with pytest.raises(ValueError, match=r"netsim\.register_activation\(\"mine\", lambda x, xp: "):
        use(lambda x: x)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kernel": "2"}, "must be a number"),
        ({"kernel": math.inf}, "must lie in 1e-12"),
        ({"tolerance": True}, "must be a number"),
        ({"layers": 3}, "whole number of layers"),
    ],
)
def test_bad_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        netsim.tune("tanh", **options)


def test_a_first_kernel_that_cannot_be():
    assert "from K1 = 0.1 impossible: below C_b = 0.172922" in repr(netsim.tune("gelu", kernel=0.1))
    for kernel in (1e300, 1e-300):
        with pytest.raises(ValueError, match=r"must lie in 1e-12\.\.1e\+12"):
            netsim.tune("relu", kernel=kernel)
