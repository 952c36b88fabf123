"""Wider noise in half of the draws: the same law after weighting, and smaller errors."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from helpers import layers_of_draws, vectors, z_scores
from netsim.api.config import point_from
from netsim.api.point import run_point
from netsim.experiment.experiment import experiment
from netsim.experiment.rows import estimate_rows
from netsim.networks.fields import closure
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.quantities import Slot
from netsim.run.progress import SilentProgress
from netsim.samplers.conditional import conditional
from netsim.samplers.dense import dense
from netsim.samplers.mixture import wider_noise
from netsim.samplers.names import MIXTURE
from netsim.samplers.rng import layer_key, normal_pair, seed_words
from netsim.theory.exact import cumulants
from netsim.theory.infinite_width import kernels

A, B = Slot("a"), Slot("b")


def wider(net, inputs, fields):
    first = kernels(net, inputs.gram(fields), fields).values[: net.depth, 0, 0]
    return wider_noise(net, first)


def test_directions_follow_the_activation():
    relu, tanh = (
        wider_noise(network(name, width=8, depth=3), np.array([2.0, 1.0, 0.5]))
        for name in ("relu", "tanh")
    )
    assert np.all(relu[:, 1] == 0) and np.all(relu[:, 0] > 0)
    assert np.array_equal(tanh[:, 0], tanh[:, 1]) and np.all(np.diff(tanh[:, 0]) < 0)
    factor = np.sqrt(1 + relu)
    assert np.array_equal(factor, factor.astype(np.float32).astype(np.float64))
    for name in ("relu", "softplus"):
        net = network(name, width=8, depth=2, weight_variance=1.0, bias_variance=0.0)
        assert np.all(wider_noise(net, np.zeros(2)) == 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_are_ratios_of_densities(dtype):
    # the obvious twin: all normals drawn again, their densities by scipy
    net = network("gelu", widths=[5, 4, 3], weight_variance=1.7, bias_variance=0.2)
    inputs, fields, seed, count = vectors(2, 3, seed=2), [A, B], 7, 64
    delta = wider(net, inputs, fields)
    found = layers_of_draws(
        conditional(net, inputs, fields, seed=seed, dtype=dtype, wider=delta), count
    )["weight"]
    index = np.arange(count)
    log_ratio = np.zeros(count)
    assert np.all(found[:, 0] == 1)
    with jax.enable_x64(True):
        for l, n in enumerate(net.widths):
            key = layer_key(tuple(map(jnp.uint32, seed_words(seed))), jnp.uint32(l + 1), stream=0)
            pair = jnp.arange((n + 1) // 2, dtype=jnp.uint32)
            draw = jnp.asarray(index, jnp.uint32)[:, None]
            both = normal_pair(key, draw, pair[None, :], dtype)
            g = np.stack([np.asarray(x, np.float64) for x in both], -1).reshape(count, -1)[:, :n]
            scale = np.sqrt(1 + np.where(g > 0, delta[l, 0], delta[l, 1]))
            y = np.where(index[:, None] % 2 == 1, scale, 1.0) * g
            ratio = stats.norm.logpdf(y, scale=scale) - stats.norm.logpdf(y)
            log_ratio += ratio.sum(axis=1)
            expected = 2 / (1 + np.exp(log_ratio))
            assert np.allclose(found[:, l + 1], expected, rtol=1e-12, atol=0)


def test_draws_of_even_index_are_plain_and_deeper_runs_begin_alike():
    inputs, fields = vectors(1, 3, seed=1), [A]
    short = network("leaky_relu(0.1)", widths=[5, 6])
    deep = network("leaky_relu(0.1)", widths=[5, 6, 4, 2])
    plain = layers_of_draws(conditional(short, inputs, fields, seed=9), 16)
    mixed, deeper = (
        layers_of_draws(
            conditional(net, inputs, fields, seed=9, wider=wider(net, inputs, fields)), 16
        )
        for net in (short, deep)
    )
    assert np.allclose(mixed["S"][::2], plain["S"][::2], rtol=1e-6)
    assert not np.any(np.isclose(mixed["S"][1::2, 1:], plain["S"][1::2, 1:], rtol=1e-4))
    for name in ("S", "z", "weight"):
        assert np.allclose(mixed[name], deeper[name][:, :3], rtol=1e-5, atol=1e-6)


def weighted_z(first: dict, second: dict, f) -> np.ndarray:
    """z-scores of E_weighted f - E_plain f."""
    a = first["weight"].reshape(*first["weight"].shape, *[1] * (f(first).ndim - 2)) * f(first)
    b = f(second)
    variance = a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b)
    difference = a.mean(axis=0) - b.mean(axis=0)
    # S of the first layer is the same in all draws, and the weights have mean one
    return difference / np.sqrt(np.where(variance > 0, variance, np.inf))


@pytest.mark.parametrize("n", [1, 2, 3, 64])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_weighted_draws_have_the_law_of_dense_networks(n, activation):
    inputs = vectors(2, 3, seed=2, directions=1)
    fields = closure([Slot("a", ("u",)), B])
    net = network(activation, widths=[n, n], weight_variance=1.7, bias_variance=0.2)
    count = 5_000 if n == 64 else 30_000
    draw = conditional(net, inputs, fields, seed=3, norms=True, wider=wider(net, inputs, fields))
    first = layers_of_draws(draw, count)
    second = layers_of_draws(dense(net, inputs, fields, seed=3, norms=True), count)
    assert np.all((first["weight"] > 0) & (first["weight"] < 2))
    assert np.abs(z_scores(first["weight"], 1.0)).max() < 5
    for name in ("S", "z", "q"):
        for power in (1, 2, 3):
            z = weighted_z(first, second, lambda layers: layers[name] ** power)  # noqa: B023
            assert np.abs(z).max() < 5, (name, power)
    mixed = weighted_z(
        first,
        second,
        lambda layers: (
            layers["z"][:, :, 0, 0] ** 2 * layers["z"][:, :, 1, 1] ** 2 * layers["S"][..., 0]
        ),
    )
    assert np.abs(mixed).max() < 5


def last_rows(mixture: bool, seed: int) -> dict:
    net = network("relu", width=16, depth=4)
    made = experiment(
        net, build("single"), ["kappa2", "kappa4", "kappa6"], seed=seed, mixture=mixture
    )
    outcome = run_point(made, 65536, show=SilentProgress(), save=lambda state: None)
    rows = estimate_rows(made, outcome.state)
    return {row.alias: row for row in rows if row.alias and row.layer == 5}


def test_estimates_are_right_and_errors_smaller():
    values = cumulants(network("relu", width=16, depth=4), 1.0, 3)[4]
    for seed in range(3):
        plain, mixed = last_rows(False, seed), last_rows(True, seed)
        for name, exact in zip(("kappa2[a]", "kappa4[a]", "kappa6[a]"), values, strict=True):
            assert abs(mixed[name].value - float(exact)) < 5 * mixed[name].error
        assert mixed["kappa2[a]"].error < plain["kappa2[a]"].error
        assert mixed["kappa4[a]"].error < 0.6 * plain["kappa4[a]"].error
        assert mixed["kappa6[a]"].error < 0.5 * plain["kappa6[a]"].error


def test_a_wrong_factor_is_noticed():
    # 3% in the variance of the wider half, the weights unchanged
    net, inputs = network("linear", width=16, depth=2), build("single")
    delta = wider(net, inputs, [A])
    draw = conditional(net, inputs, [A], seed=0, wider=delta)
    wrong = conditional(net, inputs, [A], seed=0, wider=1.03 * (1 + delta) - 1)
    right, off = (layers_of_draws(d, 65536) for d in (draw, wrong))
    exact = float(cumulants(net, 1.0, 1)[2, 0])
    assert abs(z_scores(right["weight"][:, 2] * right["S"][:, 2, 0], exact)) < 5
    assert abs(z_scores(right["weight"][:, 2] * off["S"][:, 2, 0], exact)) > 5


def test_the_noise_of_this_version():
    """It decides the numbers of a stored state: another one needs another version of MIXTURE.

    delta_l = 1.4 r/sqrt(N_l), directions r in 64ths: 0.3^2 is 6/64.
    """
    assert MIXTURE == "wider/1"
    r = np.array([1.0, 6 / 64])
    N = np.array([[8.0], [16.0]]) * np.sum(r**2) / 2
    delta = wider_noise(network("leaky_relu(0.3)", width=8, depth=2), np.array([3.0, 3.0]))
    np.testing.assert_allclose(delta, 1.4 * r / np.sqrt(N), atol=3e-7)  # sqrt(1 + delta) is float32


def test_what_decides_and_what_is_refused():
    single, relu = build("single"), network("relu", width=8, depth=2)
    assert experiment(relu, single, ["kappa4"]).mixture
    assert not experiment(network("tanh", width=8, depth=2), single, ["kappa4"]).mixture
    assert experiment(network("tanh", width=8, depth=2), single, ["kappa4"], mixture=True).mixture
    plain = experiment(relu, single, ["kappa4"], mixture=False)
    assert not plain.mixture and plain.id != experiment(relu, single, ["kappa4"]).id
    assert plain.identity()["mixture"] is False
    assert experiment(relu, single, ["kappa4"]).identity()["mixture"] == "wider/1"
    assert not experiment(relu, single, ["kappa4"], sampler="dense").mixture
    # logarithms have light tails; beside other quantities they bear what those need
    assert not experiment(relu, single, ["logcum[Saa]", "logcum[z1a^2]"]).mixture
    assert experiment(relu, single, ["logcum[Saa]", "kappa2"]).mixture
    assert experiment(relu, single, ["logcum[Saa]"], mixture=True).mixture
    many = build("circle", count=9)
    assert not experiment(relu, many, ["kappa4"]).mixture
    with pytest.raises(ValueError, match="at most 8 fields .*, here 9; give mixture=false"):
        experiment(relu, many, ["kappa4"], mixture=True)
    with pytest.raises(ValueError, match="needs sampler=conditional, not dense"):
        experiment(relu, single, ["kappa4"], sampler="dense", mixture=True)
    with pytest.raises(ValueError, match="must be auto, true or false"):
        point_from(
            {
                "network": {"width": 8, "depth": 2},
                "inputs": {"kind": "single"},
                "run": {"mixture": "yes"},
                "quantities": ["kappa4"],
            }
        )
    nine = [Slot(name) for name in many.names]
    with pytest.raises(ValueError, match="at most 8"):
        conditional(relu, many, nine, wider=np.zeros((2, 2)))


def test_living_networks_are_counted_plainly():
    # wider noise keeps the signs of normals, and these decide whether a ReLU network lives
    net, counts = network("relu", width=2, depth=4), []
    for mixture in (False, True):
        made = experiment(net, build("single"), ["logcum[Saa]"], mixture=mixture)
        outcome = run_point(made, 65536, show=SilentProgress(), save=lambda state: None)
        counts.append([row.draws for row in estimate_rows(made, outcome.state)])
    assert counts[0] == counts[1]
    alive = np.array([0.75**l for l in range(1, 5)])
    scatter = np.sqrt(65536 * alive * (1 - alive))
    assert np.abs((np.array(counts[0]) - 65536 * alive) / scatter).max() < 5


@pytest.mark.parametrize("mixture", [False, True])
def test_draws_that_overflow_never_look_healthy(mixture):
    # a cubic whose large draws grow without bound; after overflow they must not restart from zero
    net = network(
        "polynomial([0, 1, 0, -0.2])", width=32, depth=12, weight_variance=1.0, bias_variance=0.0
    )
    made = experiment(net, build("single"), ["kappa2"], mixture=mixture)
    outcome = run_point(made, 65536, show=SilentProgress(), save=lambda state: None)
    rows = {row.layer: row for row in estimate_rows(made, outcome.state) if row.alias}
    assert np.isfinite(rows[2].value) and not rows[2].flags
    first = min(layer for layer, row in rows.items() if "undefined" in row.flags)
    assert all("undefined" in rows[layer].flags for layer in range(first, 14))


def test_a_network_whose_draws_are_nearly_all_small_is_marked():
    # every S seen is far below its mean: nothing scatters, so only exact moments can tell
    net = network("relu", width=2, depth=32)
    made = experiment(net, build("single"), ["kappa2@out"])
    outcome = run_point(made, 65536, show=SilentProgress(), save=lambda state: None)
    rows = estimate_rows(made, outcome.state)
    assert made.mixture and all("unreliable" in row.flags for row in rows)
