"""Directions along which networks are differentiated: given, random, orthogonal or parallel."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from netsim.networks.inputs import LARGEST_SET, Inputs, inner_products
from netsim.networks.inputs_checks import number_text, real, real_matrix, whole

__all__ = ["with_directions"]

_KINDS = ("orthogonal", "random", "parallel")


def with_directions(
    inputs: Inputs,
    count: int | None = None,
    kind: Any = "random",
    seed: int = 0,
    norm2: float | None = None,
) -> Inputs:
    """The same inputs with directions u, v, ... of differentiation added after those it has.

    **Arguments:**

    - `count`: how many (default 1, or the rows of an array).
    - `kind`: "random", uniform on the sphere; "orthogonal", the same within the complement of all
      inputs and directions; "parallel", u along the first input, v along the second, ...; or a
      (count, n_0) array.
    - `seed`: of NumPy's default generator, a stream apart from that of `sphere`.
    - `norm2`: |v|^2/n_0 of each direction (default 1; an array is taken as it is).

    **Raises:** `ValueError`; in particular when fewer than `count` orthogonal directions exist.
    """
    named = isinstance(kind, str)
    if named and kind not in _KINDS:
        allowed = ", ".join(repr(k) for k in _KINDS)
        raise ValueError(f"kind of directions {kind!r}: allowed are {allowed}, or an array")
    length = real(1.0 if norm2 is None else norm2, "norm2 of a direction", above=0)
    least = 0 if named else 1
    asked = 1 if count is None else whole(count, "number of directions", least=least)
    seed = whole(seed, "seed")
    if named:
        if len(inputs.overlaps) + asked > LARGEST_SET:
            raise ValueError(f"{asked} directions: at most {LARGEST_SET} vectors fit at once")
        make = {"random": _random, "orthogonal": _orthogonal, "parallel": _parallel}[kind]
        v, cross, own = make(inputs, asked, seed, length)
        text = f"{asked} {kind} direction{'s' if asked > 1 else ''}(norm2={number_text(length)}"
        text += ")" if kind == "parallel" else f", seed={seed})"
    else:
        v, cross, own = _given(
            inputs, None if count is None else asked, kind, None if norm2 is None else length
        )
        text = f"{len(v)} given direction{'s' if len(v) > 1 else ''}"
    if len(v) == 0:
        return inputs
    G = np.block([[inputs.overlaps, cross], [cross.T, own]])
    v = np.concatenate([inputs.direction_vectors, v])
    for array in (v, G):
        array.setflags(write=False)
    source = f"{inputs.source} + {text}"
    return replace(inputs, direction_vectors=v, overlaps=G, source=source)


def _every(inputs: Inputs) -> np.ndarray:
    return np.concatenate([inputs.vectors, inputs.direction_vectors])


def _generator(inputs: Inputs, seed: int) -> np.random.Generator:
    # a stream of its own: the same seed must not repeat a sphere's inputs or earlier directions
    return np.random.default_rng([seed, 1, len(inputs.direction_vectors)])


def _with_overlaps(inputs: Inputs, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return v, inner_products(_every(inputs), v), inner_products(v, v)


def _random(inputs: Inputs, count: int, seed: int, norm2: float):
    v = _generator(inputs, seed).standard_normal((count, inputs.dimension))
    v *= (math.sqrt(norm2) / np.sqrt((v * v).mean(axis=1)))[:, None]
    return _with_overlaps(inputs, v)


def _parallel(inputs: Inputs, count: int, seed: int, norm2: float):
    del seed
    if count > len(inputs.vectors):
        raise ValueError(
            f"{count} directions parallel to inputs: there are only {len(inputs.vectors)} inputs"
        )
    K = np.diag(inputs.overlaps)[:count]
    if not np.all(K > 0):
        name = inputs.names[int(np.argmin(K > 0))]
        raise ValueError(f"input {name} is zero: no direction is parallel to it")
    f = np.sqrt(norm2 / K)
    own = f[:, None] * inputs.overlaps[:count, :count] * f
    np.fill_diagonal(own, norm2)
    return inputs.vectors[:count] * f[:, None], inputs.overlaps[:, :count] * f, own


def _given(inputs: Inputs, count: int | None, array: Any, norm2: float | None):
    shape = f"a (D, n_0={inputs.dimension}) array: D directions"
    v = real_matrix(array, "directions", shape)
    if v.shape[1] != inputs.dimension or len(v) == 0:
        raise ValueError(f"directions have shape {v.shape}: must be {shape}")
    if count is not None and count != len(v):
        raise ValueError(f"{count} directions were asked for, but the array has {len(v)} rows")
    if norm2 is not None:
        size = np.sqrt((v * v).mean(axis=1))
        if not np.all(size > 0):
            raise ValueError("a zero direction cannot be scaled: leave it out, or leave norm2 out")
        v = v * (math.sqrt(norm2) / size)[:, None]
    return _with_overlaps(inputs, v)


def _orthogonal(inputs: Inputs, count: int, seed: int, norm2: float):
    n_0 = inputs.dimension
    basis = np.zeros((0, n_0))
    for row in _every(inputs):
        basis = _extended(basis, row)
    free = n_0 - len(basis)
    if count > free:
        raise ValueError(
            f"{count} directions orthogonal to all inputs were asked for, but {free} exist: n_0 = "
            f"{n_0} and the inputs span {len(basis)} dimensions; ask for fewer, or raise n_0"
        )
    rng, used = _generator(inputs, seed), len(basis)
    while len(basis) < used + count:
        basis = _extended(basis, rng.standard_normal(n_0))
    v = math.sqrt(norm2 * n_0) * basis[used:]
    # orthogonal by construction: zeros are exact here, rounding only in the vectors
    return v, np.zeros((len(inputs.overlaps), count)), norm2 * np.eye(count)


def _extended(basis: np.ndarray, row: np.ndarray) -> np.ndarray:
    """`basis` (orthonormal rows) with the part of `row` orthogonal to it, unless that is zero.

    Sums run in a fixed order, so the result is the same on every machine. Gram-Schmidt three times:
    twice for the size of the remainder, once more after it has been normalised.
    """
    largest = np.max(np.abs(row), initial=0.0)
    if largest == 0 or len(basis) == len(row):
        return basis
    rest = row / largest
    rest = rest / math.sqrt((rest * rest).sum())
    for step in range(3):
        rest = rest - ((basis * rest).sum(axis=1)[:, None] * basis).sum(axis=0)
        size = math.sqrt((rest * rest).sum())
        if step == 1 and size < 64 * len(row) * np.finfo(float).eps:
            return basis
        rest = rest / size if step else rest
    return np.concatenate([basis, rest[None]])
