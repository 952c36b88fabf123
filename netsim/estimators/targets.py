"""What to estimate from a stream of columns, as data."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["MAX_ORDER", "Target", "Terms"]

MAX_ORDER = 8
KINDS = ("cumulant", "moment")
Terms = tuple[tuple[float, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Target:
    """A linear combination of joint statistics of columns, perhaps normalised, perhaps conditional.

    value = T(terms) / prod_i sqrt(T(normalise_i)),  T(terms) = sum_t c_t stat(X_j : j in columns_t)

    **Fields:**

    - `terms`: ((c_t, columns_t), ...); a column is repeated for its multiplicity; order
      |columns_t| <= 8. Sorted and merged on construction, so equal targets compare equal.
    - `kind`: what stat is: "cumulant", a joint cumulant, or "moment", E prod X_j.
    - `normalise`: variance-like combinations of the same kind; one entry per factor sqrt(T).
    - `present`: column of zeros and ones; every expectation is conditional on its being one.

    **Raises:** `ValueError`.
    """

    terms: Terms
    kind: str = "cumulant"
    normalise: tuple[Terms, ...] = ()
    present: int | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind={self.kind!r}: must be one of {', '.join(map(repr, KINDS))}")
        lowest = 1 if self.kind == "cumulant" else 0
        terms = _canonical(self.terms, lowest)
        normalise = tuple(sorted(_canonical(part, lowest) for part in self.normalise))
        present = None if self.present is None else _column(self.present)
        object.__setattr__(self, "terms", terms)
        object.__setattr__(self, "normalise", normalise)
        object.__setattr__(self, "present", present)

    @property
    def multisets(self) -> tuple[tuple[int, ...], ...]:
        """The distinct column multisets that occur, sorted."""
        return tuple(sorted({cols for part in (self.terms, *self.normalise) for _, cols in part}))

    @property
    def order(self) -> int:
        """The highest joint order that occurs."""
        return max(map(len, self.multisets))

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns that occur, the present column included, sorted."""
        used = {column for columns in self.multisets for column in columns}
        return tuple(sorted(used if self.present is None else used | {self.present}))


def _column(value) -> int:
    if isinstance(value, bool) or int(value) != value or value < 0:
        raise ValueError(f"column {value!r}: must be a whole number >= 0")
    return int(value)


def _canonical(terms: Iterable, lowest: int) -> Terms:
    merged: dict[tuple[int, ...], float] = {}
    for coefficient, columns in terms:
        key = tuple(sorted(_column(column) for column in columns))
        if not lowest <= len(key) <= MAX_ORDER:
            raise ValueError(
                f"a term of joint order {len(key)} was asked for: orders {lowest} to {MAX_ORDER} "
                "can be estimated"
            )
        if not math.isfinite(coefficient):
            raise ValueError(f"coefficient {coefficient} of columns {key}: must be finite")
        merged[key] = merged.get(key, 0.0) + float(coefficient)
    if not merged:
        raise ValueError("a target needs at least one term, e.g. ((1.0, (0, 0)),)")
    return tuple((merged[key], key) for key in sorted(merged))
