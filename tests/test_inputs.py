"""Input sets: names, fields, identity, scaling, directions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from netsim.networks.input_sets import (
    circle,
    digits,
    from_vectors,
    norm2_for_kernel,
    pair,
    scaled,
    single,
    sphere,
    with_directions,
)
from netsim.networks.inputs import direction_name, inner_products, input_name
from netsim.quantities import Slot


def _close(inputs, rel=1e-14):
    """The vectors have the inner products that the overlaps say."""
    every = np.concatenate([inputs.vectors, inputs.direction_vectors])
    assert np.abs(inner_products(every, every) - inputs.overlaps).max() <= rel * np.abs(
        inputs.overlaps
    ).max(initial=1e-300)


def test_names():
    assert [input_name(i) for i in (0, 1, 12, 13, 27)] == ["a", "b", "m", "a1", "b2"]
    assert [direction_name(i) for i in (0, 1, 2, 3, 7, 8)] == ["u", "v", "w", "p", "t", "u1"]
    big = sphere(30, 3)
    assert len(set(big.names)) == 30 and big.names[29] == "d2"


def test_gram_and_field_vectors_of_fields():
    x = from_vectors([[1.0, 2.0], [0.0, 4.0]], [[3.0, 0.0], [1.0, 1.0]], source="test")
    fields = [Slot("b"), Slot("a", ("u",)), Slot("b", ("v",)), Slot("a", ("u", "v"))]
    assert x.field_vectors(fields).tolist() == [[0, 4], [3, 0], [1, 1], [0, 0]]
    v = x.field_vectors(fields)
    assert x.gram(fields).tolist() == (v @ v.T / 2).tolist()
    assert x.gram([fields[3]]).tolist() == [[0.0]]
    with pytest.raises(ValueError, match="no 'c'.*inputs a, b; directions u, v"):
        x.gram([Slot("c")])
    with pytest.raises(ValueError, match="no 'w'"):
        x.field_vectors([Slot("a", ("w",))])


def test_arrays_are_read_only_copies():
    source = np.ones((1, 2))
    x = from_vectors(source, source="test", labels=[3])
    source[0, 0] = 5.0
    assert x.vectors[0, 0] == 1.0
    for array in (x.vectors, x.overlaps, x.labels, with_directions(x).overlaps):
        with pytest.raises(ValueError, match="read-only"):
            array[(0,) * array.ndim] = 7


def test_identity_is_of_the_numbers():
    assert digits([0, 5]).identity() == digits(classes=[0], count=1).identity() | {
        "inputs": 2, "sha256": digits([0, 5]).identity()["sha256"],
    }  # fmt: skip
    assert digits(classes=[2, 3]).identity() == digits([2, 3]).identity()
    assert scaled(digits([2]), 1.0).identity() == digits([2], norm2=1).identity()
    seen = {pair(30).identity()["sha256"], pair(31).identity()["sha256"]}
    seen |= {with_directions(pair(30)).identity()["sha256"], pair(30, 2).identity()["sha256"]}
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([1.0, 2.0], r"shape \(2,\).*reshape"),
        ([], "shape"),
        (np.zeros((0, 3)), "at least one input"),
        (np.zeros((3, 0)), "shape"),
        ([[1.0, np.nan]], "contain nan at row 0, column 1"),
        ([[1.0], [-np.inf]], "contain -inf at row 1, column 0"),
        ([[1.0, 2.0], [3.0]], "rows of different lengths"),
        ([["1", "2"]], "dtype <U1.*real numbers"),
        ([[True, False]], "dtype bool"),
        ([[1j, 2]], "dtype complex128"),
        ([[None, 1]], "dtype object"),
        ([[1e200, 1.0]], "beyond the range"),
        ([[1.0], [1e-170]], "row 1 .* beyond the range"),
        (np.zeros((10_001, 1)), "at most 10000.*indices"),
    ],
)
def test_bad_vectors_are_refused(vectors, message):
    with pytest.raises(ValueError, match=message):
        from_vectors(vectors, source="test")


def test_bad_directions_and_labels_are_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 3\): must be a \(D, n_0=2\)"):
        from_vectors([[1.0, 2.0]], [[1.0, 2.0, 3.0]], source="test")
    with pytest.raises(ValueError, match="labels have shape"):
        from_vectors([[1.0, 2.0]], source="test", labels=[1, 2])
    with pytest.raises(ValueError, match="one row per input and direction"):
        from_vectors([[1.0, 2.0]], source="test", overlaps=np.eye(2))


def test_equal_rows_have_bit_equal_overlaps_wherever_they_stand():
    x = np.random.default_rng(4).normal(size=(5, 37))
    G = from_vectors(x[[0, 1, 2, 0, 3, 4, 2]], source="test").overlaps
    assert np.array_equal(G, G.T)
    assert np.array_equal(G[0], G[3]) and np.array_equal(G[2], G[6]) and G[0, 0] == G[0, 3]
    assert G[0, 1] == pytest.approx(math.fsum(x[0] * x[1]) / 37, rel=1e-13)


# --- scaling and directions -------------------------------------------------------------------


def test_norm2_for_kernel():
    assert norm2_for_kernel(3.5, 0.5, 2) == 1.5 and norm2_for_kernel(0, 0, 1) == 0
    with pytest.raises(ValueError, match="lower C_b"):
        norm2_for_kernel(0.1, 0.5, 2)
    with pytest.raises(ValueError, match="C_W=0"):
        norm2_for_kernel(1, 0, 0)


def test_scaled():
    x = with_directions(from_vectors([[3.0, 0.0], [1.0, 1.0], [6.0, 0.0]], source="x"), norm2=4)
    y = scaled(x, 0.1)
    assert np.diag(y.overlaps)[:3].tolist() == [0.1] * 3 and y.overlaps[0, 2] == 0.1
    assert np.array_equal(y.vectors[0], y.vectors[2])
    assert y.overlaps[0, 1] == pytest.approx(0.1 / math.sqrt(2), rel=1e-15)
    assert np.array_equal(y.direction_vectors, x.direction_vectors)
    assert np.array_equal(y.overlaps, y.overlaps.T) and y.overlaps[3, 3] == x.overlaps[3, 3]
    _close(y)
    assert y.source == "scaled(x + 1 random direction(norm2=4, seed=0), norm2=0.1)"
    with pytest.raises(ValueError, match="norm2=0"):
        scaled(x, 0)
    with pytest.raises(ValueError, match="input a .* is zero"):
        scaled(single(0), 1)


def test_inputs_that_become_equal_have_equal_overlaps():
    x = np.random.default_rng(6).normal(size=(20, 5))
    y = scaled(from_vectors(np.concatenate([x, 4 * x]), source="x"), 0.7)
    assert np.array_equal(y.vectors[:20], y.vectors[20:])
    assert np.array_equal(y.overlaps[:20], y.overlaps[20:])
    assert np.diag(y.overlaps[:20, 20:]).tolist() == [0.7] * 20
    assert np.array_equal(y.overlaps, y.overlaps.T)


def test_random_directions():
    x = with_directions(sphere(3, 8, seed=0), 2, "random", seed=0, norm2=2)
    assert x.directions == ("u", "v")
    assert np.diag(x.overlaps)[3:] == pytest.approx([2, 2], rel=1e-14)
    _close(x)
    # neither the inputs of the same seed nor earlier directions come again
    y = with_directions(x, 2, "random", seed=0, norm2=2)
    corr = y.overlaps / np.sqrt(np.outer(np.diag(y.overlaps), np.diag(y.overlaps)))
    assert y.directions == ("u", "v", "w", "p")
    assert np.abs(corr - np.eye(7)).max() < 0.99
    assert with_directions(x, 0) is x


def test_orthogonal_directions():
    x = with_directions(digits([0, 1, 1]), 3, "orthogonal", norm2=0.5)
    assert np.array_equal(x.overlaps[3:, 3:], 0.5 * np.eye(3)) and not x.overlaps[3:, :3].any()
    _close(x)
    full = with_directions(from_vectors(np.eye(4)[:2] + 1, source="x"), 2, "orthogonal")
    _close(full)
    with pytest.raises(ValueError, match="but 2 exist: n_0 = 4 and the inputs span 2"):
        with_directions(from_vectors(np.eye(4)[:2] + 1, source="x"), 3, "orthogonal")
    with pytest.raises(ValueError, match="but 0 exist"):
        with_directions(circle(5), 1, "orthogonal")
    # nearly parallel inputs span two dimensions; a zero input none
    near = from_vectors([[1.0, 0, 0], [1.0, 1e-9, 0], [0.0, 0, 0]], source="x")
    assert np.abs(with_directions(near, 1, "orthogonal").direction_vectors[0, :2]).max() < 1e-15


def test_parallel_directions():
    x = with_directions(pair(60, norm2=[1, 4]), 2, "parallel")
    assert np.array_equal(x.direction_vectors[0], x.vectors[0])  # already of norm 1
    assert x.overlaps == pytest.approx(
        np.array([[1, 1, 1, 0.5], [1, 4, 1, 2], [1, 1, 1, 0.5], [0.5, 2, 0.5, 1]]), rel=1e-15
    )
    _close(x)
    with pytest.raises(ValueError, match="there are only 2 inputs"):
        with_directions(pair(60), 3, "parallel")
    with pytest.raises(ValueError, match="input a is zero"):
        with_directions(single(0), 1, "parallel")


def test_given_directions():
    x = with_directions(pair(60, dimension=2), kind=[[3, 4], [0, 1]])
    assert x.direction_vectors.tolist() == [[3, 4], [0, 1]]
    _close(x)
    y = with_directions(pair(60, dimension=2), kind=[[3, 4]], norm2=2)
    assert y.direction_vectors[0] == pytest.approx([1.2, 1.6], rel=1e-15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "ortogonal"}, "'orthogonal', 'random', 'parallel', or an array"),
        ({"count": -1}, "number of directions=-1"),
        ({"norm2": 0}, "norm2 of a direction=0.0|norm2 of a direction=0"),
        ({"kind": [[1, 2, 3]]}, r"shape \(1, 3\)"),
        ({"kind": [[1, 2]], "count": 2}, "the array has 1 rows"),
        ({"kind": [[0, 0]], "norm2": 1}, "zero direction"),
        ({"kind": [[1, np.nan]]}, "contain nan"),
        ({"kind": [1, 2]}, "reshape"),
        ({"seed": -1}, "seed=-1"),
        ({"count": 10_000}, "at most 10000"),
    ],
)
def test_bad_directions_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        with_directions(pair(60, dimension=2), **options)
