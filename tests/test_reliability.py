"""Rows whose moments nobody saw are marked, and nothing else is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from calibration import ignore
from netsim.api.point import run_point
from netsim.estimators import SHARE_LIMIT, TAIL_LIMIT, result
from netsim.experiment.experiment import experiment
from netsim.experiment.rows import estimate_rows
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.run.progress import SilentProgress
from netsim.theory.exact import cumulants
from streams import cumulant, estimate, moment, twin

DRAWS = 64 * 200


def drawn(net, inputs, texts, **options):
    """The experiment and its state after 65,536 draws."""
    made = experiment(net, inputs, texts, **options)
    return made, run_point(made, 65536, show=SilentProgress(), save=ignore).state


def columns(seed: int) -> np.ndarray:
    """(DRAWS, 1, 1) standard normals."""
    return np.random.default_rng(seed).normal(size=(DRAWS, 1, 1))


@pytest.mark.parametrize("mixture", [False, True])
def test_a_deep_narrow_network_of_two_inputs_is_marked(mixture):
    # E S_ab = 1/2 at every width and layer; log S scatters by 15 and more at the end
    net, pair = network("linear", width=2, depth=128), build("pair", angle=60)
    texts = ["cum[z1a z1b]", "cum[z1a^2 z2b^2]", "ncum[z1a z1b]"]
    made, state = drawn(net, pair, texts, mixture=mixture)
    rows = estimate_rows(made, state)
    assert all("unreliable" in row.flags for row in rows if row.layer > 50)
    first = [row for row in rows if row.quantity.startswith("cum[z1a z1b]") and not row.flags]
    assert len(first) >= 5 and all(abs(row.value - 0.5) < 5 * row.error for row in first)
    # the variance itself gives no sign, and the value no hint
    last = result(made.sums(), state)[0]
    assert last.share[-1] < SHARE_LIMIT and last.tail[-1] < TAIL_LIMIT
    assert abs(last.value[-1] - 0.5) > 100 * last.error[-1]


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_shifts_of_order_one_over_n_are_not_marked(activation):
    # kappa_2 lies many errors from its infinite-width value, but is resolved
    net = network(activation, width=16, depth=8)
    made, state = drawn(net, build("single"), ["kappa2", "kappa4"])
    rows = [row for row in estimate_rows(made, state) if row.alias == "kappa2[a]"]
    limit = made.infinite_width[-1, 0, 0]
    assert abs(rows[-1].value - limit) > 5 * rows[-1].error
    assert all(row.flags == () for row in rows)


def test_draws_that_all_sit_far_from_the_pivot():
    pivot, small = np.ones((1, 1)), np.exp(12 * columns(1) - 72)
    weights = np.where(np.arange(DRAWS) % 2 == 0, 1.9, 0.1)
    for x in (small, 0 * small, 0.5 * small):
        for target in (cumulant(0), cumulant(0, 0), moment(0, 0), cumulant(*[0] * 4)):
            assert "unreliable" in estimate(target, x, pivot).flags[0]
            assert "unreliable" in estimate(target, x, pivot, weights).flags[0]


def test_draws_that_were_seen_are_not_marked():
    noise = columns(2)
    cases = [
        (0.3 + 0.05 * noise, 1.0),  # far from the pivot, little scatter
        (1e-3 * np.exp(0.5 * noise), 1.0),  # nearly everything is lost, but all draws agree
        (noise, 1e-3),  # orthogonal inputs: a mean of zero, and a pivot that is small
        (noise, 0.0),
        (noise, 0.8),  # a mean of zero that nobody expected, within the scatter
        (np.full_like(noise, 0.7), 0.7 + 1e-9),  # a number
        (np.zeros_like(noise), 0.0),
    ]
    for x, pivot in cases:
        for target in (cumulant(0), cumulant(0, 0), moment(0)):
            assert "unreliable" not in estimate(target, x, np.full((1, 1), pivot)).flags[0]
    # logarithms have no tails: their mean may pass zero
    both = np.concatenate([noise, np.ones_like(noise)], axis=-1)
    r = estimate(cumulant(0, present=1), both, np.array([[5.0, 0.0]]))
    assert r.flags == ((),)


def test_the_k_statistic_of_S_is_the_conditional_mean_of_that_of_z():
    S = np.array([0.3, 1.1, 2.0, 0.7])
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    weights = weights / weights.sum()
    total = 0.0
    for index in product(range(5), repeat=4):
        chosen = list(index)
        z = np.sqrt(S) * nodes[chosen]
        total += np.prod(weights[chosen]) * twin(z[:, None, None], 0, 0, 0, 0)[0]
    assert total == pytest.approx(3 * np.var(S, ddof=1), rel=1e-12)


def test_raw_rows_heed_exact_moments():
    # all 65,536 networks are dead: no summand varies, and the pivot of outputs is 0
    net, both = network("relu", width=1, depth=40), ("rao_blackwell", "raw")
    texts = ["cum[z1a^2]@out", "cum[z1a z1b]@out"]
    made, state = drawn(net, build("pair", angle=60), texts, estimators=both, mixture=False)
    rows = estimate_rows(made, state)
    assert [row.source.split(":")[1] for row in rows] == [*both] * 2
    assert all("unreliable" in row.flags and row.error < 1e-15 for row in rows)
    assert result(made.sums(), state)[1].flags[-1] == ()
    wide = network("relu", width=64, depth=2)
    made, state = drawn(wide, build("single"), ["kappa2", "kappa4@out"], estimators=both)
    values = cumulants(wide, 1.0, 2)
    raw = [row for row in estimate_rows(made, state) if row.alias and "raw" in row.source]
    assert len(raw) == 3
    for row in raw:
        value = values[row.layer - 1, int(row.alias == "kappa4[a]")]
        assert row.flags == () and abs(row.value - value) < 5 * row.error


def test_only_layers_without_a_variance_are_marked():
    # q of layer 1 takes 2 moments of a weight, its square 4; behind a cubic 6 and 12
    net = network(
        "polynomial([0, 1, 0, -0.01])", width=4, depth=2, weights="student_t(9)",
        weight_variance=1.0, bias_variance=0.0,
    )  # fmt: skip
    made, state = drawn(net, build("single"), ["cum[qa]"], sampler="dense")
    flags = {row.layer: row.flags for row in estimate_rows(made, state)}
    assert flags == {1: (), 2: ("unreliable",)}
