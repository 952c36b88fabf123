"""Expectations of several fields and their covariance derivatives."""

from __future__ import annotations

import itertools
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest

from helpers import HARD_TANH
from netsim.gaussian import products
from netsim.gaussian.derivative_terms import differentiated
from netsim.gaussian.hermite_fields import covariance_taylor, hermite_expectations
from netsim.gaussian.jets import derivatives, powers, smooth_order
from netsim.gaussian.slopes_pair import SlopesPair
from netsim.networks.activations import activation
from netsim.quantities import Slot

MP = {
    "tanh": mp.tanh,
    "erf": mp.erf,
    "sin": mp.sin,
    "gelu": lambda x: x * mp.ncdf(x),
    "swish": lambda x: x / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "polynomial([0.5, 1, -0.3, 0.2])": lambda x: mp.mpf("0.5") + x - 0.3 * x**2 + 0.2 * x**3,
}
A, B, C, D = (Slot(name) for name in "abcd")
AU, AV, AUV = Slot("a", ("u",)), Slot("a", ("v",)), Slot("a", ("u", "v"))
BV = Slot("b", ("v",))
# tanh and relu as a user may register them: no recurrence, no closed form
MY_TANH = replace(activation("tanh"), name="my_tanh", functions=activation("tanh").functions[:3])
MY_RELU = replace(activation("relu"), name="my_relu", slopes=None)
PAIR = np.array([[1.1, 0.3], [0.3, 0.7]])


@pytest.fixture(autouse=True)
def thirty_digits():
    with mp.workdps(30):
        yield


