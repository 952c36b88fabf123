"""Streams of columns, targets and slow twins, which the tests of estimators share."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from netsim.estimators import BLOCKS, MomentSums, Target, result
from netsim.estimators.kstatistics import joint_cumulant


def cumulant(*columns, **more):
    return Target(((1.0, columns),), **more)


def moment(*columns, **more):
    return Target(((1.0, columns),), kind="moment", **more)


def fold(sums, x, weights=None, controls=None, blocks=range(BLOCKS)):
    """The state of all draws, cut into one unit per block."""
    state = sums.init()
    for block, part in zip(blocks, np.array_split(np.arange(len(x)), len(blocks)), strict=True):
        unit = sums.unit(
            x[part],
            None if weights is None else weights[part],
            None if controls is None else controls[part],
        )
        state = sums.add(state, unit, block)
    return state


def estimate(target, x, pivot=None, weights=None, controls=None, control_means=None):
    pivot = np.zeros(x.shape[1:]) if pivot is None else pivot
    sums = MomentSums([target], pivot, control_means)
    return result(sums, fold(sums, x, weights, controls))[0]


def twin(x, *columns):
    """The joint k-statistic of all draws at once, two passes, extended precision: (layers,)."""
    x = x.astype(np.longdouble)
    d = x - x.mean(axis=0)
    means = {
        part: np.prod([d[..., j] for j in part], axis=0).mean(axis=0)
        for order in range(1, len(columns) + 1)
        for part in combinations(sorted(columns), order)
    }
    if len(columns) == 1:
        return x.mean(axis=0)[:, columns[0]].astype(float)
    return joint_cumulant(means, columns, 1 / np.longdouble(len(x))).astype(float)


def same(a, b, exactly=True):
    assert a.keys() == b.keys()
    for name in a:
        if exactly:
            np.testing.assert_array_equal(a[name], b[name])
        else:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-12, atol=1e-12)


def skew_columns(seed, draws, layers=2):
    """Three dependent, skew columns."""
    rng = np.random.default_rng(seed)
    g = rng.gamma(3.0, size=(draws, layers, 4)) / 3
    return np.stack([g[..., 0] + g[..., 1], g[..., 1] * g[..., 2], g[..., 3] + g[..., 0]], axis=-1)


TARGETS = [
    cumulant(0),
    cumulant(0, 1),
    cumulant(0, 0, 1, 2),
    cumulant(1, 1, normalise=(((1.0, (0, 0)),), ((1.0, (2, 2)),))),
    moment(0, 1, 1),
    Target(((3.0, (0, 0)), (-0.5, (1, 2)))),
]
