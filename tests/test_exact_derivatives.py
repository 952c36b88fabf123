"""Exact field moments of piecewise linear networks: oracles, closed forms, simulation."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from netsim.networks.inputs import from_vectors
from netsim.networks.network import network
from netsim.quantities import Slot
from netsim.theory.exact import moments
from netsim.theory.exact_derivatives import (
    derivative_moments,
    empirical_gradient_variance,
    field_moments,
    gram_moments,
)

_ENTRIES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
_EVGP = [e for e in _ENTRIES if e["kind"] == "evgp_exact"]
_Z, _U, _V = Slot("a"), Slot("a", ("u",)), Slot("a", ("v",))


def _inputs(seed=0):
    rng = np.random.default_rng(seed)
    return from_vectors(rng.standard_normal((1, 4)), rng.standard_normal((2, 4)), source="test")


def _coordinates(entry):
    """x = e_1 + e_2, and the coordinates 1 and 2 as directions."""
    e = np.eye(entry["n0"])
    return from_vectors(e[:1] + e[1:2], e[:2], source="test")


@pytest.mark.parametrize("bias", [0.0, 0.3])
@pytest.mark.parametrize("entry", _EVGP, ids=lambda e: e["id"])
def test_oracle_gradients(entry, bias):
    net = network(
        entry["activation"],
        widths=entry["widths"],
        weight_variance=float(entry["C_W"]),
        bias_variance=bias,
    )
    mean, covariance = field_moments(net, _coordinates(entry), [_U, _V])
    product = covariance[-1] + np.einsum("ab,cd->abcd", mean[-1], mean[-1])
    found = {
        "E_Z2": mean[-1, 0, 0],
        "E_Z4": 3 * product[0, 0, 0, 0],
        "E_Zp2Zq2": product[0, 0, 1, 1] + 2 * product[0, 1, 0, 1],
        "E_empirical_var": empirical_gradient_variance(net, entry["n0"], entry["M"])[-1],
        "E_Spp_Sqq": product[0, 0, 1, 1],
        "E_Spq_sq": product[0, 1, 0, 1],
    }
    for name, value in found.items():
        assert value == pytest.approx(entry[name], rel=1e-13), name
    E_S = derivative_moments(net, 1 / entry["n0"])[-1]
    assert E_S[1] == pytest.approx(entry["E_Z2"], rel=1e-13)
    assert 3 * E_S[2] == pytest.approx(entry["E_Z4"], rel=1e-13)


def _simulate(net, inputs, fields, draws, seed):
    """(draws, F, F) S_L from full networks: weights drawn, z and its derivatives propagated."""
    rng = np.random.default_rng(seed)
    vectors = inputs.field_vectors(fields)  # (F, n_0)
    plain = [not slot.directions for slot in fields]
    y = np.broadcast_to(vectors, (draws, *vectors.shape))
    a_plus, a_minus = net.activation.slopes
    sizes = [inputs.dimension, *net.widths]
    for l in range(net.depth):
        W = rng.standard_normal((draws, sizes[l], sizes[l + 1]))
        W *= math.sqrt(net.weight_variance[l] / sizes[l])
        b = math.sqrt(net.bias_variance[l]) * rng.standard_normal((draws, 1, sizes[l + 1]))
        y = y @ W + b * np.array(plain)[:, None]
        y = y * np.where(y[:, :1] > 0, a_plus, a_minus)  # sigma'(z), z is field 0
    n, mask = net.widths[-1], np.outer(plain, plain)
    return net.bias_variance[-1] * mask + net.weight_variance[-1] / n * (y @ y.transpose(0, 2, 1))


_NETWORKS = [
    ("relu", [4, 6], 0.0, 2.0),
    ("relu", [4, 6], 0.3, 1.5),
    ("leaky_relu(0.4)", [3, 5, 4], 0.2, 1.4),
    ("slopes(1, -0.5)", [5, 3], 0.1, 1.6),
    ("linear", [3, 4], 0.2, 0.9),
]


@pytest.mark.parametrize("case", range(len(_NETWORKS)))
def test_simulated_networks_agree(case):
    name, widths, C_b, C_W = _NETWORKS[case]
    net = network(name, widths=widths, weight_variance=C_W, bias_variance=C_b)
    inputs, fields = _inputs(case), [_Z, _U, _V]
    S = _simulate(net, inputs, fields, 200_000, seed=case)
    mean, covariance = field_moments(net, inputs, fields)
    z = (S.mean(0) - mean[-1]) / (S.std(0) / math.sqrt(len(S)))
    assert np.max(np.abs(z)) < 5
    centred = S - mean[-1]
    for (a, b), (c, d) in [
        ((0, 0), (0, 0)), ((0, 0), (1, 1)), ((0, 1), (0, 1)), ((0, 1), (0, 2)), ((1, 1), (2, 2)),
        ((1, 2), (1, 2)), ((0, 0), (0, 1)), ((0, 1), (1, 2)), ((1, 1), (1, 1)),
    ]:  # fmt: skip
        product = centred[:, a, b] * centred[:, c, d]
        error = product.std() / math.sqrt(len(S))
        assert abs(product.mean() - covariance[-1, a, b, c, d]) < 5 * error, (a, b, c, d)
    E_S = derivative_moments(net, inputs.gram([_U])[0, 0])[-1]
    for k in (1, 2, 3):
        power = S[:, 1, 1] ** k
        assert abs(power.mean() - E_S[k]) < 5 * power.std() / math.sqrt(len(S)), k


def test_covariance_is_the_slow_recursion_of_products():
    """E[S'_ab S'_cd] = (1-1/n) E[S_ab S_cd] + (w/n)(three pairings) at C_b = 0, C_W = 1/A2."""
    net = network("leaky_relu(0.2)", widths=[3, 7])
    A2, A4 = (1 + 0.2**2) / 2, (1 + 0.2**4) / 2
    inputs = _inputs(1)
    K = net.weight_variance[0] * inputs.gram([_Z, _U, _V])
    E = np.einsum("ab,cd->abcd", K, K)
    for n in net.widths:
        pairings = E + E.transpose(0, 2, 1, 3) + E.transpose(0, 3, 2, 1)
        E = (1 - 1 / n) * E + A4 / A2**2 / n * pairings
    mean, covariance = field_moments(net, inputs, [_Z, _U, _V])
    np.testing.assert_allclose(mean[-1], K, rtol=1e-14)
    np.testing.assert_allclose(
        covariance[-1] + np.einsum("ab,cd->abcd", mean[-1], mean[-1]), E, rtol=1e-12
    )


def test_one_field_agrees_with_the_one_input_law():
    net = network("relu", widths=[8, 5, 9], weight_variance=[2.0, 1.5, 1.8, 2.2],
                  bias_variance=[0.1, 0.0, 0.3, 0.2])  # fmt: skip
    mean, covariance = gram_moments(net, np.array([[0.7]]), np.ones((1, 1)))
    m = moments(net, 0.7, 2)
    np.testing.assert_allclose(mean[:, 0, 0], m[:, 1], rtol=1e-14)
    np.testing.assert_allclose(covariance[1:, 0, 0, 0, 0], (m[:, 2] - m[:, 1] ** 2)[1:], rtol=1e-12)


def test_wide_networks_keep_their_digits():
    """ReLU: Var(S_11)/K_11^2 = (1 + 5/n)^L - 1, though n = 1e9 hides it in the second moment."""
    n, L = 10**9, 5
    net = network("relu", width=n, depth=L)
    mean, covariance = gram_moments(net, np.array([[1.0]]), np.zeros((1, 1)))
    relative = covariance[-1, 0, 0, 0, 0] / mean[-1, 0, 0] ** 2
    assert relative == pytest.approx(math.expm1(L * math.log1p(5 / n)), rel=1e-13)


def test_linear_networks_take_many_inputs():
    rng = np.random.default_rng(3)
    inputs = from_vectors(rng.standard_normal((2, 3)), rng.standard_normal((1, 3)), source="test")
    net = network("linear", widths=[3, 4], weight_variance=0.8, bias_variance=0.3)
    fields = [Slot("a"), Slot("b"), Slot("a", ("u",))]
    S = _simulate(net, inputs, fields, 200_000, seed=9)
    mean, covariance = field_moments(net, inputs, fields)
    np.testing.assert_array_less(np.abs(S.mean(0) - mean[-1]), 5 * S.std(0) / math.sqrt(len(S)))
    centred = S - mean[-1]
    for a, b, c, d in [(0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 2), (0, 2, 1, 2), (0, 0, 0, 1)]:
        product = centred[:, a, b] * centred[:, c, d]
        error = product.std() / math.sqrt(len(S))
        assert abs(product.mean() - covariance[-1, a, b, c, d]) < 5 * error


def test_refusals():
    two = from_vectors(np.eye(2), np.eye(2), source="test")
    relu = network("relu", width=4, depth=2)
    with pytest.raises(ValueError, match="one input"):
        field_moments(relu, two, [Slot("a"), Slot("b")])
    with pytest.raises(ValueError, match="derivative of order 2"):
        field_moments(relu, two, [Slot("a", ("u", "v"))])
    with pytest.raises(ValueError, match="gelu"):
        field_moments(network("gelu", width=4, depth=2), two, [Slot("a")])
    zero = from_vectors(np.zeros((1, 2)), np.eye(2), source="test")
    with pytest.raises(ValueError, match="x = 0"):
        field_moments(relu, zero, [Slot("a", ("u",))])
    with pytest.raises(ValueError, match="coordinates"):
        empirical_gradient_variance(relu, 3, 4)
