"""Critical points: all of them, their class, their laws, against oracles, mpmath and iteration."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import mpmath
import numpy as np
import pytest

from netsim.gaussian.one_field import expectation
from netsim.networks.activation import Activation
from netsim.networks.activations import activation
from netsim.networks.critical import critical_couplings
from netsim.networks.network import network
from netsim.theory.criticality import solve as solver
from netsim.theory.criticality.equation import averages
from netsim.theory.criticality.fixed import fixed_points
from netsim.theory.criticality.origin import origin
from netsim.theory.criticality.slope import SLOPE_ERROR, with_slope
from netsim.theory.criticality.solve import Criticality, criticality
from netsim.theory.leading_order import leading

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
(CONSTANTS,) = [e for e in ORACLES if e["kind"] == "critical_constants"]


def _elu(x, xp):
    return xp.where(x > 0, x, xp.exp(xp.where(x > 0, 0 * x, x)) - 1)


OWN = {
    "relu+x^3": Activation(
        "relu+x^3", (lambda x, xp: xp.where(x > 0, x, 0 * x) + x**3,), growth=3.0, kinks=(0.0,)
    ),
    "relu(tanh)": Activation(
        "relu(tanh)", (lambda x, xp: xp.where(x > 0, xp.tanh(x), 0 * x),), kinks=(0.0,)
    ),
    "elu": Activation("elu", (_elu,), kinks=(0.0,)),
    "hardtanh": Activation(
        "hardtanh",
        (lambda x, xp: xp.where(x > 1, 1 + 0 * x, xp.where(x < -1, 0 * x - 1, x)),),
        kinks=(-1.0, 1.0),
    ),
    "mish": Activation("mish", (lambda x, xp: x * xp.tanh(xp.logaddexp(x, 0 * x)),)),
    "sigmoid": Activation("sigmoid", (lambda x, xp: xp.expit(x),)),
    "sign": Activation("sign", (lambda x, xp: xp.where(x > 0, 1 + 0 * x, 0 * x - 1),)),
    "step": Activation("step", (lambda x, xp: xp.where(x > 0.5, 1 + x, x),), kinks=(0.5,)),
    "affine": Activation("affine", (lambda x, xp: 1 + x,)),
    "constant": Activation("constant", (lambda x, xp: 1 + 0 * x,)),
    "sinh": Activation("sinh", (lambda x, xp: (xp.exp(x) - xp.exp(-x)) / 2,)),
    "|x|^1.5": Activation(
        "|x|^1.5", (lambda x, xp: xp.where(x > 0, 1, -1) * xp.abs(x) ** 1.5,), kinks=(0.0,)
    ),
}
QUINTIC = f"polynomial([0, 1, 0, {2 / 9!r}, 0, {-1 / 45!r}])"  # F''(1) = 0, too, exactly
NEAR_DOUBLE = "polynomial([0, 1, 0, {!r}, 0, {!r}])"


def sigma_of(name: str) -> Activation:
    return OWN[name] if name in OWN else activation(name)


@cache
def found(name: str) -> Criticality:
    return criticality(sigma_of(name))


def positive(name: str):
    (point,) = [p for p in found(name).points if p.K]
    return point


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


# --- the expansion at 0 -----------------------------------------------------------------------------


def derivatives(name: str) -> list[float]:
    """sigma^(k)(0), k = 0..5, exact."""
    c = 2 / math.sqrt(math.pi)
    phi = 1 / math.sqrt(2 * math.pi)
    return {
        "tanh": [0, 1, 0, -2, 0, 16],
        "erf": [0, c, 0, -2 * c, 0, 12 * c],
        "sin": [0, 1, 0, -1, 0, 1],
        "gelu": [0, 0.5, 2 * phi, 0, -4 * phi, 0],
        "swish": [0, 0.5, 0.5, 0, -0.5, 0],
        "polynomial([0, 2, 1, -0.5, 0.3, 0.1])": [0, 2, 2, -3, 7.2, 12],
    }[name]


@pytest.mark.parametrize(
    "name", ["tanh", "erf", "sin", "gelu", "swish", "polynomial([0, 2, 1, -0.5, 0.3, 0.1])"]
)
def test_first_coefficients(name):
    t = derivatives(name)
    s2, s3, s4, s5 = (t[k] / t[1] for k in range(2, 6))
    expansion = origin(sigma_of(name))
    kernel = {term.power: term.coefficient for term in expansion.kernel}
    perp = {term.power: term.coefficient for term in expansion.perp}
    assert expansion.weight_variance == pytest.approx(1 / t[1] ** 2, rel=1e-14)
    assert kernel[2] == pytest.approx(s3 + 0.75 * s2**2, rel=1e-13)
    assert kernel[3] == pytest.approx(s5 / 4 + 5 / 8 * s2 * s4 + 5 / 12 * s3**2, rel=1e-13)
    assert perp[1] == pytest.approx(s3 + s2**2, rel=1e-13)
    assert perp[2] == pytest.approx(s5 / 4 + s2 * s4 + 0.75 * s3**2, rel=1e-13)
    assert set(kernel) <= {2, 3, 4, 5} and set(perp) <= {1, 2, 3, 4}


G1 = math.sqrt(2 / math.pi)  # E|g|; E|g|^3 = 2 E|g|


@pytest.mark.parametrize(
    ("name", "kind", "attracts", "a", "power", "b", "b_power", "v"),
    [
        ("tanh", "K*=0 stable", "above", -2, 2, -2, 1, 2),
        ("sin", "K*=0 stable", "above", -1, 2, -1, 1, 2),
        ("gelu", "K*=0 unstable", "nothing", 6 / math.pi, 2, 8 / math.pi, 1, 2),
        ("polynomial([0, 1, 0, 1])", "K*=0 unstable", "nothing", 6, 2, 6, 1, 2),
        ("polynomial([0, 1, 0, -0.1])", "K*=0 stable", "above", -0.6, 2, -0.6, 1, 2),
        # a_1 = s3 + 3/4 s2^2 = 0 exactly, with s2 != 0 and without
        ("polynomial([0, 1, 2, -2])", "K*=0 degenerate", "nothing", 60, 3, 4, 1, 2),
        ("polynomial([0, 1, 0, 0, 0, -0.1])", "K*=0 degenerate", "above", -3, 3, -3, 2, 2),
        ("relu+x^3", "K*=0 unstable", "nothing", 6, 2, 6, 1, 5),
        ("relu(tanh)", "K*=0 stable", "above", -2, 2, -2, 1, 5),
        ("elu", "K*=0 stable", "above", -G1, 1.5, -G1, 0.5, 2),
    ],
)
def test_class_at_zero(name, kind, attracts, a, power, b, b_power, v):
    point = next(p for p in found(name).points if p.K == 0)
    assert (point.kind, point.attracts) == (kind, attracts)
    assert (point.kernel.power, point.perp.power) == (power, b_power)
    assert point.kernel.coefficient == pytest.approx(a, rel=1e-12)
    assert point.perp.coefficient == pytest.approx(b, rel=1e-12)
    assert point.noise == pytest.approx(v, rel=1e-13)
    assert point.bias_variance == 0


def test_flat_to_every_order():
    (point,) = found("hardtanh").points
    assert (point.kind, point.attracts) == ("K*=0 degenerate", "above")
    assert point.kernel is None and point.perp is None


def test_every_function_of_xp_works_in_high_precision():
    """The namespace in which sigma is expanded has all that NumPy's has."""
    seen: list[set[str]] = []

    def spy(x, xp):
        seen.append(set(vars(xp)))
        return xp.tanh(x)

    sigma = Activation("spy", (spy,))
    sigma.numpy(np.zeros(1))
    origin(sigma)
    assert seen[0] <= seen[1]
    plain = Activation("plain", (lambda x, xp: np.tanh(x),))
    with pytest.raises(ValueError, match="functions of its argument xp"):
        origin(plain)


