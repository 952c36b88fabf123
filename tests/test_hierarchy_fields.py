"""The hierarchy in 1/n of several fields against oracles and exact laws."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from fields_twins import (
    AU,
    AV,
    GRAM,
    PAIRS,
    A,
    B,
    C,
    Sine,
    gram_of,
    net,
)
from netsim.networks.fields import bias_mask
from netsim.networks.network import network
from netsim.theory.exact_derivatives import gram_moments
from netsim.theory.hierarchy_fields.fields import hierarchy_fields
from netsim.theory.leading_order import leading

ORACLES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]


def oracles(kind):
    chosen = [e for e in ORACLES if e["kind"] == kind]
    return pytest.mark.parametrize("entry", chosen, ids=[e["id"] for e in chosen])


@oracles("pair_leading_order")
def test_pair_oracles(entry):
    fields = [A, AU] if "D_v" in entry["fields"] else [A, B]
    ensemble = network(
        entry["activation"],
        width=1,
        depth=entry["L"],
        weight_variance=entry["C_W"],
        bias_variance=entry["C_b"],
    )
    found = hierarchy_fields(ensemble, entry["gram_over_n0"], fields)
    slot = {name: tuple(fields[i] for i in pair) for name, pair in PAIRS.items()}
    scale = max(abs(v) for v in entry["n_times_cov"].values())
    for name, true in entry["n_times_cov"].items():
        series = found.cumulant(slot[name[:2]], slot[name[2:]])
        assert series.coefficients[-1, 1] == pytest.approx(true, abs=2e-13 * scale)
        assert abs(series.coefficients[-1, 1] - true) <= series.errors[-1, 1] + 2e-13 * scale
        assert series.errors[-1, 1] < 1e-10 * scale
    for name, (a, b) in PAIRS.items():
        series = found.cumulant(slot[name])
        true = entry["n_times_mean_correction"][a][b]
        assert series.coefficients[-1, 1] == pytest.approx(true, abs=2e-13 * max(1, scale))
        layers = np.array(entry["K_inf_all_layers"])[:, a, b]
        np.testing.assert_allclose(series.coefficients[:, 0], layers, rtol=0, atol=3e-14)


@oracles("relu_pair_leading_order")
def test_relu_pair_oracle(entry):
    a, b, c = entry["K_first_layer_11_12_22"]
    gram = (np.array([[a, b], [b, c]]) - entry["C_b"]) / entry["C_W"]
    ensemble = network(
        "relu",
        width=1,
        depth=entry["L"],
        weight_variance=entry["C_W"],
        bias_variance=entry["C_b"],
    )
    found = hierarchy_fields(ensemble, gram, [A, B])
    pairs = [(A, A), (A, B), (B, B)]
    for i, p in enumerate(pairs):
        mean = found.cumulant(p)
        true = entry["n_times_mean_correction"][i]
        assert mean.coefficients[-1, 1] == pytest.approx(true, abs=1e-13)
        for j, q in enumerate(pairs):
            true = entry["n_times_cov_11_12_22"][i][j]
            assert found.cumulant(p, q).coefficients[-1, 1] == pytest.approx(true, rel=1e-13)


@pytest.mark.parametrize("count", [2, 3])
def test_linear_networks_are_exact(count):
    """Three layers of unequal widths: the covariance is a cubic polynomial in 1/n."""
    fields = [A, B, C][:count]
    ensemble, gram = net("linear", (7, 3, 5), 1.3, 0.2), gram_of(fields, 0)
    mean, covariance = gram_moments(ensemble, gram, np.ones((count, count)))
    found = hierarchy_fields(ensemble, gram, fields, 3)
    for a, b, c, d in itertools.product(range(count), repeat=4):
        series = found.cumulant((fields[a], fields[b]), (fields[c], fields[d]))
        np.testing.assert_allclose(series.value(), covariance[:, a, b, c, d], rtol=1e-11)
        np.testing.assert_allclose(
            found.cumulant((fields[a], fields[b])).value(), mean[:, a, b], rtol=1e-12
        )


def test_third_cumulant_of_one_linear_layer():
    """kappa(y_a y_b, y_c y_d, y_e y_f)/n^2: the eight ways to join three pairs into a ring."""
    ensemble = net("linear", (6,), 1.3, 0.2)
    found = hierarchy_fields(ensemble, GRAM, [A, B], 2)
    K, slots = 0.2 + 1.3 * GRAM, (A, B)
    for legs in itertools.combinations_with_replacement([(0, 0), (0, 1), (1, 1)], 3):
        p, q, r = legs
        ring = sum(
            K[p[i], q[j]] * K[q[1 - j], r[k]] * K[r[1 - k], p[1 - i]]
            for i, j, k in itertools.product((0, 1), repeat=3)
        )
        series = found.cumulant(*[(slots[a], slots[b]) for a, b in legs])
        assert series.value()[1] == pytest.approx(1.3**3 * ring / 36, rel=1e-12)
        assert np.all(series.coefficients[:, :2] == 0)


@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.3)"])
def test_homogeneous_fields_of_one_input_are_exact(name):
    fields = [A, AU, AV]
    ensemble, gram = net(name, (7, 3, 5), 1.6, 0.3), gram_of(fields, 1)
    mean, covariance = gram_moments(ensemble, gram, np.array(bias_mask(fields)))
    found = hierarchy_fields(ensemble, gram, fields, 3)
    scale = np.max(np.abs(covariance))
    for a, b, c, d in itertools.product(range(3), repeat=4):
        series = found.cumulant((fields[a], fields[b]), (fields[c], fields[d]))
        true = covariance[:, a, b, c, d]
        np.testing.assert_allclose(series.value(), true, rtol=1e-11, atol=1e-12 * scale)
        np.testing.assert_allclose(
            found.cumulant((fields[a], fields[b])).value(), mean[:, a, b], atol=1e-12
        )


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu"])
def test_one_field_obeys_the_scalar_recursions(name):
    """kappa_4, kappa_6, kappa_8 and the mean at unequal widths."""
    ensemble = net(name, (12, 9, 14, 10))
    found, scalar = hierarchy_fields(ensemble, [[0.7]], [A], 3), leading(ensemble, 0.7)
    one = [found.cumulant(*[(A, A)] * k) for k in range(1, 5)]
    n = float(ensemble.widths[0])
    np.testing.assert_allclose(one[0].coefficients[:, 0], scalar.K, rtol=1e-13)
    for series, power, true in (
        (one[0], 1, scalar.D),
        (one[1], 1, scalar.V),
        (one[2], 2, scalar.T),
        (one[3], 3, scalar.Q),
    ):
        value = series.coefficients[:, power] / n**power
        np.testing.assert_allclose(value, true, rtol=1e-10, atol=1e-12 * np.max(np.abs(true)))


@oracles("single_input_series")
def test_one_field_has_the_series_of_one_input(entry):
    ensemble = network(
        entry["activation"].replace("leaky0.1", "leaky_relu(0.1)"),
        width=1,
        depth=entry["L"],
        weight_variance=entry["C_W"],
        bias_variance=entry["C_b"],
    )
    found = hierarchy_fields(ensemble, [[entry["x2"]]], [A], 3)
    for k in (1, 2, 3, 4):
        true = np.array(entry[f"kappa{2 * k}_series"][:4], dtype=float)
        value = found.cumulant(*[(A, A)] * k).coefficients[-1]
        np.testing.assert_allclose(value, true, rtol=1e-9, atol=1e-10 * np.max(np.abs(true)))


def test_sine_network_at_finite_width():
    """Errors of covariances fall as the orders n^-2, n^-3, n^-4 with the truncation estimate."""
    n, C_W, C_b = 64, 1.3, 0.1
    exact = Sine(n, C_W, C_b, GRAM)
    ensemble = net("sin", (n, n), C_W, C_b)
    slots = (A, B)
    worst = []
    for order in (1, 2, 3):
        found = hierarchy_fields(ensemble, GRAM, slots, order)
        errors = []
        for p, q in itertools.combinations_with_replacement(PAIRS.values(), 2):
            series = found.cumulant(*[tuple(slots[i] for i in pair) for pair in (p, q)])
            error = abs(series.value()[2] - exact.covariance(p, q))
            errors.append(error)
            # the next term is the error up to another power of 1/n
            assert error <= 1.5 * series.truncation_error()[2] + 1e-12
        for p in PAIRS.values():
            series = found.cumulant(tuple(slots[i] for i in p))
            true = C_b + C_W * exact.mean(*p)
            assert abs(series.value()[2] - true) <= 1.5 * series.truncation_error()[2] + 1e-12
        worst.append(max(errors))
    assert worst[0] < 1e-4 and worst[1] < 1e-6 and worst[2] < 1e-8
    assert worst[1] < 0.02 * worst[0] and worst[2] < 0.2 * worst[1]
