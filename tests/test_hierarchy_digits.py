"""The hierarchy in 1/n for one input with many digits: float64's errors, twenty orders."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from netsim.networks.network import network
from netsim.theory.hierarchy.one_input import cumulant_series
from netsim.theory.transfer.chain import transfer_cumulants


@pytest.mark.parametrize(
    ("name", "widths", "C_W", "C_b", "x2", "order"),
    [
        ("tanh", (64,) * 5, 1.0, 0.0, 1.0, 6),
        ("erf", (32,) * 4, math.pi / 4, 0.0, 1.0, 6),
        ("sin", (16, 8, 16), 3.0, 0.2, 4.0, 5),
        ("gelu", (32,) * 3, "critical", "critical", 1.7, 5),
        ("swish", (32,) * 4, "critical", "critical", 1.5, 6),
        ("softplus", (16,) * 4, 1.0, 0.1, 0.0, 6),
        ("polynomial([0.1, 1, 0.3])", (32,) * 3, 0.3, 0.1, 0.5, 4),
        ("leaky_relu(0.1)", (32, 8, 16) * 2, 1.9, 0.1, 0.5, 6),
    ],
)
def test_float64_is_within_its_errors_of_twenty_digits(name, widths, C_W, C_b, x2, order):
    net = network(name, widths=widths, weight_variance=C_W, bias_variance=C_b)
    found = cumulant_series(net, x2, order)
    precise = cumulant_series(net, x2, order, digits=20)
    # in double the difference of mpmath numbers keeps what float64 cannot see
    off = np.abs((precise.coefficients - found.coefficients).astype(float))
    assert np.all(off <= found.errors)
    for k in range(4):
        size = np.abs(found.coefficients[-1, k, k:]) + 1e-300
        assert np.all(precise.errors[-1, k, k:] < 1e-19 * size.max())
        assert np.all(found.errors[-1, k, k:4] < 1e-11 * size[: 4 - k].max())


def test_twenty_orders_of_tanh_show_where_the_series_is_asymptotic():
    """Sums reach the exact law as near as the smallest term; behind it they leave it again."""
    options = dict(weight_variance=1.0, bias_variance=0.0)
    found = cumulant_series(network("tanh", width=4, depth=2, **options), 1.0, 20, digits=40)
    terms = found.coefficients[-1, 0].astype(float)
    for n, worse in ((4, 100), (8, 5), (256, None)):
        exact, error = transfer_cumulants(network("tanh", width=n, depth=2, **options), 1.0)
        sizes = np.abs(terms) * float(n) ** -np.arange(21)
        missing = np.abs(np.cumsum(terms * float(n) ** -np.arange(21)) - exact[-1, 0])
        best = int(found.smallest(n)[-1, 0])
        assert bool(found.growing(n)[-1, 0]) == (worse is not None)
        if worse is None:
            assert best == 21 and missing[-1] <= error[-1, 0]
            continue
        assert best < 20
        # at the best sums the error is that of the terms around the smallest one
        assert missing.min() <= 10 * sizes[best - 2 : best + 3].max()
        assert missing.min() < 1e-3 * missing[3]
        assert missing[-1] > worse * missing.min() and missing[-1] > 5 * error[-1, 0]
    assert float(found.errors[-1, 0].max() / np.abs(terms).max()) < 1e-40


def test_digits_are_right_where_they_can_be_checked():
    """L = 1: kappa_2 = C_W <sin^2>, <sin^2> = (1 - e^{-2K})/2, and kappa_4 = C_W^2 Var/n."""
    net = network("sin", width=8, depth=1, weight_variance=1.0, bias_variance=0.0)
    found = cumulant_series(net, 0.5, 2, digits=60)
    with mpmath.workdps(70):
        K = mpmath.mpf(0.5)
        mean = (1 - mpmath.exp(-2 * K)) / 2
        square = mpmath.mpf(3) / 8 - mpmath.exp(-2 * K) / 2 + mpmath.exp(-8 * K) / 8
        assert abs(found.coefficients[1, 0, 0] - mean) < mpmath.mpf(10) ** -60
        assert abs(found.coefficients[1, 1, 1] - (square - mean**2)) < mpmath.mpf(10) ** -60
        total = found.value(3)[1, 1]
        assert abs(total - (square - mean**2) / 3) < mpmath.mpf(10) ** -60
    with pytest.raises(ValueError, match="order=7.*1 to 6; with digits"):
        cumulant_series(net, 0.5, 7)
