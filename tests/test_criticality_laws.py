"""Laws of large depth at critical points, against the recursions they summarise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from critical_points import (
    ORDERS,
    at_zero,
    found,
    laws_of,
    series,
)
from netsim.theory.criticality.equation import averages
from netsim.theory.criticality.laws import Law, asymptotics
from netsim.theory.criticality.slope import with_slope

QUINTIC = "polynomial([0, 1, 0, 0, 0, -0.1])"
CUBIC = "polynomial([0, 1, 0, -0.1])"


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
    (point,) = found(name).points
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
    point = found(CUBIC).points[1]
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
    (point,) = [p for p in found("gelu").points if p.kind == "half-stable"]
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