# --- stability, by iteration ---------------------------------------------------------------------


def iterated(sigma: Activation, C_W: float, C_b: float, K: float, layers: int) -> float:
    """K after some layers."""
    for _ in range(layers):
        K = C_b + C_W * float(expectation(lambda z: sigma.numpy(z) ** 2, K, sigma=sigma)[0])
    return K


FLOWS = [
    "tanh", "gelu", "swish", "elu", "relu(tanh)", "relu+x^3", "polynomial([0, 1, 0, -0.1])",
    "polynomial([0, 1, 2, -2])", "polynomial([0, 1, 0, 0, 0, -0.1])", "hardtanh", QUINTIC,
]  # fmt: skip


@pytest.mark.parametrize("name", FLOWS)
def test_the_kernel_map_moves_as_the_class_says(name):
    sigma = sigma_of(name)
    for point in found(name).points:
        C_W, C_b, K = point.weight_variance, point.bias_variance, point.K
        width = 0.01 * K if K else 0.02 if name != "hardtanh" else 0.2
        toward = {"above": (1,), "below": (-1,), "both sides": (1, -1), "nothing": ()}
        for side in (1, -1) if K else (1,):
            start = K + side * width
            end = iterated(sigma, C_W, C_b, start, 4)
            assert (abs(end - K) < abs(start - K)) == (side in toward[point.attracts])


@pytest.mark.parametrize("name", ["gelu", "polynomial([0, 1, 0, -0.1])", "elu", QUINTIC])
def test_the_first_term_is_that_of_the_map(name):
    sigma = sigma_of(name)
    for point in found(name).points:
        term, K = point.kernel, point.K
        delta = 1e-3 * K if K else 1e-4
        moved = [
            iterated(sigma, point.weight_variance, point.bias_variance, K + d, 1) - (K + d)
            for d in (delta, 2 * delta)
        ]
        # Richardson: the next term is of relative order delta (sqrt(delta) for elu)
        step = 0.5 if term.power == 1.5 else 1
        first, second = (m / d**term.power for m, d in zip(moved, (delta, 2 * delta), strict=True))
        value = (2**step * first - second) / (2**step - 1)
        assert value == pytest.approx(term.coefficient, rel=3e-4)


