"""From named quantities to what is estimated: fields, columns, targets, and the rows that result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netsim.estimators.targets import Target, Terms
from netsim.experiment.aliases import Named
from netsim.experiment.columns import Alive, Column, LogAbs, Output, Overlap
from netsim.networks.fields import closure
from netsim.quantities import Leg, Quantity, Slot
from netsim.theory.pairings import output_pairings

__all__ = ["ESTIMATORS", "Measured", "Measurement", "layers_of", "measurement", "row_of"]

ESTIMATORS = ("rao_blackwell", "raw")
MAX_NEURONS = 4
MAX_OVERLAP_ORDER = 4


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
        a, b = sorted((self.place[p], self.place[q]), reverse=True)
        return Overlap(a * (a + 1) // 2 + b)

    def leg(self, leg: Leg) -> Overlap | Output:
        if leg.field == "S":
            return self.overlap(*leg.slots)
        return Output(leg.indices[0] - 1, self.place[leg.slots[0]])


def measurement(
    named: Sequence[Named], depth: int, *, estimators: Sequence[str], gaussian: bool
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
        _check(item.quantity, depth)
    slots = {slot for item in named for leg in item.quantity.legs for slot in leg.slots}
    fields = closure(sorted(slots))
    book = _Book(fields)
    measured: list[Measured] = []
    for item in named:
        quantity = item.quantity
        outputs = quantity.fields == ("z",) and quantity.stat != "logcum"
        use = ["direct"] if quantity.fields == ("S",) else ["raw"]
        if outputs and gaussian:
            use = [name for name in ESTIMATORS if name in estimators]
        for name in use:
            target = _target(book, quantity, name)
            rows = tuple((l, row_of(quantity, l)) for l in layers_of(quantity, depth))
            measured.append(Measured(item, name, target, rows))
    neurons = 1 + max((c.neuron for c in _outputs(book.columns)), default=0)
    return Measurement(
        fields, tuple(book.columns), tuple(book.targets), tuple(measured), max(2, neurons)
    )


def _outputs(columns) -> list[Output]:
    flat = [c.of if isinstance(c, LogAbs) else c for c in columns]
    return [c for c in flat if isinstance(c, Output)]


def _check(quantity: Quantity, depth: int) -> None:
    text = quantity.text
    if quantity.order is not None:
        raise ValueError(f"{text}: a coefficient of 1/n is predicted, not measured; drop ~")
    unknown = [f for f in quantity.fields if f not in ("z", "S")]
    if unknown:
        raise ValueError(f"{text}: field {unknown[0]!r} is not measured yet; z and S are")
    if len(quantity.fields) > 1:
        raise ValueError(f"{text}: legs of z and of S together are not measured; use one field")
    if any(leg.layer is not None for leg in quantity.legs):
        raise ValueError(f"{text}: legs with layers of their own are not measured yet; use ...]@9")
    if quantity.fields == ("S",) and len(quantity.legs) > MAX_OVERLAP_ORDER:
        raise ValueError(f"{text}: joint orders of S up to {MAX_OVERLAP_ORDER} are measured")
    if any(i > MAX_NEURONS for leg in quantity.legs for i in leg.indices):
        raise ValueError(f"{text}: up to {MAX_NEURONS} neurons can be looked at")
    last = depth + 1 if quantity.fields == ("z",) else depth
    if quantity.layer not in (None, "out") and not 1 <= int(quantity.layer) <= last:
        raise ValueError(f"{text}: layer {quantity.layer} does not exist; layers are 1..{last}")


def layers_of(quantity: Quantity, depth: int) -> list[int]:
    last = depth + 1 if quantity.fields == ("z",) else depth
    if quantity.layer == "out":
        return [last]
    if quantity.layer is not None:
        return [int(quantity.layer)]
    # layer 1 of z is Gaussian with the known covariance S_0: nothing to measure unless asked for
    return list(range(2 if quantity.fields == ("z",) else 1, last + 1))


def row_of(quantity: Quantity, layer: int) -> int:
    return layer - 1 if quantity.fields == ("z",) else layer


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
