"""Whole curves at fixed L/n and needed depths, against the recursions they summarise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from critical_points import (
    ORACLES,
    ORDERS,
    at_zero,
    found,
    laws_of,
    series,
)
from netsim.theory.base import OutsideDomain
from netsim.theory.criticality.curve import _ratios, curve_name, limit_curve
from netsim.theory.criticality.depth import layers_needed
from netsim.theory.criticality.laws import asymptotics
from netsim.theory.limit_curves import RATIOS, universal_ratios

(UNIVERSAL,) = [e for e in ORACLES if e["kind"] == "universal_Kstar0_scaling"]
QUINTIC = "polynomial([0, 1, 0, 0, 0, -0.1])"
CUBIC = "polynomial([0, 1, 0, -0.1])"


# --- whole curves ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tanh", "sin", CUBIC])
def test_universal_curve(name):
    tau = np.array([row["tau"] for row in UNIVERSAL["rows"]])
    keys = ("kappa2_over_K", "k4_over_k2sq", "k6_over_k2cu", "k8_over_k2_4")
    curve = limit_curve(at_zero(name), tau)
    for ratio, key in zip(RATIOS, keys, strict=True):
        assert np.allclose(curve[ratio], [row[key] for row in UNIVERSAL["rows"]], rtol=1e-12)


def test_lognormal_curve_and_its_clock():
    (relu,) = found("relu").points
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
        (lambda: found(CUBIC).points[1], "L\\^2/n"),
        (lambda: at_zero("gelu"), "leaves"),
        (lambda: at_zero(QUINTIC), "L\\^-0.5"),
    ],
)
def test_where_there_is_no_curve(point, words):
    with pytest.raises(OutsideDomain, match=words):
        limit_curve(point(), [1.0])


def test_bad_tau():
    for name in ("tanh", "elu", "relu"):
        point = found(name).points[0]
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
    (point,) = [p for p in found("gelu").points if p.kind == "half-stable"]
    needs = layers_needed(point, asymptotics(point)[1], 5.0, most=128)
    assert {need.text for need in needs} == {"not within 32 (searched to 128)"}
    assert all(need.layers is None and need.deviation > 0.05 for need in needs)
    needs = layers_needed(point, asymptotics(point)[0], point.K, tolerance=0.06, most=128)
    at = {need.law.quantity: need for need in needs}
    # D = F'' c L (L-1)/(4n): 1/L is below 6% from 17 on
    assert at["K"].text == at[ORDERS[0]].text == "1" and at["kappa2/K - 1"].text == "17"
    assert at[ORDERS[1]].layers is None


def test_linear_networks_need_one_layer_for_kappa4():
    (point,) = found("linear").points
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
    (point,) = [p for p in found("gelu").points if p.kind == "half-stable"]
    with pytest.raises(ValueError, match=words):
        layers_needed(point, asymptotics(point)[0], kernel, **options)
