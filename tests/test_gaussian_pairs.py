"""Expectations over several fields against series, closed forms and slow twins."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest

from helpers import HARD_TANH
from netsim.gaussian import (
    expectation,
    pair_products,
    products,
)
from netsim.gaussian.covariance import determinant, factor
from netsim.gaussian.plane import integrate_plane
from netsim.networks.activations import activation
from netsim.quantities import Slot

A, B, C, D = (Slot(name) for name in "abcd")
AU, AV, AUV = Slot("a", ("u",)), Slot("a", ("v",)), Slot("a", ("u", "v"))
BU, BV = Slot("b", ("u",)), Slot("b", ("v",))


@pytest.fixture(autouse=True)
def thirty_digits():
    with mp.workdps(30):
        yield


def mehler(sigma, K11, K12, K22, order=60):
    """E s(z_1) s(z_2) = sum_k rho^k a_k b_k / k!, a_k = <s(z_1) He_k>: a slow twin."""
    total = 0.0
    rho = K12 / math.sqrt(K11 * K22)
    for k in range(order):
        he = [0] * k + [1]
        a, b = (
            expectation(
                lambda z, K=K, he=he: (
                    sigma.numpy(z) * np.polynomial.hermite_e.hermeval(z / math.sqrt(K), he)
                ),
                K,
                sigma=sigma,
            )[0]
            for K in (K11, K22)
        )
        total += rho**k * a * b / math.factorial(k)
    return total


@pytest.mark.parametrize("name", ["tanh", "gelu", "erf", "sin", "swish", "leaky_relu(0.2)", "hard"])
def test_pairs_agree_with_mehler_series(name):
    sigma = HARD_TANH if name == "hard" else activation(name)
    K11, K12, K22 = 1.3, 0.4, 0.6
    value, error = pair_products(sigma, [A, B], np.array([[K11, K12], [K12, K22]]))
    assert value[0, 1] == pytest.approx(mehler(sigma, K11, K12, K22), rel=1e-12)
    assert np.all(error < 1e-13)


@pytest.mark.parametrize("name", ["erf", "sin"])
@pytest.mark.parametrize("rho", [-0.999999, 0.0, 0.5, 1 - 1e-10])
@pytest.mark.parametrize("K", [1e-6, 0.8, 9.0])
def test_closed_forms_equal_quadrature(name, rho, K):
    sigma = activation(name)
    covariance = K * np.array([[1.0, rho], [rho, 1.0]])
    closed, _ = pair_products(sigma, [A, B], covariance)
    value, error = pair_products(replace(sigma, name="by_quadrature"), [A, B], covariance)
    assert np.all(np.abs(closed - value) <= error + 1e-16 * K)
    assert np.all(error <= 1e-12 * K)


@pytest.mark.parametrize("gap", [0.0, 2.0**-50, 1e-13, 1e-10, 1e-6, 1e-2, 1.0, 2.0])
def test_relu_pairs_keep_their_digits_near_equal_inputs(gap):
    """Against the arc-cosine formula in 60 digits, for exactly the floats given."""
    relu = activation("relu")
    K11, K12, K22 = 1.25, 1.25 * (1 - gap), 1.25
    fields = [A, AU, B, BV]
    K = np.zeros((4, 4))
    K[np.ix_([0, 2], [0, 2])] = [[K11, K12], [K12, K22]]
    K[np.ix_([1, 3], [1, 3])] = [[2.0, 0.7], [0.7, 3.0]]
    value, error = pair_products(relu, fields, K)
    with mp.workdps(60):
        r = mp.mpf(K11)
        theta = mp.acos(mp.mpf(K12) / r)
        plain = r * (mp.sin(theta) + (mp.pi - theta) * mp.cos(theta)) / (2 * mp.pi)
        slopes = mp.mpf(0.7) * (mp.pi - theta) / (2 * mp.pi)
    assert abs(value[0, 2] - plain) <= error[0, 2] <= 1e-14
    assert abs(value[1, 3] - slopes) <= error[1, 3]
    assert error[1, 3] <= (1e-14 if gap in (0.0, 2.0) else 1e-15 / math.sqrt(max(gap, 1e-16)))


@pytest.mark.parametrize("name", ["relu", "slopes(1.3, -0.2)", "tanh", "gelu", "softplus"])
def test_fast_integrators_equal_nested_panels(name):
    """Sectors and trapezoid against the slow nested rule, derivative fields included."""
    from netsim.gaussian import many_fields

    sigma = activation(name)
    second = [] if sigma.slopes else [AUV]
    fields = [A, AU, AV, *second, B, BU]
    b = len(fields) - 2
    root = np.random.default_rng(5).normal(size=(len(fields), len(fields) + 1))
    K = root @ root.T / len(fields)
    legs = [(0, b), (1, b + 1), (1, 2, b, b + 1), (1, 1, b + 1, b + 1)]
    legs += [(3, b + 1), (3, 3, b, b)] if second else []
    value, error = products(sigma, fields, K, legs)
    square_root = factor(K[np.ix_([0, b], [0, b])])
    integrand = many_fields._integrand(sigma, fields, K, [0, b], square_root, legs)
    slow, slow_error = integrate_plane(integrand, square_root, sigma)
    assert np.all(np.abs(value - slow) <= error + slow_error)
    assert np.all(error + slow_error <= 1e-11 * (1 + np.abs(slow)))


def test_derivative_features_against_exact_averages_of_polynomials():
    """sigma = x^2: every feature is a polynomial, Wick's theorem gives all products."""
    sigma = activation("polynomial([0, 0, 1])")
    fields = [A, AU, AV, AUV]
    root = np.random.default_rng(3).normal(size=(4, 5))
    K = root @ root.T
    value, _ = pair_products(sigma, fields, K)
    z, u, v, w = range(4)

    def wick(*ys):
        if not ys:
            return 1.0
        rest = ys[1:]
        return sum(K[ys[0], rest[j]] * wick(*rest[:j], *rest[j + 1 :]) for j in range(len(rest)))

    second = [(2, (u, v)), (2, (z, w))]
    features = [[(1, (z, z))], [(2, (z, u))], [(2, (z, v))], second]
    for p, q in itertools.product(range(4), repeat=2):
        true = sum(c * d * wick(*x, *y) for c, x in features[p] for d, y in features[q])
        assert value[p, q] == pytest.approx(true, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", ["relu", "tanh", "swish", "sin", "softplus"])
def test_equal_inputs_are_bitwise_equal_and_opposite_ones_exact(name):
    sigma = activation(name)
    fields = [A, AU, B, BU, C]
    root = np.random.default_rng(1).normal(size=(3, 4))
    gram = root @ root.T
    where = [0, 1, 0, 1, 2]
    value, _ = pair_products(sigma, fields, gram[np.ix_(where, where)])
    for p, q in itertools.product(range(5), repeat=2):
        first = where.index(where[p]), where.index(where[q])
        assert value[p, q] == value[first]
    direct, error = products(sigma, fields, gram[np.ix_(where, where)], [(0, 0), (0, 2), (1, 3)])
    true = np.array([value[0, 0], value[0, 0], value[1, 1]])
    assert np.all(np.abs(direct - true) <= error)
    opposite, error = pair_products(sigma, [A, B], np.array([[0.9, -0.9], [-0.9, 0.9]]))
    true, _ = expectation(lambda z: sigma.numpy(z) * sigma.numpy(-z), 0.9, sigma=sigma)
    assert abs(opposite[0, 1] - true) <= error[0, 1] + 1e-16


@pytest.mark.parametrize("name", ["relu", "tanh", "softplus"])
def test_zero_input(name):
    sigma = activation(name)
    K = np.diag([0.0, 2.0, 1.0])
    value, _ = pair_products(sigma, [A, AU, B], K)
    at = [float(sigma.numpy(np.zeros(1), k)[0]) for k in (0, 1)]
    mean = expectation(sigma.numpy, 1.0, sigma=sigma)[0]
    assert value[0, 0] == pytest.approx(at[0] ** 2, rel=1e-14)
    assert value[1, 1] == pytest.approx(2 * at[1] ** 2, rel=1e-14)
    assert value[0, 2] == pytest.approx(at[0] * mean, rel=1e-13, abs=1e-300)


def test_steep_pairs_reach_the_sign_function():
    """tanh at K = 1e8 is sign(z) but for 1e-4: E sign sign = (2/pi) arcsin rho."""
    value, error = pair_products(activation("tanh"), [A, B], 1e8 * np.array([[1, 0.5], [0.5, 1]]))
    assert value[0, 1] == pytest.approx((2 / math.pi) * math.asin(0.5), abs=1e-3)
    assert error[0, 1] < 1e-12
    near, _ = pair_products(activation("tanh"), [A, B], 1e4 * np.array([[1, 0.5], [0.5, 1]]))
    # the rest falls like 1/K: 10^4 between the two
    limit = (2 / math.pi) * math.asin(0.5)
    assert (near[0, 1] - limit) / (value[0, 1] - limit) == pytest.approx(1e4, rel=0.05)


def test_four_inputs_of_sine():
    """sin a sin b sin c sin d = (1/16) sum_s (prod s) cos(s.z), <cos(s.z)> = exp(-s K s/2)."""
    sigma = activation("sin")
    root = np.random.default_rng(2).normal(size=(4, 5))
    K = root @ root.T / 8
    legs = [(0, 1, 2, 3), (0, 0, 1, 2), (0, 0, 1, 1)]
    value, error = products(sigma, [A, B, C, D], K, legs)
    for leg, v, e in zip(legs, value, error, strict=True):
        pick = K[np.ix_(leg, leg)]
        signs = [np.array(s) for s in itertools.product((-1, 1), repeat=4)]
        true = sum(np.prod(s) * math.exp(-s @ pick @ s / 2) for s in signs) / 16
        assert abs(v - true) <= e < 1e-8
    assert error[1] < 1e-11 and error[2] < 1e-13


def test_bad_covariances_and_fields_are_refused():
    tanh, relu = activation("tanh"), activation("relu")
    with pytest.raises(ValueError, match="semidefinite"):
        pair_products(tanh, [A, B], np.array([[1.0, 1.1], [1.1, 1.0]]))
    with pytest.raises(ValueError, match="semidefinite"):
        determinant(1.0, 1.001, 1.0)
    with pytest.raises(ValueError, match="symmetric"):
        pair_products(tanh, [A, B], np.array([[1.0, 0.1], [0.2, 1.0]]))
    with pytest.raises(ValueError, match="closure"):
        pair_products(tanh, [A, AUV], np.eye(2))
    with pytest.raises(ValueError, match="derivative of order 2"):
        pair_products(relu, [A, AU, AV, AUV], np.eye(4))
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        pair_products(tanh, [A, B], np.eye(3))
    with pytest.raises(ValueError, match="up to 2 inputs"):
        products(relu, [A, B, C], np.eye(3), [(0, 1, 2, 2)])


def test_factor_reproduces_singular_matrices():
    root = np.random.default_rng(4).normal(size=(4, 2))
    K = root @ root.T
    L = factor(K)
    assert L.shape == (4, 2)
    np.testing.assert_allclose(L @ L.T, K, atol=1e-14)
    assert factor(np.zeros((2, 2))).shape == (2, 0)
