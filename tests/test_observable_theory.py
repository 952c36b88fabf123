"""Theory of observables: against exact moments, finite differences, closed forms and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.quantities import parse, register_field
from netsim.theory.base import OutsideDomain
from netsim.theory.exact import cumulants
from netsim.theory.hierarchy_fields.multisets import multisets
from netsim.theory.observables.exact import ObservablesTransfer
from netsim.theory.observables.functional import Functional
from netsim.theory.observables.moments import moments
from netsim.theory.observables.series import ObservablesInfinite, ObservablesSeries
from netsim.theory.observables.taylor import taylor
from netsim.theory.transfer.chain import transfer_cumulants


def functional(name, neurons, inputs, function):
    register_field(name, inputs, "made for these tests")
    return Functional(name, neurons, name, function)


KNOWN = {
    f"{{{f.name}}}": f
    for f in (
        functional("t_four", 1, 1, lambda z: z[:, 0, 0] ** 4),
        functional("t_cross", 2, 1, lambda z: z[:, 0, 0] ** 2 * z[:, 1, 0] ** 2),
        functional("t_abs", 1, 1, lambda z: np.abs(z[:, 0, 0])),
        functional("t_one", 1, 1, lambda z: z[:, 0, 0]),
        functional("t_pair", 1, 2, lambda z: z[:, 0, 0] * z[:, 0, 1]),
        functional("t_wave", 1, 1, lambda z: np.cos(z[:, 0, 0])),
        functional("t_positive", 1, 1, lambda z: 1.0 * (z[:, 0, 0] > 0)),
        functional("t_exp", 1, 1, lambda z: np.exp(z[:, 0, 0])),
        functional(
            "t_many", 2, 2, lambda z: np.cos(z[:, 0, 0] - 2 * z[:, 1, 1]) * z[:, 0, 1] * z[:, 1, 0]
        ),
    )
}
INPUTS = build("pair", angle=50.0, norm2=1.0)


def kernel(*, correlation=0.3):
    return np.array([[1.0, correlation], [correlation, 0.8]])


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_taylor_polynomials_are_those_of_the_mean(degree):
    """What is left of <F>_{K + t D} falls as t^(degree + 1), two neurons at two inputs."""
    product, K = ((KNOWN["{t_many}"], (0, 1)),), kernel()
    T, _ = taylor(product, K, degree)
    D = np.array([0.5, -0.3, 0.4])
    left = []
    for t in (0.2, 0.1):
        moved = K + t * np.array([[D[0], D[1]], [D[1], D[2]]])
        polynomial = sum(
            T[d][0, i] * np.prod([t * D[p] for p in alpha])
            for d in range(degree + 1)
            for i, alpha in enumerate(multisets(3, d))
        )
        left.append(taylor(product, moved, 0)[0][0][0, 0] - polynomial)
    assert abs(left[0]) > 1e-7  # far above rounding
    assert np.log2(left[0] / left[1]) == pytest.approx(degree + 1, abs=0.25)


def test_taylor_of_a_polynomial_is_exact():
    """<z_1^2 z_2^2>_{K + d} = (K + d)^2 for two neurons; <z^4> = 3 (K + d)^2 for one."""
    K = np.array([[0.7]])
    cross, _ = taylor(((KNOWN["{t_cross}"], (0,)),), K, 3)
    four, errors = taylor(((KNOWN["{t_four}"], (0,)),), K, 3)
    expected = [0.49, 1.4, 1.0, 0.0]
    np.testing.assert_allclose([cross[d][0, 0] for d in range(4)], expected, atol=1e-10)
    np.testing.assert_allclose([four[d][0, 0] / 3 for d in range(4)], expected, atol=1e-10)
    for d, value in enumerate(expected):
        assert abs(four[d][0, 0] - 3 * value) < errors[d][0, 0] < 1e-8


def test_replicates_of_many_dimensions_bound_their_error():
    """Six dimensions: E of the mean of z_ia^2 z_ib^2 over 3 neurons, by Wick."""
    of = functional("t_wick", 3, 2, lambda z: np.mean(np.prod(z**2, axis=2), axis=1))
    K = kernel()
    (value,), (error,) = (x[0][0] for x in taylor(((of, (0, 1)),), K, 0))
    expected = K[0, 0] * K[1, 1] + 2 * K[0, 1] ** 2
    assert abs(value - expected) < 5 * error < 0.02 * expected


def test_singular_covariances():
    of = ((KNOWN["{t_pair}"], (0, 1)),)
    K = np.ones((2, 2))
    assert taylor(of, K, 0)[0][0][0, 0] == pytest.approx(1.0, abs=1e-12)
    assert taylor(of, 0 * K, 0)[0][0][0, 0] == 0.0
    with pytest.raises(ValueError, match="singular"):
        taylor(of, K, 1)


def test_moments_from_cumulants():
    """Of a sum of two gammas, exactly: cumulants (k-1)! shape."""
    kappa = {1: np.array([2.0]), 2: np.array([2.0]), 3: np.array([4.0]), 4: np.array([12.0])}
    found = moments(kappa, 1, 4)
    np.testing.assert_allclose([found[k][0] for k in range(5)], [1, 2, 6, 24, 120])


@pytest.mark.parametrize(("name", "widths"), [("tanh", (12, 20, 8)), ("relu", (16,) * 4)])
def test_polynomials_are_cumulants(name, widths):
    """E z_1^2 z_2^2 = kappa_4 + kappa_2^2 and E z^4 = 3 (kappa_4 + kappa_2^2), exact at finite n."""
    net = network(name, widths=widths)
    theory, rows = ObservablesTransfer(net, INPUTS, KNOWN), range(len(widths) + 1)
    k = cumulants(net, 1.0, 4) if name == "relu" else transfer_cumulants(net, 1.0)[0]
    expected = k[:, 1] + k[:, 0] ** 2
    for text, factor in (("mom[{t_cross}a]", 1), ("mom[{t_four}a]", 3), ("mom[{t_one}a^4]", 3)):
        found = theory.statistic(parse(text), rows)
        assert found.truncation == "exact"
        np.testing.assert_allclose(found.value, factor * expected, rtol=1e-11)
    second = theory.statistic(parse("cum[{t_one}a^2]"), rows)
    np.testing.assert_allclose(second.value, k[:, 0], rtol=1e-11)
    ratio = theory.statistic(parse("ncum[{t_one}a^4]"), rows)
    np.testing.assert_allclose(ratio.value, 3 * k[:, 1] / k[:, 0] ** 2, atol=1e-10)


def test_the_series_approaches_the_exact_law():
    """|series to n^-M - exact| falls as n^-(M+1): a factor 8 = 2^3 at M = 2, 4 at M = 1."""
    quantity, gaps = parse("cum[{t_wave}a]"), {1: [], 2: []}
    for n in (64, 128):
        net = network("tanh", width=n, depth=3)
        exact = ObservablesTransfer(net, INPUTS, KNOWN).statistic(quantity, [3])
        for order, found in gaps.items():
            series = ObservablesSeries(net, INPUTS, KNOWN, order).statistic(quantity, [3])
            found.append(series.value[3] - exact.value[3])
            assert series.truncation == order and series.truncation_error is not None
            assert abs(found[-1]) < series.truncation_error[3]
    assert 3.2 < gaps[1][0] / gaps[1][1] < 4.8
    assert 6.0 < gaps[2][0] / gaps[2][1] < 10.0


def test_two_inputs_against_pairings():
    """E z_a z_b = E S_ab and Cov(z_1a z_1b) by the hierarchy of S itself, linear: exact at n^-2."""
    net = network("linear", width=32, depth=2)
    found = ObservablesSeries(net, INPUTS, KNOWN, 2).statistic(parse("mom[{t_pair}ab^2]"), range(3))
    from netsim.theory.finite_width import FieldsExact
    from netsim.theory.statistics import statistic

    exact = statistic(FieldsExact(net, INPUTS), parse("mom[z1a^2 z1b^2]"))
    # depth 2: a polynomial of degree 2 in 1/n, so nothing is left out
    np.testing.assert_allclose(found.value, exact.value, rtol=1e-10)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("neurons", "most"), [(1, 4e-3), (2, 0.02), (3, 0.01), (4, 0.01)])
def test_errors_of_steps_are_seen(seed, neurons, most):
    """P(all z_i > c): rules that share no points do not err alike."""
    c = np.random.default_rng(seed).uniform(-1.0, 1.0)
    of = Functional("t_step", neurons, f"{c}", lambda z: np.all(z[:, :, 0] > c, axis=1))
    (value,), (error,) = (x[0][0] for x in taylor(((of, (0,)),), np.eye(1), 0))
    assert abs(value - stats.norm.sf(c) ** neurons) <= error < most


def test_what_lies_beyond_the_rule_is_in_the_error():
    of = Functional("t_exp", 1, "exp", lambda z: np.exp(z[:, 0, 0]))
    for K in (1.0, 16.0, 64.0):
        (value,), (error,) = (x[0][0] for x in taylor(((of, (0,)),), np.array([[K]]), 0))
        assert abs(value - np.exp(K / 2)) <= error < 0.1 * value


@pytest.mark.parametrize(("widths", "rows"), [((1,) * 3, [3]), ((4,) * 8, [1, 8])])
def test_dead_networks_and_a_jump_at_0(widths, rows):
    """P(z > 0) = (1/2) prod (1 - 2^-n_l) for ReLU without bias; no series in 1/n shows it."""
    net, quantity = network("relu", widths=widths), parse("mom[{t_positive}a]")
    found = ObservablesTransfer(net, INPUTS, KNOWN).statistic(quantity, rows)
    for row in rows:
        expected = 0.5 * np.prod([1 - 0.5**n for n in widths[:row]])
        assert abs(found.value[row] - expected) <= found.error[row] < 0.02
    with pytest.raises(OutsideDomain, match="jump at 0"):
        ObservablesSeries(net, INPUTS, KNOWN).statistic(quantity, rows)


def test_a_zero_input_gives_the_value_at_0():
    nothing = build("single", norm2=0.0)
    net, quantity = network("tanh", width=8, depth=2), parse("mom[{t_positive}a]")
    for kind in (ObservablesTransfer, ObservablesSeries, ObservablesInfinite):
        found = kind(net, nothing, KNOWN).statistic(quantity, [0, 2])
        np.testing.assert_array_equal(found.value[[0, 2]], 0)


def test_truncation_errors_where_a_term_crosses_zero():
    """ReLU, n = 64, L = 12: the n^-2 term of E cos z is 60 times smaller than what is left out."""
    net, quantity = network("relu", width=64, depth=12), parse("mom[{t_wave}a]")
    exact = ObservablesTransfer(net, INPUTS, KNOWN).statistic(quantity, [12])
    series = ObservablesSeries(net, INPUTS, KNOWN).statistic(quantity, [12])
    assert abs(series.value[12] - exact.value[12]) < series.truncation_error[12]


def test_functions_that_outgrow_all_moments_are_refused():
    for name in ("relu", "gelu"):
        net = network(name, width=32, depth=2)
        for kind in (ObservablesTransfer, ObservablesSeries):
            with pytest.raises(OutsideDomain, match="grow faster"):
                kind(net, INPUTS, KNOWN).statistic(parse("mom[{t_exp}a]"), [2])
    bounded = network("tanh", width=32, depth=2)
    values = [
        kind(bounded, INPUTS, KNOWN).statistic(parse("mom[{t_exp}a]"), [2])
        for kind in (ObservablesTransfer, ObservablesSeries)
    ]
    gap = abs(values[0].value[2] - values[1].value[2])
    assert gap < values[1].truncation_error[2] < 1e-3


def test_infinite_width():
    """<|z|>_K = sqrt(2 K/pi); a kink costs digits, and the error says so."""
    net = network("relu", width=8, depth=3)
    found = ObservablesInfinite(net, INPUTS, KNOWN).statistic(parse("mom[{t_abs}a]"), [0, 3])
    expected = np.sqrt(2 * 2.0 / np.pi)  # K = C_W |x|^2/n_0 = 2 in every layer
    assert abs(found.value[3] - expected) < found.error[3] < 1e-5
    assert np.isnan(found.value[1]) and found.truncation == "infinite_width"


def test_refusals():
    net = network("tanh", width=8, depth=2)
    series = ObservablesSeries(net, INPUTS, KNOWN)
    for text, said in (
        ("mom[{t_one}a]~1", "no coefficients"),
        ("logcum[{t_one}a]", "no log-moments"),
        ("cum[{t_one}a@1 {t_one}a@2]", "layers of their own"),
    ):
        with pytest.raises(OutsideDomain, match=said):
            series.statistic(parse(text), [1])
    with pytest.raises(OutsideDomain, match="one input without derivatives"):
        ObservablesTransfer(net, INPUTS, KNOWN).statistic(parse("mom[{t_pair}ab]"), [1])
    twice = build("gram", gram=[[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(OutsideDomain, match="equal inputs"):
        ObservablesSeries(net, twice, KNOWN).statistic(parse("mom[{t_pair}ab]"), [1])
    rough = network("tanh", width=8, depth=2, weights="rademacher")
    with pytest.raises(OutsideDomain, match="not Gaussian"):
        ObservablesInfinite(rough, INPUTS, KNOWN).statistic(parse("mom[{t_one}a^2]"), [1])
