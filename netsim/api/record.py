"""The record of a point: everything the page, the table and a reader need, as JSON-ready data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netsim.api.config import Point
from netsim.api.point import PointOutcome
from netsim.experiment.experiment import Experiment
from netsim.networks.input_sets import describe
from netsim.networks.network import Network
from netsim.rows import Row
from netsim.run.plan import UNIT, units_for
from netsim.store.points import SCHEMA
from netsim.store.provenance import commit, device, versions
from netsim.theory.exact import death_probability

__all__ = ["limit_of", "make_record"]


def make_record(
    point: Point,
    estimates: Sequence[Row],
    predictions: Sequence[Row],
    outcome: PointOutcome,
    *,
    earlier: dict | None,
    command: str,
) -> dict[str, Any]:
    """The record of `point` after a run.

    **Arguments:** `earlier`: the point's record before this run, whose seconds are added and whose
    rate stays where this run measured none; `command`: the one line that reproduces it.
    """
    experiment = point.experiment
    before = (earlier or {}).get("run", {})
    return {
        "schema": SCHEMA,
        "id": experiment.id,
        "title": point.title,
        "group": point.group,
        **{k: v for k, v in experiment.identity().items() if k != "schema"},
        "inputs": experiment.inputs.identity()
        | {
            "source": experiment.inputs.source,
            "names": list(experiment.inputs.names),
            "directions": list(experiment.inputs.directions),
            "facts": describe(experiment.inputs),
        },
        "estimates": [row.json() for row in estimates],
        "predictions": [row.json() for row in predictions],
        "limit": limit_of(experiment.network),
        "run": {
            "draws": outcome.draws,
            "wanted": units_for(point.draws) * UNIT,
            "wall_seconds": before.get("wall_seconds", 0.0) + outcome.seconds,
            "draws_per_second": before.get("draws_per_second")
            if outcome.rate is None
            else outcome.rate,
            "device": device(),
            "versions": versions(),
            "commit": commit(),
            "complete": outcome.signal is None,
        },
        "command": command,
        "notes": notes_of(experiment),
    }


def limit_of(network: Network) -> dict[str, Any]:
    """Limit curves L, n -> infinity at fixed L/n of the dimensionless ratios; {} where none is known.

    alias -> {"x": L/n, "y": ratio, "name": which limit}.
    """
    from netsim.theory.base import OutsideDomain
    from netsim.theory.limit_curves import limit_name, limit_ratios

    tau = np.geomspace(0.5 / max(network.widths), max(network.effective_depth, 0.01), 40)
    try:
        ratios = limit_ratios(network, tau)
    except OutsideDomain:
        return {}
    return {
        name: {"x": tau.tolist(), "y": np.asarray(values).tolist(), "name": limit_name(network)}
        for name, values in ratios.items()
        if name.startswith("kappa") and "/kappa2^" in name
    }


def notes_of(experiment: Experiment) -> list[str]:
    """What a reader of the rows must know besides."""
    network = experiment.network
    logs = any(item.quantity.stat == "logcum" for item in experiment.named)
    if not logs or network.activation.slopes is None or 0.0 not in network.activation.slopes:
        return []
    if not network.weights.is_gaussian:
        return ["Log-moments are conditional on a living network."]
    norm2 = float(experiment.inputs.overlaps[0, 0])
    dead = death_probability(network, norm2)[-1]
    return [
        f"Log-moments are conditional on a living network; at width {min(network.widths)}, depth "
        f"{network.depth}, a network is dead with probability {dead:.2g} (all neurons of a layer "
        "silent)."
    ]
