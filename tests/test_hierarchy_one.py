"""The hierarchy in 1/n for one input: oracles, the exact law, one's own activations, edges, speed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from netsim.networks.network import network
from netsim.networks.own_activations import register_activation
from netsim.theory.hierarchy.one_input import cumulant_series
from netsim.theory.transfer.chain import transfer_cumulants

ENTRIES = json.loads((Path(__file__).parent / "oracles" / "hanin.json").read_text())["entries"]
SERIES = [e for e in ENTRIES if e["kind"] == "single_input_series"]
TANH = network("tanh", width=64, depth=5, weight_variance=1.0, bias_variance=0.0)
UNEQUAL = (128, 256, 64, 128)  # (n, 2n, n/2, n)


# --- against numbers computed elsewhere ----------------------------------------------------------


@pytest.mark.parametrize("entry", SERIES, ids=[e["id"] for e in SERIES])
def test_every_oracle_at_all_its_orders(entry):
    name = entry["activation"].replace("leaky0.1", "leaky_relu(0.1)")
    n, L = entry["n"], entry["L"]
    net = network(name, width=n, depth=L, weight_variance=entry["C_W"], bias_variance=entry["C_b"])
    found = cumulant_series(net, entry["x2"], 4)
    np.testing.assert_allclose(
        found.coefficients[:, 0, 0], entry["K_inf_all_layers"], rtol=5e-15, atol=0
    )
    for k in range(4):
        oracle = np.array(entry[f"kappa{2 * k + 2}_series"])
        got = found.coefficients[-1, k]
        assert np.all(got[:k] == 0) and np.all(abs(oracle[:k]) < 1e-9 * max(abs(oracle)))
        # against 20 digits the oracle's own last coefficients are off by up to 1e-12
        np.testing.assert_allclose(got[k:], oracle[k:], rtol=5e-12, atol=0)
        summed = entry["kappa_at_n"][f"kappa{2 * k + 2}"]
        assert found.value()[-1, k] == pytest.approx(summed, rel=1e-12)
        if "kappa_exact" in entry:
            exact = entry["kappa_exact"][f"kappa{2 * k + 2}"]
            error = entry["kappa_exact_abs_err_estimate"][f"kappa{2 * k + 2}"]
            missing = abs(found.value()[-1, k] - exact)
            assert missing <= 2 * found.truncation_error()[-1, k] + error


@pytest.mark.parametrize(
    ("order", "bound"), [(1, 6e-6), (2, 8e-8), (3, 4e-9), (4, 2e-10), (5, 4e-13)]
)
def test_every_order_brings_tanh_nearer_to_the_exact_law(order, bound):
    found = cumulant_series(TANH, 1.0, order)
    exact, error = transfer_cumulants(TANH, 1.0)
    assert abs(found.value()[-1, 0] - 0.1021971026972) <= bound
    missing = np.abs(found.value() - exact)
    assert missing[-1, 0] <= bound
    # the first term left out is what is missing, up to the one after it
    first, second = found.truncation_error(), cumulant_series(TANH, 1.0, order + 1)
    known = np.isfinite(first)
    allowed = first + 2 * second.truncation_error() + error + found.error()
    assert np.all(missing[known] <= allowed[known])
    assert missing[-1, 0] > 0.4 * first[-1, 0]
    assert np.all(np.isinf(first[1:, 3])) == (order == 1)  # kappa_8 begins at n^-3


@pytest.mark.parametrize(
    ("name", "C_W", "C_b", "x2", "bound"),
    [
        ("tanh", 1.2, 0.2, 1.0, 4e-14),
        pytest.param("sin", 0.6, 0.3, 0.3, 1e-15, marks=pytest.mark.slow),
        pytest.param("gelu", 1.5, 0.1, 1.0, 1e-7, marks=pytest.mark.slow),
        pytest.param("softplus", 0.8, 0.1, 1.0, 3e-14, marks=pytest.mark.slow),
    ],
)
def test_unequal_widths_against_the_exact_law(name, C_W, C_b, x2, bound):
    net = network(name, widths=UNEQUAL, weight_variance=C_W, bias_variance=C_b)
    found = cumulant_series(net, x2, 5)
    exact, error = transfer_cumulants(net, x2)
    missing = np.abs(found.value() - exact)
    # for sin the series is right to 1e-17, and the exact law rounded to 1.4e-15: what is beyond the
    # order kept is seen in 40 digits
    further = cumulant_series(net, x2, 8, digits=40).value()[-1, 0]
    assert abs(found.value()[-1, 0] - float(further)) <= bound
    assert missing[-1, 0] <= bound + 8 * np.finfo(float).eps * exact[-1, 0]
    assert np.all(missing <= 2 * found.truncation_error() + error + found.error())
    # a term of the wrong width would be seen: 1% of the last one kept
    last = np.abs(found.coefficients[-1, 1, 5]) * 128.0**-5
    assert missing[-1, 1] < last / 5


# --- one's own activations, edges, speed ---------------------------------------------------------


def _clipped(x, xp):
    return xp.where(xp.abs(x) < 1, x, x / xp.abs(x + (x == 0)))


def test_own_activations_work_smooth_or_kinked():
    mish = register_activation("hierarchy_mish", lambda x, xp: x * xp.tanh(xp.logaddexp(x, 0 * x)))
    clipped = register_activation("hierarchy_clipped", _clipped, growth=0.0, kinks=(-1.0, 1.0))
    for sigma in (mish, clipped):
        net = network(sigma, width=128, depth=3, weight_variance=1.2, bias_variance=0.1)
        found = cumulant_series(net, 0.8, 5)
        exact, error = transfer_cumulants(net, 0.8)
        missing = np.abs(found.value() - exact)
        assert np.all(missing <= 3 * found.truncation_error() + error + found.error())
        assert missing[-1, 0] < 1e-8 and missing[-1, 1] < 1e-8
        with pytest.raises(ValueError, match="float64 only"):
            cumulant_series(net, 0.8, 5, digits=30)


def test_a_kink_that_nobody_told_of_is_found():
    options = dict(width=128, depth=3, weight_variance=1.2, bias_variance=0.1)
    told = register_activation("hierarchy_told", _clipped, growth=0.0, kinks=(-1.0, 1.0))
    untold = register_activation("hierarchy_untold", _clipped, growth=0.0)
    known, found = (cumulant_series(network(s, **options), 0.8, 5) for s in (told, untold))
    off = np.abs(found.coefficients - known.coefficients)
    assert np.all(off <= found.errors + known.errors)
    assert np.all(off <= 1e-8 * np.abs(known.coefficients).max(axis=-1, keepdims=True))


def test_zero_input():
    """x = 0, C_b = 0: tanh and relu stay dead; softplus(0)^2 is a number, then fluctuates."""
    for name in ("tanh", "relu"):
        net = network(name, width=4, depth=3, weight_variance=1.5, bias_variance=0.0)
        found = cumulant_series(net, 0.0)
        assert not np.any(found.coefficients) and not np.any(found.errors)
        assert np.all(found.smallest() == -1) and not np.any(found.growing())
    options = dict(weight_variance=1.5, bias_variance=0.0)
    found = cumulant_series(network("softplus", width=4, depth=3, **options), 0.0)
    assert found.coefficients[1, 0, 0] == pytest.approx(1.5 * math.log(2) ** 2, rel=1e-14)
    assert not np.any(found.coefficients[1, 1:]) and found.coefficients[2, 1, 1] > 0
    # layer 2 on: the network of one layer less, started from the kernel that comes out
    x2 = float(found.coefficients[1, 0, 0]) / 1.5
    later = cumulant_series(network("softplus", width=4, depth=2, **options), x2)
    np.testing.assert_allclose(found.coefficients[1:], later.coefficients, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(order=0), "order=0"),
        (dict(order=True), "order=True"),
        (dict(x2=-1.0), "x2=-1.0"),
        (dict(x2=math.nan), "x2=nan"),
        (dict(digits=8), "digits=8: 16 to 200"),
        (dict(order=21, digits=30), "1 to 20"),
    ],
)
def test_bad_arguments_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        cumulant_series(**(dict(network=TANH, x2=1.0) | change))


def test_what_is_not_covered_is_refused():
    with pytest.raises(ValueError, match="gaussian"):
        cumulant_series(network("relu", width=4, depth=2, weights="rademacher"), 1.0)
    with pytest.raises(ValueError, match="leaves the range of float64"):
        cumulant_series(network("relu", width=4, depth=300, weight_variance=1.0), 1.0)
    with pytest.raises(ValueError, match="n=0"):
        cumulant_series(TANH, 1.0).value(0)


def test_a_thousand_layers_to_fifth_order():
    net = network("tanh", width=64, depth=1000, weight_variance=1.0, bias_variance=0.0)
    found = cumulant_series(net, 1.0, 5)  # 0.2 s: benchmarks/hierarchy.py
    # depth 1000: the universal slopes -1/3, 2/3, 16/15, 96/35 within O(log L / L)
    K = found.coefficients[-1, 0, 0]
    leading = [found.coefficients[-1, 0, 1] / K]
    leading += [found.coefficients[-1, k, k] / K ** (k + 1) for k in (1, 2, 3)]
    scaled = np.array(leading) / 1000.0 ** np.array([1, 1, 2, 3])
    np.testing.assert_allclose(scaled, [-1 / 3, 2 / 3, 16 / 15, 96 / 35], rtol=0.02)
