"""Input sets as data: named vectors and the directions along which networks are differentiated."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from netsim.quantities import Slot

__all__ = ["Inputs", "input_name"]

_LETTERS = "abcdefghijklm"
_DIRECTION_LETTERS = "uvwpqrst"


def input_name(index: int) -> str:
    """Name of input `index` (from 0): a, b, ..., m, a1, b1, ..."""
    return _LETTERS[index % 13] + (str(index // 13) if index >= 13 else "")


def direction_name(index: int) -> str:
    """Name of direction `index` (from 0): u, v, w, p, q, r, s, t, u1, ..."""
    return _DIRECTION_LETTERS[index % 8] + (str(index // 8) if index >= 8 else "")


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs x_a in R^{n_0} and directions v_u in R^{n_0}.

    **Fields:**

    - `vectors`: (A, n_0) inputs; `direction_vectors`: (D, n_0) directions.
    - `overlaps`: (A+D, A+D), inner products divided by n_0, inputs first. With Gaussian first-layer
      weights nothing else about the inputs matters.
    - `source`: how the set was made, e.g. "digits(3, 8), norm2=1".
    - `labels`: (A,) numbers, or None.
    """

    vectors: np.ndarray
    direction_vectors: np.ndarray
    overlaps: np.ndarray
    source: str
    labels: np.ndarray | None = None
    facts: tuple[str, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(input_name(i) for i in range(len(self.vectors)))

    @property
    def directions(self) -> tuple[str, ...]:
        return tuple(direction_name(i) for i in range(len(self.direction_vectors)))

    @property
    def dimension(self) -> int:
        """n_0."""
        return self.vectors.shape[1]

    def gram(self, fields: Sequence[Slot]) -> np.ndarray:
        """(F, F) float64: (D^J x_a) . (D^J' x_b) / n_0, zero for second derivatives.

        **Raises:** `ValueError` for an input or direction that this set does not have.
        """
        row = {name: i for i, name in enumerate(self.names)}
        row |= {name: len(row) + i for i, name in enumerate(self.directions)}
        for slot in fields:
            for name in (slot.input, *slot.directions):
                if name not in row:
                    raise ValueError(
                        f"{slot.text!r} names {name!r}, which this input set does not have: inputs "
                        f"{', '.join(self.names)}; directions {', '.join(self.directions) or 'none'}"
                    )
        G = np.zeros((len(fields), len(fields)))
        at = [row[(s.input, *s.directions)[-1]] if len(s.directions) < 2 else None for s in fields]
        for i, p in enumerate(at):
            for j, q in enumerate(at):
                if p is not None and q is not None:
                    G[i, j] = self.overlaps[p, q]
        return G

    def field_vectors(self, fields: Sequence[Slot]) -> np.ndarray:
        """(F, n_0) float64: D^J x_a for every field (x, a direction, or zero)."""
        self.gram(fields)  # names are checked there
        row = dict(zip(self.names, self.vectors, strict=True))
        row |= dict(zip(self.directions, self.direction_vectors, strict=True))
        zero = np.zeros(self.dimension)
        return np.stack(
            [row[(s.input, *s.directions)[-1]] if len(s.directions) < 2 else zero for s in fields]
        )

    def identity(self) -> dict:
        """What decides the distribution, as JSON-ready data (vectors by their hash)."""
        digest = hashlib.sha256()
        for array in (self.vectors, self.direction_vectors, self.overlaps):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return {
            "source": self.source,
            "names": list(self.names),
            "directions": list(self.directions),
            "dimension": self.dimension,
            "sha256": digest.hexdigest(),
        }


def from_vectors(vectors, directions=None, *, source: str, labels=None, facts=()) -> Inputs:
    """Inputs from (A, n_0) vectors and (D, n_0) directions.

    **Raises:** `ValueError` for arrays that are not 2-d, empty, of different n_0, NaN or infinite.
    """
    x = np.array(vectors, dtype=np.float64)
    v = (
        np.zeros((0, x.shape[-1] if x.ndim else 0))
        if directions is None
        else np.array(directions, float)
    )
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"inputs must be an (A, n_0) array with A, n_0 >= 1, got shape {x.shape}")
    if v.ndim != 2 or v.shape[1] != x.shape[1]:
        raise ValueError(f"directions must be a (D, n_0={x.shape[1]}) array, got shape {v.shape}")
    for name, array in (("inputs", x), ("directions", v)):
        if not np.all(np.isfinite(array)):
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(
                f"{name} contain {array[where]} at {where}: all entries must be finite"
            )
    every = np.concatenate([x, v])
    overlaps = every @ every.T / x.shape[1]
    for array in (x, v, overlaps):
        array.setflags(write=False)
    return Inputs(x, v, overlaps, source, labels, tuple(facts))