# --- fixed points ------------------------------------------------------------------------------------


def test_fixed_points_of_gelu_and_swish_at_criticality():
    for name, others in (("gelu", {0: "stable"}), ("swish", {1: "stable"})):
        point = positive(name)
        points = fixed_points(activation(name), point.weight_variance, point.bias_variance)
        assert len(points) == 2
        (index,) = others
        other, double = points[index], points[1 - index]
        assert abs(double.K - point.K) <= double.error + 1e-10
        assert double.stability == f"attracts from {point.attracts}"
        assert other.stability == "stable" and other.chi_parallel < 1
        again = iterated(activation(name), point.weight_variance, point.bias_variance, other.K, 1)
        assert again == pytest.approx(other.K, rel=1e-14)
    assert fixed_points(activation("gelu"), *CONSTANTS_OF_GELU)[0].K == pytest.approx(
        3.03498, abs=1e-5
    )


CONSTANTS_OF_GELU = (CONSTANTS["gelu"]["C_W"], CONSTANTS["gelu"]["C_b"])


@pytest.mark.parametrize(
    ("name", "C_W", "C_b", "expected"),
    [
        ("tanh", 0.9, 0.0, [(0.0, "stable")]),
        ("tanh", 1.0, 0.0, [(0.0, "stable")]),
        ("polynomial([0, 1, 0, -0.1])", 1.0, 0.0, [(0.0, "stable"), (4.0, "unstable")]),
        ("relu", 1.0, 0.3, [(0.6, "stable")]),
        ("relu", 2.0, 0.1, []),
        ("relu", 3.0, 0.0, [(0.0, "unstable")]),
        ("relu", 2.0, 0.0, [(None, "neutral")]),
        ("polynomial([0, 0, 1])", 1 / 3, 0.0, [(0.0, "stable"), (1.0, "unstable")]),
    ],
)
def test_fixed_points_in_closed_form(name, C_W, C_b, expected):
    points = fixed_points(activation(name), C_W, C_b)
    assert [p.stability for p in points] == [stability for _, stability in expected]
    for point, (K, _) in zip(points, expected, strict=True):
        assert point.K == K if not K else point.K == pytest.approx(K, rel=1e-13)


def test_fixed_points_of_tanh_off_criticality():
    zero, other = fixed_points(activation("tanh"), 1.5, 0.0)
    assert (zero.K, zero.stability, zero.chi_parallel) == (0.0, "unstable", 1.5)
    assert other.stability == "stable" and other.chi_parallel < 1 < other.chi_perp * 1.5
    assert iterated(activation("tanh"), 1.5, 0.0, 1.0, 200) == pytest.approx(other.K, rel=1e-12)
    with pytest.raises(ValueError, match="the first > 0"):
        fixed_points(activation("tanh"), 0.0, 0.1)


# --- numerical derivatives -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gelu", "tanh", "swish", "softplus", "relu"])
def test_slopes_of_functions_without_derivative(name):
    known = activation(name)
    bare = with_slope(replace(known, name="bare", functions=known.functions[:1]), 1e4)
    z = np.concatenate([np.linspace(-30, 30, 4001), np.geomspace(1, 1e4, 500), [-1e4, -5e3]])
    assert np.max(np.abs(bare.numpy(z, 1) - known.numpy(z, 1))) < SLOPE_ERROR
    assert with_slope(known, 1e4) is known
    with pytest.raises(ValueError, match="is known for"):
        bare.numpy(np.array([1.1e4]), 1)


def test_a_function_without_derivative_gives_the_same_point():
    known = activation("gelu")
    point = criticality(replace(known, name="bare", functions=known.functions[:1])).points[1]
    assert abs(point.K - CONSTANTS["gelu"]["K_star"]) < 1e-10 < point.errors[2] < 1e-7
    assert point.bias_variance == pytest.approx(CONSTANTS["gelu"]["C_b"], rel=1e-10)


def test_averages_are_consistent():
    """<sigma sigma' z>/K is the K-derivative of <sigma^2>, also across a kink that is not at 0."""
    sigma = with_slope(OWN["hardtanh"], 1e3)
    up, down = (averages(sigma, 0.7 * (1 + e)).square[0] for e in (1e-5, -1e-5))
    assert averages(sigma, 0.7).slope[0] == pytest.approx((up - down) / 1.4e-5, rel=1e-9)
    inside = math.erf(1 / math.sqrt(1.4))
    assert averages(sigma, 0.7).perp[0] == pytest.approx(inside, rel=1e-12)


def test_leading_order_knows_the_noise():
    """v is what one layer adds to kappa_4/kappa_2^2 at K*."""
    for name in ("gelu", "swish"):
        point = positive(name)
        C_W, C_b = point.weight_variance, point.bias_variance
        net = network(name, width=7, depth=1, weight_variance=C_W, bias_variance=C_b)
        result = leading(net, (point.K - C_b) / C_W)
        assert result.V[1] / result.K[1] ** 2 == pytest.approx(point.noise / 7, rel=1e-12)
