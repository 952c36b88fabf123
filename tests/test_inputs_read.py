"""Inputs that are read: the bundled digits and users' files."""

from __future__ import annotations

import hashlib
import pickle

import numpy as np
import pytest

from netsim.networks.input_sets import (
    digits,
    from_file,
)
from netsim.networks.inputs import inner_products
from netsim.networks.inputs_digits import digit_images


def _close(inputs, rel=1e-14):
    """The vectors have the inner products that the overlaps say."""
    every = np.concatenate([inputs.vectors, inputs.direction_vectors])
    assert np.abs(inner_products(every, every) - inputs.overlaps).max() <= rel * np.abs(
        inputs.overlaps
    ).max(initial=1e-300)


# --- digits -----------------------------------------------------------------------------------


def test_digits_are_the_uci_test_set():
    images, labels = digit_images()
    assert images.shape == (1797, 64) and images.dtype == labels.dtype == np.uint8
    digest = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
    assert hashlib.sha256(images.tobytes()).hexdigest() == digest
    # numbers of images per digit in the test set, as UCI's page lists them
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.max() == 16


def test_digits_equal_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets")
    images, labels = digit_images()
    theirs = datasets.load_digits()
    assert np.array_equal(images, theirs.data) and np.array_equal(labels, theirs.target)


def test_digits():
    x = digits([0, 1])
    images, _ = digit_images()
    assert np.array_equal(x.vectors, images[:2] / 16) and x.labels.tolist() == [0, 1]
    assert x.overlaps[0, 1] == int(images[0].astype(int) @ images[1]) / 256 / 64
    assert digits().source == "digits(indices=[0, 1])" and "CC BY 4.0" in x.facts[0]
    y = digits(classes=[3, 8], norm2=1)
    assert y.labels.tolist() == [3, 8] and np.diag(y.overlaps).tolist() == [1, 1]
    assert y.source == "digits(indices=[3, 8], norm2=1)"
    _close(y)
    twice = digits([7, 7, 2], norm2=0.3)
    assert twice.overlaps[0, 1] == twice.overlaps[0, 0] == 0.3
    assert np.array_equal(twice.overlaps[0], twice.overlaps[1])
    assert (
        digits(classes=[4], count=3).labels.tolist() == [4, 4, 4]
        and len(digits(count=5).names) == 5
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"indices": [1797]}, r"numbered 0\.\.1796"),
        ({"indices": [-1]}, "index=-1"),
        ({"indices": []}, "at least one"),
        ({"indices": "0,1"}, "give a list"),
        ({"indices": [0.5]}, "index=0.5"),
        ({"classes": [10]}, "digits are 0..9"),
        ({"classes": [0], "count": 179}, "178 images"),
        ({"count": 0}, "count=0"),
        ({"count": 2000}, "1797"),
        ({"indices": [0], "classes": [1]}, "not both"),
        ({"norm2": 0}, "norm2=0: must be a finite number > 0"),
    ],
)
def test_bad_digits_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        digits(**options)


# --- files ------------------------------------------------------------------------------------


@pytest.fixture
def save(tmp_path):
    def saved(array, name="x.npy"):
        np.save(tmp_path / name, array)
        return tmp_path / name

    return saved


def test_file_round_trip(save):
    x = np.random.default_rng(1).normal(size=(5, 7))
    labels = save(np.arange(5), "labels.npy")
    inputs = from_file(save(x), labels=labels)
    assert np.array_equal(inputs.vectors, x) and inputs.labels.tolist() == [0, 1, 2, 3, 4]
    assert "5 inputs of dimension n_0 = 7" in inputs.facts[0] and inputs.source == "file('x.npy')"
    picked = from_file(save(x), norm2=2, labels=labels, indices=[4, 0], dimension=7)
    assert picked.labels.tolist() == [4, 0] and np.diag(picked.overlaps).tolist() == [2, 2]
    assert picked.source == "file('x.npy', indices=[4, 0], norm2=2)"
    _close(picked)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "i2", "u1", "f2"])
def test_file_of_any_real_dtype(save, dtype):
    x = from_file(save(np.array([[1, 2], [3, 4]], dtype=dtype), f"{dtype[-2:]}.npy"))
    assert x.vectors.dtype == np.float64 and x.vectors.tolist() == [[1, 2], [3, 4]]


