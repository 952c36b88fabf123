"""Columns: the numbers of one draw that estimators see, one array per layer row.

Row l = 0..L holds what belongs to S_l and to z^(l+1). Data only; `netsim.experiment.observe` evaluates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Alive", "Column", "LogAbs", "Observed", "Output", "Overlap", "pivot_of"]


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
class LogAbs:
    """log |column|; 0 where the column is 0 (see `Alive`)."""

    of: Overlap | Output


@dataclass(frozen=True)
class Alive:
    """1 where all columns are non-zero, else 0."""

    of: tuple[Overlap | Output, ...]


@dataclass(frozen=True)
class Observed:
    """A user's function of the outputs: f(z) with z (neurons, slots), a real number."""

    function: Callable
    neurons: int
    fields: tuple[int, ...]


Column = Overlap | Output | LogAbs | Alive | Observed


def pivot_of(column: Column, overlaps: Sequence[float]) -> float:
    """A number near the column's mean, given the infinite-width S of that row (pairs)."""
    if isinstance(column, Overlap):
        return float(overlaps[column.pair])
    if isinstance(column, LogAbs) and isinstance(column.of, Overlap):
        value = abs(float(overlaps[column.of.pair]))
        return math.log(value) if value > 0 else 0.0
    return 0.0
