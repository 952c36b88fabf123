"""Critical points: their class and stability, by expansion and by iteration; fixed points."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from critical_points import (
    ORACLES,
    OWN,
    found,
    positive,
    sigma_of,
)
from netsim.gaussian.one_field import expectation
from netsim.networks.activation import Activation
from netsim.networks.activations import activation
from netsim.networks.network import network
from netsim.theory.criticality.equation import averages
from netsim.theory.criticality.fixed import fixed_points
from netsim.theory.criticality.origin import origin
from netsim.theory.criticality.slope import SLOPE_ERROR, with_slope
from netsim.theory.criticality.solve import criticality
from netsim.theory.leading_order import leading

(CONSTANTS,) = [e for e in ORACLES if e["kind"] == "critical_constants"]
QUINTIC = f"polynomial([0, 1, 0, {2 / 9!r}, 0, {-1 / 45!r}])"  # F''(1) = 0, too, exactly


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
