"""Estimates, errors and covariances against twins and known laws."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from scipy import stats

from netsim.estimators import (
    MomentSums,
    Target,
    covariance,
    jackknife,
    result,
    t_to_normal,
)
from streams import TARGETS, cumulant, estimate, fold, skew_columns, twin


@pytest.mark.parametrize(
    "columns",
    [(1,), (0, 1), (0, 1, 2), (0, 0, 1, 2), (0, 1, 1, 1, 2), (0,) * 6, (0, 0, 0, 1, 1, 2, 2),
     (0,) * 8, (0, 0, 0, 1, 1, 1, 2, 2)],
)  # fmt: skip
def test_equals_the_naive_twin_at_every_order(columns):
    x = skew_columns(len(columns), 6400)
    ours = estimate(cumulant(*columns), x, pivot=np.full((2, 3), 1.3)).value
    np.testing.assert_allclose(ours, twin(x, *columns), rtol=1e-10)


def test_combinations_normalisation_and_moments():
    x, pivot = skew_columns(2, 6400), np.array([[2.0, 0.9, 1.8]] * 2)
    sums = MomentSums(TARGETS, pivot)
    values = [r.value for r in result(sums, fold(sums, x))]
    ratio = twin(x, 1, 1) / np.sqrt(twin(x, 0, 0) * twin(x, 2, 2))
    np.testing.assert_allclose(values[3], ratio, rtol=2e-3)  # differs by the bias removed
    np.testing.assert_allclose(values[4], np.mean(x[..., 0] * x[..., 1] ** 2, axis=0), rtol=1e-12)
    np.testing.assert_allclose(values[5], 3 * twin(x, 0, 0) - 0.5 * twin(x, 1, 2), rtol=1e-10)
    own = Target(((1.0, (0, 0)),), normalise=(((1.0, (0, 0)),),) * 2)
    one = estimate(own, x)
    np.testing.assert_allclose(one.value, 1.0, rtol=1e-12)
    assert np.all(one.error < 1e-10)


def test_gaussian_has_no_higher_cumulants():
    x = np.random.default_rng(0).normal(2.0, 3.0, size=(64 * 400, 1, 1))
    targets = [cumulant(*[0] * order) for order in range(1, 9)]
    sums = MomentSums(targets, np.full((1, 1), 2.2))
    exact = [2.0, 9.0, 0, 0, 0, 0, 0, 0]
    for r, value in zip(result(sums, fold(sums, x)), exact, strict=True):
        assert abs(r.value[0] - value) < 5 * r.error[0] and r.draws[0] == 64 * 400
    assert all(r.flags == ((),) for r in result(sums, fold(sums, x))[:6])


def test_exponential_and_chi_square_cumulants():
    rng = np.random.default_rng(1)
    x = np.stack([rng.exponential(size=64 * 1500), rng.chisquare(5, size=64 * 1500)], axis=-1)
    sums = MomentSums([cumulant(*[c] * k) for k in range(1, 6) for c in (0, 1)], [[1.0, 5.0]])
    results = iter(result(sums, fold(sums, x[:, None])))
    for k in range(1, 6):
        for exact in (factorial(k - 1), 5 * 2 ** (k - 1) * factorial(k - 1)):
            r = next(results)
            assert abs(r.value[0] - exact) < 5 * r.error[0] < exact


# --- errors ----------------------------------------------------------------------------------------


def test_the_error_of_a_mean_is_the_standard_error():
    """Over blocks: exact identity with the between-block scatter, unequal sizes included."""
    x = np.random.default_rng(2).normal(size=(64 * 500, 1, 1))
    r = estimate(cumulant(0), x)
    assert r.error[0] == pytest.approx(1 / np.sqrt(64 * 500), rel=0.3)
    block_means = x.reshape(64, 500).mean(axis=1)
    assert r.error[0] == pytest.approx(np.std(block_means, ddof=1) / 8, rel=1e-10)


def test_jackknife_of_unequal_blocks_follows_the_published_formula():
    rng = np.random.default_rng(3)
    blocks = [rng.gamma(2.0, size=m) for m in (10, 3, 25, 7, 55)]
    sizes, everything = np.array([len(b) for b in blocks]), np.concatenate(blocks)
    left = [np.var(np.concatenate(blocks[:j] + blocks[j + 1 :])) for j in range(5)]
    N, g, theta = len(everything), 5, np.var(everything)
    h = N / sizes
    theta_J = g * theta - sum((1 - m / N) * t for m, t in zip(sizes, left, strict=True))
    pseudo = h * theta - (h - 1) * left
    variance = np.mean((pseudo - theta_J) ** 2 / (h - 1))
    ours = jackknife(np.array([theta, *left]), sizes)
    assert ours.corrected == pytest.approx(theta_J, rel=1e-12)
    assert ours.error**2 == pytest.approx(variance, rel=1e-12)


def test_bias_is_removed():
    """1/N-bias of a ratio: over many small samples the corrected mean is right, the bare is not."""
    rng, target = np.random.default_rng(4), Target(((1.0, (0,)),), normalise=(((1.0, (0, 0)),),))
    x = rng.normal(1.0, 1.0, size=(64 * 2, 4000, 1))
    r = estimate(target, x)
    spread = r.value.std() / np.sqrt(4000)
    assert abs(r.value.mean() - 1.0) < 4 * spread
    assert np.mean(x.mean(axis=0) / x.std(axis=0, ddof=1)) - 1.0 > 2 * spread


def test_covariance_of_rows():
    x = skew_columns(7, 64 * 100)
    targets = [cumulant(0), cumulant(0, 0), cumulant(0, 1)]
    sums = MomentSums(targets, np.full((2, 3), 1.0))
    state = fold(sums, x)
    rows = [(targets[0], 0), (targets[0], 1), (targets[2], 0), (targets[1], 1)]
    C = covariance(sums, state, rows)
    errors = [result(sums, state)[targets.index(t)].error[layer] for t, layer in rows]
    np.testing.assert_allclose(np.sqrt(np.diag(C)), errors, rtol=1e-12)
    np.testing.assert_allclose(C, C.T)
    means = x[..., 0].reshape(64, 100, 2).mean(axis=1)  # rows 0, 1: linear, so known exactly
    np.testing.assert_allclose(C[:2, :2], np.cov(means.T) / 64, rtol=1e-9)
    with pytest.raises(ValueError, match="9 rows"):
        covariance(sums, state, [(targets[0], 0)] * 9)


def test_t_to_normal():
    pulls = np.array([-3.0, 0.0, 0.5, 3.0, 8.0])
    np.testing.assert_allclose(t_to_normal(pulls), stats.norm.isf(stats.t.sf(pulls, 63)), atol=1e-9)
    far = t_to_normal(np.array([-1e200, 1e3, 1.001e3, 1e30]))
    assert np.all(np.isfinite(far)) and far[0] < 0 and np.all(np.diff(far) > 0)
