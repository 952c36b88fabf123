"""A user's own inputs, from .npy files. Only numbers are read: nothing in a file can run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from netsim.networks.inputs import Inputs, from_vectors
from netsim.networks.inputs_checks import number_text, real_matrix, whole
from netsim.networks.inputs_transform import scaled

__all__ = ["from_file", "read_array"]


def from_file(
    path: str | Path,
    norm2: float | None = None,
    labels: str | Path | None = None,
    indices: Sequence[int] | None = None,
    dimension: int | None = None,
) -> Inputs:
    """Inputs from a .npy file with one input per row, shape (A, n_0).

    **Arguments:**

    - `norm2`: scale every input to this |x|^2/n_0 (default: as they are).
    - `labels`: a .npy file with (A,) numbers, one label per row.
    - `indices`: use these rows only, counted from 0.
    - `dimension`: the n_0 that you expect; another one is refused.

    **Raises:** `ValueError`, saying what is wrong with which file: missing, empty, cut off, not an
    array of real numbers (objects, text, booleans, complex), not two axes, NaN or infinite,
    transposed (as far as `labels` or `dimension` tell), labels of another length.
    """
    path = Path(path)
    shape = "(A, n_0): A inputs of dimension n_0, one input per row"
    vectors = real_matrix(read_array(path), f"{path}: the inputs", shape)
    A, n_0 = vectors.shape
    if A == 0:
        raise ValueError(f"{path}: the inputs have shape (0, {n_0}): at least one row is needed")
    seen = f"{path}: shape ({A}, {n_0}) means {A} inputs of dimension n_0 = {n_0}"
    transpose = "it looks transposed: save array.T"
    if dimension is not None and whole(dimension, "dimension", least=1) != n_0:
        hint = transpose if dimension == A else f"dimension={dimension} was expected"
        raise ValueError(f"{seen}; {hint}")
    named = None if labels is None else _labels(Path(labels), seen, A, n_0, transpose)
    text = f"file({path.name!r}"
    if indices is not None:
        rows = _rows(indices, A)
        vectors, named = vectors[rows], None if named is None else named[rows]
        text += f", indices={rows}"
    facts = [seen + ("" if indices is None else f", of which {len(vectors)} are used")]
    if A > n_0 and named is None:
        facts.append(
            f"more inputs than dimensions: if these are {n_0} inputs of dimension {A}, {transpose}"
        )
    inputs = from_vectors(vectors, source=f"{text})", labels=named, facts=facts)
    if norm2 is None:
        return inputs
    inputs = scaled(inputs, norm2)
    return replace(inputs, source=f"{text}, norm2={number_text(norm2)})")


def read_array(path: Path) -> np.ndarray:
    """The array in a .npy file, without unpickling anything.

    **Raises:** `ValueError` if there is none.
    """
    if path.is_dir() or not path.exists():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ValueError(f"{path}: {what}; give the path of a .npy file (here: {Path.cwd()})")
    how = "write it with numpy.save(path, array)"
    try:
        with open(path, "rb") as file:
            start = file.read(6)
            if not start:
                raise ValueError(f"{path}: the file is empty; {how}")
            if start != b"\x93NUMPY":
                raise ValueError(f"{path}: not a .npy file (it starts with {start!r}); {how}")
            file.seek(0)
            return _parse(file, path, how)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None


def _parse(file: Any, path: Path, how: str) -> np.ndarray:
    try:
        return np.load(file, allow_pickle=False)
    except OSError:
        raise
    except MemoryError:
        raise ValueError(f"{path}: its header announces more data than memory holds") from None
    except Exception as error:  # NumPy's header parser lets many kinds through
        if "Object arrays" in str(error):
            raise ValueError(
                f"{path}: an array of Python objects, which is not read because it could run code; "
                f"convert it with array.astype(float) and {how}"
            ) from None
        raise ValueError(f"{path}: damaged or cut off ({error}); {how} again") from None


def _labels(path: Path, seen: str, A: int, n_0: int, transpose: str) -> np.ndarray:
    labels = read_array(path)
    if labels.shape == (n_0,) and n_0 != A:
        raise ValueError(f"{seen}, but {path} has {n_0} labels: {transpose}, or fix the labels")
    if labels.shape != (A,):
        raise ValueError(f"{path}: labels have shape {labels.shape}, must be ({A},); {seen}")
    if labels.dtype.kind not in "iuf" or not np.all(np.isfinite(labels)):
        raise ValueError(f"{path}: labels have dtype {labels.dtype}; they must be finite numbers")
    return labels


def _rows(indices: Sequence[int], A: int) -> list[int]:
    if isinstance(indices, str) or not isinstance(indices, (Sequence, np.ndarray)):
        raise ValueError(f"indices={indices!r}: give a list of rows, e.g. [0, 1]")
    rows = [whole(i, "index") for i in indices]
    if not rows or max(rows) >= A:
        raise ValueError(f"indices={rows}: give at least one row; rows are numbered 0..{A - 1}")
    return rows
