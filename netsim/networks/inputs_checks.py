"""Checks of the arguments of input sets: numbers, counts and arrays, each refused in words."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

__all__ = ["number_text", "real", "real_matrix", "whole"]


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number: 1.0 -> "1", 0.1 -> "0.1"."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def real(value: Any, name: str, *, above: float | None = None, least: float | None = None) -> float:
    """`value` as a float, finite, and greater than `above` or at least `least` where given.

    **Raises:** `ValueError` for anything else, a boolean or a text that looks like a number too.
    """
    bound = f" > {above:g}" if above is not None else f" >= {least:g}" if least is not None else ""
    allowed = f"{name}={value!r}: must be a finite number{bound}"
    if not _is_real(value):
        raise ValueError(f"{allowed}, not {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(allowed)
    if (above is not None and number <= above) or (least is not None and number < least):
        raise ValueError(allowed)
    return number


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))


def whole(value: Any, name: str, *, least: int = 0) -> int:
    """`value` as an int that is at least `least`; 3.0 is accepted, 2.5 and true are not.

    **Raises:** `ValueError`.
    """
    if not _is_real(value) or not math.isfinite(value) or int(value) != value or value < least:
        raise ValueError(f"{name}={value!r}: must be a whole number >= {least}")
    return int(value)


def real_matrix(values: Any, name: str, shape: str) -> np.ndarray:
    """A new (rows, columns) float64 array with finite entries; integers are converted.

    **Arguments:** `name`, what the array is, and `shape`, what its axes mean, for the messages.

    **Raises:** `ValueError` for ragged lists, text, booleans, complex numbers, another number of
    axes, no columns, NaN or infinity.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name}: rows of different lengths; give {shape}") from None
    if array.size == 0 and array.dtype == np.float64:
        pass  # an empty list has no type of its own; its shape is judged below
    elif array.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} have dtype {array.dtype}: must be real numbers (floats or integers); "
            "convert them first, e.g. array.astype(float)"
        )
    if array.ndim == 1 and array.size:
        raise ValueError(
            f"{name} have shape {array.shape}: must be {shape}; "
            f"a single row is written with shape (1, {array.size}): array.reshape(1, -1)"
        )
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"{name} have shape {array.shape}: must be {shape}")
    with np.errstate(over="ignore"):  # a longdouble beyond float64 becomes inf, refused next
        array = array.astype(np.float64) + 0.0  # + 0.0 turns -0.0, an equal number, into 0.0
    if not np.all(np.isfinite(array)):
        row, column = (int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{name} contain {array[row, column]} at row {row}, column {column} (counted from 0): "
            "all entries must be finite; remove or repair such rows first"
        )
    return array
