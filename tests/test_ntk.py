"""The NTK of one input: oracles, closed forms, the exact law at large width, simulation."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from mpmath import MPContext

from helpers import HARD_TANH
from netsim.networks.activations import activation
from netsim.networks.network import network
from netsim.theory.exact import cumulants
from netsim.theory.leading_order import leading
from netsim.theory.ntk.exact import ntk_exact
from netsim.theory.ntk.first_order import ntk_first_order
from netsim.theory.ntk.neuron import tangent_moments

_ENTRIES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
_FIRST = [e for e in _ENTRIES if e["kind"] == "ntk_leading_order"]
_EXACT = [e for e in _ENTRIES if e["kind"] == "ntk_exact"]
_RATES = {"weight_rate": 0.7, "bias_rate": 0.3}


def _net(name, widths, C_W, C_b):
    return network(name, widths=widths, weight_variance=C_W, bias_variance=C_b)


# --- oracles ------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", _FIRST, ids=lambda e: e["id"])
def test_oracle_first_order(entry):
    n, e = 37, entry
    net = _net(e["activation"], [n] * e["L"], e["C_W"], e["C_b"])
    found = ntk_first_order(net, e["x2"], e["lambda_W"], e["lambda_b"])
    names = {"S": "K1", "T": "H1", "K": "K", "H": "H"} | {k: k for k in "VDABFPQ"}
    for theirs, ours in names.items():
        power = 1 if ours in "KH" else n
        value, error = getattr(found, ours)[-1], found.error[ours][-1]
        assert power * value == pytest.approx(e[theirs], rel=1e-11), ours
        assert power * abs(error) < 1e-10 * abs(e[theirs])


@pytest.mark.parametrize("entry", _EXACT, ids=lambda e: e["id"])
def test_oracle_exact(entry):
    e = entry
    C_W, C_b, x2, weight, bias = (
        Fraction(e[key]) for key in ("C_W", "C_b", "x2", "lambda_W", "lambda_b")
    )
    found = ntk_exact(_net(e["activation"], e["widths"], float(C_W), float(C_b)), x2, weight, bias)
    names = {"ES": "K", "EH": "H", "VarS": "V", "CovSH": "D", "CovH11H22": "A", "EH12sq": "B"}
    names |= {"VarH11": "variance", "Ez1z2H12": "F"}
    for theirs, ours in names.items():
        assert getattr(found, ours)[-1] == pytest.approx(e[theirs], rel=2e-14), ours


# --- closed forms -------------------------------------------------------------------------------


def test_critical_linear_network_is_polynomial_in_depth():
    n, L = 16, np.arange(13)
    found = ntk_first_order(_net("linear", [n] * 12, 1.0, 0.0), 1.0)
    squares = L * (L + 1) * (2 * L + 1)
    true = {
        "K": L**0, "H": L + 1, "K1": 0 * L, "H1": 0 * L, "V": 2 * L / n, "D": L * (L + 1) / n,
        "A": squares / 3 / n, "B": squares / 6 / n, "F": L * (L + 1) / 2 / n, "P": 0 * L,
        "Q": L * (L + 1) * (L + 2) / 6 / n,
    }  # fmt: skip
    for name, value in true.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-14, err_msg=name)
        assert np.all(found.error[name] <= 1e-12 * (1 + value))


@pytest.mark.parametrize(("name", "C_W", "w"), [("relu", 2.0, 2.0), ("linear", 1.0, 1.0)])
def test_large_depth_of_scale_invariant_networks(name, C_W, w):
    def ratios(L):
        found = ntk_first_order(_net(name, [1] * L, C_W, 0.0), 1.0)
        H2 = found.H[-1] ** 2 * L
        return np.array([found.A[-1] / H2, found.variance[-1] / H2])

    limit = (8 * ratios(400) - 6 * ratios(200) + ratios(100)) / 3  # 1/L and 1/L^2 removed
    np.testing.assert_allclose(limit, [(5 * w - 3) / 3, (7 * w - 3) / 3], rtol=3e-6)


def test_one_hidden_linear_layer():
    n, K, rate, C_W, C_b = 7, 0.1 + 1.3 * 0.9, 0.7, 1.3, 0.1
    found = ntk_exact(_net("linear", [n], C_W, C_b), 0.9, **_RATES)
    H = 0.3 + rate * 0.9
    true = {
        "K": [K, C_b + C_W * K], "H": [H, 0.3 + rate * K + C_W * H], "V": [0, 2 * C_W**2 * K**2 / n],
        "D": [0, 2 * C_W * rate * K**2 / n], "A": [0, 2 * rate**2 * K**2 / n],
        "B": [0, C_W**2 * H**2 / n], "F": [0, C_W**2 * K * H / n],
    }  # fmt: skip
    for name, value in true.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-14, err_msg=name)


def _raw(found, row):
    """E S, E Theta, E S^2, E S Theta, E Theta^2, E H_12^2, E z_1 z_2 H_12."""
    K, H, V, D, A, B, F = (getattr(found, key)[row] for key in "KHVDABF")
    return np.array([K, H, V + K * K, D + K * H, A + H * H, B, F])


def _point(S, Theta):
    return np.array([S, Theta, S * S, S * Theta, Theta * Theta, 0, 0])


def test_silent_layers_of_width_one():
    """A living ReLU network of width 1 is a linear one; a silent one restarts at the next bias."""
    C_W, C_b = [1.2, 1.9, 0.8, 1.4, 1.1], [0, 0, 0.3, 0, 0]
    weight, bias = [0.5, 0.7, 0.3, 1.2, 0.9], [0.4, 0.5, 0.3, 0.2, 0.6]
    relu, linear = (
        ntk_exact(_net(name, [1] * 4, C_W, C_b), 0.6, weight, bias) for name in ("relu", "linear")
    )
    short = ntk_exact(_net("linear", [1, 1], C_W[2:], C_b[2:]), 0, weight[2:], bias[2:])
    true = [_raw(linear, 0), _raw(linear, 1) / 2 + _point(0, bias[1]) / 2]
    alive = [_raw(linear, l) / 4 + _raw(short, l - 2) * 3 / 4 for l in (2, 3, 4)]
    true += [
        alive[0],
        alive[1] / 2 + _point(0, bias[3]) / 2,
        alive[2] / 4 + _point(0, bias[4]) * 3 / 4,
    ]
    np.testing.assert_allclose([_raw(relu, l) for l in range(5)], true, rtol=1e-14)


def test_mean_with_silent_layers_and_learning_biases():
    """A bias of layer m acts only where the layers below it live."""
    widths, C_W, b = [3, 2, 1], 1.7, 0.8
    found = ntk_exact(_net("relu", widths, C_W, 0.0), 0.6, 0.0, b)
    alive = np.cumprod([1, 1, *(1 - 0.5 ** np.array(widths))])  # of z^(m), m = 0..4
    for l in range(4):
        true = b + sum(b * (C_W / 2) ** (l + 1 - m) * alive[m] for m in range(1, l + 1))
        assert found.H[l] == pytest.approx(true, rel=1e-14)


def test_kernels_of_erf():
    C_W, C_b, x2 = [1.1, 1.6, 1.3], [0.2, 0.0, 0.4], 0.8
    weight, bias = [0.7, 1.9, 0.4], [0.3, 0.0, 1.1]
    found = ntk_first_order(_net("erf", [5, 9], C_W, C_b), x2, weight, bias)
    K, H = C_b[0] + C_W[0] * x2, bias[0] + weight[0] * x2
    for l in (1, 2):
        square = 2 / math.pi * math.asin(2 * K / (1 + 2 * K))
        slope = 4 / math.pi / math.sqrt(1 + 4 * K)
        K, H = C_b[l] + C_W[l] * square, bias[l] + weight[l] * square + C_W[l] * slope * H
        np.testing.assert_allclose([found.K[l], found.H[l]], [K, H], rtol=1e-14)


@pytest.mark.parametrize("K", [1e-3, 0.6, 20.0])
def test_moments_of_tanh_in_high_precision(K):
    mp = MPContext()
    mp.dps = 30
    r, inner = mp.sqrt(K), 4 / (1 + math.sqrt(K))
    points = sorted({s * e for s in (-1, 1) for e in (0, inner / 4, inner, 2, 4, 8, 13)})

    def mean(f, q=0):  # d^q<f>/dK^q
        def integrand(g):
            he = [1, g * g - 1, g**4 - 6 * g * g + 3][q]
            return f(mp.tanh(r * g)) * he * mp.npdf(g)

        return mp.quad(integrand, points) / (2 * mp.mpf(K)) ** q

    y, e = lambda t: t**2, lambda t: (1 - t**2) ** 2
    curved = lambda t: -2 * y(t) * (1 - t**2)  # sigma sigma''
    Y, E = mean(y), mean(e)
    true = [Y, mean(y, 1), mean(y, 2), E, mean(e, 1), mean(e, 2)]
    true += [mean(lambda t: (y(t) - Y) ** 2), mean(lambda t: (y(t) - Y) * (e(t) - E))]
    true += [mean(lambda t: (e(t) - E) ** 2), mean(curved), mean(lambda t: curved(t) * e(t))]
    value, error = tangent_moments(activation("tanh"), K)
    off = np.array([float(abs(v - t)) for v, t in zip(value.tolist(), true, strict=True)])
    assert np.all(off <= error)
    assert np.all(error <= 1e-13 * (1 + 1 / K**2 * np.array([0, 1, 1] * 2 + [0] * 5)))


# --- consistency --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu(0.3)", "slopes(0.0, 1.2)"])
def test_first_order_is_the_exact_law_at_large_width(name):
    widths, C_W, C_b = [10**9, 2 * 10**9, 5 * 10**8, 10**9], [1.2, 1.9, 0.8, 1.4, 1.1], 0.2
    net = _net(name, widths, C_W, C_b)
    rates = [0.5, 0.7, 0.3, 1.2, 0.9], [0.4, 0.0, 0.3, 0.2, 0.6]
    first, exact = ntk_first_order(net, 0.6, *rates), ntk_exact(net, 0.6, *rates)
    for key in ("K", "H", "V", "D", "A", "B", "F", "variance"):
        rtol = 1e-14 if key in "KH" else 3e-8  # the next order is some L/n of it
        np.testing.assert_allclose(getattr(first, key), getattr(exact, key), rtol=rtol, err_msg=key)
    assert not np.any(first.H1)


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu"])
def test_kernel_agrees_with_the_other_theories(name):
    net = _net(name, [8, 12, 16], 1.4, 0.1)
    found, other = ntk_first_order(net, 0.7), leading(net, 0.7)
    for ours, theirs in (("K", "K"), ("K1", "D"), ("V", "V")):
        np.testing.assert_allclose(getattr(found, ours), getattr(other, theirs), rtol=1e-12)
    if name == "relu":
        exact = ntk_exact(net, 0.7)
        np.testing.assert_array_equal(np.array([exact.K, exact.V]).T, cumulants(net, 0.7, 2))


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_powers_of_the_rates(name):
    net = _net(name, [8, 12, 16], 1.4, 0.1)
    one, four = ntk_first_order(net, 0.7, 0.7, 0.3), ntk_first_order(net, 0.7, 2.8, 1.2)
    power = {"K": 0, "K1": 0, "V": 0, "H": 1, "H1": 1, "D": 1, "F": 1} | dict.fromkeys("ABPQ", 2)
    for key, p in power.items():
        np.testing.assert_array_equal(getattr(four, key), 4**p * getattr(one, key), err_msg=key)
        np.testing.assert_allclose(four.error[key], 4**p * one.error[key], rtol=1e-3)


def _slope_fit(f, centre, radius):
    """f', f'' at centre, from a Chebyshev interpolant."""
    domain = [centre - radius, centre + radius]
    fit = np.polynomial.Chebyshev.interpolate(np.vectorize(f), 16, domain)
    return fit.deriv()(centre), fit.deriv(2)(centre)


