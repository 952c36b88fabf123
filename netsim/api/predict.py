"""Predictions of every applicable theory, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsim.experiment.aliases import Named
from netsim.experiment.measurable import Span, layers_of, row_of
from netsim.experiment.rows import alias_rows
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Quantity
from netsim.rows import Row
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.observables.statistics import of_observables
from netsim.theory.statistics import statistic

__all__ = ["Predictions", "predict", "theories"]


FIELDS_ORDER = 2  # of several fields: seconds for three of them and 64 layers


@dataclass(frozen=True)
class Predictions:
    """Rows of all theories, and why the others gave none.

    **Fields:** `rows`; `refusals`: (quantity text, theory name, reason).
    """

    rows: tuple[Row, ...]
    refusals: tuple[tuple[str, str, str], ...]


def theories(network: Network, inputs: Inputs, order: int | None = None) -> list[AbstractTheory]:
    """All theories, the most exact first; `order`: last power of 1/n of the hierarchy."""
    from netsim.theory.finite_width import FieldsExact, HomogeneousExact, TransferExact
    from netsim.theory.hierarchy.theory import ORDER, Hierarchy
    from netsim.theory.hierarchy_fields.theory import HierarchyFields
    from netsim.theory.limits import InfiniteWidth, LeadingPower

    exact = [kind(network, inputs) for kind in (HomogeneousExact, FieldsExact, TransferExact)]
    series = [
        Hierarchy(network, inputs, ORDER if order is None else order),
        HierarchyFields(network, inputs, FIELDS_ORDER if order is None else min(order, 3)),
    ]
    limits = [LeadingPower(network, inputs), InfiniteWidth(network, inputs)]
    return [*exact, *series, *limits, *_tangent_theories(network, inputs)]


def _tangent_theories(network: Network, inputs: Inputs) -> list[AbstractTheory]:
    """Those of gradients with respect to parameters, the most exact first."""
    from netsim.theory.ntk.theory import NTKExactTheory, NTKInfinite, NTKLeading

    return [kind(network, inputs) for kind in (NTKExactTheory, NTKLeading, NTKInfinite)]


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
    refusals: list[tuple[str, str, str]] = []
    known = theories(network, inputs, order)
    for item in named:
        answered: set[str] = set()
        if of_observables(item.quantity):
            more, why = _of_observables(item, network, inputs, layers, order)
            rows += more
            refusals += why
            continue
        for theory in known:
            if _about_gradients(item.quantity) != _knows_gradients(theory):
                continue
            if theory.name == "hierarchy_fields" and "hierarchy" in answered:
                continue  # the same series, to a lower order
            try:
                values = _values(theory, item.quantity)
            except OutsideDomain as reason:
                refusals.append((item.quantity.text, theory.name, str(reason)))
                continue
            if values.truncation == "infinite_width" and not np.any(np.nan_to_num(values.value)):
                reason = "is 0 in the infinite-width limit; its size at finite width is not known"
                refusals.append((item.quantity.text, theory.name, reason))
                continue
            answered.add(theory.name)
            at = layers_of(item.quantity, network.depth, layers)
            rows += _rows(item, theory.name, values, at)
    return Predictions(tuple(dict.fromkeys(rows)), tuple(refusals))


def _of_observables(
    item: Named, network: Network, inputs: Inputs, layers: Span, order: int | None
) -> tuple[list[Row], list[tuple[str, str, str]]]:
    """Rows and refusals of a quantity whose legs are registered observables."""
    from netsim.experiment.functionals import functional_of
    from netsim.experiment.observables import OBSERVABLES
    from netsim.theory.observables.exact import ObservablesTransfer
    from netsim.theory.observables.series import ObservablesInfinite, ObservablesSeries

    quantity = item.quantity
    known = {name: functional_of(OBSERVABLES[name.strip("{}")]) for name in quantity.fields}
    most = FIELDS_ORDER if order is None else min(order, 2)
    every = (
        ObservablesTransfer(network, inputs, known),
        ObservablesSeries(network, inputs, known, most),
        ObservablesInfinite(network, inputs, known),
    )
    at = layers_of(quantity, network.depth, layers)
    rows, refusals = [], []
    for theory in every:
        try:
            values = theory.statistic(quantity, [row_of(quantity, layer) for layer in at])
        except OutsideDomain as reason:
            refusals.append((quantity.text, theory.name, str(reason)))
            continue
        rows += _rows(item, theory.name, values, at)
    return rows, refusals


def _about_gradients(quantity: Quantity) -> bool:
    from netsim.theory.ntk.theory import TANGENT_FIELDS

    return any(field in TANGENT_FIELDS for field in quantity.fields)


def _knows_gradients(theory: AbstractTheory) -> bool:
    from netsim.theory.ntk.theory import TangentTheory

    return isinstance(theory, TangentTheory)


def _values(theory: AbstractTheory, quantity: Quantity) -> Values:
    from netsim.theory.hierarchy.theory import Hierarchy
    from netsim.theory.limits import InfiniteWidth
    from netsim.theory.ntk.theory import TangentTheory

    # a series knows more of a ratio than its sums do, and single coefficients; a limit, where z^(1)
    # is not Gaussian
    own = isinstance(theory, Hierarchy | InfiniteWidth | TangentTheory)
    return theory.statistic(quantity) if own else statistic(theory, quantity)


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
