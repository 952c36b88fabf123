"""Kernels at infinite width, susceptibilities and critical couplings."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from netsim.networks.activations import activation
from netsim.networks.critical import critical_couplings
from netsim.networks.network import network
from netsim.quantities import Slot
from netsim.theory.infinite_width import kernels
from netsim.theory.susceptibility import chi_parallel, chi_perp, solve_critical

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
A, AU, AV, B, BV = (
    Slot("a"),
    Slot("a", ("u",)),
    Slot("a", ("v",)),
    Slot("b"),
    Slot("b", ("v",)),
)
AUU = Slot("a", ("u", "u"))


def oracles(kind):
    chosen = [e for e in ORACLES if e["kind"] == kind]
    return pytest.mark.parametrize("entry", chosen, ids=[e["id"] for e in chosen])


def net(entry):
    name = entry["activation"].replace("leaky0.1", "leaky_relu(0.1)")
    return network(
        name,
        width=3,
        depth=entry["L"],
        weight_variance=entry["C_W"],
        bias_variance=entry["C_b"],
    )


@oracles("single_input_series")
def test_single_input_oracles(entry):
    result = kernels(net(entry), [[entry["x2"]]], [A])
    true = np.array(entry["K_inf_all_layers"])
    np.testing.assert_allclose(result.values[:, 0, 0], true, rtol=1e-14)
    assert np.all(result.error[:, 0, 0] < 1e-12 * true)


@oracles("pair_leading_order")
def test_pair_oracles(entry):
    fields = [A, AU] if "D_v" in entry["fields"] else [A, B]
    result = kernels(net(entry), entry["gram_over_n0"], fields)
    np.testing.assert_allclose(result.values, entry["K_inf_all_layers"], atol=1e-13)
    assert np.max(result.error) < 1e-13


@oracles("relu_pair_leading_order")
def test_relu_pair_oracle(entry):
    k11, k12, k22 = ((k - entry["C_b"]) / entry["C_W"] for k in entry["K_first_layer_11_12_22"])
    result = kernels(net(entry), [[k11, k12], [k12, k22]], [A, B])
    out = result.values[-1]
    np.testing.assert_allclose([out[0, 0], out[0, 1], out[1, 1]], entry["K_inf_out"], rtol=1e-14)


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "softplus"])
def test_layerwise_couplings_against_recursion_in_mpmath(name):
    """Single input, C_W and C_b of each layer apart: an index off by one would show."""
    C_W, C_b = (1.5, 0.7, 2.1, 1.1), (0.0, 0.3, 0.05, 0.2)
    n = network(name, width=3, depth=3, weight_variance=C_W, bias_variance=C_b)
    f = {
        "tanh": mp.tanh,
        "gelu": lambda x: x * mp.ncdf(x),
        "relu": lambda x: max(x, mp.mpf(0)),
        "softplus": lambda x: mp.log1p(mp.exp(x)),
    }[name]
    true = [mp.mpf(C_b[0]) + mp.mpf(C_W[0]) * mp.mpf(0.8)]
    with mp.workdps(20):
        for l in (1, 2, 3):
            s = mp.sqrt(true[-1])
            mean = mp.quad(
                lambda g, s=s: f(s * g) ** 2 * mp.npdf(g), [-12, -6, -3, -1, 0, 1, 3, 6, 12]
            )
            true.append(mp.mpf(C_b[l]) + mp.mpf(C_W[l]) * mean)
    result = kernels(n, [[0.8]], [A])
    for value, error, exact in zip(
        result.values[:, 0, 0], result.error[:, 0, 0], true, strict=True
    ):
        assert abs(value - exact) <= error < 1e-13


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "leaky_relu(0.3)"])
def test_derivative_kernels_are_derivatives_of_kernels(name):
    """K of (D_u z(x), D_v z(y)) = d/ds d/dt K(x + s u, y + t v): central differences."""
    n = network(name, width=2, depth=3, weight_variance=1.7, bias_variance=0.1)
    x, y, u, v = np.random.default_rng(8).normal(size=(4, 5)) / 2
    vectors = np.stack([x, u, y, v])
    result = kernels(n, vectors @ vectors.T, [A, AU, B, BV])
    h = 2e-3

    def out(s, t):
        pair = np.stack([x + s * u, y + t * v])
        return kernels(n, pair @ pair.T, [A, B]).values[-1, 0, 1]

    weights = {-2: 1 / 12, -1: -8 / 12, 1: 8 / 12, 2: -1 / 12}
    once = sum(w * out(k * h, 0.0) for k, w in weights.items()) / h
    twice = sum(w * z * out(k * h, j * h) for k, w in weights.items() for j, z in weights.items())
    assert result.values[-1, 1, 2] == pytest.approx(once, abs=1e-9)
    assert result.values[-1, 1, 3] == pytest.approx(twice / h**2, abs=1e-7)


def test_second_derivatives_are_derivatives_too():
    n = network("tanh", width=2, depth=3, weight_variance=1.7, bias_variance=0.1)
    x, u = np.random.default_rng(9).normal(size=(2, 5)) / 2
    vectors = np.stack([x, u, 0 * u])
    result = kernels(n, vectors @ vectors.T, [A, AU, AUU])
    h = 0.02

    def out(s):
        pair = np.stack([x, x + s * u])
        return kernels(n, pair @ pair.T, [A, B]).values[-1, 0, 1]

    weights = {-2: -1 / 12, -1: 16 / 12, 0: -30 / 12, 1: 16 / 12, 2: -1 / 12}
    second = sum(w * out(k * h) for k, w in weights.items()) / h**2
    assert result.values[-1, 0, 2] == pytest.approx(second, abs=1e-6)


@pytest.mark.parametrize("name", ["relu", "gelu", "tanh"])
def test_equal_and_zero_inputs_through_the_layers(name):
    n = network(name, width=2, depth=8, weight_variance=1.9, bias_variance=0.0)
    x, v = np.array([0.9, 0.3, 0.5]), np.array([0.3, 0.1, 1.0])
    vectors = np.stack([x, v, x, v, 0 * x])
    fields = [A, AV, B, BV, Slot("c")]
    values = kernels(n, vectors @ vectors.T, fields).values
    assert np.array_equal(values[:, :2, :2], values[:, 2:4, 2:4])
    assert np.array_equal(values[:, :2, :2], values[:, :2, 2:4])
    assert np.all(values[:, 4] == 0)


def test_slopes_double_their_gradients_together_with_their_kernels():
    """ReLU, C_W = 2, C_b = 0: K_00, K_11 and K_01 of one input do not move."""
    n = network("relu", width=2, depth=50)
    gram = np.array([[0.5, 0.2], [0.2, 0.7]])
    np.testing.assert_allclose(kernels(n, gram, [A, AU]).values[-1], 2 * gram, rtol=1e-13)


def test_error_grows_with_what_errors_do():
    """sin far above critical: chi = 6 in the first layers amplifies errors; the bound holds in mp."""
    n = network("sin", width=2, depth=30, weight_variance=6.0, bias_variance=0.0)
    result = kernels(n, [[1e-3]], [A])
    exact = [mp.mpf(6) * mp.mpf(1e-3)]
    with mp.workdps(40):
        for _ in range(30):
            exact.append(3 * (1 - mp.exp(-2 * exact[-1])))
    for value, error, true in zip(result.values, result.error, exact, strict=True):
        assert abs(value[0, 0] - true) <= error[0, 0] < 1e-11


def test_bad_grams_and_fields_are_refused():
    n = network("relu", width=2, depth=2)
    with pytest.raises(ValueError, match="semidefinite"):
        kernels(n, [[1.0, 2.0], [2.0, 1.0]], [A, B])
    with pytest.raises(ValueError, match="derivative of order 2"):
        kernels(n, np.eye(3), [A, AU, AUU])
    with pytest.raises(ValueError, match="closure"):
        kernels(n, np.eye(2), [A, BV])


# --- susceptibilities -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gelu", "swish"])
def test_critical_couplings_are_solved_again(name):
    sigma = activation(name)
    np.testing.assert_allclose(solve_critical(sigma), critical_couplings(sigma), rtol=1e-12)
    C_b, C_W, K = critical_couplings(sigma)
    for chi in (chi_parallel, chi_perp):
        value, error = chi(sigma, C_W, K)
        assert value == pytest.approx(1.0, abs=1e-13)
        assert error < 1e-13
    once = kernels(network(name, width=2, depth=1), [[(K - C_b) / C_W]], [A]).values[-1]
    assert once[0, 0] == pytest.approx(K, rel=1e-14)


@pytest.mark.parametrize("name", ["tanh", "erf", "sin", "linear", "relu", "leaky_relu(0.1)"])
def test_susceptibilities_are_one_at_criticality(name):
    sigma = activation(name)
    _, C_W, K = critical_couplings(sigma)
    for chi in (chi_parallel, chi_perp):
        assert chi(sigma, C_W, 0.37 if K is None else K)[0] == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("K", [0.0, 1e-12, 0.4, 300.0])
def test_susceptibilities_of_erf_in_closed_form(K):
    """<erf^2> = (2/pi) arcsin(2K/(1+2K)); <erf'^2> = (4/pi)/sqrt(1+4K)."""
    erf = activation("erf")
    par, par_error = chi_parallel(erf, 1.3, K)
    perp, perp_error = chi_perp(erf, 1.3, K)
    assert (
        abs(par - 1.3 * (4 / math.pi) / ((1 + 2 * K) * math.sqrt(1 + 4 * K))) <= par_error + 1e-16
    )
    assert abs(perp - 1.3 * (4 / math.pi) / math.sqrt(1 + 4 * K)) <= perp_error + 1e-16
    assert par_error < 1e-12


def test_kinked_susceptibilities_by_quadrature():
    relu = activation("relu")
    by_quadrature = replace(relu, name="relu_by_quadrature", slopes=None)
    for chi in (chi_parallel, chi_perp):
        assert chi(by_quadrature, 1.7, 0.9)[0] == pytest.approx(chi(relu, 1.7, 0.9)[0], rel=1e-13)


def test_no_critical_point_is_said_so():
    with pytest.raises(ValueError, match="change of sign"):
        solve_critical(activation("softplus"))