@pytest.mark.parametrize("name", ["tanh", "gelu", "softplus"])
def test_fluctuations_pass_a_wide_layer_by_the_derivatives_of_the_limit(name):
    n, x2, C_W, C_b = 10, 0.8, 1.3, 0.15
    first = ntk_first_order(_net(name, [n, 10**14], C_W, C_b), x2, **_RATES)
    K, H, V, D, A, F = (getattr(first, key)[1] for key in "KHVDAF")

    def limit(K, H):  # the layer as a network of its own: K^(1) = K, H^(1) = H
        own = ntk_first_order(_net(name, [1], [1.0, C_W], [0.0, C_b]), K, [0.0, 0.7], [H, 0.3])
        return own.K[1], own.H[1]

    K_K, K_KK = _slope_fit(lambda y: limit(y, H)[0], K, 0.2)
    H_K, H_KK = _slope_fit(lambda y: limit(y, H)[1], K, 0.2)
    H_H = limit(K, 1.0)[1] - limit(K, 0.0)[1]
    H_KH = H_K - _slope_fit(lambda y: limit(y, H - 1)[1], K, 0.2)[0]
    true = {
        "V": K_K**2 * V,
        "D": K_K * (H_K * V + H_H * D),
        "A": H_K**2 * V + 2 * H_K * H_H * D + H_H**2 * A,
        "B": H_H**2 * first.B[1],
        "F": K_K**2 * F,
        "K1": K_K * first.K1[1] + K_KK * V / 2,
        "H1": H_K * first.K1[1] + H_H * first.H1[1] + H_KK * V / 2 + H_KH * (D + 2 * F),
    }
    for key, value in true.items():
        assert getattr(first, key)[2] == pytest.approx(value, rel=1e-9), key


