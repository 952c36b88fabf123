"""Unbiased joint cumulants from moments about any pivot."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import factorial, prod

import numpy as np
import pytest
from scipy import stats

from netsim.estimators.kstatistics import joint_cumulant, joint_moment, partitions

BELL = (1, 1, 2, 5, 15, 52, 203, 877, 4140)


def sub_multisets(legs):
    legs = tuple(sorted(legs))
    return {part for order in range(1, len(legs) + 1) for part in combinations(legs, order)}


def sample_means(draws, legs, pivot):
    """Means of products of deviations over `draws`, a list of tuples, in their own arithmetic."""
    return {
        part: sum(prod(draw[j] - pivot[j] for j in part) for draw in draws) / len(draws)
        for part in sub_multisets(legs)
    }


@pytest.mark.parametrize("order", range(9))
def test_partitions_are_counted_with_their_multiplicity(order):
    distinct = partitions(tuple(range(order)))
    assert len(distinct) == BELL[order] and all(m == 1 for m, _ in distinct)
    assert sum(m for m, _ in partitions((0,) * order)) == BELL[order]


@pytest.mark.parametrize("size", [8, 50, 3000])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_equals_scipy_kstat(order, size):
    x = np.random.default_rng(order * size).gamma(2.0, size=size)
    legs = (0,) * order
    means = {part: np.mean((x - 1.7) ** len(part)) for part in sub_multisets(legs)}
    ours = joint_cumulant(means, legs, 1 / size)
    assert ours == pytest.approx(stats.kstat(x, order), rel=1e-10)


# a skew, dependent population of two columns, each atom equally likely
ATOMS = [(Fraction(0), Fraction(1)), (Fraction(1), Fraction(-2)), (Fraction(4), Fraction(3))]


def population_cumulant(legs):
    """sum_pi (-1)^(b-1) (b-1)! prod_B E prod X_i over set partitions, from scratch."""

    def set_partitions(items):
        if not items:
            yield []
            return
        first, rest = items[0], items[1:]
        for size in range(len(rest) + 1):
            for mates in combinations(range(len(rest)), size):
                block = [first, *(rest[i] for i in mates)]
                others = [rest[i] for i in range(len(rest)) if i not in mates]
                yield from ([block, *more] for more in set_partitions(others))

    def mean(block):
        return sum(prod(atom[j] for j in block) for atom in ATOMS) / len(ATOMS)

    return sum(
        (-1) ** (len(pi) - 1) * factorial(len(pi) - 1) * prod(mean(block) for block in pi)
        for pi in set_partitions(list(legs))
    )


@pytest.mark.parametrize(
    ("legs", "size"),
    [((0, 1), 2), ((0, 0, 1), 3), ((0, 0, 1, 1), 4), ((0, 0, 0, 1), 5), ((0, 0, 1, 1, 1), 5)],
)
def test_unbiased_exactly(legs, size):
    """The mean over all 3^N samples is the population's cumulant, in rational arithmetic."""
    pivot = (Fraction(1, 3), Fraction(-2, 7))
    samples = product(ATOMS, repeat=size)
    estimates = [
        joint_cumulant(sample_means(draws, legs, pivot), legs, Fraction(1, size))
        for draws in samples
    ]
    assert sum(estimates) / len(estimates) == population_cumulant(legs) != 0


def test_plug_in_is_the_population_cumulant():
    for legs in [(0, 1), (0, 0, 1, 1), (0, 0, 0, 1, 1, 1)]:
        means = sample_means(ATOMS, legs, (Fraction(5), Fraction(1, 2)))
        assert joint_cumulant(means, legs, Fraction(0)) == population_cumulant(legs)


@pytest.mark.parametrize("legs", [(0,) * 8, (0, 0, 1, 1, 2, 2, 2, 3), tuple(range(8))])
def test_eighth_order_does_not_depend_on_the_pivot(legs):
    rng = np.random.default_rng(8)
    draws = [tuple(Fraction(int(v), 8) for v in row) for row in rng.integers(-9, 9, (10, 8))]
    at_zero = sample_means(draws, legs, (0,) * 8)
    moved = sample_means(draws, legs, tuple(Fraction(int(v), 3) for v in rng.integers(-9, 9, 8)))
    inverse_count = Fraction(1, len(draws))
    value = joint_cumulant(at_zero, legs, inverse_count)
    assert value == joint_cumulant(moved, legs, inverse_count) != 0


def test_symmetric_and_multilinear():
    """k(a+b, ...) = k(a, ...) + k(b, ...): column 2 is the sum of columns 0 and 1."""
    rng = np.random.default_rng(3)
    draws = [(int(a), int(b), int(a + b), int(c)) for a, b, c in rng.integers(-5, 6, (9, 3))]

    def estimate(legs):
        means = sample_means([tuple(map(Fraction, d)) for d in draws], legs, (0,) * 4)
        return joint_cumulant(means, legs, Fraction(1, 9))

    assert estimate((2, 3, 3, 3)) == estimate((0, 3, 3, 3)) + estimate((1, 3, 3, 3))
    assert estimate((3, 0, 1, 3)) == estimate((0, 1, 3, 3))


def test_large_counts():
    """At N = 1e9 the unbiased and the plug-in cumulants differ by 1/N terms only."""
    means = {(0,) * k: m for k, m in enumerate((0.1, 1.0, 0.3, 3.0, 2.0, 15.0, 9.0, 105.0), 1)}
    plug_in = joint_cumulant(means, (0,) * 8)
    unbiased = joint_cumulant(means, (0,) * 8, 1e-9)
    assert unbiased == pytest.approx(plug_in, rel=1e-5) and unbiased != plug_in
    assert joint_cumulant(means, (0, 0), 1e-9) == pytest.approx(0.99 * (1 + 1e-9), rel=1e-15)


def test_moments_move_back_from_the_pivot():
    legs, pivot = (0, 0, 1, 1, 1), (Fraction(2), Fraction(-1, 3))
    raw = sample_means(ATOMS, legs, (0, 0))[legs]
    assert joint_moment(sample_means(ATOMS, legs, pivot), legs, dict(enumerate(pivot))) == raw
