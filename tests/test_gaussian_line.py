"""Expectations under one variance, and of one neuron, against mpmath and closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest

from helpers import HARD_TANH
from netsim.gaussian import (
    derivative,
    expectation,
    neuron_cumulants,
    neuron_moments,
)
from netsim.networks.activations import activation

MP = {
    "tanh": mp.tanh,
    "swish": lambda x: x / (1 + mp.exp(-x)),
    "gelu": lambda x: x * mp.ncdf(x),
    "erf": mp.erf,
    "softplus": lambda x: mp.log1p(mp.exp(x)),
}


def mp_expectation(f, K):
    """E f(z), z ~ N(0, K), in 30 digits; panels on the scale of f and of the density."""
    s = mp.sqrt(mp.mpf(K))
    near = [sign * mp.mpf(2) ** j / s for j in range(-1, 8) for sign in (1, -1)]
    points = sorted({p for p in near if abs(p) < 20} | {mp.mpf(p) for p in range(-20, 21, 2)})
    return mp.quad(lambda g: f(s * g) * mp.npdf(g), points)


@pytest.fixture(autouse=True)
def thirty_digits():
    with mp.workdps(30):
        yield


@pytest.mark.parametrize("K", [1e-30, 1e-6, 1.0, 30.0, 1e4, 1e10])
@pytest.mark.parametrize("name", MP)
def test_expectation_agrees_with_mpmath_from_tiny_to_huge_variance(name, K):
    sigma = activation(name)
    value, error = expectation(lambda z: sigma.numpy(z) ** 2, K, sigma=sigma)
    unit = min(1.0, K)  # mpmath's quadrature has an absolute tolerance
    true = unit * mp_expectation(lambda x: MP[name](x) ** 2 / unit, K)
    assert abs(value - true) <= error
    assert error < 1e-13 * true


@pytest.mark.parametrize("K", [1e-30, 0.3, 1e10])
def test_expectation_splits_at_kinks(K):
    sigma = HARD_TANH
    value, error = expectation(lambda z: sigma.numpy(z) ** 2, K, sigma=sigma)
    c = 1 / mp.sqrt(mp.mpf(K))  # <min(z^2,1)> = K (erf - 2 c phi) + erfc
    if K < 1e-20:
        true = mp.mpf(K)
    else:
        true = K * (mp.erf(c / mp.sqrt(2)) - 2 * c * mp.npdf(c)) + mp.erfc(c / mp.sqrt(2))
    assert abs(value - true) <= error < 1e-13 * true


def test_error_bounds_what_is_not_resolved():
    """10^6 oscillations: the error says that panels ran out. A jump no edge marks: found."""
    value, error = expectation(lambda z: np.sin(z) ** 2, 1e12)
    assert abs(value - 0.5) <= error
    value, error = expectation(lambda z: (np.abs(z - 0.1234567) < 0.2).astype(float), 1.0)
    true = mp.ncdf(mp.mpf("0.3234567")) - mp.ncdf(mp.mpf("-0.0765433"))
    assert abs(value - true) <= error < 1e-12


def test_expectation_of_several_functions_and_at_zero():
    value, error = expectation(lambda z: np.stack([np.cos(z), z**4]), 2.0)
    np.testing.assert_allclose(value, [math.exp(-1), 12.0], rtol=1e-14)
    assert np.all(error < 1e-12)
    assert expectation(lambda z: np.cos(z) + z, 0.0)[0] == 1.0


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("K", [1e-3, 0.7, 50.0])
def test_derivative_of_cosine(K, order):
    """<cos z> = exp(-K/2)."""
    value, error = derivative(np.cos, K, order)
    true = (-0.5) ** order * math.exp(-K / 2)
    assert abs(value - true) <= error + 1e-16
    if K > 0.1:
        assert error < 1e-12


def test_derivative_of_kinked_square_is_exact():
    relu = activation("relu")
    assert derivative(lambda z: relu.numpy(z) ** 2, 3.0, 1, sigma=relu)[0] == pytest.approx(
        0.5, rel=1e-14
    )


def test_bad_variances_are_refused():
    for K in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="variance"):
            expectation(np.cos, K)
    with pytest.raises(ValueError, match="K > 0"):
        derivative(np.cos, 0.0, 1)
    with pytest.raises(ValueError, match="not finite"):
        expectation(lambda z: np.where(np.abs(z) > 30, np.nan, z), 100.0)


# --- one neuron ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "K"), [("tanh", 0.02), ("softplus", 0.4)])
def test_cumulants_and_derivatives_agree_with_mpmath(name, K):
    sigma = activation(name)
    value, error = neuron_cumulants(sigma, K, 2)

    def cumulants(k):
        m = [mp_expectation(lambda x, j=j: MP[name](x) ** (2 * j), k) for j in range(1, 5)]
        c2, c3 = m[1] - m[0] ** 2, m[2] - 3 * m[1] * m[0] + 2 * m[0] ** 3
        c4 = m[3] - 4 * m[2] * m[0] - 3 * m[1] ** 2 + 12 * m[1] * m[0] ** 2 - 6 * m[0] ** 4
        return mp.matrix([m[0], c2, c3, c4])

    h = mp.mpf(K) / 10**4
    at = {k: cumulants(mp.mpf(K) + k * h) for k in (-2, -1, 0, 1, 2)}
    first = (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * h)
    second = (-at[-2] + 16 * at[-1] - 30 * at[0] + 16 * at[1] - at[2]) / (12 * h**2)
    for q, true in enumerate((at[0], first, second)):
        for k in range(4):
            # the finite differences of the twin are good to about 1e-13 of the natural size
            slack = 1e-12 * abs(true[k])
            assert abs(value[q, k] - true[k]) <= error[q, k] + slack
            assert error[q, k] <= 1e-9 * abs(true[k])


@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.1)", "linear", "slopes(1.5, -0.3)"])
def test_slopes_moments_and_cumulants_equal_quadrature(name):
    sigma = activation(name)
    smooth = replace(sigma, name="same_by_quadrature", slopes=None)
    for function, arguments in ((neuron_moments, (4, 3)), (neuron_cumulants, (3,))):
        exact, _ = function(sigma, 0.7, *arguments)
        value, error = function(smooth, 0.7, *arguments)
        assert np.all(np.abs(value - exact) <= error)
        assert np.all(error <= 1e-11 * (1 + np.abs(exact)))


def test_small_cumulants_keep_their_digits():
    """tanh at K = 1e8: sigma^2 is 1 but for 1e-4 of the neurons; raw moments would lose them."""
    sigma = activation("tanh")
    value, _ = neuron_cumulants(sigma, 1e8)
    gap = [mp_expectation(lambda x, j=j: mp.sech(x) ** (2 * j), 1e8) for j in (1, 2)]
    assert value[0, 1] == pytest.approx(float(gap[1] - gap[0] ** 2), rel=1e-10)
