"""Error bars that are right: pulls against exact values over many seeds are standard normal."""

from __future__ import annotations

import numpy as np
import pytest

from netsim.estimators import BLOCKS, MomentSums, Target, result, t_to_normal

SHAPES = np.array([16.0, 64.0])  # layer l: S = (2/n) chi^2 sums, i.e. gamma with shape n/2

# joint cumulants of S_1 = (g_0 + g_1)/a and S_2 = (g_0 + g_2)/a, g gamma of shape a: exact values
CASES = {
    (0,): lambda a: 2 + 0 * a,
    (0, 0): lambda a: 2 / a,
    (0, 1): lambda a: 1 / a,
    (0, 0, 0): lambda a: 4 / a**2,
}


def pulls(seeds: int, draws: int) -> np.ndarray:
    """(seeds, targets, layers) normal deviates of estimate minus exact value; seed = index."""
    sums = MomentSums([Target(((1.0, c),)) for c in CASES], np.full((2, 2), 2.0))
    exact = np.array([value(SHAPES) for value in CASES.values()])
    rows = []
    for seed in range(seeds):
        rng, state = np.random.default_rng(seed), sums.init()
        g = [rng.gamma(SHAPES, size=(BLOCKS, draws, 2)) / SHAPES for _ in range(3)]
        x = np.stack([g[0] + g[1], g[0] + g[2]], axis=-1)
        units = [sums.unit(block) for block in x]
        stacked = {name: np.stack([unit[name] for unit in units]) for name in units[0]}
        state = sums.add(state, stacked, np.arange(BLOCKS))
        found = result(sums, state)
        value, error = (np.array([getattr(r, name) for r in found]) for name in ("value", "error"))
        rows.append((value - exact) / error)
    return np.array(rows)


def calibrated(pull: np.ndarray, mean: float, low: float, high: float) -> np.ndarray:
    """Which cases have pulls of mean ~ 0 and standard deviation ~ 1."""
    z = t_to_normal(pull, BLOCKS - 1)
    spread = z.std(axis=0, ddof=1)
    return (np.abs(z.mean(axis=0)) < mean) & (low < spread) & (spread < high)


@pytest.mark.slow
def test_pulls_over_400_seeds_and_errors_three_quarters_as_large_fail():
    pull = pulls(400, 1024)
    assert np.all(calibrated(pull, 0.15, 0.9, 1.1))
    assert not np.any(calibrated(pull / 0.75, 0.15, 0.9, 1.1))


def test_pulls_over_100_seeds():
    """Five standard deviations wide: 0.5 in the mean, 0.35 in the spread."""
    pull = pulls(100, 64)
    assert np.all(calibrated(pull, 0.5, 0.65, 1.35))
    assert not np.any(calibrated(pull / 0.5, 0.5, 0.65, 1.35))
