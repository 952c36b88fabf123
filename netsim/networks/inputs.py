"""Input sets as data: named vectors and the directions along which networks are differentiated."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsim.networks.inputs_checks import real_matrix
from netsim.quantities import Slot

__all__ = [
    "LARGEST_SET",
    "Inputs",
    "direction_name",
    "from_vectors",
    "inner_products",
    "input_name",
]

_LETTERS = "abcdefghijklm"
_DIRECTION_LETTERS = "uvwpqrst"
LARGEST_SET = 10_000  # inputs and directions together: their overlaps then take 0.8 GB


def input_name(index: int) -> str:
    """Name of input `index` (from 0): a, b, ..., m, a1, b1, ..."""
    return _LETTERS[index % 13] + (str(index // 13) if index >= 13 else "")


def direction_name(index: int) -> str:
    """Name of direction `index` (from 0): u, v, w, p, q, r, s, t, u1, ..."""
    return _DIRECTION_LETTERS[index % 8] + (str(index // 8) if index >= 8 else "")


@dataclass(frozen=True, eq=False, repr=False)
class Inputs:
    """Inputs x_a in R^{n_0} and directions v_u in R^{n_0}; build them with `input_sets` or
    `from_vectors`, which check them.

    **Fields:**

    - `vectors`: (A, n_0) inputs; `direction_vectors`: (D, n_0) directions; float64, read-only.
    - `overlaps`: (A+D, A+D), inner products divided by n_0, inputs first. With Gaussian first-layer
      weights nothing else about the inputs matters. A set made from a Gram matrix keeps that matrix
      bit for bit; `vectors` reproduce it to rounding.
    - `source`: how the set was made, e.g. "digits(indices=[0, 1], norm2=1)".
    - `labels`: (A,) numbers, or None.
    - `facts`: sentences about where the set comes from, for reports.
    """

    vectors: np.ndarray
    direction_vectors: np.ndarray
    overlaps: np.ndarray
    source: str
    labels: np.ndarray | None = None
    facts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        D = len(self.direction_vectors)
        return f"Inputs({self.source}: {len(self.vectors)} of dimension {self.dimension}" + (
            f", {D} direction{'s' if D > 1 else ''})" if D else ")"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs, a, b, ..."""
        return tuple(input_name(i) for i in range(len(self.vectors)))

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the directions, u, v, ..."""
        return tuple(direction_name(i) for i in range(len(self.direction_vectors)))

    @property
    def dimension(self) -> int:
        """n_0."""
        return self.vectors.shape[1]

    def _rows(self, fields: Sequence[Slot]) -> list[int | None]:
        """Row of `overlaps` that belongs to each field: x_a, or u for D_u x_a = u; else None."""
        row = {name: i for i, name in enumerate((*self.names, *self.directions))}
        for slot in fields:
            for name in (slot.input, *slot.directions):
                if name not in row:
                    raise ValueError(
                        f"there is no {name!r} (in {slot.text!r}) in this input set; it has inputs "
                        f"{_some(self.names)}; directions {_some(self.directions) or 'none'}"
                    )
        # x is linear in x: second derivatives of the first layer vanish
        last = [(s.input, *s.directions)[-1] for s in fields]
        return [
            row[n] if len(s.directions) < 2 else None for n, s in zip(last, fields, strict=True)
        ]

    def gram(self, fields: Sequence[Slot]) -> np.ndarray:
        """(F, F) float64: (D^J x_a) . (D^J' x_b) / n_0, zero for second derivatives.

        **Raises:** `ValueError` for an input or direction that this set does not have.
        """
        rows = self._rows(fields)
        here = [i for i, r in enumerate(rows) if r is not None]
        there = [r for r in rows if r is not None]
        G = np.zeros((len(rows), len(rows)))
        if here:
            G[np.ix_(here, here)] = self.overlaps[np.ix_(there, there)]
        return G

    def field_vectors(self, fields: Sequence[Slot]) -> np.ndarray:
        """(F, n_0) float64: D^J x_a for every field (x_a, a direction, or zero).

        **Raises:** `ValueError` for an input or direction that this set does not have.
        """
        zero = np.zeros((1, self.dimension))
        every = np.concatenate([self.vectors, self.direction_vectors, zero])
        return every[[-1 if r is None else r for r in self._rows(fields)]]

    def identity(self) -> dict:
        """What decides the distribution, as JSON-ready data: the numbers, not how they were made.

        A file that was moved, or the same images chosen in another way, keep the identity.
        """
        digest = hashlib.sha256()
        for array in (self.vectors, self.direction_vectors, self.overlaps):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return {
            "inputs": len(self.vectors),
            "directions": len(self.direction_vectors),
            "dimension": self.dimension,
            "sha256": digest.hexdigest(),
        }


def _some(names: Sequence[str], most: int = 10) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def inner_products(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(A, B) float64: x_a . y_b / n_0 for (A, n_0) and (B, n_0) arrays.

    Every entry is the same pairwise sum wherever its rows stand, so that equal rows give equal
    entries to the last bit and the result is the same on every machine; `x @ y.T` promises neither.
    """
    G = np.empty((len(x), len(y)))
    for i, row in enumerate(x):
        start = i if x is y else 0  # the rest by symmetry, which is exact
        G[i, start:] = (y[start:] * row).sum(axis=1) / x.shape[1]
        if x is y:
            G[i:, i] = G[i, i:]
    return G


def from_vectors(
    vectors: Any,
    directions: Any = None,
    *,
    source: str,
    labels: Any = None,
    facts: Sequence[str] = (),
    overlaps: np.ndarray | None = None,
) -> Inputs:
    """Inputs from vectors.

    **Arguments:** `vectors`, (A, n_0); `directions`, (D, n_0) or None; `labels`, (A,) or None;
    `overlaps`, (A+D, A+D) inner products / n_0 where they are known exactly (default: computed).

    **Returns:** read-only `Inputs`.

    **Raises:** `ValueError` for arrays that are not 2-d, empty, of different n_0, not real numbers,
    NaN, infinite, or so large or small that |x|^2 leaves the range of float64.
    """
    x = real_matrix(vectors, "inputs", "an (A, n_0) array: A inputs of dimension n_0")
    if len(x) == 0:
        raise ValueError(f"inputs have shape {x.shape}: at least one input is needed")
    n_0 = x.shape[1]
    shape = f"a (D, n_0={n_0}) array: D directions"
    v = np.zeros((0, n_0)) if directions is None else real_matrix(directions, "directions", shape)
    if v.shape[1] != n_0:
        raise ValueError(f"directions have shape {v.shape}: must be {shape}")
    if len(x) + len(v) > LARGEST_SET:
        raise ValueError(
            f"{len(x) + len(v)} inputs and directions: at most {LARGEST_SET} fit at once; choose "
            "some of them, e.g. indices=[0, 1, 2]"
        )
    G = _overlaps(np.concatenate([x, v])) if overlaps is None else np.array(overlaps, float)
    if G.shape != (len(x) + len(v),) * 2:
        raise ValueError(f"overlaps have shape {G.shape}: one row per input and direction")
    labels = None if labels is None else np.array(labels)
    if labels is not None and labels.shape != (len(x),):
        raise ValueError(f"labels have shape {labels.shape}: one label for each of {len(x)} inputs")
    for array in (x, v, G) if labels is None else (x, v, G, labels):
        array.setflags(write=False)
    return Inputs(x, v, G, source, labels, tuple(facts))


def _overlaps(every: np.ndarray) -> np.ndarray:
    """Inner products / n_0 of all rows, refused where |x|^2 leaves the range of float64."""
    with np.errstate(over="ignore", under="ignore"):
        G = inner_products(every, every)
    norm2 = np.diag(G)
    lost = np.any(every != 0, axis=1) & (norm2 < np.finfo(float).tiny)
    bad = np.flatnonzero(~np.isfinite(norm2) | lost)
    if len(bad):
        i = int(bad[0])
        raise ValueError(
            f"row {i} of the inputs (counted from 0) has largest entry {np.abs(every[i]).max():.3g}"
            ": its square is beyond the range of float64; multiply the inputs by a constant first"
        )
    return G
