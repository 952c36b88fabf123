"""Power series of the hierarchy: Hermite weights, cumulants, Bell polynomials, in both arithmetics."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from netsim.gaussian.hermite import COARSE, FINE, even_hermite, hermite_nodes
from netsim.gaussian.hermite_mp import BUILT_IN, MP, fixed_taylor, mp_function
from netsim.gaussian.legendre import legendre
from netsim.gaussian.one_field import taylor
from netsim.networks.activations import activation
from netsim.theory.hierarchy.series import bell, cumulants, degrees, evolve, series_cumulants
from netsim.theory.norm_terms import partitions

BITS = 200


def _fixed(values):
    found = np.empty(np.shape(values), dtype=object)
    found.ravel()[:] = [int(mpmath.ldexp(mpmath.mpf(float(v)), BITS)) for v in np.ravel(values)]
    return found


def _kappa(order, layers, generator):
    parts = [generator.normal(size=(d + 1, layers)) for d in degrees(order)]
    parts[0][0] = 0
    return parts


def test_even_hermite_polynomials_are_numpys():
    g = np.linspace(-9, 9, 37)
    h = even_hermite(g * g, 12)
    for q in range(13):
        he = np.polynomial.hermite_e.hermeval(g, [0] * (2 * q) + [1])
        size = np.polynomial.hermite_e.hermeval(1j * np.abs(g), [0] * (2 * q) + [1])
        # the sizes of the terms of He_{2q} are the coefficients of He_{2q}(i g)
        assert np.all(np.abs(h[q] * 2**q * math.factorial(q) - he) <= 1e-14 * np.abs(size))


def test_panel_rules_are_exact_to_rounding():
    """High powers look at the ends, where the weights of NumPy are wrong by 1e-13."""
    for points in (COARSE, 17, FINE):
        x, w = legendre(points)
        for k in range(0, 2 * points, 2):
            assert math.fsum(w * x**k) == pytest.approx(2 / (k + 1), rel=3e-15)


@pytest.mark.parametrize("name", ["tanh", "gelu", "sin", "relu", "polynomial([0.3, 1, 0.2])"])
@pytest.mark.parametrize("K", [3e-4, 0.7, 1.9, 40.0])
def test_taylor_tables_equal_those_of_adaptive_panels(name, K):
    """<y^j>_{K (1+x)} from shared nodes against `one_field.taylor`, whose variable is K x."""
    sigma = activation(name)
    order, octave = 3, math.frexp(K)[1] - 1
    fine = hermite_nodes(sigma, octave, order, FINE)
    table = fine.taylor(np.array([K, 1.2 * K]), 2 * order)[:, :, 0]
    coarse = hermite_nodes(sigma, octave, order, COARSE).taylor(np.array([K]), 2 * order)[:, :, 0]
    assert fine.mean(K) == pytest.approx(fine.centre * (1 + table[0, 0]), rel=1e-14)
    for j, degree in enumerate(degrees(order), 1):
        power = lambda z, j=j: (sigma.numpy(z) ** 2 / fine.centre - 1) ** j
        slow, error = taylor(power, K, degree, sigma=sigma)
        scale = K ** np.arange(degree + 1)
        allowed = error * scale + 3e-14 * np.max(np.abs(slow * scale))
        for fast in (table, coarse):
            assert np.all(np.abs(fast[j - 1, : degree + 1] - slow * scale) <= allowed)


def test_activations_in_mpmath_are_those_in_float64():
    x = np.linspace(-5, 5, 41)
    for name in [*BUILT_IN, "polynomial([0.5, -1, 0.25])"]:
        function = mp_function(activation(name))
        precise = [float(function(MP.mpf(v))) for v in x]
        # 1 + erf(x) of gelu has absolute precision only
        np.testing.assert_allclose(activation(name).numpy(x), precise, rtol=4e-15, atol=1e-15)
    with pytest.raises(ValueError, match="relu is known in float64 only"):
        mp_function(activation("relu"))


def test_fixed_point_tables_equal_those_of_float64():
    for name in ("tanh", "softplus"):
        sigma, K = activation(name), 0.8
        nodes = hermite_nodes(sigma, -1, 3, FINE)
        mean, table = fixed_taylor(sigma, MP.mpf(K), degrees(3), BITS, (25, 0.5))
        assert float(mean) == pytest.approx(nodes.mean(K), rel=1e-14)
        # cumulants do not depend on the centre; their unit here is the mean
        powers = nodes.taylor(np.array([K]), 6)
        fast = cumulants([t[: d + 1] for t, d in zip(powers, degrees(3), strict=True)])
        for j, (a, b) in enumerate(zip(fast, cumulants(table, BITS), strict=True), 1):
            b = np.array([v / 2**BITS for v in b]) * (float(mean) / nodes.centre) ** j
            np.testing.assert_allclose(a[1:, 0], b[1:], rtol=1e-11, atol=1e-13)


def test_cumulants_of_polynomials_are_sums_over_partitions():
    generator = np.random.default_rng(0)
    moments = [generator.normal(size=d) for d in (7, 5, 4, 2)]
    found = cumulants(moments)
    for j in range(1, 5):
        slow = np.zeros(len(moments[j - 1]))
        for partition in partitions(list(range(j))):
            b = len(partition)
            term = np.array([(-1.0) ** (b - 1) * math.factorial(b - 1)])
            for block in partition:
                term = np.convolve(term, moments[len(block) - 1])
            slow[: len(term)] += term[: len(slow)]
        np.testing.assert_allclose(found[j - 1], slow, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_bell_polynomials_are_sums_over_partitions(order):
    """E x'^p = sum over set partitions of [p] of prod eps^{|B|-1} kappa_|B|(x), where kept."""
    kappa = _kappa(order, 2, np.random.default_rng(order))
    B = bell(kappa, order)
    M = order
    for p in range(2 * M + 1):
        slow = np.zeros((2, M + 1, 2 * M + 1))
        for partition in partitions(list(range(p))):
            eps = sum(len(block) - 1 for block in partition)
            if eps > M or any(len(block) > M + 1 for block in partition):
                continue
            for layer in range(2):
                term = np.ones(1)
                for block in partition:
                    term = np.convolve(term, kappa[len(block) - 1][:, layer])
                term = term[: 2 * M + 1]
                slow[layer, eps, : len(term)] += term
        kept = 2 * np.arange(M + 1)[:, None] + np.arange(2 * M + 1) <= 2 * M
        np.testing.assert_allclose(B[:, :, p][:, kept], slow[:, kept], rtol=1e-12, atol=1e-12)


