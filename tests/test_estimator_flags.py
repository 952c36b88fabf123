"""What estimators warn of and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from netsim.estimators import (
    MomentSums,
    Target,
    result,
)
from streams import TARGETS, cumulant, estimate, fold, moment, skew_columns


def test_heavy_tails_are_unreliable_and_light_ones_are_not():
    rng = np.random.default_rng(8)
    x = np.stack([rng.normal(size=64 * 500), np.exp(3 * rng.normal(size=64 * 500))], axis=1)
    flags = estimate(cumulant(0, 0, 0, 0), x[..., None]).flags
    assert flags == ((), ("unreliable",))


def test_share_is_that_of_the_largest_draw():
    x = skew_columns(9, 640)
    pivot = np.full((2, 3), 1.0)
    m2 = ((x[..., 0] - 1) ** 2 * (x[..., 1] - 1)) ** 2
    r = estimate(cumulant(0, 0, 1), x, pivot)
    np.testing.assert_allclose(r.share, m2.max(axis=0) / m2.sum(axis=0), rtol=1e-12)
    weights = np.linspace(0.1, 2, 640)
    m2 = m2 * weights[:, None] ** 2
    r = estimate(cumulant(0, 0, 1), x, pivot, weights)
    np.testing.assert_allclose(r.share, m2.max(axis=0) / m2.sum(axis=0), rtol=1e-12)


def test_a_deterministic_row_is_exact_and_reliable():
    x = np.full((128, 1, 1), 0.7)
    for target, value in ((cumulant(0), 0.7), (cumulant(0, 0), 0.0), (moment(0, 0), 0.49)):
        for pivot in (0.7, 0.5):
            r = estimate(target, x, np.full((1, 1), pivot))
            assert r.value[0] == pytest.approx(value, abs=1e-15) and r.error[0] < 1e-15
            assert r.flags == ((),)
    r = estimate(cumulant(0, 0, normalise=(((1.0, (0, 0)),),)), x, np.full((1, 1), 0.7))
    assert np.isnan(r.value[0]) and r.flags == (("undefined",),)


def test_an_overflown_draw_is_flagged():
    x = skew_columns(15, 640)
    x[100, 1, 0] = np.inf
    sums = MomentSums(TARGETS[:3], np.full((2, 3), 1.0))
    for r in result(sums, fold(sums, x)):
        assert np.isfinite(r.value[0]) and "undefined" not in r.flags[0]
        assert "undefined" in r.flags[1]


def test_few_blocks():
    x, sums = skew_columns(13, 1000), MomentSums([cumulant(0)], np.ones((2, 3)))
    assert result(sums, fold(sums, x, blocks=range(63)))[0].flags == (("few_blocks",),) * 2
    assert result(sums, fold(sums, x))[0].flags == ((), ())
    for state in (sums.init(), fold(sums, x, blocks=[5])):
        with pytest.raises(ValueError, match="at least 2"):
            result(sums, state)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cumulant(*[0] * 9), "order 9"),
        (lambda: cumulant(), "order 0"),
        (lambda: cumulant(-1), "-1"),
        (lambda: Target(()), "at least one term"),
        (lambda: Target(((np.nan, (0,)),)), "finite"),
        (lambda: cumulant(0, kind="median"), "cumulant"),
        (lambda: MomentSums([], np.zeros((1, 1))), "at least one Target"),
        (lambda: MomentSums([cumulant(1)], np.zeros((1, 1))), "column 1"),
        (lambda: MomentSums([cumulant(0)], [[np.nan]]), "finite"),
        (lambda: MomentSums([cumulant(0)], np.zeros(3)), "layers, C"),
    ],
)
def test_bad_targets_are_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_bad_batches_are_refused_in_words():
    sums = MomentSums([cumulant(0)], np.zeros((2, 1)))
    x = np.ones((4, 2, 1))
    for given, words in [
        ((x[:, :1],), "shape"),
        ((x[:0],), "draws >= 1"),
        ((x.astype(np.float32),), "float64"),
        ((x, np.ones(3)), "weights"),
        ((x, None, np.ones((4, 1))), "control_means"),
    ]:
        with pytest.raises(ValueError, match=words):
            sums.unit(*given)
    controlled = MomentSums([cumulant(0)], np.zeros((2, 1)), [1.0, 2.0])
    with pytest.raises(ValueError, match="both or neither"):
        controlled.unit(x)
    with pytest.raises(ValueError, match="2 control_means"):
        controlled.unit(x, None, np.ones((4, 1)))
    with pytest.raises(ValueError, match="block=64"):
        sums.add(sums.init(), sums.unit(x), 64)
    with pytest.raises(ValueError, match="sums"):
        sums.merge(sums.init(), MomentSums([cumulant(0, 0)], np.zeros((2, 1))).init())