def covariance(count: int, seed: int, scale: float = 1.0, common: float = 0.0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((count, count + 2)) + common
    return scale * x @ x.T / (count + 2)


def entry(K, a, b, step):
    """K with its entries (a, b) and (b, a) moved."""
    moved = np.array(K, dtype=float)
    moved[a, b] += step
    moved[b, a] = moved[a, b]
    return moved


def stencil(f, step=2e-3):
    """Central difference of sixth order."""
    return (
        sum(c * (f(k * step) - f(-k * step)) for k, c in ((1, 0.75), (2, -0.15), (3, 1 / 60)))
        / step
    )


@pytest.mark.parametrize("name", MP)
def test_derivatives_of_activations(name):
    sigma = activation(name)
    x = np.array([-9.0, -2.3, -0.4, 0.0, 0.1, 0.9, 3.0])
    found = derivatives(sigma, x, 12)
    with mp.workdps(60):
        for k in range(13):
            true = np.array([float(mp.diff(MP[name], mp.mpf(v), k)) for v in x.tolist()])
            np.testing.assert_allclose(
                found[k], true, rtol=0, atol=1e-12 * (1e-30 + np.max(np.abs(true)))
            )
    assert smooth_order(sigma) >= 12


def test_derivatives_that_are_not_known_are_refused():
    assert smooth_order(MY_TANH) == 2 and smooth_order(activation("relu")) == -1
    with pytest.raises(ValueError, match="2 are known"):
        derivatives(MY_TANH, np.zeros(1), 3)


def test_powers_of_a_polynomial():
    sigma, x = activation("polynomial([1, 2, 3])"), np.linspace(-1, 1, 5)
    cube = powers(derivatives(sigma, x, 4), (4, 4, 3))[2]
    exact = np.polynomial.Polynomial([1, 2, 3]) ** 3
    for k in range(4):
        np.testing.assert_allclose(cube[k], exact.deriv(k)(x) if k else exact(x), rtol=1e-13)


def test_terms_of_a_derivative():
    """d/dz d/du of h_u^2 = (sigma'(z) u)^2: 4 sigma' sigma'' u."""
    found = differentiated((A, AU), (1, 1), (1, 1))
    assert found == (((((0, 1), (0, 2)), (1,)), 4),)


def closed_pair(name):
    """<sigma sigma>(K11, K12, K22) in mpmath."""
    return {
        "erf": lambda a, b, c: (2 / mp.pi) * mp.asin(2 * b / mp.sqrt((1 + 2 * a) * (1 + 2 * c))),
        "sin": lambda a, b, c: mp.exp(-(a + c) / 2) * mp.sinh(b),
        "relu": lambda a, b, c: (
            mp.sqrt(a * c - b * b) + b * (mp.pi - mp.acos(b / mp.sqrt(a * c)))
        ) / (2 * mp.pi),
    }[name]  # fmt: skip


@pytest.mark.parametrize(("name", "degree"), [("erf", 3), ("sin", 3), ("relu", 2)])
def test_all_derivatives_of_a_pair_against_its_closed_form(name, degree):
    found = covariance_taylor(activation(name), [A, B], PAIR, [(0, 1)], degree)
    f, point = closed_pair(name), (PAIR[0, 0], PAIR[0, 1], PAIR[1, 1])
    for monomial in found.monomials:
        orders = tuple(monomial.count(pair) for pair in ((0, 0), (0, 1), (1, 1)))
        with mp.workdps(50):
            true = float(mp.diff(f, point, orders)) if any(orders) else float(f(*point))
        assert found.derivative(*monomial)[0] == pytest.approx(true, abs=1e-12)
    assert np.max(found.error) < 1e-11


@pytest.mark.parametrize("correlation", [1 - 1e-4, 1 - 1e-8, 1 - 1e-12, -1 + 1e-10])
def test_relu_derivatives_keep_their_digits_near_parallel_inputs(correlation):
    K = np.array([[1.0, correlation], [correlation, 1.0]])
    found = covariance_taylor(activation("relu"), [A, B], K, [(0, 1)], 2)
    c = mp.mpf(correlation)
    theta, sine = mp.acos(c), mp.sqrt(1 - c * c)
    near = 1 / (2 * mp.pi * sine)
    # section 2 of the hierarchy's page: arc-cosine kernel and its derivatives at K11 = K22 = 1
    true = {
        ((0, 1),): (mp.pi - theta) / (2 * mp.pi),
        ((0, 0),): sine / (4 * mp.pi),
        ((0, 1), (0, 1)): near,
        ((0, 0), (0, 1)): -c * near / 2,
        ((0, 0), (0, 0)): (c * c * near - sine / (2 * mp.pi)) / 4,
        ((0, 0), (1, 1)): (c * c * near + sine / (2 * mp.pi)) / 4,
    }
    for monomial, value in true.items():
        assert found.derivative(*monomial)[0] == pytest.approx(float(value), rel=1e-12)


@pytest.mark.parametrize("gap", [1e-6, 1e-12, 0.0])
def test_smooth_derivatives_keep_their_digits_for_equal_inputs(gap):
    """At correlation 1 the derivatives are one-variable integrals of sigma^(i) sigma^(j)."""
    K = 0.8 * np.array([[1.0, 1 - gap], [1 - gap, 1.0]])
    found = covariance_taylor(activation("tanh"), [A, B], K, [(0, 1)], 2)
    jet = lambda x, k: (
        mp.tanh(x),
        1 - mp.tanh(x) ** 2,
        -2 * mp.tanh(x) * (1 - mp.tanh(x) ** 2),
        (1 - mp.tanh(x) ** 2) * (6 * mp.tanh(x) ** 2 - 2),
    )[k]
    mean = lambda i, j: mp.quad(
        lambda g: jet(mp.sqrt(0.8) * g, i) * jet(mp.sqrt(0.8) * g, j) * mp.npdf(g),
        range(-12, 13, 2),
    )
    for monomial, i, j in ((((0, 1),), 1, 1), (((0, 1), (0, 1)), 2, 2), (((0, 0), (1, 1)), 2, 2)):
        scale = 1.0 if (0, 0) not in monomial else 0.25
        true = scale * float(mean(i, j))
        assert found.derivative(*monomial)[0] == pytest.approx(true, abs=1e-11 + 3 * gap)
    if gap < 1e-6:
        assert np.max(found.error) < 1e-13


@pytest.mark.parametrize("sigma", [activation("tanh"), activation("gelu"), MY_TANH])
def test_derivative_fields_against_finite_differences(sigma):
    fields, K = (A, AU, B, BV), covariance(4, 3)
    legs = [(1, 3), (0, 1, 2, 3), (1, 1)]
    found = covariance_taylor(sigma, fields, K, legs, 1)
    for a, b in itertools.combinations_with_replacement(range(4), 2):
        true = stencil(
            lambda step, a=a, b=b: products(sigma, fields, entry(K, a, b, step), legs)[0]
        )
        np.testing.assert_allclose(found.derivative((a, b)), true, atol=2e-11)


def test_second_derivatives_against_differences_of_first_ones():
    fields, K = (A, AU, AV, AUV), covariance(4, 4)
    legs, pairs = [(3, 3), (1, 2)], [(0, 0), (0, 3), (1, 2), (2, 2)]
    sigma = activation("tanh")
    found = covariance_taylor(sigma, fields, K, legs, 2)
    for p, q in itertools.combinations_with_replacement(pairs, 2):
        first = lambda step, p=p, q=q: covariance_taylor(
            sigma, fields, entry(K, *q, step), legs, 1
        ).derivative(p)
        np.testing.assert_allclose(found.derivative(p, q), stencil(first), atol=2e-10)


def test_weights_agree_with_derivatives_for_smooth_fields():
    fields, K = (A, AU, B, BV), covariance(4, 5)
    legs = [(0, 1), (1, 1), (1, 3), (0, 2), (0, 1, 2, 3)]
    taylor = covariance_taylor(activation("tanh"), fields, K, legs, 2)
    weights = covariance_taylor(MY_TANH, fields, K, legs, 2)
    assert np.all(np.abs(taylor.value - weights.value) <= taylor.error + weights.error)
    assert np.max(taylor.error) < 1e-12 and np.max(weights.error) < 1e-12


@pytest.mark.parametrize("sigma", [MY_RELU, HARD_TANH])
def test_weights_with_kinks_in_the_plane(sigma):
    """Panels with weights, against closed forms or differences of undifferentiated products."""
    found = covariance_taylor(sigma, [A, B], PAIR, [(0, 1), (0, 0, 0, 1)], 2)
    for pair in ((0, 0), (0, 1), (1, 1)):
        f = lambda step, pair=pair: products(
            sigma, [A, B], entry(PAIR, *pair, step), [(0, 1), (0, 0, 0, 1)]
        )[0]
        np.testing.assert_allclose(found.derivative(pair), stencil(f, 4e-3), atol=3e-10)
    if sigma is MY_RELU:
        closed = covariance_taylor(activation("relu"), [A, B], PAIR, [(0, 1)], 2)
        np.testing.assert_allclose(found.value[0], closed.value[0], atol=1e-12)


def test_weights_with_kinks_and_derivative_fields():
    """Homogeneous fields of one input: <h_u h_v> = A2 K_uv, linear in K."""
    sigma, K = activation("leaky_relu(0.3)"), covariance(3, 6)
    found = covariance_taylor(sigma, [A, AU, AV], K, [(1, 2), (0, 1), (1, 1, 2, 2)], 2)
    A2, A4 = (1 + 0.09) / 2, (1 + 0.3**4) / 2
    np.testing.assert_allclose(found.value[:2, 0], [A2 * K[1, 2], A2 * K[0, 1]], rtol=1e-13)
    np.testing.assert_allclose(found.derivative((1, 2))[0], A2, rtol=1e-13)
    np.testing.assert_allclose(found.derivative((0, 1))[1], A2, rtol=1e-13)
    np.testing.assert_allclose(found.derivative((1, 1), (2, 2))[2], A4, rtol=1e-12)
    np.testing.assert_allclose(found.derivative((1, 2), (1, 2))[2], 4 * A4, rtol=1e-12)
    zero = [m for m in found.monomials if len(m) == 2]
    np.testing.assert_allclose([found.derivative(*m)[0] for m in zero], 0.0, atol=1e-12)


def test_weights_need_a_regular_covariance():
    K = np.array([[1.0, 1.0], [1.0, 1.0]])
    assert hermite_expectations(MY_RELU, [A, B], K, [((0, 1), (0, 0))])[0][0] == pytest.approx(0.5)
    with pytest.raises(ValueError, match="non-singular"):
        hermite_expectations(MY_RELU, [A, B], K, [((0, 1), (1, 1))])
    with pytest.raises(ValueError, match="parallel"):
        SlopesPair.of(activation("relu"), 1.0, 1.0, 1.0).derivative(2, 2)
    with pytest.raises(ValueError, match="neither 0"):
        SlopesPair.of(activation("relu"), 0.0, 0.0, 1.0).derivative(2, 0)
    assert SlopesPair.of(activation("relu"), 1.0, 0.0, 0.0).derivative(4, 0) == 0.0
    with pytest.raises(ValueError, match="not piecewise linear"):
        SlopesPair.of(activation("tanh"), 1.0, 0.0, 1.0)


def test_bad_requests_are_refused():
    sigma = activation("tanh")
    for request in (((), (0, 0)), ((0,), (0,)), ((0, 1), (-1, 1))):
        with pytest.raises(ValueError, match="at least one leg"):
            hermite_expectations(sigma, [A, B], PAIR, [request])
    with pytest.raises(ValueError, match="degree"):
        covariance_taylor(sigma, [A, B], PAIR, [(0, 1)], -1)
    with pytest.raises(ValueError, match="kinked"):
        hermite_expectations(MY_RELU, [A, B, C], covariance(3, 0), [((0, 1, 2), (0, 0, 0))])
