"""Products over up to 16 plain inputs: exponentials, Wick, octants, general rules."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from netsim.gaussian.field_expectations import field_expectations
from netsim.gaussian.hermite_fields import hermite_expectations, order_of
from netsim.gaussian.plain.plan import plan_plain
from netsim.gaussian.plain.slopes import plain_slopes
from netsim.gaussian.plain.smooth import plain_smooth
from netsim.networks.activations import activation
from netsim.quantities import Slot

A, B, C, D = (Slot(name) for name in "abcd")
PAIR = np.array([[1.1, 0.3], [0.3, 0.7]])


def covariance(count: int, seed: int, scale: float = 1.0, common: float = 0.0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((count, count + 2)) + common
    return scale * x @ x.T / (count + 2)


def wick(K, powers):
    """E prod y_i^{p_i}, any entries: Isserlis."""
    first = next((i for i, p in enumerate(powers) if p), None)
    if first is None:
        return 1
    rest = [p - (i == first) for i, p in enumerate(powers)]
    total = 0
    for j, p in enumerate(rest):
        if p:
            total += p * K[first][j] * wick(K, [q - (i == j) for i, q in enumerate(rest)])
    return total


def test_polynomial_against_wick():
    """<d^gamma p(y_a) p(y_b) p(y_c)^2> by differentiating the polynomials themselves."""
    K, one = covariance(3, 0), np.polynomial.Polynomial([0.5, 1.0, -0.3])
    orders = [(0, 0, 0), (1, 1, 0), (0, 0, 2), (1, 0, 3), (2, 1, 1), (0, 0, 4), (2, 2, 2)]
    requests = [((0, 1, 2, 2), order) for order in orders]
    sigma = activation("polynomial([0.5, 1.0, -0.3])")
    value, error = hermite_expectations(sigma, [A, B, C], K, requests)
    fast = field_expectations(sigma, (A, B, C), K, tuple(requests), False)
    for number, order in enumerate(orders):
        factors = [f.deriv(k).coef for f, k in zip((one, one, one**2), order, strict=True)]
        true = sum(
            math.prod(c[i] for c, i in zip(factors, p, strict=True)) * wick(K, list(p))
            for p in itertools.product(*(range(len(c)) for c in factors))
        )
        assert abs(value[number] - true) <= error[number] + 1e-12
        assert fast[number] == pytest.approx(true, abs=1e-12)


def sines(K, legs, orders):
    """<d^order prod sin(y)>: sin^(k)(y) = Im i^k e^{iy}, products of four by exponentials."""
    total = 0.0
    for signs in itertools.product((1, -1), repeat=len(legs)):
        t = np.zeros(len(K))
        for leg, sign in zip(legs, signs, strict=True):
            t[leg] += sign
        phase = np.prod([complex(0, v) ** k for v, k in zip(t, orders, strict=True)])
        weight = math.prod(signs) / 2j ** len(legs)
        total += (weight * phase * math.exp(-0.5 * t @ K @ t)).real
    return total


@pytest.mark.parametrize("common", [0.0, 0.6, 30.0])
def test_four_inputs_against_exponentials(common):
    """Products over 2, 3, 4 inputs; common = 30: correlations of 0.999."""
    K = covariance(4, 7, common=common) / (1 + common**2)
    legs = [(0, 1, 2, 3), (0, 0, 1, 2), (0, 0, 0, 1, 2, 3), (2, 3), (1, 1, 3, 3), (2, 2)]
    orders = [o for o in itertools.product(range(3), repeat=4) if sum(o) in (0, 2, 4)]
    requests = [(leg, o) for leg in legs for o in orders if all(i in leg for i in range(4) if o[i])]
    plan = plan_plain(tuple(requests))
    fine, bound = plain_smooth(activation("sin"), K, plan, False)
    coarse, _ = plain_smooth(activation("sin"), K, plan, True)
    true = np.array([sines(K, *request) for request in requests])
    np.testing.assert_allclose(fine, true, rtol=0, atol=1e-12)
    assert np.all(np.abs(fine - true) <= bound + np.abs(fine - coarse) + 1e-13)


def test_general_rule_for_three_inputs():
    K = covariance(3, 8)
    requests = [((0, 0, 1, 2), o) for o in ((0, 0, 0), (2, 1, 1), (1, 1, 0))]
    value, error = hermite_expectations(activation("sin"), [A, B, C], K, requests)
    true = [sines(K, *request) for request in requests]
    assert np.all(np.abs(value - true) <= error + 1e-13) and np.max(error) < 1e-9


@pytest.mark.parametrize("name", ["tanh", "gelu", "swish", "softplus", "erf"])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 9.0])
def test_fast_products_agree_with_the_general_ones(name, scale):
    sigma, K = activation(name), scale * PAIR
    pairs = [(0, 0), (0, 1), (1, 1)]
    monomials = [m for k in range(3) for m in itertools.combinations_with_replacement(pairs, k)]
    requests = [((0, 1), order_of(2, m)[0]) for m in monomials]
    requests += [(leg, (0, 0)) for leg in ((0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 1))]
    plan = plan_plain(tuple(requests))
    fast, _ = plain_smooth(sigma, K, plan, False)
    other, _ = plain_smooth(sigma, K, plan, True)
    value, error = hermite_expectations(sigma, [A, B], K, requests)
    assert np.all(np.abs(fast - value) <= error + np.abs(fast - other) + 1e-14 * np.abs(value))
    assert np.max(np.abs(fast - value) / np.max(np.abs(value))) < 1e-12


def octants(K, powers):
    """<prod relu(y_i)^{p_i}>: y_0 averaged given the others, which run over positive values."""
    others = K[1:, 1:]
    slope = np.linalg.solve(others, K[0, 1:])
    v = K[0, 0] - K[0, 1:] @ slope
    x, w = np.polynomial.legendre.leggauss(48)
    edges = np.sqrt(np.diagonal(others)) * 9
    axes = [e / 2 * (x + 1) for e in edges]
    y = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(len(edges), -1)
    weight = np.prod(np.stack(np.meshgrid(*[e / 2 * w for e in edges], indexing="ij")), axis=0)
    density = np.exp(-0.5 * np.sum(y * np.linalg.solve(others, y), axis=0))
    density /= math.sqrt((2 * math.pi) ** len(edges) * np.linalg.det(others))
    from scipy.special import ndtr

    m, s = slope @ y, math.sqrt(v)
    phi = np.exp(-0.5 * (m / s) ** 2) / math.sqrt(2 * math.pi)
    first = {1: m * ndtr(m / s) + s * phi, 2: (m * m + v) * ndtr(m / s) + m * s * phi}[powers[0]]
    return np.sum(first * np.prod(y.T ** powers[1:], axis=1) * density * weight.ravel())


@pytest.mark.parametrize(("common", "quadrature"), [(0.0, 1e-10), (1.5, 2e-8)])
def test_relu_of_three_and_four_inputs(common, quadrature):
    K = covariance(4, 9, common=common)
    requests = (((0, 0, 1, 2), (0,) * 4), ((0, 1, 2, 3), (0,) * 4), ((1, 1, 2, 3), (0,) * 4))
    value, bound = plain_slopes(activation("relu"), K, plan_plain(requests))
    three = octants(K[:3, :3], [2, 1, 1])
    last = octants(K[1:, 1:], [2, 1, 1])
    four = octants(K, [1, 1, 1, 1])
    true = np.array([three, four, last])
    scale = np.prod(np.sqrt(np.diagonal(K)))
    assert np.all(np.abs(value - true) <= bound + quadrature * scale)
    assert np.max(bound) < 1e-6 * scale


def test_linear_slopes_of_four_inputs_are_wick():
    K = covariance(4, 10)
    legs = [(0, 1, 2, 3), (0, 0, 1, 2), (3, 3, 1, 2)]
    requests = tuple((leg, (0,) * 4) for leg in legs)
    sigma = replace(activation("linear"), name="bent", kinks=(0.0,), slopes=(1.0, 1.0))
    value, bound = plain_slopes(sigma, K, plan_plain(requests))
    true = [wick(K, [leg.count(i) for i in range(4)]) for leg in legs]
    np.testing.assert_allclose(value, true, rtol=1e-12, atol=1e-13)
    assert np.max(bound) < 1e-12
