"""Critical points: all of them, against oracles, mpmath and closed forms, and why there is none."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from critical_points import (
    ORACLES,
    found,
    positive,
)
from netsim.networks.activations import activation
from netsim.networks.critical import critical_couplings
from netsim.theory.criticality import solve as solver
from netsim.theory.criticality.solve import criticality

(CONSTANTS,) = [e for e in ORACLES if e["kind"] == "critical_constants"]
QUINTIC = f"polynomial([0, 1, 0, {2 / 9!r}, 0, {-1 / 45!r}])"  # F''(1) = 0, too, exactly
NEAR_DOUBLE = "polynomial([0, 1, 0, {!r}, 0, {!r}])"


# --- couplings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gelu", "swish"])
def test_oracle_constants_of_half_stable_ones(name):
    expected, point = CONSTANTS[name], positive(name)
    assert point.kind == "half-stable"
    values = (point.weight_variance, point.bias_variance, point.K)
    for value, error, key in zip(values, point.errors, ("C_W", "C_b", "K_star"), strict=True):
        assert value == pytest.approx(expected[key], rel=1e-13, abs=1e-14)
        assert abs(value - expected[key]) < error < 1e-11


@pytest.mark.parametrize("name", ["tanh", "sin", "erf"])
def test_oracle_constants_at_zero(name):
    (point,) = found(name).points
    expected = CONSTANTS[name]
    assert (point.K, point.bias_variance) == (expected["K_star"], expected["C_b"]) == (0, 0)
    assert point.weight_variance == pytest.approx(expected["C_W"], rel=1e-14)
    assert (point.kind, point.attracts) == ("K*=0 stable", "above")
    assert point.noise == pytest.approx(2, rel=1e-14)


def _leaky(a: float):
    assert CONSTANTS["leaky_slope_a"] == {"C_b": 0, "C_W": "2/(1+a^2)"}
    return f"leaky_relu({a})", 2 / (1 + a**2), 6 * (1 + a**4) / (1 + a**2) ** 2 - 1


@pytest.mark.parametrize(
    ("name", "C_W", "v"),
    [
        ("relu", CONSTANTS["relu"]["C_W"], 5),
        ("linear", 1, 2),
        ("slopes(2, -1)", 0.4, 3.08),
        *map(_leaky, (0.01, 0.3, -1.0)),
    ],
)
def test_scale_invariant_ones(name, C_W, v):
    (point,) = found(name).points
    assert (point.kind, point.K, point.bias_variance) == ("scale invariant", None, 0.0)
    assert point.weight_variance == pytest.approx(C_W, rel=1e-14)
    assert point.noise == pytest.approx(v, rel=1e-14)


@pytest.mark.parametrize("name", ["relu", "tanh", "sin", "erf", "gelu", "swish"])
def test_couplings_that_networks_take_are_among_the_solutions(name):
    C_b, C_W, K = critical_couplings(activation(name))
    match = [
        p
        for p in found(name).points
        if (p.K is None) == (K is None) and (K is None or abs(p.K - K) < 1e-10)
    ]
    assert len(match) == 1
    assert match[0].weight_variance == pytest.approx(C_W, rel=1e-13)
    assert match[0].bias_variance == pytest.approx(C_b, abs=1e-13)


def _swish(x):
    s = 1 / (1 + mpmath.exp(-x))
    return x * s, s + x * s * (1 - s)


def _gelu(x):
    return x * mpmath.ncdf(x), mpmath.ncdf(x) + x * mpmath.npdf(x)


def _mish(x):
    t = mpmath.tanh(mpmath.log1p(mpmath.exp(x)))
    return x * t, t + x * (1 - t * t) / (1 + mpmath.exp(-x))


def residuals(name: str, C_W: float, C_b: float, K: float) -> float:
    """The largest of |F(K) - K|/K, |chi_parallel - 1|, |chi_perp - 1|: trapezoid in 20 digits."""
    sigma, total = {"gelu": _gelu, "swish": _swish, "mish": _mish}[name], [mpmath.mpf(0)] * 3
    with mpmath.workdps(20):
        step = mpmath.mpf(1) / 16
        for j in range(-160, 161):
            g = j * step
            y, slope = sigma(mpmath.sqrt(K) * g)
            weight = step * mpmath.npdf(g)
            terms = (y * y, y * y * (g * g - 1) / (2 * K), slope * slope)
            total = [a + weight * b for a, b in zip(total, terms, strict=True)]
        F, parallel, perp = (C_W * value for value in total)
        return float(max(abs((C_b + F) / K - 1), abs(parallel - 1), abs(perp - 1)))


@pytest.mark.parametrize("name", ["gelu", "swish", "mish"])
def test_the_three_conditions_hold_by_mpmath(name):
    point = positive(name)
    values = (point.weight_variance, point.bias_variance, point.K)
    assert residuals(name, *values) < 1e-10
    assert residuals(name, values[0] * (1 + 1e-8), *values[1:]) > 1e-9
    assert residuals(name, values[0], values[1] + 1e-7, values[2]) > 1e-9
    assert residuals(name, *values[:2], values[2] * (1 + 1e-5)) > 1e-9


@pytest.mark.parametrize("factor", [1.001, 0.999])
def test_a_mutated_equation_is_noticed(monkeypatch, factor):
    """chi_parallel off by 0.1% moves gelu's K* so that the three conditions fail."""

    def mutated(sigma, K):
        value, error = imbalance(sigma, K)
        return factor * (value + 1) - 1, error

    imbalance = solver.imbalance
    monkeypatch.setattr(solver, "imbalance", mutated)
    point = criticality(activation("gelu")).points[-1]
    assert residuals("gelu", point.weight_variance, point.bias_variance, point.K) > 1e-6


