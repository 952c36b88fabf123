"""Predictions of every applicable theory, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsim.api.theories import theories, values_of
from netsim.experiment.aliases import Named
from netsim.experiment.measurable import Span, layers_of, row_of
from netsim.experiment.rows import alias_rows
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.rows import Row
from netsim.theory.base import OutsideDomain, Values

__all__ = ["Predictions", "predict"]

Refusal = tuple[str, str, str]


@dataclass(frozen=True)
class Predictions:
    """Rows of all theories, and why the others gave none.

    **Fields:** `rows`; `refusals`: (quantity text, theory name, reason).
    """

    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]


def predict(
    network: Network,
    inputs: Inputs,
    named: Sequence[Named],
    layers: Span = None,
    order: int | None = None,
) -> Predictions:
    """One row per quantity, layer and applicable theory; alias rows beside the plain ones.

    **Arguments:** `order`: last power of 1/n of the hierarchy, 1 to 6 (default: its own).

    **Raises:** `ValueError` for layers that the network does not have.
    """
    rows: list[Row] = []
    refusals: list[Refusal] = []
    for item in named:
        more, why = _one(item, network, inputs, layers, order)
        rows += more
        refusals += why
    return Predictions(tuple(dict.fromkeys(rows)), tuple(refusals))


def _one(
    item: Named, network: Network, inputs: Inputs, layers: Span, order: int | None
) -> tuple[list[Row], list[Refusal]]:
    quantity, answered = item.quantity, set()
    at = layers_of(quantity, network.depth, layers)
    wanted = [row_of(quantity, layer) for layer in at]
    rows, refusals = [], []
    for theory in theories(quantity, network, inputs, order):
        if theory.name == "hierarchy_fields" and "hierarchy" in answered:
            continue  # the same series, to a lower order
        try:
            values = values_of(theory, quantity, wanted)
            if values.truncation == "infinite_width" and not np.any(np.nan_to_num(values.value)):
                raise OutsideDomain(
                    "is 0 in the infinite-width limit; its size at finite width is not known"
                )
        except OutsideDomain as reason:
            refusals.append((quantity.text, theory.name, str(reason)))
            continue
        answered.add(theory.name)
        rows += _rows(item, theory.name, values, at)
    return rows, refusals


def _diverging(values: Values, at: int) -> tuple[str, ...]:
    """A series whose first term left out exceeds its sum says nothing."""
    missing = values.truncation_error
    if missing is None or not isinstance(values.truncation, int):
        return ()
    return ("diverging",) if missing[at] > abs(values.value[at]) else ()


def _rows(item: Named, name: str, values: Values, layers: Sequence[int]) -> list[Row]:
    rows = []
    for layer in layers:
        at = row_of(item.quantity, layer)
        if not np.isfinite(values.value[at]):
            continue  # e.g. a cumulant divided by a variance of zero
        quantity = item.quantity.at(layer)
        missing = values.truncation_error
        row = Row(
            quantity=quantity.text,
            alias=None,
            layer=layer,
            inputs=",".join(quantity.inputs),
            source=f"theory:{name}",
            value=float(values.value[at]),
            error=float(values.error[at]),
            truncation=values.truncation,
            truncation_error=None if missing is None else float(missing[at]),
            flags=() if name == "ntk" else _diverging(values, at),  # there it is an estimate
        )
        rows += alias_rows(item, row)
    return rows
