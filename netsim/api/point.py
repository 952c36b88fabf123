"""Run one point: from an experiment to its state, extending what is already there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from netsim.estimators import State
from netsim.experiment.experiment import Experiment
from netsim.experiment.rows import estimate_rows
from netsim.rows import Row
from netsim.run.plan import CHECKPOINT_SECONDS, layout_for, units_for
from netsim.run.progress import Progress

__all__ = ["PointOutcome", "Target", "run_point"]


@dataclass(frozen=True)
class Target:
    """Stop when the relative error of every named row is below `relative`.

    **Fields:** `relative`; `keys`: (quantity text with layer, alias) of the rows meant, see `Row`.
    Unreliable rows never count as reached; other rows without an error need none.
    """

    relative: float
    keys: frozenset[tuple[str, str | None]]

    def reached(self, rows: Sequence[Row]) -> bool:
        named = [
            row
            for row in rows
            if row.key in self.keys and (row.error != 0 or "unreliable" in row.flags)
        ]
        return all(
            row.error is not None
            and "unreliable" not in row.flags
            and row.error <= self.relative * abs(row.value)
            for row in named
        )


@dataclass(frozen=True)
class PointOutcome:
    """How a point ended.

    **Fields:** `state`; `draws` in it; `seconds` of this session, compilation included; `rate`, draws
    per second after its first launch, which compiles, or None if there was no other; `signal` that
    stopped it, or None.
    """

    state: State
    draws: int
    seconds: float
    rate: float | None
    signal: int | None


class _Rate:
    """Passes progress on and keeps the last rate that rests on draws after the first launch."""

    def __init__(self, show: Callable[[Progress], None]):
        self.show = show
        self.first: int | None = None
        self.last: float | None = None

    def __call__(self, progress: Progress) -> None:
        if self.first is None:
            self.first = progress.done
        elif progress.done > self.first:
            self.last = progress.rate
        self.show(progress)


def run_point(
    experiment: Experiment,
    draws: float,
    *,
    state: State | None = None,
    target: Target | None = None,
    title: str = "",
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    show: Callable[[Progress], None],
    save: Callable[[State], None],
) -> PointOutcome:
    """Draw until `draws` (in whole units of 1024; at least 64 of them) or until `target`.

    **Raises:** `ValueError` for a bad experiment or draw count, before anything is drawn.
    """
    units = units_for(draws)
    sums = experiment.sums()
    # JAX starts here, after everything that can be refused was refused
    from netsim.experiment.draws import draw_of
    from netsim.experiment.observe import Observe
    from netsim.run.loop import Job, run_units

    draw = draw_of(experiment)
    state = sums.init() if state is None else state
    rate = _Rate(show)
    job = Job(
        title=title or experiment.id,
        draw=draw,
        observe=Observe(experiment.measurement.columns),
        sums=sums,
        layout=layout_for(draw.numbers_per_draw(), draw.bytes_per_draw()),
        error_text=lambda state: worst_error(estimate_rows(experiment, state)),
        accurate=lambda state: (
            target is not None and target.reached(estimate_rows(experiment, state))
        ),
        checkpoint_seconds=checkpoint_seconds,
    )
    outcome = run_units(job, state, units, show=rate, save=save)
    done = int(outcome.state["count"].sum())
    return PointOutcome(outcome.state, done, outcome.seconds, rate.last, outcome.signal)


def worst_error(rows: Sequence[Row]) -> str:
    """The largest relative error among reliable rows, in a few words."""
    sized = [
        (row.error / abs(row.value), row)
        for row in rows
        if row.error and row.value and np.isfinite(row.error) and not row.flags
    ]
    if not sized:
        return ""
    relative, row = max(sized, key=lambda pair: pair[0])
    return f"{row.alias or row.quantity} +-{100 * relative:.2g}%"
