"""The hierarchy of fields against slow, obvious formulas; many fields against few."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fields_twins import (
    AU,
    AUV,
    AV,
    BU,
    GRAM,
    A,
    B,
    Dense,
    dense_second_order,
    gram_of,
    net,
)
from netsim.networks.fields import bias_mask, closure
from netsim.networks.network import network
from netsim.quantities import Slot
from netsim.theory.hierarchy_fields.fields import hierarchy_fields
from netsim.theory.hierarchy_fields.multisets import multiply, multisets, splits
from netsim.theory.infinite_width import kernels


@pytest.mark.parametrize("fields", [(A, B), (A, AU)], ids=["inputs", "derivative"])
def test_second_order_against_the_law_of_total_cumulance(fields):
    ensemble, gram = net("tanh", (6, 9, 5), 1.3, 0.2), 0.6 * GRAM
    pairs, K, D1, D2, V1, V2, T = dense_second_order(ensemble, gram, fields)
    found = hierarchy_fields(ensemble, gram, fields, 2)
    terms = lambda series: series.coefficients[-1] / 6.0 ** np.arange(3)
    slot = [tuple(fields[i] for i in pair) for pair in pairs]
    for p in range(len(pairs)):
        true = [K[pairs[p]], D1[p], D2[p]]
        np.testing.assert_allclose(terms(found.cumulant(slot[p])), true, rtol=1e-9, atol=1e-12)
        for q in range(len(pairs)):
            value = terms(found.cumulant(slot[p], slot[q]))
            np.testing.assert_allclose(value, [0, V1[p, q], V2[p, q]], rtol=1e-9, atol=1e-12)
            for r in range(len(pairs)):
                value = terms(found.cumulant(slot[p], slot[q], slot[r]))
                np.testing.assert_allclose(value, [0, 0, T[p, q, r]], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("fields", [(A, AU, AV), (A, B, BU)], ids=["one", "two"])
def test_first_order_against_the_dense_tensors(fields):
    """J and the fourth-order weights as full tensors over ordered pairs, three fields."""
    ensemble, gram = net("tanh", (6, 9), 1.3, 0.2), 0.2 * gram_of(fields, 3)
    mask = np.array(bias_mask(fields))
    K = ensemble.bias_variance[0] * mask + ensemble.weight_variance[0] * gram
    D, cov = np.zeros((3, 3)), np.zeros((3,) * 4)
    for l, n in enumerate(ensemble.widths, 1):
        C = ensemble.weight_variance[l]
        E = Dense(ensemble.activation, fields, K, (0.22, 8.4))
        hh = np.einsum("aN,bN->abN", E.h, E.h).reshape(9, -1) * E.weight
        mean = hh.sum(axis=1).reshape(3, 3)
        orders = lambda *index: tuple(index.count(i) for i in range(3))
        four = [E.hermite(orders(*i)) for i in itertools.product(range(3), repeat=4)]
        two = [E.hermite(orders(*i)) for i in itertools.product(range(3), repeat=2)]
        J = C / 2 * (hh @ np.array(two).T).reshape((3,) * 4)
        Hs = C / 4 * (hh @ np.array(four).T).reshape((3,) * 6)
        source = np.einsum("aN,bN,cN,dN,N->abcd", *[E.h] * 4, E.weight, optimize=True)
        source = C * C / n * (source - np.einsum("ab,cd->abcd", mean, mean))
        D = np.einsum("abef,ef->ab", J, D) + 0.5 * np.einsum("abefgh,efgh->ab", Hs, cov)
        cov = source + np.einsum("abef,cdgh,efgh->abcd", J, J, cov, optimize=True)
        K = ensemble.bias_variance[l] * mask + C * mean
    found = hierarchy_fields(ensemble, gram, fields, 1, next_term=False)
    for a, b in itertools.product(range(3), repeat=2):
        p = (fields[a], fields[b])
        assert found.cumulant(p).coefficients[-1, 1] / 6 == pytest.approx(D[a, b], abs=1e-9)
        for c, d in itertools.product(range(3), repeat=2):
            value = found.cumulant(p, (fields[c], fields[d])).coefficients[-1, 1] / 6
            assert value == pytest.approx(cov[a, b, c, d], rel=1e-8, abs=1e-9)


def lists_agree(big, small, first):
    """Largest difference and largest claimed error of first-order terms, relative to the largest."""
    fields = small.fields
    pairs = list(itertools.combinations_with_replacement(fields, 2))
    gap = claim = 0.0
    for p, q in itertools.combinations_with_replacement(pairs, 2):
        x, y = big.cumulant(p, q), small.cumulant(p, q)
        difference = np.abs(x.coefficients - y.coefficients)
        assert np.all(difference <= x.errors + y.errors + 1e-15 * first[:, None])
        gap = max(gap, np.max(difference[1:, 1] / first[1:]))
        claim = max(claim, np.max(x.errors[1:, 1] / first[1:]))
    return gap, claim


@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_sixteen_fields_contain_the_smaller_lists(name):
    x = np.random.default_rng(0).standard_normal((16, 20)) + 0.3
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    fields = [Slot(f"a{i}") for i in range(16)]
    ensemble = network(name, width=50, depth=3)
    found = hierarchy_fields(ensemble, x @ x.T, fields)
    assert found.beyond is None and found.cumulant((fields[0],) * 2).truncation == "last term"
    first = np.max(np.abs(found.coefficients[1][..., 1]), axis=1)
    for chosen in ([2, 11], [1, 4, 7], [15, 3, 9, 0]):
        some = [fields[i] for i in chosen]
        gram = x[chosen] @ x[chosen].T
        gap, claim = lists_agree(
            found, hierarchy_fields(ensemble, gram, some, 1, next_term=False), first
        )
        assert gap < 1e-7 and claim < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_sixteen_fields_through_a_hundred_layers(name):
    x = np.random.default_rng(1).standard_normal((16, 20))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    fields = [Slot(f"a{i}") for i in range(16)]
    ensemble = network(name, width=1000, depth=100)
    found = hierarchy_fields(ensemble, x @ x.T, fields)
    value, error = found.coefficients[1][1:, :, 1], found.errors[1][1:, :, 1]
    large = np.abs(value) > 1e-3 * np.max(np.abs(value), axis=1, keepdims=True)
    assert np.max(error[large] / np.abs(value[large])) < 1e-4
    some = [fields[i] for i in (3, 12)]
    two = hierarchy_fields(ensemble, (x @ x.T)[np.ix_([3, 12], [3, 12])], some)
    assert np.max(two.errors[1][1:, :, 1] / np.abs(two.coefficients[1][1:, :, 1])) < 1e-10
    first = np.max(np.abs(found.coefficients[1][..., 1]), axis=1)
    assert lists_agree(found, two, first)[0] < 1e-5


@pytest.mark.slow
def test_two_fields_to_second_order_through_32_layers():
    found = hierarchy_fields(network("tanh", width=100, depth=32), GRAM, [A, B], 2)
    for value, error in zip(found.coefficients, found.errors, strict=True):
        scale = np.max(np.abs(value), axis=1, keepdims=True)
        assert np.all(error <= 1e-9 * scale + 1e-300)


def test_kernels_are_those_of_infinite_width():
    fields = closure([AUV, BU])
    ensemble, gram = net("swish", (5, 7)), gram_of(fields, 5)
    found = hierarchy_fields(ensemble, gram, fields, 1, next_term=False)
    K = kernels(ensemble, gram, fields).values
    for a, b in itertools.product(range(len(fields)), repeat=2):
        series = found.cumulant((fields[a], fields[b]))
        np.testing.assert_allclose(series.coefficients[:, 0], K[:, a, b], rtol=0, atol=1e-13)


def test_multisets_and_their_splits():
    assert multisets(2, 2) == ((0, 0), (0, 1), (1, 1))
    alpha, kappa, rest, ways = splits(2, 3, 2)
    # 001 = 0 + {01}: beta one of 0, 1; 011 = 0 + {11}: beta = 1 in two ways
    rows = {tuple(row) for row in np.array([alpha, kappa, rest, ways]).T.astype(int).tolist()}
    assert (1, 0, 1, 1) in rows and (1, 1, 0, 1) in rows and (2, 1, 1, 2) in rows


def test_products_of_polynomials():
    """(x + 2y)(x^2 + 3xy) = x^3 + 5 x^2 y + 6 x y^2, the rest cut by the degree."""
    a = {0: np.ones((1, 1)), 1: np.array([[1.0, 2.0]])}
    b = {2: np.array([[1.0, 3.0, 0.0]])}
    found = multiply(2, a, b, 3)
    np.testing.assert_array_equal(found[2], [[1, 3, 0]])
    np.testing.assert_array_equal(found[3], [[1, 5, 6, 0]])
    assert set(multiply(2, a, b, 2)) == {2}
