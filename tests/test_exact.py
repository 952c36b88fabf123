"""Exact moments and cumulants of piecewise linear networks against fractions and simulation."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest

from netsim.networks.network import network
from netsim.theory.exact import (
    cumulants,
    death_probability,
    moments,
    relative_error_of_cumulant,
)

_ENTRIES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
_HOMOGENEOUS = [e for e in _ENTRIES if e["kind"] == "homogeneous_exact"]


def _activation(name: str) -> str:
    return f"leaky_relu({name[5:]})" if name.startswith("leaky") else name


def _rational_network(activation, widths, C_b, C_W):
    """A network whose couplings are fractions, which `network` would round to floats."""
    depth = len(widths)
    return replace(
        network(activation, widths=widths, weight_variance=1.0, bias_variance=0.0),
        bias_variance=(Fraction(C_b),) * (depth + 1),
        weight_variance=(Fraction(C_W),) * (depth + 1),
    )


def _naive_moments(net, x2, order):
    """E S_l^p in `fractions.Fraction`, E X^q by expanding the product of n moment series."""
    plus, minus = (Fraction(a) for a in net.activation.slopes)
    y = [Fraction(1)] + [
        math.prod(range(1, 2 * j, 2)) * (plus ** (2 * j) + minus ** (2 * j)) / 2
        for j in range(1, order + 1)
    ]
    S = Fraction(net.bias_variance[0]) + Fraction(net.weight_variance[0]) * Fraction(x2)
    rows = [[S**p for p in range(order + 1)]]
    for l, n in enumerate(net.widths, start=1):
        total = [Fraction(1)] + [Fraction(0)] * order
        for _ in range(n):
            total = [
                sum(math.comb(k, j) * y[j] * total[k - j] for j in range(k + 1))
                for k in range(order + 1)
            ]
        C_b, C_W = Fraction(net.bias_variance[l]), Fraction(net.weight_variance[l]) / n
        rows.append(
            [
                sum(
                    math.comb(p, q) * C_b ** (p - q) * C_W**q * total[q] * rows[-1][q]
                    for q in range(p + 1)
                )
                for p in range(order + 1)
            ]
        )
    return rows


@pytest.mark.parametrize("entry", _HOMOGENEOUS, ids=lambda e: e["id"])
def test_oracle_fractions_are_met_to_the_last_bit(entry):
    net = _rational_network(
        _activation(entry["activation"]), entry["widths"], entry["C_b"], entry["C_W"]
    )
    x2 = Fraction(entry["x2"])
    kappa = cumulants(net, x2)[-1]
    wanted = [float(Fraction(entry[f"kappa{2 * k}"]["fraction"])) for k in (1, 2, 3, 4)]
    assert kappa.tolist() == wanted
    E_S = moments(net, x2, 4)[-1]
    np.testing.assert_allclose(E_S, entry["E_S_powers"], rtol=1e-15)
    for power, value in entry["E_z_powers"].items():
        k = int(power) // 2
        assert E_S[k] * math.prod(range(1, 2 * k, 2)) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("name, C_b, C_W", [("leaky_relu(0.1)", 0.3, 1.7), ("relu", 0.0, 2.0)])
def test_float_couplings_equal_slow_fractions(name, C_b, C_W):
    net = network(name, widths=[5, 9, 3, 16], weight_variance=[C_W, 1.1, 0.7, C_W, 2.2],
                  bias_variance=[0.1, C_b, 0.2, 0.0, C_b])  # fmt: skip
    slow = _naive_moments(net, 0.7, 8)
    assert moments(net, 0.7, 8).tolist() == [[float(v) for v in row] for row in slow]
    kappa = cumulants(net, 0.7)
    for l, m in enumerate(slow):
        c3 = m[3] - 3 * m[2] * m[1] + 2 * m[1] ** 3
        c4 = m[4] - 4 * m[3] * m[1] - 3 * m[2] ** 2 + 12 * m[2] * m[1] ** 2 - 6 * m[1] ** 4
        exact = [m[1], m[2] - m[1] ** 2, c3, c4]
        assert kappa[l].tolist() == [float(v) for v in exact]


def test_relu_moments_are_the_closed_forms():
    n = 11.0
    M = moments(network("relu", width=11, depth=1), 0.5, 4)[1]  # K_1 = 1
    wanted = [
        1.0,
        1.0,
        (n + 5) / n,
        (n + 4) * (n + 11) / n**2,
        (n + 9) * (n**2 + 21 * n + 62) / n**3,
    ]
    np.testing.assert_allclose(M, wanted, rtol=1e-15)


@pytest.mark.parametrize("n", [32, 10**6])
def test_cancellation_is_harmless_for_deep_and_wide_networks(n):
    """Linear, C_b = 0: kappa_4 = K^2 [(1 + 2/n)^L - 1], kappa_6 and kappa_8 from (1+2/n)(1+4/n).."""
    L = 64
    kappa = cumulants(network("linear", width=n, depth=L), 1.0)[-1]
    with mpmath.workdps(80):
        m = [mpmath.mpf(1)]
        for k in range(4):
            m.append(m[-1] * (1 + mpmath.mpf(2 * k) / n) ** L)
        c4 = m[4] - 4 * m[3] - 3 * m[2] ** 2 + 12 * m[2] - 6
        wanted = [1.0, float(m[2] - 1), float(m[3] - 3 * m[2] + 2), float(c4)]
    np.testing.assert_allclose(kappa, wanted, rtol=1e-15)


def test_first_layer_is_deterministic():
    net = network("relu", width=4, depth=2, weight_variance=0.3, bias_variance=0.1)
    assert cumulants(net, 0.9)[0].tolist() == [0.1 + 0.3 * 0.9, 0.0, 0.0, 0.0]


def _draw_S(net, x2, draws, seed):
    """(draws,) S_L by the layer chain, for slopes."""
    rng = np.random.default_rng(seed)
    S = np.full(draws, net.bias_variance[0] + net.weight_variance[0] * x2)
    for l, n in enumerate(net.widths, start=1):
        y = net.activation.numpy(np.sqrt(S)[:, None] * rng.standard_normal((draws, n))) ** 2
        S = net.bias_variance[l] + net.weight_variance[l] * y.mean(1)
    return S


def test_errors_are_the_cumulants_of_k_statistics():
    """N Var(k_r) -> cumulants of k-statistics (Fisher 1929; Kendall and Stuart, ch. 12)."""
    net = network("leaky_relu(0.3)", widths=[12, 15], weight_variance=1.5, bias_variance=0.2)
    for row in (1, 2):
        _, c2, c3, c4, c5, c6, _, c8 = c = cumulants(net, 0.8, order=8)[row]
        variances = [
            c2,
            c4 + 2 * c2**2,
            c6 + 9 * c4 * c2 + 9 * c3**2 + 6 * c2**3,
            c8 + 16 * c6 * c2 + 48 * c5 * c3 + 34 * c4**2 + 72 * c4 * c2**2
            + 144 * c3**2 * c2 + 24 * c2**4,
        ]  # fmt: skip
        for k, variance in enumerate(variances, start=1):
            found = relative_error_of_cumulant(net, 0.8, k, 1e6)[row]
            assert found == pytest.approx(1e-3 * math.sqrt(variance) / c[k - 1], rel=1e-12), k


@pytest.mark.parametrize("k", [2, 4])
def test_error_of_a_cumulant_is_its_scatter(k):
    """400 batches of 800 networks, against the error of their scatter."""
    from scipy.stats import kstat

    net = network("leaky_relu(0.3)", widths=[24], weight_variance=1.5, bias_variance=0.2)
    batches = _draw_S(net, 0.8, 400 * 800, seed=k).reshape(400, 800)
    estimates = np.array([kstat(batch, k) for batch in batches])
    predicted = relative_error_of_cumulant(net, 0.8, k, 800)[-1] * cumulants(net, 0.8)[-1, k - 1]
    squares = (estimates - estimates.mean()) ** 2
    error = np.std(squares) / np.sqrt(len(squares))
    z = (squares.mean() - predicted**2) / error
    # the terms of relative order 1/800 that the formula drops are far below this
    assert abs(z) < 5
    assert error < 0.25 * predicted**2


def test_error_of_the_variance_of_a_chi_square():
    """Linear, L = 1: S = chi^2_n/n; Var of the sample variance -> (mu_4 - mu_2^2)/N."""
    n, N = 7, 1e4
    found = relative_error_of_cumulant(network("linear", width=n, depth=1), 1.0, 2, N)
    assert found[1] == pytest.approx(math.sqrt((2 + 12 / n) / N), rel=1e-14)
    assert np.isnan(found[0])
    first = relative_error_of_cumulant(network("linear", width=n, depth=1), 1.0, 1, N)
    np.testing.assert_allclose(first, [0.0, math.sqrt(2 / n / N)], rtol=1e-14)


def test_death_probability():
    net = network("relu", widths=[2, 3, 1])
    wanted = 1 - np.cumprod([1.0, 3 / 4, 7 / 8, 1 / 2])
    np.testing.assert_allclose(death_probability(net, 1.0), wanted, rtol=1e-15)
    dead = np.mean(_draw_S(net, 1.0, 40000, seed=0) == 0)
    assert abs(dead - wanted[-1]) < 5 * math.sqrt(wanted[-1] * (1 - wanted[-1]) / 40000)
    wide = death_probability(network("relu", width=100, depth=3), 1.0)
    np.testing.assert_allclose(wide, np.arange(4) * 2.0**-100, rtol=1e-12)
    biased = network("relu", widths=[2, 3], weight_variance=2.0, bias_variance=0.1)
    np.testing.assert_allclose(death_probability(biased, 1.0), [0.0, 1 / 4, 1 / 8])
    assert not death_probability(network("leaky_relu(0.1)", width=1, depth=2), 1.0).any()
    assert death_probability(net, 0.0).tolist() == [1.0] * 4


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: moments(network("tanh", width=4, depth=1), 1.0, 2), "tanh"),
        (lambda: cumulants(network("relu", width=4, depth=1, weights="rademacher"), 1.0), "Gauss"),
        (lambda: cumulants(network("relu", width=4, depth=1), -1.0), "x2"),
        (lambda: cumulants(network("relu", width=4, depth=1), float("nan")), "x2"),
        (lambda: moments(network("relu", width=4, depth=1), 1.0, 0), "order"),
        (lambda: relative_error_of_cumulant(network("relu", width=4, depth=1), 1.0, 5, 9), "k=5"),
        (lambda: relative_error_of_cumulant(network("relu", width=4, depth=1), 1.0, 2, 0), "draws"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(ValueError, match=word):
        call()