def test_both_arithmetics_agree():
    order, generator = 4, np.random.default_rng(5)
    state = np.zeros((2 * order + 1, order + 1))
    state[0, 0] = 1
    exact = _fixed(state)
    rows, exact_rows = [state], [exact]
    for _ in range(3):
        kappa = _kappa(order, 1, generator)
        state = evolve(bell(kappa, order)[0], state)
        exact = evolve(bell([_fixed(k) for k in kappa], order, BITS)[0], exact, BITS)
        rows.append(state)
        exact_rows.append(exact)
    floats, sizes = series_cumulants(np.array(rows), 4)
    integers, _ = series_cumulants(np.array(exact_rows), 4, BITS)
    off = np.abs(floats - np.vectorize(lambda v: v / 2**BITS)(integers).astype(float))
    assert np.all(off <= 1e-13 * sizes) and np.all(sizes >= np.abs(floats) * (1 - 1e-15))
    # fewer conditional cumulants give the same lower moments
    kappa = _kappa(order, 1, generator)
    np.testing.assert_array_equal(bell(kappa[:3], order)[0], bell(kappa, order)[0][:, :4])


def test_evolution_is_the_law_of_total_expectation():
    """x is +-a with a^2 = eps: E x^2m = eps^m; then E x'^p = sum_q [x^q] B_p E x^q."""
    M = 3
    moments = np.zeros((2 * M + 1, M + 1))
    for m in range(M + 1):
        moments[2 * m, m] = 1
    kappa = _kappa(M, 1, np.random.default_rng(8))
    B = bell(kappa, M)[0]
    found = evolve(B, moments)
    slow = np.zeros_like(found)
    for b in range(M + 1):
        for m in range(M + 1 - b):
            slow[:, b + m] += B[b, :, 2 * m]
    np.testing.assert_allclose(found, slow, rtol=1e-13, atol=1e-13)