def test_a_wider_layer_is_a_smaller_source():
    """1/n is additive: halving one layer's 1/n_l halves what that layer adds."""
    quiet = 10**15

    def last(widths):
        found = ntk_first_order(_net("tanh", widths, 1.4, 0.1), 0.7, **_RATES)
        return np.array([getattr(found, key)[-1] for key in ("K1", "H1", *"VDABFPQ")])

    parts = last([8, quiet, quiet]) + last([quiet, 12, quiet]) + last([quiet, quiet, 16])
    np.testing.assert_allclose(parts, last([8, 12, 16]), rtol=1e-11)


def test_zero_input_without_bias():
    found = ntk_first_order(_net("tanh", [4, 4], 1.5, 0.0), 0.0, 0.0, 1.0)
    np.testing.assert_allclose(found.H, [1, 2.5, 4.75], rtol=1e-15)
    np.testing.assert_allclose(found.B, [0, 1.5**2 / 4, 1.5**2 * (2.5**2 + 1.5**2) / 4], rtol=1e-15)
    assert not np.any([found.V, found.D, found.A, found.F, found.H1, found.P, found.Q])


def test_a_kink_away_from_zero_has_no_second_derivative():
    found = ntk_first_order(_net(HARD_TANH, [8, 8], 1.4, 0.1), 0.7)
    for field in fields(found)[:-1]:
        missing = field.name in "PQ"
        assert np.all(np.isnan(getattr(found, field.name)[1:]) == missing)
        assert np.all(np.isnan(found.error[field.name][1:]) == missing)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("theory", [ntk_first_order, ntk_exact])
def test_refusals(theory):
    net = network("relu", width=4, depth=2)
    for x2 in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="finite number >= 0"):
            theory(net, x2)
    with pytest.raises(ValueError, match="weight_rate=-1"):
        theory(net, 1.0, -1)
    with pytest.raises(ValueError, match="bias_rate has 2 numbers"):
        theory(net, 1.0, 1.0, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"sigma'\(0\)"):
        theory(net, 0.0)
    with pytest.raises(ValueError, match="[Gg]aussian weights"):
        theory(network("relu", width=4, depth=2, weights="uniform"), 1.0)


def test_exact_refuses_other_activations():
    with pytest.raises(ValueError, match="closed forms"):
        ntk_exact(network("tanh", width=4, depth=2), 1.0)
