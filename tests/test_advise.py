"""`netsim advise` and `netsim.advise`: numbers by independent routes, what is printed and refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

import netsim
from command import netsim as run
from netsim.api.advise_ratios import KERNEL, KURTOSIS, ratios_of
from netsim.cli.complete import complete
from netsim.networks.activations import activation
from netsim.theory.hierarchy.one_input import cumulant_series
from netsim.theory.transfer.chain import FAST, transfer_cumulants

ITEMS = [
    "class", "L/n", "kernel", "chi_parallel", "chi_perp", "kappa4/kappa2^2", "excess kurtosis",
    "corr(z1^2, z2^2)", "kappa2/K - 1", "gradient R - 1", "sqrt(Var H)/H", "H/H_infinity - 1",
    "order for kappa2", "order for kappa4", "width for kappa2", "width for kappa4/kappa2^2",
]  # fmt: skip


def average(f, K: float) -> float:
    """E f(z), z ~ N(0, K), by 200 Gauss-Hermite nodes."""
    x, w = np.polynomial.hermite_e.hermegauss(200)
    return float(w @ f(math.sqrt(K) * x) / math.sqrt(2 * math.pi))


def fine(name: str, n: int, L: int, norm2: float, kernel: float) -> tuple[float, float]:
    """kappa_2/K - 1 and kappa_4/kappa_2^2 of the output by the transfer operator's best rules."""
    values, _ = transfer_cumulants(netsim.network(name, width=n, depth=L), norm2, [L + 1], 2)
    return values[0, 0] / kernel - 1, values[0, 1] / values[0, 0] ** 2


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "L"), [(64, 8), (3, 2), (5, 40)])
def test_relu_by_fractions(n, L):
    """kappa_4/kappa_2^2 = R - 1 = (1 + 5/n)^L - 1."""
    advice = netsim.advise("relu", depth=L, width=n)
    r = (1 + Fraction(5, n)) ** L - 1
    assert advice["kappa4/kappa2^2"].value == pytest.approx(float(r), rel=1e-14)
    assert advice["gradient R - 1"].value == pytest.approx(float(r), rel=1e-14)
    assert advice["excess kurtosis"].value == pytest.approx(float(3 * r), rel=1e-14)
    assert advice["corr(z1^2, z2^2)"].value == pytest.approx(float(r / (2 + 3 * r)), rel=1e-14)
    assert (advice["kappa2/K - 1"].value, advice["kappa2/K - 1"].truncation) == (0.0, "exact")
    needed = next(M for M in range(L + 1) if _missing(L, n, M) <= r / 100)
    found = advice["order for kappa4"]
    assert found.value == (needed if needed <= 6 else None)
    assert needed <= 6 or "none: the series ends" in found.remark


def _missing(L: int, n: int, M: int) -> Fraction:
    """What (1 + 5/n)^L loses behind n^-M."""
    return sum((math.comb(L, m) * Fraction(5, n) ** m for m in range(M + 1, L + 1)), Fraction(0))


@pytest.mark.parametrize(("name", "v", "L", "accuracy"), [
    ("relu", 5, 8, 0.01), ("linear", 2, 3, 0.1), ("relu", 5, 1, 0.9), ("linear", 2, 1, 0.9),
])  # fmt: skip
def test_width_of_piecewise_linear_networks_by_counting(name, v, L, accuracy):
    advice = netsim.advise(name, depth=L, width=7, accuracy=accuracy)
    n = 1
    while (1 + Fraction(v, n)) ** L - 1 > Fraction(accuracy):
        n += 1
    assert advice["width for kappa4/kappa2^2"].value == n
    found = advice["width for kappa2"]
    assert found.value is None and "kappa_2 = K exactly at every width" in found.remark


@pytest.mark.parametrize(("name", "L", "accuracy"), [("gelu", 8, 0.01), ("tanh", 4, 0.05)])
def test_width_by_trying_every_one(name, L, accuracy):
    """The bisection's answer against every width around it, and two beyond, one by one."""
    advice = netsim.advise(name, depth=L, width=50, accuracy=accuracy)
    answer = advice["width for kappa2"].value
    good = {}
    for n in (*range(answer - 2, answer + 2), 2 * answer):
        net = netsim.network(name, width=n, depth=L)
        values, _ = transfer_cumulants(net, advice.norm2, [L + 1], 1, rules=FAST)
        good[n] = abs(values[0, 0] / advice["kernel"].value - 1) <= accuracy
    assert good == {n: n >= answer for n in good}


