"""Columns: the numbers of one draw that estimators see, one array per layer row.

Row l = 0..L holds what belongs to S_l and to layer l+1 (z, q, a user's observable). Data only;
`netsim.experiment.observe` evaluates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from netsim.experiment.observables import Observable, pilot_mean

__all__ = [
    "Alive", "Column", "LogAbs", "Norm", "Observed", "Output", "Overlap", "pair_of", "pivot_of",
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
class Observed:
    """A user's observable at the fields that its slots name."""

    observable: Observable
    fields: tuple[int, ...]


Plain = Overlap | Output | Norm | Observed


@dataclass(frozen=True)
class LogAbs:
    """log |column|; 0 where the column is 0 (see `Alive`)."""

    of: Plain


@dataclass(frozen=True)
class Alive:
    """1 where all columns are non-zero, else 0."""

    of: tuple[Plain, ...]


Column = Plain | LogAbs | Alive


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
