"""What claims measure and predict, each number computed once per process."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Callable, Iterator, Sequence

from netsim.api.point import run_point
from netsim.api.predict import predict as predictions_of
from netsim.claims.check import Check, pull, unjudged
from netsim.claims.claim import Trial
from netsim.compare import best_prediction, uncertainty
from netsim.experiment.aliases import named_quantities
from netsim.experiment.experiment import Experiment, experiment
from netsim.experiment.rows import estimate_rows
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.rows import Row
from netsim.run.interrupt import Terminated

__all__ = ["estimates", "predicted", "pulls", "why_unjudged"]

_RUNS: dict[tuple, dict[str, Row]] = {}
_PREDICTIONS: dict[tuple, tuple[Row, ...]] = {}


def estimates(
    network: Network, inputs: Inputs, quantities: Sequence[str], draws: int, **options
) -> dict[str, Row]:
    """Rows by name (alias with its layer, e.g. "kappa4[a]@9", or canonical text).

    **Arguments:** `draws`: networks; `options`: those of `netsim.experiment.experiment.experiment`
    (sampler, seed, dtype, estimators, layers, mixture). Equal runs are made once.
    """
    made = experiment(network, inputs, list(quantities), **options)
    if len(made.estimators) > 1:
        raise ValueError(f"estimators={list(made.estimators)}: one at a time, rows go by name")
    key = (made.id, draws)
    if key not in _RUNS:
        _RUNS[key] = {name_of(row): row for row in _rows(made, draws)}
    return dict(_RUNS[key])


def _rows(made: Experiment, draws: int) -> list[Row]:
    outcome = run_point(made, draws, show=lambda progress: None, save=lambda state: None)
    if outcome.signal == signal.SIGTERM:
        raise Terminated
    if outcome.signal is not None:
        raise KeyboardInterrupt
    return estimate_rows(made, outcome.state)


def name_of(row: Row) -> str:
    """The alias with its layer, or the canonical text."""
    return row.quantity if row.alias is None else f"{row.alias}@{row.layer}"


def predicted(
    network: Network,
    inputs: Inputs,
    quantities: Sequence[str],
    *,
    order: int | None = None,
    theory: str | None = None,
    layers: tuple[int, int] | None = None,
) -> dict[str, Row]:
    """The best prediction of each quantity at each layer, by name as `estimates`.

    **Arguments:** `theory`: only this one, e.g. "exact"; `order`, `layers`: as
    `netsim.api.predict.predict`.
    """
    identity = json.dumps(inputs.identity(), sort_keys=True)
    key = (network, identity, tuple(quantities), order, layers)
    if key not in _PREDICTIONS:
        named = named_quantities(quantities, inputs.names)
        _PREDICTIONS[key] = predictions_of(network, inputs, named, layers, order).rows
    rows: dict[str, list[Row]] = {}
    for row in _PREDICTIONS[key]:
        if theory is None or row.source == f"theory:{theory}":
            rows.setdefault(name_of(row), []).append(row)
    return {name: best_prediction(found) for name, found in rows.items()}


def pulls(
    trial: Trial,
    knob: str,
    network: Network,
    inputs: Inputs,
    quantities: Sequence[str],
    draws: int,
    *,
    order: int | None = None,
    series: str | None = None,
    x: Callable[[Row], float] | None = None,
    **options,
) -> Iterator[Check]:
    """Simulate, predict, and check every row; one that cannot be judged is undecided, and says why.

    **Arguments:** `knob`: by which predictions may be made wrong (relative), and on which the checks
    hang; `x`: row -> the place
    in the claim's figure, or None; others as `estimates` and `predicted`.
    """
    layers = options.get("layers")
    best = predicted(network, inputs, quantities, order=order, layers=layers)
    found = estimates(network, inputs, quantities, trial.draws(draws), **options)
    about = f"{network.activation.name}, n = {_widths(network)}, L = {network.depth}"
    for name, row in found.items():
        # an alias stands for its plain row
        if row.alias is None and any(
            r.alias and r.quantity == row.quantity for r in found.values()
        ):
            continue
        why = why_unjudged(row, best.get(name))
        if why:
            yield unjudged(f"{name} of {about}", why, row.value, row.error, knob=knob)
            continue
        prediction = best[name]
        own = uncertainty(prediction)
        assert row.error is not None
        yield pull(
            f"{name} of {about}",
            row.value,
            trial.scaled(knob, prediction.value),
            row.error,
            uncertainty=float("inf") if own is None else own,
            draws=row.draws,
            series=series,
            x=None if x is None else x(row),
            knob=knob,
        )


def why_unjudged(row: Row, prediction: Row | None) -> str:
    """Why an estimate cannot be put beside a prediction, in words, or ""."""
    if prediction is None or not math.isfinite(prediction.value):
        return "no theory predicts it"
    if "unreliable" in row.flags:
        return "too few draws carry its variance"
    return "it has no statistical error" if row.error is None else ""


def _widths(network: Network) -> str:
    widths = network.widths
    return str(widths[0]) if len(set(widths)) == 1 else "(" + ", ".join(map(str, widths)) + ")"