def test_width_for_kappa4_by_exact_values():
    advice = netsim.advise("tanh", depth=4, width=64)
    answer = advice["width for kappa4/kappa2^2"].value
    ratios = ratios_of(advice.network, 1.0)
    smaller, at = (ratios.exact(KURTOSIS, answer - d).value for d in (1, 0))
    assert advice["width for kappa4/kappa2^2"].source == "hierarchy"
    assert at <= 0.01 < smaller


def test_exact_values_where_the_series_diverges():
    """Swish, L = n = 32: the bracket of the series is wide, and a few exact values decide."""
    advice = netsim.advise("swish", depth=32, width=32)
    assert "the series diverges" in advice["order for kappa4"].remark
    found = advice["width for kappa2"]
    assert (found.source, found.truncation) == ("transfer", "exact")
    assert advice["kernel"].value == pytest.approx(14.320173618025809, rel=1e-10)
    ratios = ratios_of(advice.network, advice.norm2)
    below, at = (ratios.exact(KERNEL, found.value - d).value for d in (1, 0))
    assert at <= 0.01 < below


@pytest.mark.parametrize(("name", "L", "n"), [("tanh", 8, 64), ("gelu", 3, 24)])
def test_ratios_within_their_uncertainty(name, L, n):
    advice = netsim.advise(name, depth=L, width=n)
    expected = fine(name, n, L, advice.norm2, advice["kernel"].value)
    for item, value in zip(("kappa2/K - 1", "kappa4/kappa2^2"), expected, strict=True):
        found = advice[item]
        assert 0 < found.uncertainty < 1e-6 * max(1, abs(value))
        assert abs(found.value - value) <= found.uncertainty + 1e-11 * max(1, abs(value))


@pytest.mark.parametrize(("name", "L", "n"), [
    ("gelu", 3, 6), ("tanh", 6, 8), ("softplus", 2, 12),
])  # fmt: skip
def test_fast_transfer_rules_know_their_errors(name, L, n):
    net = netsim.network(name, width=n, depth=L, weight_variance=1.3, bias_variance=0.1)
    best, best_error = transfer_cumulants(net, 1.5)
    fast, error = transfer_cumulants(net, 1.5, rules=FAST)
    assert np.all(np.abs(fast - best) <= error + best_error)
    assert np.all(error[:, :2] <= 1e-3 * np.abs(fast[:, :2]))


def test_exact_values_where_the_series_says_nothing():
    """Swish, L = 20, n = 6: terms grow from the first on, and the transfer operator has an answer."""
    net = netsim.network("swish", width=6, depth=20)
    ratios = ratios_of(net, 6.924)
    found = ratios.best(KURTOSIS, 6)
    (two, four), (two_error, four_error) = (
        part[0] for part in transfer_cumulants(net, 6.924, [21], 2)
    )
    assert ratios.summed(KURTOSIS, 6).truncation == 0
    assert found.source == "transfer" and found.value > 100 and found.doubt < 0.01 * found.value
    room = found.doubt + (four_error / four + 2 * two_error / two) * found.value
    assert abs(found.value - four / two**2) <= room


def test_no_value_where_nothing_is_known():
    """z + z^3: terms that grow from the first on, and no transfer operator."""
    advice = netsim.advise(
        "polynomial([0, 1, 0, 1])", depth=3, width=4, weight_variance=0.5, bias_variance=0
    )
    assert advice["kappa4/kappa2^2"].value is None
    assert "diverges from its first term on; " in advice["kappa4/kappa2^2"].remark
    assert all(finding.truncation != 0 for finding in advice.findings)
    assert advice["gradient R - 1"].value is None
    assert "known to +-" in advice["gradient R - 1"].remark


