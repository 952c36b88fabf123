"""From named quantities to what is estimated: fields, columns, targets, and the rows that result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netsim.estimators.targets import Target, Terms
from netsim.experiment.aliases import Named
from netsim.experiment.columns import (
    Alive,
    Bent,
    Column,
    Kernel,
    LogAbs,
    Norm,
    Observed,
    Output,
    Overlap,
    Plain,
    bends_of,
    pair_of,
    plain_of,
    tangents_of,
)
from netsim.experiment.measurable import Span, check_measurable, layers_of, row_of
from netsim.experiment.observables import OBSERVABLES, Observable
from netsim.networks.fields import closure
from netsim.quantities import Leg, Quantity, Slot, is_observable
from netsim.samplers.tangent_plan import Bend, Tangent
from netsim.theory.pairings import output_pairings

__all__ = ["ESTIMATORS", "Measured", "Measurement", "layers_of", "measurement", "row_of"]

ESTIMATORS = ("rao_blackwell", "raw")


@dataclass(frozen=True)
class Measured:
    """One quantity measured by one estimator.

    **Fields:** `named`; `estimator`: its name; `target`: index into the targets, or None where the
    value is exactly 0 by symmetry; `rows`: ((layer, row), ...), which rows of the result are given.
    """

    named: Named
    estimator: str
    target: int | None
    rows: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Measurement:
    """What one run measures. Hashable, without arrays."""

    fields: tuple[Slot, ...]
    columns: tuple[Column, ...]
    targets: tuple[Target, ...]
    measured: tuple[Measured, ...]
    neurons: int

    @property
    def norms(self) -> bool:
        """Whether layer norms are looked at."""
        return any(isinstance(column, Norm) for column in plain_of(self.columns))

    @property
    def tangents(self) -> tuple[Tangent, ...]:
        """Kernels of gradients to be carried."""
        return tangents_of(self.columns)

    @property
    def bends(self) -> tuple[Bend, ...]:
        """Their derivatives to be carried."""
        return bends_of(self.columns)

    @property
    def observables(self) -> tuple[Observable, ...]:
        """The user's observables looked at, each once."""
        seen = [c.observable for c in plain_of(self.columns) if isinstance(c, Observed)]
        return tuple(dict.fromkeys(seen))


class _Book:
    """Columns and targets met so far, each once, in order of appearance."""

    def __init__(self, fields: Sequence[Slot]):
        self.place = {slot: i for i, slot in enumerate(fields)}
        self.columns: dict[Column, int] = {}
        self.targets: dict[Target, int] = {}

    def column(self, column: Column) -> int:
        return self.columns.setdefault(column, len(self.columns))

    def target(self, target: Target) -> int:
        return self.targets.setdefault(target, len(self.targets))

    def overlap(self, p: Slot, q: Slot) -> Overlap:
        return Overlap(pair_of(self.place[p], self.place[q]))

    def leg(self, leg: Leg) -> Plain:
        if leg.field == "S":
            return self.overlap(*leg.slots)
        if leg.field == "q":
            return Norm(self.place[leg.slots[0]])
        if is_observable(leg.field):
            places = tuple(self.place[slot] for slot in leg.slots)
            return Observed(OBSERVABLES[leg.field[1:-1]], places)
        places = [self.place[slot] for slot in leg.slots]
        if leg.field == "g":
            return Kernel(Tangent(places[0], places[0], leg.indices[0]), (0, 0))
        i, *others = (index - 1 for index in leg.indices)
        if leg.field == "dH":
            return Bent(Bend((places[0], places[1], places[2])), (i, others[0], others[1]))
        if leg.field == "H":
            pairs = sorted(zip(places, (i, others[0]), strict=True))
            (a, j), (b, k) = pairs
            return Kernel(Tangent(a, b), (j, k))
        return Output(i, places[0])


def measurement(
    named: Sequence[Named],
    depth: int,
    *,
    estimators: Sequence[str],
    gaussian: bool,
    span: Span = None,
) -> Measurement:
    """Plan the measurement of `named` in networks of that depth.

    With Gaussian weights output statistics are estimated from S ("rao_blackwell") unless only "raw"
    is asked for; with other weights they are raw, because S alone does not decide them.

    **Raises:** `ValueError` for quantities that cannot be measured, saying why.
    """
    for name in estimators:
        if name not in ESTIMATORS:
            raise ValueError(f"unknown estimator {name!r}; known: {', '.join(ESTIMATORS)}")
    for item in named:
        check_measurable(item.quantity, depth)
    slots = {slot for item in named for leg in item.quantity.legs for slot in leg.slots}
    fields = closure(sorted(slots))
    book = _Book(fields)
    measured: list[Measured] = []
    for item in named:
        quantity = item.quantity
        outputs = quantity.fields == ("z",) and quantity.stat != "logcum"
        use = ["direct"] if quantity.fields in (("S",), ("q",)) else ["raw"]
        if outputs and gaussian:
            use = [name for name in ESTIMATORS if name in estimators]
        for name in use:
            target = _target(book, quantity, name)
            rows = tuple((l, row_of(quantity, l)) for l in layers_of(quantity, depth, span))
            measured.append(Measured(item, name, target, rows))
    neurons = max((_neurons(column) for column in plain_of(book.columns)), default=0)
    return Measurement(
        fields, tuple(book.columns), tuple(book.targets), tuple(measured), max(2, neurons)
    )


def _neurons(column: Plain) -> int:
    """How many neurons must be looked at."""
    if isinstance(column, Kernel | Bent):
        return max(column.neurons) + 1
    if isinstance(column, Observed):
        return column.observable.neurons
    return column.neuron + 1 if isinstance(column, Output) else 0


def _target(book: _Book, quantity: Quantity, estimator: str) -> int | None:
    kind = "moment" if quantity.stat == "mom" else "cumulant"
    if quantity.stat == "logcum":
        sources = [book.leg(leg) for leg in quantity.legs]
        columns = tuple(book.column(LogAbs(source)) for source in sources)
        alive = book.column(Alive(tuple(sorted(set(sources), key=repr))))
        return book.target(Target(((1.0, columns),), present=alive))
    terms = _terms(book, quantity.legs, estimator)
    if terms is None:
        return None
    normalise: list[Terms] = []
    if quantity.stat == "ncum":
        for leg in quantity.legs:
            part = _terms(book, (leg, leg), estimator)
            assert part is not None  # a leg with itself always pairs
            normalise.append(part)
    return book.target(Target(terms, kind, tuple(normalise)))


def _terms(book: _Book, legs: Sequence[Leg], estimator: str) -> Terms | None:
    if estimator != "rao_blackwell":
        return ((1.0, tuple(book.column(book.leg(leg)) for leg in legs)),)
    pairings = output_pairings(legs)
    if not pairings:
        return None
    return tuple(
        (float(count), tuple(book.column(book.overlap(*pair)) for pair in paired))
        for paired, count in sorted(pairings.items())
    )
