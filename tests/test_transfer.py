"""The finite-width law by transfer matrices: oracles, exact fractions, brute force, honesty."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from netsim.networks.activation import Activation
from netsim.networks.network import network
from netsim.theory.exact import cumulants
from netsim.theory.transfer import chain as transfer
from netsim.theory.transfer.chain import transfer_cumulants
from netsim.theory.transfer.gauss import compress, sum_rule
from netsim.theory.transfer.grid import BoundedGrid, HalfLineGrid, LogGrid

_ENTRIES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
_SERIES = [e for e in _ENTRIES if e["kind"] == "single_input_series"]
_KEYS = ("kappa2", "kappa4", "kappa6", "kappa8")


def _oracle_network(entry):
    name = entry["activation"]
    name = f"leaky_relu({name[5:]})" if name.startswith("leaky") else name
    return network(name, width=entry["n"], depth=entry["L"], weight_variance=entry["C_W"],
                   bias_variance=entry["C_b"])  # fmt: skip


@pytest.mark.parametrize("entry", _SERIES, ids=lambda e: e["id"])
def test_oracle(entry):
    net = _oracle_network(entry)
    values, errors = transfer_cumulants(net, entry["x2"])
    assert values.shape == errors.shape == (entry["L"] + 1, 4)
    assert values[0].tolist() == [entry["C_b"] + entry["C_W"] * entry["x2"], 0.0, 0.0, 0.0]
    if "kappa_exact" not in entry:
        exact = cumulants(net, entry["x2"])
        np.testing.assert_allclose(values, exact, rtol=1e-11)
        assert np.all(np.abs(values - exact) <= errors)
        return
    for k, key in enumerate(_KEYS):
        wanted, stated = entry["kappa_exact"][key], entry["kappa_exact_abs_err_estimate"][key]
        # the file quotes 12 or more digits
        assert abs(values[-1, k] - wanted) <= stated + errors[-1, k] + 1e-12 * abs(wanted), key
    # kappa_8 = m_4 - 3 kappa_4^2 may nearly vanish (tanh, C_b = 0.1): relative to its two terms then
    size = np.maximum(np.abs(values[-1]), [0, 0, 0, values[-1, 1] ** 2])
    assert np.all(errors[-1] < np.array([1e-9, 1e-9, 1e-9, 1e-7 if entry["C_b"] else 1e-9]) * size)


# (activation, C_b, C_W, K_1, L, n, kappa_2..8, digits quoted)
_QUOTED = [
    ("tanh", 0.0, 1.0, 1.0, 5, 8, (0.0937522541418, 0.003705174999, 2.555566e-4, 2.18823e-5),
     (10, 9, 6, 5)),
    ("tanh", 0.0, 1.0, 1.0, 5, 16, (0.0985206413579, 0.0019350070114, 6.7298914e-5, 2.9278883e-6),
     (12, 11, 8, 8)),
    ("tanh", 0.0, 1.0, 1.0, 5, 64, (0.1021971026972, 4.9953574053e-4, 4.37374e-6, 4.81457e-8),
     (12, 8, 6, 6)),
    ("softplus", 0.1, 1.0, 1.2, 4, 16,
     (1.0476946147362, 0.1437832586183, 0.08887407389, 0.11961758), (13, 13, 10, 8)),
    ("gelu", None, None, None, 8, 32, (3.5850175, 26.253132, 802.72987, 60489.872), (7, 7, 8, 8)),
    ("gelu", None, None, None, 8, 64, (3.56777240892, 10.0241561258, 96.499366067, 1884.21659),
     (11, 11, 10, 9)),
    ("swish", None, None, 3.537150188125768, 8, 64,
     (4.13785316424, 9.2367242982, 90.570715657, 1809.29502), (12, 11, 10, 8)),
]  # fmt: skip


@pytest.mark.parametrize("case", _QUOTED, ids=lambda c: f"{c[0]}-{c[5]}")
def test_independent_values(case):
    """Values of an implementation through moments in 60-digit arithmetic, to their digits."""
    name, C_b, C_W, K, L, n, wanted, digits = case
    couplings = {} if C_b is None else {"bias_variance": C_b, "weight_variance": C_W}
    net = network(name, width=n, depth=L, **couplings)
    K = (3 + math.sqrt(17)) / 2 if K is None else K
    x2 = (K - net.bias_variance[0]) / net.weight_variance[0]
    values, _ = transfer_cumulants(net, x2)
    for value, number, count in zip(values[-1], wanted, digits, strict=True):
        assert abs(value - number) <= 10 ** -(count - 1) * abs(number)


@pytest.mark.parametrize(
    "name, kwargs",
    [
        ("relu", {"width": 8, "depth": 8}),
        ("relu", {"width": 32, "depth": 64, "weight_variance": 2.0, "bias_variance": 0.1}),
        ("relu", {"widths": [8, 11, 3, 1], "weight_variance": [1.0, 2.1, 1.5, 0.4, 3.0],
                  "bias_variance": [0.2, 0.0, 0.5, 0.0, 0.3]}),
    ],
)  # fmt: skip
def test_piecewise_linear_networks_equal_the_fractions(name, kwargs):
    net = network(name, **kwargs)
    exact = cumulants(net, 0.8)
    values, errors = transfer_cumulants(net, 0.8)
    np.testing.assert_allclose(values, exact, rtol=1e-9)
    assert np.all(np.abs(values - exact) <= errors)


@pytest.mark.parametrize("name", ["tanh", "gelu"])
def test_unequal_widths_and_couplings_by_brute_force(name):
    """widths (2, 3): moments of S_2 by a 2-d integral over layer 1 of conditional moments."""
    C_W, C_b, x2 = [1.3, 0.9, 1.7], [0.2, 0.05, 0.3], 0.8
    net = network(name, widths=[2, 3], weight_variance=C_W, bias_variance=C_b)
    g = np.arange(-10, 10.001, 1 / 16)
    w = np.exp(-g * g / 2)
    w /= w.sum()
    h = net.activation.numpy(math.sqrt(C_b[0] + C_W[0] * x2) * g) ** 2
    S1 = (C_b[1] + C_W[1] / 2 * (h[:, None] + h[None, :])).ravel()
    sigma2 = net.activation.numpy(np.sqrt(S1)[:, None] * g[::2]) ** 2
    y = [sigma2**p @ (2 * w[::2]) for p in (1, 2, 3, 4)]
    W = np.outer(w, w).ravel()
    c = [y[0], y[1] - y[0] ** 2, y[2] - 3 * y[1] * y[0] + 2 * y[0] ** 3]
    c.append(y[3] - 4 * y[2] * y[0] - 3 * y[1] ** 2 + 12 * y[1] * y[0] ** 2 - 6 * y[0] ** 4)
    c = [C_W[2] ** p * 3.0 ** (1 - p) * c[p - 1] for p in (1, 2, 3, 4)]  # of S_2 given S_1
    mean = W @ c[0]
    d = c[0] - mean
    m2 = W @ (c[1] + d**2)
    m3 = W @ (c[2] + 3 * c[1] * d + d**3)
    m4 = W @ (c[3] + 3 * c[1] ** 2 + 4 * c[2] * d + 6 * c[1] * d**2 + d**4)
    wanted = [C_b[2] + mean, m2, m3, m4 - 3 * m2**2]
    values, errors = transfer_cumulants(net, x2)
    assert np.all(np.abs(values[-1] - wanted) <= errors[-1] + 1e-12 * np.abs(wanted))
    assert np.all(errors[-1] < 1e-2 * np.abs(values[-1]))
    if name == "tanh":  # no slow tail: the rule is as good at n = 2 and 3
        np.testing.assert_allclose(values[-1], wanted, rtol=1e-9)


@pytest.mark.parametrize(
    "name, n, L, kwargs",
    [
        ("gelu", 6, 6, {}),
        pytest.param("swish", 12, 8, {}, marks=pytest.mark.slow),
        ("softplus", 4, 6, {"weight_variance": 1.0, "bias_variance": 0.1}),
        ("tanh", 6, 12, {"weight_variance": 3.0, "bias_variance": 0.0}),
        pytest.param(
            "gelu", 6, 6, {"weight_variance": 3.0, "bias_variance": 0.0}, marks=pytest.mark.slow
        ),
        pytest.param("swish", 24, 16, {}, marks=pytest.mark.slow),
        pytest.param("tanh", 8, 64, {}, marks=pytest.mark.slow),
        pytest.param("tanh", 1024, 8, {}, marks=pytest.mark.slow),
    ],
)
def test_reported_errors_bound_the_true_ones_where_they_are_large(name, n, L, kwargs):
    net = network(name, width=n, depth=L, **kwargs)
    values, errors = transfer_cumulants(net, 1.5)
    better = transfer._all_cumulants(net, 1.5, (104, 56, 14))[0]
    assert np.all(np.abs(values - better) <= errors)
    assert np.max(errors[1:] / np.abs(values[1:])) > 1e-10  # these are the hard cases


def test_deep_networks_agree_with_simulation():
    """gelu at L/n = 1 by the layer chain: the mean, and the variance, of S in three layers."""
    net = network("gelu", width=16, depth=16)
    values, errors = transfer_cumulants(net, 0.8, layers=[2, 9, 17], order=2)
    assert values.shape == errors.shape == (3, 2)
    rng = np.random.default_rng(0)
    S, kept = np.full(200_000, net.bias_variance[0] + net.weight_variance[0] * 0.8), {}
    for l, n in enumerate(net.widths, start=1):
        g = rng.standard_normal((len(S), n), dtype=np.float32)
        y = net.activation.numpy(np.sqrt(S)[:, None] * g) ** 2
        S = net.bias_variance[l] + net.weight_variance[l] * y.mean(1)
        kept[l + 1] = S
    for (mean, variance), layer in zip(values, (2, 9, 17), strict=True):
        x = kept[layer]
        assert abs(x.mean() - mean) < 5 * math.sqrt(variance / len(x))
        squares = (x - mean) ** 2
        assert abs(squares.mean() - variance) < 5 * squares.std() / math.sqrt(len(x))


def _hard_tanh(kinks):
    # clipping made of `where`, the functions that both array modules share
    f = lambda x, xp: xp.where(x > 1, xp.ones_like(x), xp.where(x < -1, -xp.ones_like(x), x))  # noqa: E731
    return Activation(f"hard_tanh{kinks}", (f,), 0, 0.0, kinks)


def test_an_undeclared_kink_costs_accuracy_and_the_error_says_so():
    declared, small = transfer_cumulants(
        network(_hard_tanh((-1.0, 1.0)), width=4, depth=3, weight_variance=1.2, bias_variance=0.1),
        1.0,
    )
    hidden, large = transfer_cumulants(
        network(_hard_tanh(()), width=4, depth=3, weight_variance=1.2, bias_variance=0.1), 1.0
    )
    assert np.all(np.abs(declared - hidden) <= small + large)
    assert np.max(large[1:, 0]) > 10 * np.max(small[1:, 0])


def test_functions_of_one_name_are_told_apart():
    def scaled(factor):
        f = lambda x, xp: factor * xp.tanh(x)  # noqa: E731
        return Activation("mine", (f,), 0, 0.0)

    kwargs = {"width": 2, "depth": 2, "weight_variance": 1.0, "bias_variance": 0.1}
    one, _ = transfer_cumulants(network(scaled(1.0), **kwargs), 1.0)
    two, _ = transfer_cumulants(network(scaled(2.0), **kwargs), 1.0)
    assert two[-1, 0] > 1.5 * one[-1, 0]


def test_degenerate_laws():
    constant = Activation("one", (lambda x, xp: xp.ones_like(x),), 0, 0.0)
    net = network(constant, widths=[3, 3], weight_variance=0.7, bias_variance=0.2)
    values, errors = transfer_cumulants(net, 1.0)
    np.testing.assert_allclose(values, [[0.9, 0, 0, 0]] * 3, atol=1e-12)
    assert np.all(np.abs(values - [0.9, 0, 0, 0]) <= errors + 1e-15)
    silent, _ = transfer_cumulants(network("tanh", width=2, depth=2), 0.0)
    np.testing.assert_allclose(silent, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    "make, word",
    [
        (lambda: transfer_cumulants(network("polynomial([0, 1, 1])", width=4, depth=1,
                                            weight_variance=1.0, bias_variance=0.0), 1.0), "growth"),
        (lambda: transfer_cumulants(network("tanh", width=4, depth=1, weights="uniform"), 1.0),
         "Gaussian"),
        (lambda: transfer_cumulants(network("tanh", width=4, depth=1), -1.0), "x2"),
        (lambda: transfer_cumulants(network("tanh", width=4, depth=1), 1.0, order=5), "order"),
        (lambda: transfer_cumulants(network("tanh", width=4, depth=1), 1.0, layers=[3]), "layer 3"),
    ],
)  # fmt: skip
def test_refusals(make, word):
    with pytest.raises(ValueError, match=word):
        make()


@pytest.mark.parametrize("grid", [BoundedGrid(0.1, 1.0, 8), LogGrid(0.1, 1e-3, 1.0, 8)])
def test_a_value_above_the_declared_bound_is_refused(grid):
    with pytest.raises(ValueError, match="declared bounded"):
        grid.cardinals(np.array([0.5, 1.2]))


@pytest.mark.parametrize(
    "name, n, L, C_W, C_b",
    [
        ("tanh", 4, 4, 0.05, 0.0),
        ("sin", 8, 3, 0.1, 1e-5),
        pytest.param("tanh", 32, 32, 0.5, 0.0, marks=pytest.mark.slow),
        pytest.param("tanh", 16, 16, 0.1, 0.0, marks=pytest.mark.slow),
    ],
)
def test_ordered_phases_where_S_shrinks_by_decades(name, n, L, C_W, C_b):
    """A grid whose nodes thin out where sigma saturates gives 1e-7 here, and other rules 1e-8."""
    net = network(name, width=n, depth=L, weight_variance=C_W, bias_variance=C_b)
    values, errors = transfer_cumulants(net, 1.0)
    better = transfer._all_cumulants(net, 1.0, (96, 44, 13))[0]
    assert np.all(np.abs(values - better) <= errors)
    assert np.all(np.abs(values - better)[1:, :2] <= 1e-12 * np.abs(better[1:, :2]))
    assert np.all(errors[1:, :2] <= 1e-10 * np.abs(values[1:, :2]))
    if C_b == 0 and L == 32:  # kappa_2 falls by C_W a layer where sigma is linear
        assert 1e-12 < values[-1, 0] < 2.0**-32


@pytest.mark.parametrize(
    "grid", [BoundedGrid(0.1, 1.0, 24), HalfLineGrid(0.1, 4.0, 24), LogGrid(0.1, 0.03, 1.0, 24)]
)
def test_grids_interpolate_what_they_are_for(grid):
    """(s - C_b)^2 over its weight is a polynomial in t of degree 4 to 6, or exponentials of t."""
    s = np.array([0.1, 0.100001, 0.3, 0.7, 1.0])
    f = (grid.points - 0.1) ** 2 / grid.weight(grid.points, 2)
    found = (grid.cardinals(s) @ f) * grid.weight(s, 2)
    np.testing.assert_allclose(found, (s - 0.1) ** 2, atol=1e-13)


def test_gauss_rule_of_a_sum_is_exact_for_polynomials():
    """Sum of 5 uniform(0, 1): cumulants 5/2, 5/12, 0, -5/120."""
    x, w = np.polynomial.legendre.leggauss(30)
    points, weights = sum_rule(((1 + x[None]) / 2, w[None] / 2), 5, 6)
    c = points - 2.5
    found = [(weights * c**p).sum() for p in (0, 1, 2, 3, 4)]
    np.testing.assert_allclose(found, [1, 0, 5 / 12, 0, 3 * (5 / 12) ** 2 - 5 / 120], atol=1e-13)
    assert np.all(weights >= 0)


def test_gauss_rule_of_two_points_and_of_one():
    nodes, weights = compress(np.array([[0.0, 0.0, 3.0], [2.0, 2.0, 2.0]]),
                              np.array([[0.25, 0.25, 0.5]] * 2), 4)  # fmt: skip
    np.testing.assert_allclose((weights * nodes**3).sum(1), [13.5, 8.0], rtol=1e-14)
    np.testing.assert_allclose(weights.sum(1), 1.0, rtol=1e-14)