def test_the_only_critical_point_that_is_found():
    own = netsim.register_activation("advised_tanh", lambda x, xp: xp.tanh(x))
    advice = netsim.advise(own, depth=2, width=40)
    same = netsim.advise("tanh", depth=2, width=40)
    assert advice.network.weight_variance[0] == pytest.approx(1, rel=1e-9)
    assert advice.network.bias_variance[0] == 0
    assert advice["kappa4/kappa2^2"].value == pytest.approx(same["kappa4/kappa2^2"].value, rel=1e-6)


def test_series_at_other_widths_is_that_of_other_networks():
    ratios = ratios_of(netsim.network("tanh", width=64, depth=8), 1.0)
    for n in (128, 1000):
        known = ratios.summed(KURTOSIS, n)
        values = cumulant_series(netsim.network("tanh", width=n, depth=8), 1.0, 6).value()[-1]
        assert known.truncation == 6 and known.doubt < 1e-9
        assert known.value == pytest.approx(values[1] / values[0] ** 2, rel=1e-7)
        assert abs(known.value - ratios.exact(KURTOSIS, n).value) < 1e-8


def test_orders_by_the_series_of_each_order():
    advice = netsim.advise("tanh", depth=8, width=8, accuracy=1e-3)
    net = advice.network
    exact = transfer_cumulants(net, 1.0, [9], 2, rules=FAST)[0][0]
    sums = {M: cumulant_series(net, 1.0, M).value()[-1] for M in range(1, 7)}
    for k, item in enumerate(("order for kappa2", "order for kappa4")):
        good = [M for M, sum_ in sums.items() if abs(sum_[k] / exact[k] - 1) <= 1e-3]
        assert advice[item].value == (good[0] if good else None)
        assert good or "none" in advice[item].remark
    wide = netsim.advise("tanh", depth=2, width=4096)["order for kappa2"]
    assert (wide.value, wide.remark) == (0, "infinite width suffices")


def test_one_layer_of_tanh_by_quadrature():
    """One hidden layer: sums of independent neurons, so every number has a one-line formula."""
    n, sigma = 10, activation("tanh")
    y, e = (lambda z: sigma.numpy(z) ** 2), (lambda z: sigma.numpy(z, 1) ** 2)
    y1, y2, e1, e2 = (average(f, 1.0) for f in (y, lambda z: y(z) ** 2, e, lambda z: e(z) ** 2))
    ye = average(lambda z: y(z) * e(z), 1.0)
    advice = netsim.advise("tanh", depth=1, width=n)
    assert advice["kernel"].value == pytest.approx(y1, rel=1e-10)
    assert advice["chi_perp"].value == pytest.approx(average(e, y1), rel=1e-10)
    assert advice["kappa4/kappa2^2"].value == pytest.approx((y2 / y1**2 - 1) / n, rel=1e-9)
    assert abs(advice["kappa2/K - 1"].value) < 1e-12
    assert advice["gradient R - 1"].value == pytest.approx((3 * e2 / e1**2 - 1) / n, rel=1e-9)
    # H_11 = sum_j (sigma_j^2 + w_j^2 sigma'_j^2)/n with standard normal w_j
    mean, square = y1 + e1, y2 + 2 * ye + 3 * e2
    fluctuation = math.sqrt((square - mean**2) / n) / mean
    assert advice["sqrt(Var H)/H"].value == pytest.approx(fluctuation, rel=1e-9)
    assert abs(advice["H/H_infinity - 1"].value) < 1e-12
    assert {advice[item].truncation for item in ("sqrt(Var H)/H", "H/H_infinity - 1")} == {"exact"}
    assert {advice[item].truncation_error for item in ("sqrt(Var H)/H", "H/H_infinity - 1")} == {0}
    assert advice["width for kappa2"].value == 1


def test_one_layer_of_relu():
    """H_11 = (4/n) sum_j m_j (g_j^2 + w_j^2), m_j fair coins: Var H/H^2 = 3/n but for dead networks."""
    advice = netsim.advise("relu", depth=1, width=40)
    assert advice["sqrt(Var H)/H"].value == pytest.approx(math.sqrt(3 / 40), rel=1e-11)
    assert advice["H/H_infinity - 1"].value == 0.0


