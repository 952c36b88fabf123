"""The hierarchy in 1/n for one input: exact polynomials, and the recursions of the papers."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from netsim.networks.network import network
from netsim.theory.exact import cumulants as exact_cumulants
from netsim.theory.hierarchy.one_input import cumulant_series


def _polynomial(slopes, widths, C_b, C_W, x2, order):
    """Coefficients of n^0..n^-order in cumulants 1..4 of S_1..S_L, n = n_1; exact fractions.

    E (sum_j y_j)^k = sum over sizes of blocks of partitions of [k] of n (n-1) ... prod E y^|B|.
    """
    plus, minus = (Fraction(a) for a in slopes)
    y = [math.prod(range(1, 2 * j, 2)) * (plus ** (2 * j) + minus ** (2 * j)) / 2 for j in range(5)]
    partitions = {
        1: [((1,), 1)],
        2: [((2,), 1), ((1, 1), 1)],
        3: [((3,), 1), ((2, 1), 3), ((1, 1, 1), 1)],
        4: [((4,), 1), ((3, 1), 4), ((2, 2), 3), ((2, 1, 1), 6), ((1, 1, 1, 1), 1)],
    }

    def times(p, q):
        r = [Fraction(0)] * (order + 1)
        for i, a in enumerate(p):
            for j, b in enumerate(q[: order + 1 - i]):
                r[i + j] += a * b
        return r

    one = [Fraction(1)] + [Fraction(0)] * order
    S = [[c * (C_b + C_W * x2) ** p for c in one] for p in range(5)]
    rows = []
    for n in widths:
        eps = Fraction(widths[0], n)  # 1/n_l in units of 1/n_1
        X = [one]
        for k in range(1, 5):
            total = [Fraction(0)] * (order + 1)
            for blocks, count in partitions[k]:
                m = len(blocks)
                term = [count * math.prod(y[b] for b in blocks) * c for c in one]
                for i in range(m):  # n (n-1) ... (n-m+1) / n^m
                    term = times(term, [Fraction(1), -i * eps])
                shifted = [Fraction(0)] * (k - m) + [c * eps ** (k - m) for c in term]
                total = [a + b for a, b in zip(total, shifted[: order + 1], strict=True)]
            X.append([c * C_W**k for c in total])
        grown = [times(X[p], S[p]) for p in range(5)]
        S = [
            [sum(math.comb(p, q) * C_b ** (p - q) * grown[q][m] for q in range(p + 1))
             for m in range(order + 1)]
            for p in range(5)
        ]  # fmt: skip
        kappa = [None]
        for p in range(1, 5):
            c = S[p]
            for j in range(1, p):
                product = times(kappa[j], S[p - j])
                c = [a - math.comb(p - 1, j - 1) * b for a, b in zip(c, product, strict=True)]
            kappa.append(c)
        rows.append([[float(v) for v in c] for c in kappa[1:]])
    return np.array(rows)


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu(0.1)", "slopes(2, -0.5)"])
@pytest.mark.parametrize("widths", [(16,) * 5, (8, 16, 4, 8, 24)])
def test_piecewise_linear_series_are_the_exact_polynomials(name, widths):
    C_b, C_W, x2 = Fraction(1, 8), Fraction(7, 4), Fraction(3, 4)
    net = network(name, widths=widths, weight_variance=1.75, bias_variance=0.125)
    found = cumulant_series(net, 0.75, 6)
    exact = _polynomial(net.activation.slopes, widths, C_b, C_W, x2, 7)
    every = np.concatenate([found.coefficients, found.beyond[..., None]], axis=-1)[1:]
    scale = np.maximum.accumulate(np.abs(exact), axis=-1)  # a power may be missing
    assert np.all(np.abs(every - exact) <= 1e-12 * scale)
    errors = np.concatenate([found.errors, found.beyond_errors[..., None]], axis=-1)[1:]
    assert np.all(np.abs(every - exact) <= errors)


@pytest.mark.parametrize("name", ["linear", "relu", "leaky_relu(0.1)"])
def test_series_that_end_are_the_exact_law(name):
    """L = 2: kappa_8 is a polynomial of degree 6 in 1/n."""
    net = network(name, widths=(3, 5), weight_variance=1.75, bias_variance=0.125)
    found = cumulant_series(net, 0.75, 6)
    np.testing.assert_allclose(found.value(), exact_cumulants(net, 0.75), rtol=1e-12)
    wide = network(name, widths=(6, 10), weight_variance=1.75, bias_variance=0.125)
    np.testing.assert_allclose(found.value(6), exact_cumulants(wide, 0.75), rtol=1e-12)
    assert np.all(found.truncation_error()[:2] == 0) and not np.any(found.growing(100))


def _naive_leading(net, x2):
    """D, V, T, Q layer by layer as in the papers, derivatives in K by Hermite weights on a grid."""
    g = np.arange(-900, 901) / 64
    phi = np.exp(-g * g / 2) / 64 / math.sqrt(2 * math.pi)

    def derivatives(K, j, count=4):
        s = net.activation.numpy(math.sqrt(K) * g) ** (2 * j)
        return [
            phi @ (s * np.polynomial.hermite_e.hermeval(g, [0] * (2 * q) + [1])) / (2 * K) ** q
            for q in range(count)
        ]

    def leibniz(a, b):
        return [sum(math.comb(q, i) * a[i] * b[q - i] for i in range(q + 1)) for q in range(4)]

    K, D, V, T, Q = net.bias_variance[0] + net.weight_variance[0] * x2, 0.0, 0.0, 0.0, 0.0
    rows = []
    for l, n in enumerate(net.widths, 1):
        C_W = net.weight_variance[l]
        m1, m2, m3, m4 = (np.array(derivatives(K, j)) for j in (1, 2, 3, 4))
        m11 = np.array(leibniz(m1, m1))
        c2 = m2 - m11
        c3 = m3 - 3 * np.array(leibniz(m2, m1)) + 2 * np.array(leibniz(m11, m1))
        c4 = m4[0] - 4 * m3[0] * m1[0] - 3 * m2[0] ** 2 + 12 * m2[0] * m1[0] ** 2 - 6 * m1[0] ** 4
        _, F1, F2, F3 = C_W * m1
        G, G1, G2, _ = C_W**2 * c2 / n
        H, H1, _, _ = C_W**3 * c3 / n**2
        D, V, T, Q = (
            F1 * D + F2 * V / 2,
            G + F1**2 * V,
            H + 3 * F1 * G1 * V + 3 * F1**2 * F2 * V**2 + F1**3 * T,
            C_W**4 * c4 / n**3 + 4 * F1 * H1 * V + 3 * G1**2 * V
            + 6 * (F1**2 * G1 * T + (2 * F1 * F2 * G1 + F1**2 * G2) * V**2)
            + F1**4 * Q + 12 * F1**3 * F2 * V * T + (12 * F1**2 * F2**2 + 4 * F1**3 * F3) * V**3,
        )  # fmt: skip
        K = net.bias_variance[l] + C_W * m1[0]
        rows.append([K, D, V, T, Q])
    return np.array(rows)


@pytest.mark.parametrize("name", ["tanh", "gelu", "swish", "sin"])
def test_leading_powers_are_those_of_the_recursions_written_out(name):
    widths = (8, 16, 4, 32)
    net = network(name, widths=widths, weight_variance=(1.1, 1.3, 0.9, 1.5, 1.2), bias_variance=0.1)
    found = cumulant_series(net, 0.8, 3).coefficients[1:]
    naive = _naive_leading(net, 0.8)
    got = np.stack([found[:, 0, 0], found[:, 0, 1], *(found[:, k, k] for k in (1, 2, 3))], axis=1)
    got *= 8.0 ** -np.array([0, 1, 1, 2, 3])
    np.testing.assert_allclose(got, naive, rtol=1e-11, atol=1e-18)


def test_one_hidden_layer_has_one_power_each_and_more_layers_change_nothing():
    """S_1 is a mean of independent terms: cum_k = C_W^k c_k n^{1-k}; rows do not look ahead."""
    one = cumulant_series(network("gelu", width=16, depth=1), 0.7, 5)
    expected = np.arange(6) == np.arange(4)[:, None]
    assert np.array_equal(np.abs(one.coefficients[1]) > one.errors[1], expected)
    options = dict(weight_variance=1.3, bias_variance=0.2)
    short = cumulant_series(network("gelu", widths=(16, 8, 32), **options), 0.7, 4)
    long = cumulant_series(network("gelu", widths=(16, 8, 32, 5, 64), **options), 0.7, 4)
    np.testing.assert_allclose(short.coefficients, long.coefficients[:4], rtol=1e-12, atol=1e-18)