@pytest.mark.parametrize("c", [0.1, 3.0, 1e-3])
def test_cubic_in_closed_form(c):
    """sigma = z - c z^3: h ~ -6cK + 18 c^2 K^2, K* = 1/(3c), C_W = 1/2, C_b = 2/(9c); a_1 = -6c."""
    at_zero, point = found(f"polynomial([0, 1, 0, {-c!r}])").points
    assert at_zero.kind == "K*=0 stable" and at_zero.kernel.coefficient == pytest.approx(-6 * c)
    assert point.K == pytest.approx(1 / (3 * c), rel=1e-13)
    assert point.weight_variance == pytest.approx(0.5, rel=1e-13)
    assert point.bias_variance == pytest.approx(2 / (9 * c), rel=1e-13)
    assert point.kernel.coefficient == pytest.approx(4.5 * c, rel=1e-12)  # C_W (45 c^2 K - 6 c)
    assert (point.kind, point.attracts) == ("half-stable", "below")


def test_solutions_that_need_a_negative_bias_are_rejected():
    result = found("polynomial([3, 1, 0, -0.1])")  # the same, and C_b falls by 9 C_W
    ((K, C_W, C_b),) = result.rejected
    assert result.points == ()
    assert np.allclose((K, C_W, C_b), (10 / 3, 0.5, 20 / 9 - 4.5), rtol=1e-13)
    assert "sigma(0) = 3" in result.remarks[0]


def test_zeros_that_touch_or_nearly_touch():
    """c3 = -2/3, c5 = 1/35: h = 0 at (K - 1)^2 (3 K - 7) = 0; a change of c3 splits the double one."""
    zeros = [
        [p.K for p in criticality(activation(NEAR_DOUBLE.format(c3, 1 / 35))).points if p.K]
        for c3 in (-2 / 3 - 1e-8, -2 / 3, -2 / 3 + 1e-8)
    ]
    assert [len(z) for z in zeros] == [3, 2, 1]
    # (K - 1)^2 (3K - 7) = -7/4 d/dc3 [6 c3 + 18 c3^2 K + 390 c3 c5 K^2] delta at K = 1
    split = math.sqrt(7 / 4 * abs(6 - 24 + 390 / 35) * 1e-8 / 4)
    assert zeros[0][1] - zeros[0][0] == pytest.approx(2 * split, rel=1e-2)
    assert zeros[1][0] == pytest.approx(1, abs=1e-6)
    assert all(z[-1] == pytest.approx(7 / 3, rel=1e-6) for z in zeros)


def test_degenerate_point_away_from_zero():
    """c3 = 2/9, c5 = -1/45 solve h(1) = F''(1) = 0; F''' > 0 repels on both sides."""
    (point,) = [p for p in found(QUINTIC).points if p.kind == "K*>0 degenerate"]
    assert point.K == pytest.approx(1, rel=1e-13)
    assert point.bias_variance == pytest.approx(4 / 35, rel=1e-12)
    assert point.kernel.power == 3 and point.kernel.coefficient == pytest.approx(2 / 7, rel=1e-11)
    assert point.attracts == "nothing"


# --- activations without a critical point ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("softplus", ("sigma(0) = 0.693147 is not 0", "chi_parallel > chi_perp at every K")),
        ("sigmoid", ("sigma(0) = 0.5 is not 0", "chi_parallel < chi_perp at every K")),
        ("polynomial([0, 0, 1])", ("sigma'(0) = 0", "chi_parallel > chi_perp at every K")),
        ("|x|^1.5", ("no Taylor series", "chi_parallel > chi_perp at every K")),
        ("sign", ("jumps",)),
        ("step", ("jumps",)),
        ("constant", ("constant",)),
        ("affine", ("all of them with C_b < 0",)),
    ],
)
def test_none_and_why(name, words):
    result = found(name)
    assert result.points == ()
    for word in words:
        assert any(word in remark for remark in result.remarks)


def test_what_overflows_or_oscillates_narrows_the_search():
    assert found("sinh").scanned[1] < 100 and found("sin").scanned[1] < 1e6
    assert found("sinh").points[0].kind == "K*=0 unstable"
    assert found("tanh").scanned == pytest.approx((1e-8, 1e8))
