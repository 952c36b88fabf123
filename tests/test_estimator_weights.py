"""Draws that count more or less, controls of known mean, draws that are absent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from netsim.estimators import (
    MomentSums,
    Target,
    result,
)
from streams import TARGETS, cumulant, estimate, fold, moment, skew_columns, twin


def test_importance_weights():
    """Draws from N(0, 1.3^2), weighted to N(0.3, 1): cumulants of the second."""
    x = np.random.default_rng(5).normal(0.0, 1.3, size=(64 * 1000, 1, 1))
    weights = (stats.norm.pdf(x, 0.3, 1.0) / stats.norm.pdf(x, 0.0, 1.3))[:, 0, 0]
    for order, exact in enumerate([0.3, 1.0, 0.0, 0.0], 1):
        r = estimate(cumulant(*[0] * order), x, weights=weights)
        assert abs(r.value[0] - exact) < 4 * r.error[0] < 0.3
        scaled = estimate(cumulant(*[0] * order), x, weights=7.0 * weights)
        np.testing.assert_allclose(scaled.value, r.value, rtol=1e-9, atol=1e-12)


def test_unit_weights_change_nothing():
    x = skew_columns(8, 640)
    for target in TARGETS:
        plain, ones = estimate(target, x), estimate(target, x, weights=np.ones(640))
        np.testing.assert_array_equal(plain.value, ones.value)
        twos = estimate(target, x, weights=np.full(640, 2.0))  # plug-in and jackknife
        assert np.all(np.abs(twos.value - plain.value) < 0.05 * plain.error)
        np.testing.assert_allclose(twos.error, plain.error, rtol=5e-2)


def controlled_columns(seed, draws, layers, noise):
    """x = 5 + y + noise e, with y exponential of known mean 1 and e normal; y^2 has mean 2."""
    rng = np.random.default_rng(seed)
    y = rng.exponential(size=(draws, layers))
    x = 5 + y + noise * rng.normal(size=(draws, layers))
    return x[..., None], np.stack([y, y**2], axis=-1)


def test_controls_reduce_the_variance_by_the_known_factor_and_stay_unbiased():
    """Mean: the factor is (1 + s^2)/s^2. The errors match the scatter over 400 layers."""
    noise, layers = 0.25, 400
    x, y = controlled_columns(6, 64 * 20, layers, noise)
    for order, exact in ((1, 6.0), (2, 1 + noise**2)):
        target, pivot = cumulant(*[0] * order), np.full((layers, 1), 6.0)
        bare = estimate(target, x, pivot)
        ours = estimate(target, x, pivot, controls=y, control_means=[1.0, 2.0])
        for r in (bare, ours):
            assert abs(r.value.mean() - exact) < 4 * r.value.std() / np.sqrt(layers)
        assert np.sqrt(np.mean(ours.error**2)) == pytest.approx(ours.value.std(), rel=0.15)
        gain = np.var(bare.value) / np.var(ours.value)
        if order == 1:
            assert gain == pytest.approx((1 + noise**2) / noise**2, rel=0.3)
        else:
            assert gain > 5
    assert MomentSums([cumulant(0)], [[0.0]], 1.0).control_means.shape == (1, 1)


def test_weights_controls_and_presence_together():
    """Weighted to N(0.3, 1), x itself as control of known mean 0.3, every draw present."""
    x = np.random.default_rng(14).normal(0.0, 1.3, size=(64 * 500, 1, 1))
    weights = (stats.norm.pdf(x, 0.3, 1.0) / stats.norm.pdf(x, 0.0, 1.3))[:, 0, 0]
    both = np.concatenate([x, np.ones_like(x)], axis=-1)
    more = {"weights": weights, "controls": x, "control_means": [0.3]}
    mean = estimate(cumulant(0), x, **more)
    assert mean.value[0] == pytest.approx(0.3, abs=1e-12) and mean.error[0] < 1e-12
    third, bare = estimate(moment(0, 0, 0), x, **more), estimate(moment(0, 0, 0), x, None, weights)
    assert abs(third.value[0] - 0.927) < 4 * third.error[0] < 4 * 0.7 * bare.error[0]
    for target in (cumulant(0, 0), moment(0, 0, 0)):
        masked = Target(target.terms, target.kind, present=1)
        all_there, plain = estimate(masked, both, **more), estimate(target, x, **more)
        np.testing.assert_allclose(all_there.value, plain.value, rtol=1e-10)
        np.testing.assert_allclose(all_there.error, plain.error, rtol=1e-8)
        assert all_there.draws[0] == len(x)


def test_useless_controls_are_harmless():
    """Constant, repeated and per-draw controls; a constant one equals its known mean."""
    x, y = controlled_columns(7, 64 * 50, 2, 0.5)
    y = y[:, :1, :1]
    once = estimate(cumulant(0, 0), x, None, None, y[:, 0], [1.0])
    messy = np.concatenate([y[:, 0], y[:, 0], np.full_like(y[:, 0], 3.0)], axis=-1)
    many = estimate(cumulant(0, 0), x, None, None, messy, [1.0, 1.0, 3.0])
    np.testing.assert_allclose(many.value, once.value, rtol=1e-9)
    np.testing.assert_allclose(many.error, once.error, rtol=1e-7)


def test_present_restricts_to_the_draws_that_are_there():
    """The log of a dead draw is -inf or nan and must not be seen; layer 1 has no living draw."""
    x = np.concatenate([skew_columns(10, 1280), np.ones((1280, 2, 1))], axis=-1)
    dead = np.random.default_rng(10).random(1280) < 0.3
    x[dead, 0, 3] = 0.0
    x[dead, 0, 0], x[dead, 0, 1] = -np.inf, np.nan
    x[:, 1, 3] = 0.0
    pivot = np.array([[2.0, 1.0, 2.0, 0.0]] * 2)
    alive = x[~dead, :1, :3]
    for columns in ((0,), (0, 1), (0, 0, 1, 1)):
        r = estimate(cumulant(*columns, present=3), x, pivot)
        assert r.value[0] == pytest.approx(twin(alive, *columns)[0], rel=1e-10)
        assert r.draws.tolist() == [np.sum(~dead), 0]
        assert np.isnan(r.value[1]) and "undefined" in r.flags[1]
        assert "undefined" not in r.flags[0]
    r = estimate(moment(0, 1, present=3), x, pivot)
    assert r.value[0] == pytest.approx(np.mean(alive[..., 0] * alive[..., 1]), rel=1e-12)
    living = estimate(moment(3), x, pivot)
    assert living.value.tolist() == pytest.approx([np.mean(~dead), 0.0], abs=1e-15)
    r = estimate(cumulant(2, 2, present=3), x, pivot, weights=np.full(1280, 2.0))
    assert r.value[0] == pytest.approx(twin(alive, 2, 2)[0], rel=1e-3)


def test_draws_of_weighted_streams_are_counted_plainly():
    """Two present columns; the weights of living draws are larger by a third."""
    rng = np.random.default_rng(17)
    alive = rng.random((6400, 2)) < [0.3, 0.8]
    x = np.stack([rng.normal(size=6400), *alive.T.astype(float)], axis=-1)[:, None]
    weights = np.where(alive[:, 0], 1.2, 0.9)
    sums = MomentSums(
        [cumulant(0, present=2), cumulant(0, present=1), cumulant(0)], np.zeros((1, 3))
    )
    found = result(sums, fold(sums, x, weights))
    assert [r.draws[0] for r in found] == [alive[:, 1].sum(), alive[:, 0].sum(), 6400]
    assert found[1].draws.dtype == np.int64
    # one living draw has no variance, whatever its weight
    x[:, 0, 1] = np.arange(6400) == 77
    sums = MomentSums([cumulant(0, 0, present=1)], np.zeros((1, 3)))
    one = result(sums, fold(sums, x, np.full(6400, 1.9)))[0]
    assert one.draws[0] == 1 and "undefined" in one.flags[0]
