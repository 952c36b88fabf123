"""Rows from a state: what an experiment has estimated so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netsim.estimators import TargetResult, result
from netsim.estimators.sums import State
from netsim.experiment.aliases import Named
from netsim.experiment.exact_errors import LIMIT, WIDER_LIMIT, exact_relative_error
from netsim.experiment.experiment import Experiment
from netsim.experiment.measure import Measured
from netsim.experiment.weight_checks import exists
from netsim.quantities import Slot, is_observable
from netsim.rows import Row

__all__ = ["alias_rows", "estimate_rows"]


def estimate_rows(experiment: Experiment, state: State) -> list[Row]:
    """One row per quantity, layer and estimator, alias rows beside the plain ones.

    **Raises:** `ValueError` with fewer than 2 non-empty blocks.
    """
    results = result(experiment.sums(), state)
    draws = int(state["count"].sum())
    found = []
    for measured in experiment.measurement.measured:
        known = _known_error(experiment, measured, draws)
        # known errors are those of plain draws
        limit = WIDER_LIMIT if experiment.mixture else LIMIT
        for layer, row in measured.rows:
            made = _row(measured, results, layer, row, draws)
            unseen = known is not None and known[row] > limit
            if made.value == made.error == 0 and _varies(experiment, measured, row):
                unseen = True  # networks that were alive were not seen
            if unseen and "unreliable" not in made.flags:
                made = replace(made, flags=("unreliable", *made.flags))
            found += alias_rows(measured.named, made)
    return list(dict.fromkeys(found))


def _known_error(experiment: Experiment, measured: Measured, draws: int) -> np.ndarray | None:
    """(L+1,) relative errors, infinite where heavy-tailed weights leave no variance; or None."""
    quantity, network = measured.named.quantity, experiment.network
    endless = [row for layer, row in measured.rows if not exists(network, quantity, layer, power=2)]
    if endless:
        known = np.zeros(network.depth + 1)
        known[endless] = np.inf
        return known
    if not quantity.inputs:
        return None
    norm2 = float(experiment.inputs.gram([Slot(quantity.inputs[0])])[0, 0])
    return exact_relative_error(network, quantity, norm2, draws)


def _varies(experiment: Experiment, measured: Measured, row: int) -> bool:
    """Whether outputs, or observables of them, are looked at whose variance, at infinite width, is
    not 0."""
    quantity, fields = measured.named.quantity, experiment.measurement.fields
    outputs = measured.estimator == "raw" and quantity.fields == ("z",)
    if not (outputs or all(map(is_observable, quantity.fields))) or quantity.stat == "logcum":
        return False
    at = [fields.index(slot) for leg in quantity.legs for slot in leg.slots]
    return bool(np.all(np.diag(experiment.infinite_width[row])[at] > 0))


def _row(
    measured: Measured, results: Sequence[TargetResult], layer: int, row: int, draws: int
) -> Row:
    quantity = measured.named.quantity.at(layer)
    common = {
        "quantity": quantity.text,
        "alias": None,
        "layer": layer,
        "inputs": ",".join(quantity.inputs),
        "source": f"estimator:{measured.estimator}",
    }
    if measured.target is None:  # zero by symmetry of the conditional law
        return Row(**common, value=0.0, error=0.0, draws=draws)
    estimate = results[measured.target]
    return Row(
        **common,
        value=float(estimate.value[row]),
        error=float(estimate.error[row]),
        draws=int(estimate.draws[row]),
        flags=estimate.flags[row],
    )


def alias_rows(named: Named, row: Row) -> list[Row]:
    """The row, and if it has an alias the same with the alias's value (divided by (2k-1)!!)."""
    if named.alias is None:
        return [row]
    d = named.divisor
    scaled = {
        name: None if getattr(row, name) is None else getattr(row, name) / d
        for name in ("value", "error", "truncation_error")
    }
    return [row, Row(**{**vars(row), **scaled, "alias": named.alias})]
