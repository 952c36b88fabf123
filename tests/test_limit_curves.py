"""Limits at fixed tau = sum 1/n_l against oracles, exact series, finite width and simulation."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from netsim.experiment.aliases import ALIASES
from netsim.networks.network import network
from netsim.theory.base import OutsideDomain
from netsim.theory.leading_order import leading
from netsim.theory.limit_curves import (
    RATIOS,
    limit_name,
    limit_ratios,
    lognormal_ratios,
    universal_ratios,
)

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
UNIVERSAL = next(e["rows"] for e in ORACLES if e["kind"] == "universal_Kstar0_scaling")
ORACLE_KEYS = ("kappa2_over_K", "k4_over_k2sq", "k6_over_k2cu", "k8_over_k2_4")
SLOPES = {"linear": 2, "relu": 5, "slopes(1, -1)": 2, "slopes(0, -3)": 5}
ORDER = 12  # powers of tau kept in the exact series


def ratios_of(m):
    """The four ratios of moments m_1..m_4, naively; any exact or high-precision arithmetic."""
    a, b, c, d = m
    cumulants = (
        b - a**2,
        c - 3 * a * b + 2 * a**3,
        d - 4 * a * c - 3 * b**2 + 12 * a**2 * b - 6 * a**4,
    )
    return [a] + [cumulant / a ** (k + 2) for k, cumulant in enumerate(cumulants)]


class Series:
    """A power series in tau with exact coefficients, cut after tau^ORDER."""

    def __init__(self, coefficients):
        self.c = (list(coefficients) + [Fraction(0)] * (ORDER + 1))[: ORDER + 1]

    def __add__(self, other):
        return Series([x + y for x, y in zip(self.c, other.c, strict=True)])

    def __sub__(self, other):
        return self + -1 * other

    def __rmul__(self, number):
        return Series([number * x for x in self.c])

    def __mul__(self, other):
        terms = [sum(self.c[i] * other.c[k - i] for i in range(k + 1)) for k in range(len(self.c))]
        return Series(terms)

    def __pow__(self, power):
        return self if power == 1 else self * self ** (power - 1)

    def __truediv__(self, other):
        quotient = []
        for k in range(ORDER + 1):
            rest = self.c[k] - sum(quotient[i] * other.c[k - i] for i in range(k))
            quotient.append(rest / other.c[0])
        return Series(quotient)

    def __call__(self, tau):
        return sum(x * tau**k for k, x in enumerate(self.c))


def bernoulli(count):
    b = [Fraction(1)]
    for n in range(1, count):
        b.append(-sum(math.comb(n + 1, k) * b[k] for k in range(n)) / (n + 1))
    return b


@pytest.fixture(scope="module")
def series():
    """The ratios as series: x/sinh x = sum (2 - 4^k) B_2k x^2k/(2k)!, E X^2k = (2k-1)!! (tau/2)^k."""
    B = bernoulli(2 * ORDER + 1)
    mean = Series(
        (2 - 4**k) * B[2 * k] / math.factorial(2 * k)
        * Fraction(math.prod(range(1, 2 * k, 2)), 2**k)
        for k in range(ORDER + 1)
    )  # fmt: skip
    front = Series(Fraction((-1) ** k, 4**k * math.factorial(k)) for k in range(ORDER + 1))
    m = [front * mean]
    for p in range(1, 4):
        slope = Series(k * x for k, x in enumerate(m[-1].c))  # tau d/dtau
        m.append(Series([1, p - 1]) * m[-1] - Fraction(1, p) * slope)
    return ratios_of(m)


def test_equals_the_oracle_rows():
    tau = np.array([row["tau"] for row in UNIVERSAL])
    found = universal_ratios(tau)
    assert len(tau) == 4
    for key, oracle in zip(RATIOS, ORACLE_KEYS, strict=True):
        np.testing.assert_allclose(found[key], [row[oracle] for row in UNIVERSAL], rtol=1e-12)


def test_series_has_the_known_coefficients(series):
    known = [
        "1 -1/3 1/15 -4/315 1/315 -4/3465",
        "0 2/3 2/15 4/189 -2/2835",
        "0 0 16/15 88/189 88/675",
        "0 0 0 96/35 8944/4725",
    ]
    for one, text in zip(series, known, strict=True):
        coefficients = [Fraction(word) for word in text.split()]
        assert one.c[: len(coefficients)] == coefficients


@pytest.mark.parametrize("tau", [1e-12, 1e-6, 1e-4, 1e-3, 0.01, 0.05])
def test_universal_small_tau_equals_the_series(series, tau):
    found = universal_ratios(tau)
    for key, one in zip(RATIOS, series, strict=True):
        # the first term left out is about 13! (tau/pi^2)^13: below 1e-20 relative everywhere here
        assert found[key] == pytest.approx(float(one(Fraction(tau))), rel=1e-13, abs=0)


@pytest.mark.parametrize("tau", [0.3, 20.0])
def test_universal_equals_adaptive_quadrature(tau):
    def m_1(t):
        def density(x):
            return (x / mp.sinh(x) if x else 1) * mp.exp(-x * x / t)

        points = [0, 1, 3, 8, 20, 50, 120]
        return 2 * mp.exp(-t / 4) * mp.quad(density, points) / mp.sqrt(mp.pi * t)

    with mp.workdps(30):
        t = mp.mpf(tau)
        a, d1, d2, d3 = (c * math.factorial(j) for j, c in enumerate(mp.taylor(m_1, t, 3)))
        b = a - t * d1  # the recursion, written out by hand
        c = (1 + t) * b + t**2 * d2 / 2
        d = (1 + 2 * t) * c - (t / 3) * (b - t**2 * d2 + t**2 * d3 / 2)
        expected = [float(r) for r in ratios_of((a, b, c, d))]
    found = universal_ratios(tau)
    np.testing.assert_allclose([found[key] for key in RATIOS], expected, rtol=1e-12)


def test_universal_equals_simulated_exponential_functional():
    """S/K = tau/int_0^tau exp(sqrt 2 B_s + s) ds at tau = 1; a 3% wrong value is refused."""
    rng, steps, paths, chunks = np.random.default_rng(0), 128, 20_000, 20
    S = []
    for _ in range(chunks):
        moves = rng.normal(1 / steps, math.sqrt(2 / steps), (paths, steps))
        y = np.exp(np.cumsum(moves, axis=1))
        # trapezoidal rule: its excess on an arc of B cancels the arc's own, so the bias is O(h^2)
        S.append(1 / ((0.5 + y.sum(axis=1) - 0.5 * y[:, -1]) / steps))
    S = np.concatenate(S)
    found = universal_ratios(1.0)
    m_1 = found["kappa2/K"]
    for p, value in ((1, m_1), (2, m_1**2 * (1 + found["kappa4/kappa2^2"]))):
        z = lambda wrong, p=p, value=value: (
            (np.mean(S**p) - wrong * value) / (np.std(S**p) / math.sqrt(len(S)))
        )
        assert abs(z(1.0)) < 5
        assert min(abs(z(0.97)), abs(z(1.03))) > 5


@pytest.mark.parametrize("name", ["tanh", "sin", "erf"])
def test_leading_order_of_deep_networks_tends_to_the_universal_slopes(name):
    """Leading cumulants at two depths, the O(log L / L) correction fitted away; 3% is refused."""
    n, depth = 1000, 800
    net = network(name, width=n, depth=depth)
    found, tau = leading(net, 0.5), np.arange(depth + 1) / n
    tiny = 1e-9
    limit = universal_ratios(tiny)
    measured = (
        -found.D[1:] / found.K[1:] / tau[1:],
        found.V[1:] / found.K[1:] ** 2 / tau[1:],
        found.T[1:] / found.K[1:] ** 3 / tau[1:] ** 2,
        found.Q[1:] / found.K[1:] ** 4 / tau[1:] ** 3,
    )
    expected = [(1 - limit["kappa2/K"]) / tiny]
    expected += [limit[key] / tiny**k for k, key in enumerate(RATIOS[1:], 1)]
    L = np.array([100, 200, 400, 800])
    basis = np.stack([np.ones(4), np.log(L) / L, 1 / L], axis=1)
    for row, value in zip(measured, expected, strict=True):
        fitted = np.linalg.lstsq(basis, row[L - 1], rcond=None)[0][0]
        assert fitted == pytest.approx(value, rel=0.002)


@pytest.mark.parametrize(("name", "v"), [*SLOPES.items(), ("leaky_relu(0.1)", None)])
def test_v_is_the_leading_kappa_4_of_the_network(name, v):
    net = network(name, widths=[50, 70, 90])
    found = leading(net, 0.7)
    slope = found.V[-1] / found.K[-1] ** 2 / net.effective_depth
    tau = 1e-7
    measured = np.log1p(limit_ratios(net, tau)["kappa4/kappa2^2"]) / tau
    assert measured == pytest.approx(slope, rel=1e-9)
    assert v is None or measured == pytest.approx(v, rel=1e-9)


@pytest.mark.parametrize("tau", [1e-9, 1e-4, 1e-2, 1.0, 7.0, 20.0])
@pytest.mark.parametrize("v", [2.0, 5.0])
def test_lognormal_equals_raw_moments_in_high_precision(tau, v):
    with mp.workdps(120):
        q = mp.exp(mp.mpf(v) * mp.mpf(tau))
        expected = [float(r) for r in ratios_of([q ** (p * (p - 1) // 2) for p in range(1, 5)])]
    found = lognormal_ratios(tau, v)
    np.testing.assert_allclose([found[key] for key in RATIOS], expected, rtol=1e-13)


@pytest.mark.parametrize("name", SLOPES)
def test_lognormal_small_tau(name):
    v, tau = SLOPES[name], 1e-10
    found = limit_ratios(network(name, width=10, depth=2), tau)
    expected = [1, v * tau, 3 * (v * tau) ** 2, 16 * (v * tau) ** 3]
    np.testing.assert_allclose([found[key] for key in RATIOS], expected, rtol=5e-9)


@pytest.mark.parametrize(("name", "active"), [("linear", 1), ("relu", Fraction(1, 2))])
@pytest.mark.parametrize("tau", [0.125, 1.0])
def test_lognormal_is_the_limit_of_exact_products(name, active, tau):
    """E X^p of X = mean of n copies of Y = sigma(z)^2/E sigma^2, to the power tau n, n -> infinity.

    E Y^p = active^{1-p} (2p-1)!!; the finite-width error is A/n + B/n^2 + ..., removed twice.
    """

    def at(n):
        y = [active ** (1 - p) * math.prod(range(1, 2 * p, 2)) for p in range(1, 5)]
        a, k_2, k_3, k_4 = (
            r.numerator * mp.mpf(1) / r.denominator for r in map(Fraction, ratios_of(y))
        )
        c, d, e = k_2 / n, k_3 / n**2, k_4 / n**3
        x = (a, 1 + c, 1 + 3 * c + d, 1 + 6 * c + 4 * d + 3 * c**2 + e)
        return np.array(ratios_of([m ** int(tau * n) for m in x]))

    with mp.workdps(50):
        n = 10**6
        once = [2 * at(2 * m) - at(m) for m in (n, 2 * n)]
        exact = ((4 * once[1] - once[0]) / 3).astype(float)
        plain = at(n).astype(float)
    found = limit_ratios(network(name, width=n, depth=1), tau)
    limit = np.array([found[key] for key in RATIOS])
    np.testing.assert_allclose(limit, exact, rtol=1e-12)
    np.testing.assert_allclose(limit, plain, rtol=2e-3)


def test_names_shapes_and_zero():
    tau = np.array([[0.0, 0.1, 0.2], [0.3, 0.4, 2.0]])
    for name, law in (("relu", "log-normal limit"), ("tanh", "universal K*=0 limit")):
        assert limit_name(network(name, width=8, depth=3)) == law
        found = limit_ratios(network(name, width=8, depth=3), tau)
        assert tuple(found) == RATIOS and set(RATIOS[1:]) <= set(ALIASES)
        assert all(value.shape == tau.shape for value in found.values())
        assert [value[0, 0] for value in found.values()] == [1, 0, 0, 0]
        one = limit_ratios(network(name, width=99, depth=1), [0.4])
        assert all(one[key][0] == found[key][1, 1] for key in RATIOS)
        assert limit_ratios(network(name, width=8, depth=3), [])["kappa2/K"].shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (dict(activation_name="gelu", width=8, depth=2), "half-stable"),
        (dict(activation_name="swish", width=8, depth=2), "half-stable"),
        (dict(activation_name="softplus", width=8, depth=2, weight_variance=1, bias_variance=0),
         "no critical point"),
        (dict(activation_name="tanh", width=8, depth=2, weight_variance=1.001), "weight_variance"),
        (dict(activation_name="relu", width=8, depth=2, weight_variance=[2, 2, 1.9]),
         "weight_variance"),
        (dict(activation_name="relu", width=8, depth=2, bias_variance=1e-12), "bias_variance"),
        (dict(activation_name="tanh", widths=[8, 9]), "width profile"),
        (dict(activation_name="relu", width=8, depth=2, weights="rademacher"), "gaussian"),
    ],
)  # fmt: skip
def test_outside_the_domain_says_why(arguments, reason):
    net = network(**arguments)
    for ask in (limit_name, lambda net: limit_ratios(net, [0.1])):
        with pytest.raises(OutsideDomain, match=reason):
            ask(net)


@pytest.mark.parametrize("tau", [-0.1, math.nan, math.inf, 2000.0])
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_bad_tau_is_refused(name, tau):
    with pytest.raises(ValueError, match="tau = "):
        limit_ratios(network(name, width=8, depth=2), [0.1, tau])


def test_v_depends_on_the_ratio_of_slopes_only():
    # a_+^4 of the first would leave float64
    big, same = (network(a, width=8, depth=2) for a in ("slopes(1e90, 1e89)", "leaky_relu(0.1)"))
    one, other = (limit_ratios(net, [0.5]) for net in (big, same))
    np.testing.assert_allclose([one[k] for k in RATIOS], [other[k] for k in RATIOS], rtol=1e-12)
