"""Laws of large depth, whole curves and depths, against the recursions they summarise."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from netsim.networks.activation import Activation
from netsim.networks.activations import activation
from netsim.networks.network import network
from netsim.theory.base import OutsideDomain
from netsim.theory.criticality.curve import _ratios, curve_name, limit_curve
from netsim.theory.criticality.depth import layers_needed
from netsim.theory.criticality.equation import averages
from netsim.theory.criticality.laws import Law, asymptotics
from netsim.theory.criticality.slope import with_slope
from netsim.theory.criticality.solve import criticality
from netsim.theory.leading_order import leading
from netsim.theory.limit_curves import RATIOS, universal_ratios

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
(UNIVERSAL,) = [e for e in ORACLES if e["kind"] == "universal_Kstar0_scaling"]


def _elu(x, xp):
    return xp.where(x > 0, x, xp.exp(xp.where(x > 0, 0 * x, x)) - 1)


def _bent(x, xp):
    return xp.where(x > 0, x - 0.5 * x * x / (1 + x * x), 0 * x)


OWN = {
    "relu(tanh)": Activation(
        "relu(tanh)", (lambda x, xp: xp.where(x > 0, xp.tanh(x), 0 * x),), kinks=(0.0,)
    ),
    "elu": Activation("elu", (_elu,), kinks=(0.0,)),
    "bent": Activation("bent", (_bent,), kinks=(0.0,)),
}
QUINTIC = "polynomial([0, 1, 0, 0, 0, -0.1])"
CUBIC = "polynomial([0, 1, 0, -0.1])"
ORDERS = ("kappa4/kappa2^2", "kappa6/kappa2^3", "kappa8/kappa2^4")


@cache
def points(name: str):
    return criticality(OWN.get(name) or activation(name)).points


def at_zero(name: str):
    return next(point for point in points(name) if point.K == 0)


def laws_of(point, index: int = 0) -> dict[str, Law]:
    return {law.quantity: law for law in asymptotics(point)[index].laws}


def series(point, kernel: float, depth: int) -> dict[str, np.ndarray]:
    """The quantities at every L from the leading-order recursion, width 1."""
    C_W, C_b = point.weight_variance, point.bias_variance
    net = network(point.activation, width=1, depth=depth, weight_variance=C_W, bias_variance=C_b)
    found = leading(net, (kernel - C_b) / C_W)
    K = found.K
    powers = zip(ORDERS, (found.V, found.T, found.Q), (2, 3, 4), strict=True)
    return {"K": K, "kappa2/K - 1": found.D / K} | {name: x / K**k for name, x, k in powers}


# --- constants -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "K", "mean", "orders"),
    [
        ("tanh", (0.5, -1), -1 / 3, (2 / 3, 16 / 15, 96 / 35)),
        ("erf", (0.5, -1), -1 / 3, (2 / 3, 16 / 15, 96 / 35)),
        ("sin", (1.0, -1), -1 / 3, (2 / 3, 16 / 15, 96 / 35)),
        # v = 5: tau is replaced by v tau/2
        ("relu(tanh)", (0.5, -1), -5 / 6, (5 / 3, 20 / 3, 300 / 7)),
    ],
)
def test_known_constants_where_K_falls_like_1_over_L(name, K, mean, orders):
    laws = laws_of(at_zero(name))
    assert (laws["K"].coefficient, laws["K"].depth_power) == pytest.approx(K, rel=1e-12)
    assert laws["kappa2/K - 1"].coefficient == pytest.approx(mean, rel=1e-12)
    for k, (quantity, value) in enumerate(zip(ORDERS, orders, strict=True), 1):
        law = laws[quantity]
        assert (law.depth_power, law.width_power) == (k, -k)
        assert law.coefficient == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("name", "v"), [("linear", 2), ("relu", 5), ("slopes(1, -1)", 2)])
def test_scale_invariant_constants(name, v):
    (point,) = points(name)
    laws = laws_of(point)
    values = [laws[quantity].coefficient for quantity in ORDERS]
    assert np.allclose(values, [v, 3 * v**2, 16 * v**3], rtol=1e-13)
    assert laws["kappa2/K - 1"].coefficient == 0


# first kernels at which the law of K holds from the start: corrections are those of 1/L only
AT_ZERO = [("tanh", 0.25), ("relu(tanh)", 0.4), ("elu", 0.4), ("bent", 0.4), (QUINTIC, 0.4)]


@pytest.mark.parametrize(("name", "kernel"), AT_ZERO)
def test_laws_at_zero_are_those_of_the_recursion(name, kernel):
    """p = 1, 1, 1/2, 1/2, 2 with v = 2, 5, 2, 5, 2; a constant wrong by 3% (10%: orders 6, 8) fails."""
    point = at_zero(name)
    computed, laws = series(point, kernel, 512), laws_of(point)
    for quantity in ("K", "kappa2/K - 1", *ORDERS):
        half, full = (computed[quantity][L] / laws[quantity].value(L) for L in (256, 512))
        # corrections are of order log L/L: extrapolated, 1/L remains
        assert abs(2 * full - half - 1) < (0.03 if quantity in ORDERS[1:] else 0.01)


@pytest.mark.parametrize(("index", "kernel"), [(0, None), (1, 3.1)])
def test_half_stable_laws_are_those_of_the_recursion(index, kernel):
    """sigma = z - z^3/10 has 1/|F'' K*| = 1/3: its asymptotics are in reach."""
    point = points(CUBIC)[1]
    laws = laws_of(point, index)
    computed = series(point, kernel or point.K, 800)
    for quantity in ("kappa2/K - 1", *ORDERS):
        values = computed[quantity][1:] / [laws[quantity].value(L) for L in range(1, 801)]
        # corrections are of order log L/L from the side, 1/L from K*: extrapolated, they vanish
        limit = 2 * values[799] - values[399]
        assert abs(limit - 1) < (0.012 if index else 0.002)
        assert abs(values[799] - 1) < abs(values[199] - 1) or abs(values[799] - 1) < 0.002
    if index:
        assert (computed["K"][800] - point.K) / laws["K - K*"].value(800) == pytest.approx(
            1, rel=0.02
        )


def test_half_stable_laws_of_gelu():
    """From K*: V = c L/n, D = F'' c L (L-1)/(4n) at every L; c, F'' as published."""
    (point,) = [p for p in points("gelu") if p.kind == "half-stable"]
    c, F2, K = 62.2084, -2.8725e-4, point.K
    laws = laws_of(point)
    assert laws[ORDERS[0]].coefficient == pytest.approx(c / K**2, rel=1e-5)
    assert laws["kappa2/K - 1"].coefficient == pytest.approx(F2 * c / 4 / K, rel=1e-4)
    computed = series(point, K, 20)
    L = np.arange(21)
    assert np.allclose(computed[ORDERS[0]], laws[ORDERS[0]].coefficient * L, rtol=1e-10)
    mean = laws["kappa2/K - 1"].coefficient * L * (L - 1)
    assert np.allclose(computed["kappa2/K - 1"], mean, rtol=1e-8, atol=1e-16)
    assert "L >> 1/|F'' K*| = 977" in asymptotics(point)[0].remark
    side = laws_of(point, 1)
    assert asymptotics(point)[1].start == "K1 > K*"
    assert side["K_perp"].depth_power == pytest.approx(2 * 9.3335e-3 / 2.8725e-4, rel=1e-4)


@pytest.mark.parametrize(("name", "power"), [("tanh", -1), ("elu", -2), (QUINTIC, -0.5)])
def test_orthogonal_derivatives(name, power):
    """prod chi_perp along the kernels: K_perp(2 L)/K_perp(L) -> 2^power."""
    point = at_zero(name)
    law = laws_of(point)["K_perp"]
    assert law.coefficient is None and law.depth_power == pytest.approx(power, rel=1e-12)
    K, total, at = 0.4, 0.0, {}
    usable = with_slope(point.activation, 100.0)
    for l in range(1, 513):
        found = averages(usable, K)
        total += math.log(point.weight_variance * found.perp[0])
        K = point.weight_variance * found.square[0]
        at[l] = total
    assert (at[512] - at[256]) / math.log(2) == pytest.approx(power, rel=0.02)


def test_orthogonal_derivatives_that_grow_faster_than_any_power():
    """a_1 = 0 with sigma''(0) != 0: F(K) = K - 45 K^3/4, chi_perp = 1 + K: exp(c sqrt L)."""
    point = at_zero("polynomial([0, 1, 1, -0.5, 0, -0.5])")
    law = laws_of(point)["log K_perp"]
    a, b = point.kernel.coefficient, point.perp.coefficient
    assert (point.kernel.power, point.perp.power, b) == (3, 1, pytest.approx(1))
    assert law.depth_power == 0.5 and law.coefficient == pytest.approx(2 * b / math.sqrt(-2 * a))
    first = K = 0.002  # small: the next term of chi_perp is -8 K^2
    total = 0.0
    for _ in range(800):
        found = averages(point.activation, K)
        total += math.log(found.perp[0])
        K = found.square[0]
    before = 1 / (-2 * a * first**2)  # layers that would have led to the first kernel
    expected = law.value(800 + before) - law.value(before)
    assert total / expected == pytest.approx(1, abs=0.02)


def test_nothing_is_said_where_K_leaves():
    for name in ("gelu", "polynomial([0, 1, 0, 1])"):
        assert asymptotics(at_zero(name)) == ()


def test_texts():
    assert Law("a", 2 / 3, 1, -1).text == "0.666667 L/n"
    assert Law("a", 75.0, 2, -2).text == "75 L^2/n^2"
    assert Law("K", 0.5, -1).text == "0.5 L^-1"
    assert Law("K_perp", None, -1).text == "L^-1"
    assert Law("K_perp", None, 0).text == "constant"
    assert Law("K", 3.5, 0).text == "3.5" and Law("a", 0.0, 1, -1).text == "0"


# --- whole curves ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tanh", "sin", CUBIC])
def test_universal_curve(name):
    tau = np.array([row["tau"] for row in UNIVERSAL["rows"]])
    keys = ("kappa2_over_K", "k4_over_k2sq", "k6_over_k2cu", "k8_over_k2_4")
    curve = limit_curve(at_zero(name), tau)
    for ratio, key in zip(RATIOS, keys, strict=True):
        assert np.allclose(curve[ratio], [row[key] for row in UNIVERSAL["rows"]], rtol=1e-12)


def test_lognormal_curve_and_its_clock():
    (relu,) = points("relu")
    q = np.exp(5 * np.array([0.1, 0.4]))
    assert np.allclose(limit_curve(relu, [0.1, 0.4])[RATIOS[1]], q - 1, rtol=1e-14)
    kinked = limit_curve(at_zero("relu(tanh)"), [0.2, 0.6])
    for name, values in universal_ratios(np.array([0.5, 1.5])).items():
        assert np.allclose(kinked[name], values, rtol=1e-14)


@pytest.mark.parametrize("t", [1e-3, 0.3, 2.0, 10.0])
def test_general_curve_at_p_1_is_the_universal_one(t):
    assert np.allclose(_ratios(t, 1), [v[0] for v in universal_ratios([t]).values()], rtol=1e-13)


def test_curve_where_K_falls_like_1_over_L_squared():
    """Slopes at 0 are the constants of the recursion; the exponential functional is simulated."""
    point = at_zero("elu")
    laws = laws_of(point)
    small = limit_curve(point, [1e-5])
    assert (small[RATIOS[0]][0] - 1) / 1e-5 == pytest.approx(
        laws["kappa2/K - 1"].coefficient, rel=1e-4
    )
    for k, quantity in enumerate(ORDERS, 1):
        assert small[quantity][0] / 1e-5**k == pytest.approx(laws[quantity].coefficient, rel=1e-4)
    rng = np.random.default_rng(4)
    tau, steps, count = 1.0, 400, 20000
    t = 0.25 * tau  # p^2 v tau/2
    dt = t / steps
    B, area, before = np.zeros(count), np.zeros(count), np.ones(count)
    for i in range(1, steps + 1):
        B += rng.standard_normal(count) * math.sqrt(dt)
        now = np.exp(math.sqrt(2) * B + 2 * dt * i)
        area += 0.5 * dt * (before + now)
        before = now
    S = (t / area) ** 2
    curve = limit_curve(point, np.array([tau]))
    assert abs(S.mean() - curve[RATIOS[0]][0]) < 5 * S.std() / math.sqrt(count)
    ratio = S.var() / S.mean() ** 2
    blocks = S.reshape(20, -1)
    error = np.std(blocks.var(axis=1) / blocks.mean(axis=1) ** 2) / math.sqrt(20)
    assert abs(ratio - curve[RATIOS[1]][0]) < 5 * error


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (lambda: points(CUBIC)[1], "L\\^2/n"),
        (lambda: at_zero("gelu"), "leaves"),
        (lambda: at_zero(QUINTIC), "L\\^-0.5"),
    ],
)
def test_where_there_is_no_curve(point, words):
    with pytest.raises(OutsideDomain, match=words):
        limit_curve(point(), [1.0])


def test_bad_tau():
    for name in ("tanh", "elu", "relu"):
        point = points(name)[0]
        assert curve_name(point)
        with pytest.raises(ValueError, match="tau"):
            limit_curve(point, [-1.0])


# --- depths ------------------------------------------------------------------------------------------


def test_depths_are_where_the_recursion_comes_and_stays_close():
    point = at_zero("elu")
    laws = asymptotics(point)[0]
    needs = layers_needed(point, laws, 0.4, tolerance=0.1, most=256)
    computed = series(point, 0.4, 256)
    assert any(need.layers and need.layers > 3 for need in needs)
    for need in needs:
        expected = np.array([need.law.value(L) for L in range(1, 257)])
        close = np.abs(computed[need.law.quantity][1:] / expected - 1) <= 0.1
        assert need.layers is not None and np.all(close[need.layers - 1 : 4 * need.layers])
        assert need.layers == 1 or not close[need.layers - 2]
        last = need.searched - 1
        off = abs(computed[need.law.quantity][last + 1] / expected[last] - 1)
        assert need.deviation == pytest.approx(off, rel=1e-9)


def test_what_is_not_reached_is_said():
    (point,) = [p for p in points("gelu") if p.kind == "half-stable"]
    needs = layers_needed(point, asymptotics(point)[1], 5.0, most=128)
    assert {need.text for need in needs} == {"not within 32 (searched to 128)"}
    assert all(need.layers is None and need.deviation > 0.05 for need in needs)
    found = layers_needed(point, asymptotics(point)[0], point.K, tolerance=0.06, most=128)
    at = {need.law.quantity: need for need in found}
    # D = F'' c L (L-1)/(4n): 1/L is below 6% from 17 on
    assert at["K"].text == at[ORDERS[0]].text == "1" and at["kappa2/K - 1"].text == "17"
    assert at[ORDERS[1]].layers is None


def test_linear_networks_need_one_layer_for_kappa4():
    (point,) = points("linear")
    needs = {n.law.quantity: n for n in layers_needed(point, asymptotics(point)[0], 1.0)}
    assert needs[ORDERS[0]].layers == needs["K/K1"].layers == needs["kappa2/K - 1"].layers == 1
    assert needs[ORDERS[2]].layers > needs[ORDERS[1]].layers > 1


@pytest.mark.parametrize(
    ("kernel", "options", "words"),
    [
        (0.1, {}, "C_b = 0.1729"),
        (math.nan, {}, "must be > 0"),
        (4.0, {"tolerance": 0.0}, "between 0 and 1"),
        (4.0, {"most": 2}, "at least 4"),
    ],
)
def test_bad_arguments(kernel, options, words):
    (point,) = [p for p in points("gelu") if p.kind == "half-stable"]
    with pytest.raises(ValueError, match=words):
        layers_needed(point, asymptotics(point)[0], kernel, **options)