def test_fortran_order_is_read_by_shape(save):
    assert from_file(save(np.asfortranarray([[1.0, 2, 3], [4, 5, 6]]))).vectors.shape == (2, 3)


def test_transposed_files_are_told(save):
    path, nine, two = (save(np.ones((9, 2)), "x.npy"), *(np.arange(n) for n in (9, 2)))
    with pytest.raises(ValueError, match="9 inputs of dimension n_0 = 2.*2 labels.*transposed"):
        from_file(path, labels=save(two, "two.npy"))
    with pytest.raises(ValueError, match="looks transposed: save array.T"):
        from_file(path, dimension=9)
    with pytest.raises(ValueError, match="dimension=5 was expected"):
        from_file(path, dimension=5)
    assert "transposed" in from_file(path).facts[1]
    assert len(from_file(path, labels=save(nine, "nine.npy")).facts) == 1


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[1, None]], dtype=object), "Python objects.*could run code"),
        (np.zeros((2, 2), dtype=bool), "dtype bool"),
        (np.zeros((2, 2), dtype=complex), "dtype complex128"),
        (np.array([["a"]]), "dtype <U1"),
        (np.zeros((2, 2), dtype=[("x", float)]), "real numbers"),
        (np.zeros((2, 2), dtype="M8[s]"), "real numbers"),
        (np.zeros(3), r"shape \(3,\).*reshape\(1, -1\)"),
        (np.float64(3), r"shape \(\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((0, 3)), "at least one row"),
        (np.zeros((3, 0)), r"shape \(3, 0\)"),
        (np.array([[0, np.inf]]), "contain inf at row 0, column 1"),
        (np.array([[0, np.nan]]), "contain nan"),
    ],
)
def test_bad_arrays_in_files_are_refused(save, array, message):
    with pytest.raises(ValueError, match=message) as caught:
        from_file(save(array))
    assert "x.npy" in str(caught.value)


def test_files_that_are_no_arrays_are_refused(tmp_path, save):
    whole = save(np.zeros((4, 4))).read_bytes()
    contents = {
        "empty.npy": (b"", "the file is empty"),
        "magic.npy": (whole[:6], "damaged or cut off"),
        "header.npy": (whole[:40], "damaged or cut off"),
        "body.npy": (whole[:-8], "damaged or cut off"),
        "text.npy": (b"1.0, 2.0\n", "not a .npy file"),
        "pickle.npy": (pickle.dumps([1, 2]), "not a .npy file"),
        "zip.npy": (b"PK\x03\x04 and so on", "not a .npy file"),
        "huge.npy": (whole.replace(b"(4, 4), }        ", b"(4, 4000000000), }"), "memory|cut off"),
        "code.npy": (whole.replace(b"(4, 4)", b"exit()"), "damaged or cut off"),
    }
    for name, (content, message) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}.*(?:{message})"):
            from_file(tmp_path / name)
    with pytest.raises(ValueError, match="missing.npy: does not exist"):
        from_file(tmp_path / "missing.npy")
    with pytest.raises(ValueError, match="is a folder"):
        from_file(tmp_path)


def test_pickled_code_in_a_file_does_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    array = np.empty((1, 1), dtype=object)
    array[0, 0] = Bomb()
    np.save(tmp_path / "bomb.npy", array)
    with pytest.raises(ValueError, match="Python objects"):
        from_file(tmp_path / "bomb.npy")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(4), r"shape \(4,\), must be \(5,\)"),
        (np.zeros((5, 1)), r"shape \(5, 1\)"),
        (np.array(list("abcde")), "must be finite numbers"),
        (np.array([0, 1, 2, 3, np.nan]), "must be finite numbers"),
        (np.array([None] * 5), "Python objects"),
    ],
)
def test_bad_labels_are_refused(save, labels, message):
    with pytest.raises(ValueError, match=f"labels.npy.*{message}"):
        from_file(save(np.ones((5, 7))), labels=save(labels, "labels.npy"))


def test_bad_rows_are_refused(save):
    path = save(np.ones((5, 7)))
    for indices in ([5], [], "0", 3, [-1]):
        with pytest.raises(ValueError, match="ind"):
            from_file(path, indices=indices)
    with pytest.raises(ValueError, match=r"input b \(number 1.*is zero"):
        from_file(save(np.eye(3)[[0, 0]] * [[1], [0]]), norm2=1)
