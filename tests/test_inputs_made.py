"""Input sets made from numbers: exact overlaps, singular Grams, facts."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from netsim.networks.input_sets import (
    circle,
    describe,
    digits,
    from_vectors,
    geometry,
    gram,
    pair,
    single,
    sphere,
    with_directions,
)
from netsim.networks.inputs import inner_products
from netsim.networks.inputs_facts import angle_degrees
from netsim.networks.inputs_gram import factor
from netsim.networks.inputs_synthetic import cos_sin_degrees


def _close(inputs, rel=1e-14):
    """The vectors have the inner products that the overlaps say."""
    every = np.concatenate([inputs.vectors, inputs.direction_vectors])
    assert np.abs(inner_products(every, every) - inputs.overlaps).max() <= rel * np.abs(
        inputs.overlaps
    ).max(initial=1e-300)


# --- synthetic sets ---------------------------------------------------------------------------


def test_single():
    for norm2 in (1.0, 0.3, 0, 7):
        x = single(norm2)
        assert x.overlaps.tolist() == [[norm2]] and x.vectors.shape == (1, 16)
        _close(x)
    assert single(2, dimension=3).source == "single(norm2=2, dimension=3)"


def test_cosines_and_sines_of_degrees():
    for angle in (0, 30, 45, 60, 90, 120, 150, 180, 210, 270, 300, 330, -30, -90, 390, 1e-9, 123.4):
        c, s = cos_sin_degrees(angle)
        with mpmath.workdps(30):
            exact = mpmath.radians(mpmath.mpf(angle))
            assert c == pytest.approx(float(mpmath.cos(exact)), rel=4e-16, abs=1e-29)
            assert s == pytest.approx(float(mpmath.sin(exact)), rel=4e-16, abs=1e-29)
    assert cos_sin_degrees(60)[0] == cos_sin_degrees(30)[1] == 0.5
    assert cos_sin_degrees(120)[0] == cos_sin_degrees(210)[1] == -0.5
    assert [cos_sin_degrees(90 * k) for k in range(4)] == [(1, 0), (0, 1), (-1, 0), (0, -1)]


def test_pair():
    x = pair(60, norm2=2)
    assert x.overlaps.tolist() == [[2, 1], [1, 2]]
    _close(x)
    assert pair(90).overlaps[0, 1] == 0.0
    equal = pair(0, norm2=0.7)
    assert np.array_equal(equal.vectors[0], equal.vectors[1]) and len(set(equal.overlaps.flat)) == 1
    opposite = pair(180)
    assert np.array_equal(opposite.vectors[0], -opposite.vectors[1])
    two = pair(45, norm2=[1, 4], dimension=2)
    assert two.overlaps[0, 1] == pytest.approx(math.sqrt(2), rel=1e-15)
    _close(two)
    assert two.source == "pair(angle=45, norm2=[1, 4], dimension=2)"
    assert pair(0.1).source == "pair(angle=0.1, norm2=1, dimension=16)"


def test_circle():
    x = circle(6, norm2=3)
    _close(x)
    assert np.allclose(x.overlaps, 3 * np.cos(np.pi / 3 * np.subtract.outer(range(6), range(6))))
    assert geometry(x).rank == 2 and geometry(x).smallest_angle == pytest.approx(60, rel=1e-14)


def test_sphere_is_uniform_and_repeatable():
    x = sphere(1000, 3, norm2=2, seed=5)
    assert np.abs(np.diag(x.overlaps) - 2).max() < 1e-14
    # uniform on the sphere in 3-d: each coordinate is uniform on [-1, 1] (Archimedes)
    u = x.vectors / math.sqrt(2 * 3)
    z = [math.sqrt(1000) * u[:, 0].mean() / math.sqrt(1 / 3)]
    z.append(math.sqrt(1000) * ((u[:, 1] ** 2).mean() - 1 / 3) / math.sqrt(1 / 5 - 1 / 9))
    z.append(math.sqrt(1000) * (u[:, 0] * u[:, 2]).mean() / math.sqrt(1 / 15))
    assert max(map(abs, z)) < 5
    assert np.array_equal(x.vectors, sphere(1000, 3, 2.0, 5).vectors)
    assert not np.array_equal(sphere(2, 3, seed=1).vectors, sphere(2, 3, seed=2).vectors)
    assert sphere(2, 3).source == "sphere(count=2, dimension=3, norm2=1, seed=0)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: single(-1), "norm2=-1: must be a finite number >= 0"),
        (lambda: single(float("nan")), "norm2=nan"),
        (lambda: single("1.0"), "not str"),
        (lambda: single(True), "not bool"),
        (lambda: single(1, dimension=0), "dimension=0: must be a whole number >= 1"),
        (lambda: single(1, dimension=2.5), "dimension=2.5"),
        (lambda: pair(float("inf")), "angle=inf"),
        (lambda: pair(30, norm2=[1, 2, 3]), "two numbers"),
        (lambda: pair(30, dimension=3), "must be even"),
        (lambda: circle(0), "count=0"),
        (lambda: circle(10**9), "count=1000000000: at most 10000"),
        (lambda: sphere(10**9, 3), "at most 10000"),
        (lambda: sphere(2, 3, seed=-1), "seed=-1"),
        (lambda: sphere(2, 3, norm2=-2), "norm2=-2"),
    ],
)
def test_bad_synthetic_sets_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- Gram matrices ----------------------------------------------------------------------------


def _random_gram(N, rank, seed):
    x = np.random.default_rng(seed).normal(size=(N, rank))
    return inner_products(x, x)


@pytest.mark.parametrize(("N", "rank"), [(1, 1), (4, 4), (5, 2), (12, 7), (40, 3)])
def test_gram_keeps_the_matrix_and_makes_vectors(N, rank):
    G = _random_gram(N, rank, N)
    x = gram(G)
    assert np.array_equal(x.overlaps, G)
    _close(x, 1e-13)
    assert geometry(x).rank == rank and not x.vectors[:, rank:].any()
    assert x.dimension == N


def test_gram_duplicates_zeros_and_directions_are_exact():
    x = gram([[2, 0, 1, 2], [0, 0, 0, 0], [1, 0, 1, 1], [2, 0, 1, 2]], directions=1)
    assert x.names == ("a", "b", "c") and x.directions == ("u",)
    assert np.array_equal(x.vectors[0], x.direction_vectors[0])
    assert not x.vectors[1].any()
    _close(x)
    # equal only on the diagonal block, elsewhere rounded differently: still one vector
    G = np.array([[1, 1, 0.3], [1, 1, np.nextafter(0.3, 1)], [0.3, np.nextafter(0.3, 1), 1]])
    y = gram(G)
    assert np.array_equal(y.vectors[0], y.vectors[1]) and np.array_equal(y.overlaps, G)


def test_gram_of_very_different_sizes_loses_nothing():
    s = np.array([1.0, 1e-12, 1e8])
    G = np.array([[1, 0.5, 0.2], [0.5, 1, 0.1], [0.2, 0.1, 1]]) * np.outer(s, s)
    X, rank = factor((G + G.T) / 2)
    assert rank == 3
    assert np.abs(X @ X.T / G - 1).max() < 1e-14


@pytest.mark.parametrize(
    ("matrix", "directions", "message"),
    [
        ([[1, 2], [2, 1]], 0, "smallest eigenvalue is -1"),
        ([[1, 0], [0, -1]], 0, "smallest eigenvalue is -1"),
        ([[0, 1], [1, 5]], 0, "not positive semi-definite"),
        ([[1, 1.000001], [1.000001, 1]], 0, "smallest eigenvalue is -1e-06.*more digits"),
        ([[1, 0.5], [0.4, 1]], 0, "not symmetric: entry"),
        ([[1, 0.5]], 0, r"shape \(1, 2\): it must be square"),
        ([[1, float("nan")], [0, 1]], 0, "contain nan"),
        ([[1, 0], [0, 1]], 2, "at least one row must remain"),
        ([[1, 0], [0, 1]], -1, "directions=-1"),
        ("identity", 0, "real numbers"),
        (3, 0, "shape"),
    ],
)
def test_bad_gram_is_refused(matrix, directions, message):
    with pytest.raises(ValueError, match=message):
        gram(matrix, directions)


# --- facts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [1e-7, 1e-3, 30, 90, 179.9999999])
def test_angles_of_nearly_equal_vectors(angle):
    x = pair(angle, norm2=[1, 9])
    assert angle_degrees(x.vectors[0], x.vectors[1:])[0] == pytest.approx(
        angle, rel=1e-8 / angle**0.9
    )
    assert angle_degrees(x.vectors[0], x.vectors[1:])[0] == pytest.approx(angle, abs=3e-14)
    assert geometry(x).smallest_angle == pytest.approx(angle, abs=3e-14)


@pytest.mark.parametrize("spread", [0.0, 1e-9])
def test_smallest_angle_equals_the_slow_twin(spread):
    x = sphere(25, 4, seed=3)
    if spread:  # a cluster in which cosines are rounding noise
        x = from_vectors(np.ones((25, 4)) + spread * x.vectors, source="cluster")
    g = geometry(x)
    slow = {
        (p, q): float(angle_degrees(x.vectors[i], x.vectors[[j]])[0])
        for i, p in enumerate(x.names)
        for j, q in enumerate(x.names)
        if i < j
    }
    assert g.between == min(slow, key=slow.get) and g.smallest_angle == min(slow.values())


def test_smallest_angle_below_what_cosines_resolve():
    # all cosines round to 1: only the vectors know that b and c are the closest
    x = from_vectors([[1, 0], [1, 3e-9], [1, 4e-9]], source="x")
    assert np.all(x.overlaps == 0.5)
    g = geometry(x)
    assert g.between == ("b", "c") and g.smallest_angle == pytest.approx(
        math.degrees(1e-9), rel=1e-6
    )
    assert any("rounds to 1" in line for line in describe(x))


def test_condition_and_rank():
    assert geometry(pair(60)).condition == pytest.approx(3, rel=1e-13)  # (1 + 1/2) / (1 - 1/2)
    G = np.array([[1, 0.3, 0.1], [0.3, 2, 0.5], [0.1, 0.5, 1]])
    assert geometry(gram(G)).condition == pytest.approx(np.linalg.cond(G), rel=1e-13)
    for singular, rank in ((pair(0), 1), (circle(3), 2), (single(0), 0), (sphere(5, 2), 2)):
        g = geometry(singular)
        assert g.condition == math.inf and g.rank == rank
    tiny = pair(1e-6)
    theta = math.radians(1e-6)  # (1 + cos) / (1 - cos) = cot^2(theta / 2)
    assert geometry(tiny).condition == pytest.approx(math.tan(theta / 2) ** -2, rel=1e-6)


def test_describe():
    text = "\n".join(describe(with_directions(digits([0, 1, 0], norm2=1), 1, "orthogonal")))
    for part in (
        "3 inputs (a .. c) of dimension n_0 = 64",
        "|x|^2/n_0 = 1",
        "singular, rank 2 of 3 (condition number infinite)",
        "smallest angle 0 degrees, between a and c",
        "equal inputs: a = c",
        "1 direction: |u|^2/n_0 = 1",
        "labels: 0, 1, 0",
        "handwritten digits",
    ):
        assert part in text
    assert "zero inputs: a" in describe(single(0))
    assert "|x|^2/n_0 from 1 to 4" in describe(pair(60, [1, 4]))
    assert not any("angle" in line for line in describe(single(1)))
    assert any("(40 in all)" in line for line in describe(digits(count=40)))