def test_gradient_far_from_the_first_layer():
    """n (R - 1) -> 8/3 L for deep tanh networks, as n -> infinity first; the doubt is what is left."""
    found = netsim.advise("tanh", depth=40, width=10**6)["gradient R - 1"]
    assert found.value * 10**6 / 40 == pytest.approx(8 / 3, abs=0.08)
    assert found.source == "hierarchy_fields" and found.uncertainty < 1e-3 * found.value


@pytest.mark.parametrize(("name", "L", "n"), [("tanh", 16, 32), ("gelu", 4, 64)])
def test_gradient_is_that_of_predict(name, L, n):
    """The same series, to the same order; its uncertainty at least that of predict."""
    advice = netsim.advise(name, depth=L, width=n)
    x = netsim.inputs("single", norm2=advice.norm2, directions=1, direction_kind="orthogonal")
    (row,) = netsim.predict(advice.network, x, "ncum[z1a'u^4]@out")
    found = advice["gradient R - 1"]
    assert found.value == pytest.approx(row["value"] / 3, rel=1e-9)
    assert found.truncation == row["truncation"] == 2
    assert found.truncation_error >= row["truncation_error"] / 3 * (1 - 1e-9)


@pytest.mark.parametrize(("L", "n"), [(16, 32), pytest.param(30, 64, marks=pytest.mark.slow)])
def test_gradient_of_deep_tanh_networks_is_within_its_uncertainty(L, n):
    """R - 1 of simulations, where the first term left out is too small a measure."""
    advice = netsim.advise("tanh", depth=L, width=n)
    x = netsim.inputs("single", norm2=advice.norm2, directions=1, direction_kind="orthogonal")
    (row,) = netsim.simulate(advice.network, x, "ncum[z1a'u^4]@out", progress=False).rows
    found = advice["gradient R - 1"]
    assert abs(found.value - row.value / 3) < found.uncertainty + 5 * row.error / 3
    assert row.error / 3 < 0.5 * found.uncertainty
    assert "the terms fall too slowly" in found.remark


def test_tangent_kernel_is_that_of_predict():
    advice = netsim.advise("tanh", depth=6, width=40)
    x = netsim.inputs("single", norm2=1.0)
    rows = netsim.predict(advice.network, x, ["cum[H1_1aa^2]@out", "cum[H1_1aa]@out"])
    variance, mean = (row for row in rows if row["source"] == "theory:ntk")
    found = advice["sqrt(Var H)/H"]
    assert found.value == pytest.approx(math.sqrt(variance["value"]) / mean["value"], rel=1e-12)
    lowest = math.sqrt(max(0, variance["value"] - variance["truncation_error"]))
    assert found.truncation_error >= found.value - lowest / mean["value"] - 1e-12
    limit = mean["value"] / (1 + advice["H/H_infinity - 1"].value)
    assert advice["H/H_infinity - 1"].truncation_error == pytest.approx(
        mean["truncation_error"] / limit, rel=1e-9
    )


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_gradients_and_correlations_as_predict_has_them(name):
    advice = netsim.advise(name, depth=5, width=30)
    x = netsim.inputs("single", norm2=1.0, directions=1, direction_kind="orthogonal")
    names = ["ncum[z1a'u^4]@out", "cum[z1a^2 z2a^2]@out", "mom[z1a^4]@out", "mom[z1a^2]@out"]
    rows = netsim.predict(advice.network, x, names)
    best: dict[str, float] = {}
    for row in rows:
        best.setdefault(row["quantity"].split("@")[0], row["value"])  # the most exact comes first
    ncum, cov, fourth, second = best.values()
    corr = cov / (fourth - second**2)
    assert advice["corr(z1^2, z2^2)"].value == pytest.approx(corr, rel=1e-7)
    gradient = advice["gradient R - 1"]
    assert gradient.value == pytest.approx(ncum / 3, abs=3 * gradient.uncertainty + 1e-12)


