"""Columns: the numbers of one draw that estimators see, one array per layer row.

Row l = 0..L holds what belongs to S_l and to layer l+1 (z, q, H, g, a user's observable). Data only;
`netsim.experiment.observe` evaluates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netsim.experiment.observables import Observable, pilot_mean
from netsim.samplers.tangent_plan import Bend, Tangent, needed

__all__ = [
    "Alive", "Bent", "Column", "Kernel", "LogAbs", "Norm", "Observed", "Output", "Overlap",
    "bends_of", "pair_of", "pivot_of", "plain_of", "tangents_of",
]  # fmt: skip


@dataclass(frozen=True)
class Overlap:
    """S_ab; `pair` counts pairs (a, b), b <= a, row by row."""

    pair: int


@dataclass(frozen=True)
class Output:
    """The value of a field in one of the neurons looked at; both count from 0."""

    neuron: int
    field: int


@dataclass(frozen=True)
class Norm:
    """q_a = (1/n) sum_j z_ja^2 over the neurons of the layer; 0 in the output's row."""

    field: int


@dataclass(frozen=True)
class Kernel:
    """An entry of a kernel of gradients (H, or g on its diagonal); neurons count from 0."""

    tangent: Tangent
    neurons: tuple[int, int]


@dataclass(frozen=True)
class Bent:
    """An entry of dH; neurons count from 0."""

    bend: Bend
    neurons: tuple[int, int, int]


@dataclass(frozen=True)
class Observed:
    """A user's observable at the fields that its slots name."""

    observable: Observable
    fields: tuple[int, ...]


Plain = Overlap | Output | Norm | Kernel | Bent | Observed


@dataclass(frozen=True)
class LogAbs:
    """log |column|; 0 where the column is 0 (see `Alive`)."""

    of: Plain


@dataclass(frozen=True)
class Alive:
    """1 where all columns are non-zero, else 0."""

    of: tuple[Plain, ...]


Column = Plain | LogAbs | Alive


def plain_of(columns: Iterable[Column]) -> list[Plain]:
    """What they look at: logarithms undone, columns of zeros and ones left out."""
    plain = (c.of if isinstance(c, LogAbs) else c for c in columns)
    return [c for c in plain if not isinstance(c, Alive)]


def bends_of(columns: Iterable[Column]) -> tuple[Bend, ...]:
    """The dH looked at, each once, in order of appearance."""
    return tuple(dict.fromkeys(c.bend for c in plain_of(columns) if isinstance(c, Bent)))


def tangents_of(columns: Sequence[Column]) -> tuple[Tangent, ...]:
    """The kernels looked at, each once, and those that the dH need."""
    seen = dict.fromkeys(c.tangent for c in plain_of(columns) if isinstance(c, Kernel))
    return needed(tuple(seen), bends_of(columns))


def pair_of(a: int, b: int) -> int:
    """The number of the pair {a, b} in the order in which S is stored."""
    a, b = max(a, b), min(a, b)
    return a * (a + 1) // 2 + b


def pivot_of(column: Column, overlaps: Sequence[float]) -> float:
    """A number near the column's mean, given the infinite-width S of that row (pairs)."""
    if isinstance(column, Overlap):
        return float(overlaps[column.pair])
    if isinstance(column, Norm):
        return float(overlaps[pair_of(column.field, column.field)])
    if isinstance(column, LogAbs) and isinstance(column.of, (Overlap, Norm)):
        value = abs(pivot_of(column.of, overlaps))
        return math.log(value) if value > 0 else 0.0
    if isinstance(column, Observed):
        covariance = tuple(
            tuple(float(overlaps[pair_of(a, b)]) for b in column.fields) for a in column.fields
        )
        return pilot_mean(column.observable, covariance)
    return 0.0
