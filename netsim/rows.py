"""Rows: the one form in which every number leaves netsim, from theory or from simulation."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["COLUMNS", "Row"]


@dataclass(frozen=True)
class Row:
    """One number with its error and origin.

    **Fields:** `quantity`, canonical text with its layer; `alias`, e.g. "kappa4[a]", or None;
    `layer`, of the pre-activation, 1..L+1 (None for between-layer quantities); `inputs`, e.g. "a,b";
    `source`, "theory:NAME" or "estimator:NAME"; `value`; `error`, one standard error for an
    estimator, the numerical error for theory (None: not known); `truncation`, "exact",
    "infinite_width" or the last power of 1/n kept (None for estimators); `truncation_error` or None;
    `draws`, or None for theory; `flags`, e.g. ("unreliable",).
    """

    quantity: str
    alias: str | None
    layer: int | None
    inputs: str
    source: str
    value: float
    error: float | None
    truncation: str | int | None = None
    truncation_error: float | None = None
    draws: int | None = None
    flags: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str | None]:
        """What simulation and theory are joined by: (quantity, alias)."""
        return (self.quantity, self.alias)

    def json(self) -> dict:
        """The row as JSON-ready data, columns in the order of `COLUMNS`."""
        return asdict(self) | {"flags": list(self.flags)}


COLUMNS = tuple(Row.__dataclass_fields__)
