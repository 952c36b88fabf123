"""Leading-order cumulants of one neuron against oracles, closed forms and exact networks."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from netsim.gaussian.one_field import expectation
from netsim.networks.activations import activation
from netsim.networks.network import network
from netsim.theory.leading_order import leading

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
SERIES = [e for e in ORACLES if e["kind"] == "single_input_series"]
# K, n (kappa_2 - K), n kappa_4, n^2 kappa_6, n^3 kappa_8 at the output, 13 digits
TABLE = [
    ("tanh", 0.0, 1.0, 1.0, 5, 0.1034406080524, -0.0798612615898, 0.0323109902509,
     0.0181496431596, 0.0128361790735),
    ("tanh", 0.0, 1.0, 1.0, 10, 0.0522000827870, -0.1113798068498, 0.0167827736424,
     0.0111617173986, 0.0107035416696),
    ("tanh", 0.1, 1.4, 0.7, 4, 0.4859498899543, -0.0870311282125, 0.1626324689658,
     0.0746792620784, 0.0002828534645),
    ("erf", 0.0, math.pi / 4, 1.0, 6, 0.0792875105813, -0.0847252002337, 0.0232582465152,
     0.0126594895083, 0.0088618481376),
    ("sin", 0.0, 1.0, 0.8, 6, 0.1265031524184, -0.1569021434943, 0.0639358205544,
     0.0582808338585, 0.0630461919196),
    ("swish", "critical", "critical", 1.5, 8, 3.992598617053, 10.5324759379, 423.564774002,
     168594.710445, 1.175454875e8),
    ("relu", 0.0, 2.0, 0.5, 8, 1.0, 0.0, 40.0, 4552.0, 908304.0),
    ("linear", 0.0, 1.0, 1.0, 8, 1.0, 0.0, 16.0, 736.0, 59520.0),
    ("leaky_relu(0.1)", 0.0, 2 / 1.01, 1.0, 10, 1.980198019802, 0.0, 191.446504228,
     53281.5486617, 26082489.9114),
]  # fmt: skip


def stripped(result, n, layer=-1):
    """K, n D, n V, n^2 T, n^3 Q."""
    r = result
    return np.array(
        [
            r.K[layer],
            n * r.D[layer],
            n * r.V[layer],
            n**2 * r.T[layer],
            n**3 * r.Q[layer],
        ]
    )


@pytest.mark.parametrize("entry", SERIES, ids=[e["id"] for e in SERIES])
def test_series_oracles(entry):
    name = entry["activation"].replace("leaky0.1", "leaky_relu(0.1)")
    n = 37
    net = network(
        name, width=n, depth=entry["L"], weight_variance=entry["C_W"], bias_variance=entry["C_b"]
    )
    result = leading(net, entry["x2"])
    np.testing.assert_allclose(result.K, entry["K_inf_all_layers"], rtol=1e-14)
    assert np.all(result.K_error < 1e-12 * result.K)
    true = [entry["K_inf_all_layers"][-1], entry["kappa2_series"][1], entry["kappa4_series"][1]]
    true += [entry["kappa6_series"][2], entry["kappa8_series"][3]]
    np.testing.assert_allclose(stripped(result, n), true, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[4]}")
def test_table_of_leading_coefficients(row):
    name, C_b, C_W, x2, L, *true = row
    net = network(name, width=5, depth=L, weight_variance=C_W, bias_variance=C_b)
    np.testing.assert_allclose(stripped(leading(net, x2), 5), true, rtol=3e-9, atol=6e-14)


def exact_cumulants(factors, scale):
    """Cumulants 1..4 of scale * prod X_l for independent X_l with raw moments `factors[l]`."""
    m = [scale**k * math.prod(f[k - 1] for f in factors) for k in range(1, 5)]
    c2, c3 = m[1] - m[0] ** 2, m[2] - 3 * m[1] * m[0] + 2 * m[0] ** 3
    c4 = m[3] - 4 * m[2] * m[0] - 3 * m[1] ** 2 + 12 * m[1] * m[0] ** 2 - 6 * m[0] ** 4
    return m[0], c2, c3, c4


@pytest.mark.parametrize("name", ["relu", "linear"])
def test_unequal_widths_and_couplings_against_exact_products(name):
    """C_b = 0: S = K prod X_l exactly; scaling all widths up by N leaves the leading powers.

    relu: moments of (2/n) chi^2_{Bin(n, 1/2)}; linear: prod (1 + 2j/n). Layer-wise C_W only scale.
    """
    shape = (2, 3, 5, 1)
    N = 10**30  # exact integers: the leading power is all that is left
    C_W = (Fraction(3, 2), Fraction(5, 4), Fraction(2), Fraction(1, 2), Fraction(7, 4))

    def moments(n):
        if name == "linear":
            return [math.prod(1 + Fraction(2 * j, n) for j in range(k)) for k in range(1, 5)]
        return [
            Fraction(1),
            Fraction(n + 5, n),
            Fraction((n + 4) * (n + 11), n**2),
            Fraction((n + 9) * (n**2 + 21 * n + 62), n**3),
        ]

    per_layer = 1 if name == "linear" else Fraction(1, 2)
    x2 = Fraction(3, 4)
    scale = C_W[0] * x2 * math.prod(c * per_layer for c in C_W[1:])
    k = exact_cumulants([moments(n * N) for n in shape], scale)
    net = network(name, widths=shape, weight_variance=[float(c) for c in C_W], bias_variance=0.0)
    result = leading(net, float(x2))
    true = [float(c * N**p) for p, c in enumerate(k)]
    got = [result.K[-1], result.V[-1], result.T[-1], result.Q[-1]]
    np.testing.assert_allclose(got, true, rtol=1e-12)
    assert result.D[-1] == 0


def test_biases_and_layerwise_couplings_of_homogeneous_activations():
    """S_l = C_b + S_{l-1} X_l: moments are closed; leading powers in exact rationals."""
    shape, N, x2 = (2, 3, 1), 10**30, Fraction(2, 3)
    C_W = (Fraction(3, 2), Fraction(9, 4), Fraction(2), Fraction(5, 2))
    C_b = (Fraction(1, 8), Fraction(1, 4), Fraction(1, 16), Fraction(1, 2))
    s = [(C_b[0] + C_W[0] * x2) ** k for k in range(5)]
    for l, n in enumerate(shape, 1):
        n *= N
        m = [1, 1, Fraction(n + 5, n), Fraction((n + 4) * (n + 11), n**2)]
        m.append(Fraction((n + 9) * (n**2 + 21 * n + 62), n**3))
        grown = [s[k] * m[k] * (C_W[l] / 2) ** k for k in range(5)]
        s = [
            sum(math.comb(p, q) * C_b[l] ** (p - q) * grown[q] for q in range(p + 1))
            for p in range(5)
        ]
    k = exact_cumulants([s[1:]], 1)
    net = network(
        "relu",
        widths=shape,
        weight_variance=[float(c) for c in C_W],
        bias_variance=[float(c) for c in C_b],
    )
    result = leading(net, float(x2))
    got = [result.K[-1], result.V[-1], result.T[-1], result.Q[-1]]
    np.testing.assert_allclose(got, [float(c * N**p) for p, c in enumerate(k)], rtol=1e-12)


@pytest.mark.parametrize("name", ["relu", "linear", "leaky_relu(0.1)", "slopes(2, -1)"])
def test_critical_slopes_have_vL(name):
    """kappa_4/K^2 = v sum 1/n_l in every layer, v = 3 A4/A2^2 - 1."""
    widths = (8, 16, 4, 32, 8)
    a, b = activation(name).slopes
    v = 3 * ((a**4 + b**4) / 2) / ((a**2 + b**2) / 2) ** 2 - 1
    result = leading(network(name, widths=widths), 0.7)
    sums = np.concatenate([[0.0], np.cumsum([1 / n for n in widths])])
    np.testing.assert_allclose(result.V / result.K**2, v * sums, rtol=1e-13)
    assert np.all(result.D == 0)


def test_kinked_activations_by_quadrature_equal_closed_forms():
    sigma = activation("leaky_relu(0.3)")
    slow = replace(sigma, name="leaky_by_quadrature", slopes=None)
    options = dict(widths=(4, 8, 2), weight_variance=1.3, bias_variance=0.2)
    fast_result = leading(network(sigma, **options), 0.9)
    slow_result = leading(network(slow, **options), 0.9)
    for field in ("K", "D", "V", "T", "Q"):
        np.testing.assert_allclose(
            getattr(slow_result, field), getattr(fast_result, field), rtol=1e-11, atol=1e-16
        )


@pytest.mark.parametrize("name", ["tanh", "gelu", "softplus"])
def test_two_layers_against_numerical_cumulants(name):
    """L = 2: S_1 is a mean of iid terms; expand its first two cumulants by differences.

    V = G + F'^2 V_1 and D = F'' V_1/2 with F', F'' by finite differences of plain expectations.
    """
    sigma = activation(name)
    C_W, C_b, widths, x2 = (1.2, 1.7, 0.8), (0.1, 0.05, 0.3), (5, 9), 0.6
    net = network(sigma, widths=widths, weight_variance=C_W, bias_variance=C_b)
    result = leading(net, x2)

    def mean(power, K):
        return float(expectation(lambda z: sigma.numpy(z) ** power, K, sigma=sigma)[0])

    K1 = C_b[0] + C_W[0] * x2
    K2 = C_b[1] + C_W[1] * mean(2, K1)
    V2 = C_W[1] ** 2 * (mean(4, K1) - mean(2, K1) ** 2) / widths[0]
    h = 1e-2 * K2
    F = {k: C_W[2] * mean(2, K2 + k * h) for k in (-2, -1, 0, 1, 2)}
    F1 = (F[-2] - 8 * F[-1] + 8 * F[1] - F[2]) / (12 * h)
    F2 = (-F[-2] + 16 * F[-1] - 30 * F[0] + 16 * F[1] - F[2]) / (12 * h**2)
    V3 = C_W[2] ** 2 * (mean(4, K2) - mean(2, K2) ** 2) / widths[1] + F1**2 * V2
    np.testing.assert_allclose(result.K, [K1, K2, C_b[2] + F[0]], rtol=1e-13)
    np.testing.assert_allclose(result.V, [0, V2, V3], rtol=1e-7)
    np.testing.assert_allclose(result.D, [0, 0, 0.5 * F2 * V2], rtol=1e-6, atol=1e-16)


def test_large_depth_of_the_tanh_class():
    """L -> infinity: kappa_4/K^2 -> (2/3) L/n, kappa_6/K^3 -> (16/15)(L/n)^2, D/K -> -(1/3) L/n."""
    L = 1600
    r = leading(network("tanh", width=L, depth=L), 0.5)  # L/n = 1
    K = r.K[-1]
    got = [r.V[-1] / K**2, r.T[-1] / K**3, r.Q[-1] / K**4, r.D[-1] / K]
    # finite-depth values of an independent computation, four or five digits; then the limits
    np.testing.assert_allclose(got, [0.6657, 1.0626, 2.7242, -0.33188], rtol=1e-4)
    np.testing.assert_allclose(got, [2 / 3, 16 / 15, 96 / 35, -1 / 3], rtol=1e-2)


def test_zero_input():
    """x = 0, C_b = 0: relu and tanh stay dead; softplus starts from softplus(0)^2, no noise."""
    for name in ("relu", "tanh"):
        r = leading(network(name, width=4, depth=3, weight_variance=1.5, bias_variance=0.0), 0.0)
        assert not np.any([r.K, r.D, r.V, r.T, r.Q])
    options = dict(width=4, depth=2, weight_variance=1.5, bias_variance=0.0)
    r = leading(network("softplus", **options), 0.0)
    assert r.K[1] == pytest.approx(1.5 * math.log(2) ** 2, rel=1e-14)
    assert r.V[1] == 0 and r.V[2] > 0


def test_what_is_not_covered_is_refused():
    with pytest.raises(ValueError, match="gaussian"):
        leading(network("relu", width=4, depth=2, weights="rademacher"), 1.0)
    with pytest.raises(ValueError, match="x2"):
        leading(network("relu", width=4, depth=2), -1.0)