def test_where_a_network_stands():
    gelu = netsim.advise("gelu", depth=2, width=90)
    assert gelu["class"].value == "half-stable"
    assert gelu["kernel"].value == pytest.approx((3 + math.sqrt(17)) / 2, rel=1e-11)
    assert gelu["chi_parallel"].value == pytest.approx(1, abs=1e-10)
    off = netsim.advise("tanh", depth=3, width=30, weight_variance=1.5)
    assert off["class"].value == "not critical" and "would shrink" in off["class"].remark
    cold = netsim.advise("tanh", depth=3, width=30, weight_variance=0.9, bias_variance=0)
    assert "would shrink" in cold["class"].remark and cold.norm2 == 1.0
    assert off["L/n"].value == 0.1
    deep = netsim.advise(
        "tanh", depth=9, width=30, weight_variance=1.5
    )  # K falls to its fixed point
    assert deep["chi_perp"].value > 1 and "would amplify" in deep["class"].remark


# --- where theories end ---------------------------------------------------------------------------


def test_no_exact_theory():
    """x - x^3/10: only the series; a width that is certainly enough, with how many may do as well."""
    advice = netsim.advise(
        "polynomial([0, 1, 0, -0.1])", depth=8, width=64, weight_variance=1, bias_variance=0
    )
    found = advice["width for kappa2"]
    assert found.source == "hierarchy" and "certainly enough" in found.remark
    ratios = ratios_of(advice.network, 1.0)
    at, below = ratios.summed(KERNEL, found.value), ratios.summed(KERNEL, found.value - 1)
    assert abs(at.value) + at.doubt <= 0.01 < abs(below.value) + below.doubt
    assert advice["kappa4/kappa2^2"].truncation_error > 0
    assert "not decided" in advice["order for kappa4"].remark


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("tanh", {"depth": 300, "weight_variance": 0.3}, "the kernel of layer"),
        ("relu", {"depth": 1000, "weight_variance": 100}, "range of float64"),
    ],
)
def test_out_of_range(name, options, words):
    advice = netsim.advise(name, width=16, **options)
    assert [f.item for f in advice.findings] == [
        item for item in ITEMS if item not in ("excess kurtosis", "corr(z1^2, z2^2)")
    ]
    assert advice["kappa4/kappa2^2"].value is None and words in advice["kappa4/kappa2^2"].remark
    assert advice["width for kappa4/kappa2^2"].value is None
    assert advice["sqrt(Var H)/H"].value is None and "as above" in repr(advice)


def test_kernels_over_many_decades_have_no_transfer_matrices():
    advice = netsim.advise("tanh", depth=30, width=64, weight_variance=0.3)
    assert advice["kappa4/kappa2^2"].source == "hierarchy"
    assert "slow below 1e-05" in advice["sqrt(Var H)/H"].remark


def test_no_width_is_enough():
    found = netsim.advise("relu", depth=1000, width=8, accuracy=1e-7)["width for kappa4/kappa2^2"]
    assert found.value is None and "at any width up to 10^9" in found.remark


def test_own_activation_without_derivative():
    sigma = netsim.register_activation(
        "advised_mish", lambda x, xp: x * xp.tanh(xp.logaddexp(x, 0 * x))
    )
    point = netsim.tune(sigma, layers=8).points[1].point
    advice = netsim.advise(
        sigma, depth=4, width=100,
        weight_variance=point.weight_variance, bias_variance=point.bias_variance,
    )  # fmt: skip
    assert advice["class"].value == "half-stable"
    assert advice["kernel"].value == pytest.approx(point.K, rel=1e-7)  # norm2 by default
    assert advice["chi_perp"].value == pytest.approx(1, abs=1e-7)
    assert advice["kappa4/kappa2^2"].value > 0
    assert advice["gradient R - 1"].value is None and advice["gradient R - 1"].remark


# --- the command ----------------------------------------------------------------------------------


def test_rows(capsys):
    ended = run(capsys, "advise activation=relu,tanh depth=4 width=100 --json")
    assert ended.code == 0 and ended.err == ""
    rows = json.loads(ended.out)
    assert [row["item"] for row in rows] == 2 * ITEMS
    assert {row["activation"] for row in rows[:16]} == {"relu"}
    tanh = {row["item"]: row for row in rows[16:]}
    assert tanh["L/n"]["value"] == 0.04 and tanh["kernel"]["norm2"] == 1.0
    assert tanh["kernel"]["source"] == "theory:infinite_width"
    assert tanh["sqrt(Var H)/H"]["truncation"] == 1
    assert 0 < tanh["sqrt(Var H)/H"]["truncation_error"] < 0.1 * tanh["sqrt(Var H)/H"]["value"]
    own = netsim.advise("tanh", depth=4, width=100)
    assert [row["value"] for row in rows[16:]] == [finding.value for finding in own.findings]


def test_text_for_people(capsys):
    ended = run(
        capsys,
        "advise network.activation=tanh network.depth=8 network.width=64 "
        "network.weight_variance=critical inputs.norm2=1 accuracy=0.02",
    )
    assert ended.code == 0 and ended.err == ""
    for words in (
        "tanh, 8 layers of 64: weight_variance=1.0 bias_variance=0.0 norm2=1\n", "K*=0 stable",
        "kappa2/K - 1", "-0.0241785", "is not good to 2%", "within 2%", "ntk to n^-1",
        "gradient R - 1 ", "R = E u^4/(3 (E u^2)^2), u the derivative", "scatters by 28% (1 sd)",
    ):  # fmt: skip
        assert words in ended.out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "advise needs an activation"),
        ("activation=gelu", "advise needs depth and width"),
        ("activation=gelu depth=3", "advise needs width"),
        ("activation=gleu depth=3 width=8", "did you mean 'gelu'"),
        ("activation=gelu dept=3 width=8", "Did you mean depth? Keys: activation, depth"),
        ("activation=gelu depth=3 width=big", "width=big: must be a number"),
        ("activation=gelu depth=3 width=8,16", "only activation= takes several"),
        ("activation=gelu depth=3 width=8.5", "width=8.5: a whole number"),
        ("activation=gelu depth=0 width=8", "depth=0: a whole number, 1 to 1000"),
        ("activation=gelu depth=3 width=inf", "width=inf: a whole number"),
        ("activation=gelu depth=3 width=8 accuracy=2", "between 0 and 1"),
        ("activation=gelu depth=3 width=8 norm2=-1", "finite number >= 0"),
        ("activation=tanh depth=3 width=8 norm2=0", "the first layer is 0"),
        ("activation=tanh depth=3 width=8 weight_variance=0", "a finite number > 0"),
        ("activation=gelu depth=3 width=-3", "width=-3: a whole number"),
        ("activation=softplus depth=3 width=8", "none is found: give weight_variance and"),
        ("activation=softplus depth=3 width=8", "`netsim tune activation=softplus` (in Python"),
        ("activation=polynomial([0,1,0,-0.1]) depth=3 width=8", "has 2 critical points"),
        ("activation=tanh,gleu depth=3 width=8", "did you mean 'gelu'"),
        ("gelu", "is not an override"),
        ("activation=gelu depth=3 width=8 --cfg job", "leave --cfg out"),
    ],
)
def test_bad_input(capsys, line, words):
    ended = run(capsys, f"advise {line}")
    assert ended.code == 2 and words in ended.err and ended.out == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"depth": "3"}, "must be a number"),
        ({"width": True}, "must be a number"),
        ({"weight_variance": "he"}, "must be a number"),
        ({"accuracy": 0}, "between 0 and 1"),
    ],
)
def test_bad_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        netsim.advise("tanh", **({"depth": 2, "width": 8} | options))
    with pytest.raises(KeyError, match="the items are class"):
        netsim.advise("linear", depth=1, width=1)["kappa6"]


def test_help_and_completion(capsys):
    ended = run(capsys, "advise --help")
    assert ended.code == 0 and "will infinite width do?" in ended.out
    assert "advise takes activation=NAME" in run(capsys, "--help").out
    assert complete(["netsim adv"]) == ["advise "]
    assert complete(["netsim advise de"]) == ["depth="]
    assert complete(["netsim advise activation=relu,ta"]) == ["activation=relu,tanh"]


def test_no_jax_is_loaded():
    code = (
        "import sys; from netsim.cli.main import main; main(sys.argv[1:]);"
        "print('loaded', *sorted(sys.modules))"
    )
    words = [sys.executable, "-c", code, "advise", "activation=tanh", "depth=2", "width=64"]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.stderr == ""
    loaded = set(ended.stdout.rsplit("loaded ", 1)[1].split())
    assert "netsim.api.advise" in loaded and not loaded & {"jax", "equinox", "matplotlib", "sympy"}
