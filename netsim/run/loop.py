"""The loop over launches: folds draws into the state until enough, checkpoints, shows progress.

Knows the Draw protocol and the estimator's sums, nothing of networks; `save` is an argument.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsim.estimators import MomentSums, State
from netsim.estimators.unit import unit_sums
from netsim.run.interrupt import listening
from netsim.run.launch import Observable, launch
from netsim.run.plan import BLOCKS, UNIT, Layout
from netsim.run.progress import Progress

__all__ = ["Job", "Outcome", "run_units"]

CHECKPOINT_SECONDS = 10.0
ERROR_SECONDS = 5.0


@dataclass(frozen=True)
class Job:
    """One point to run.

    **Fields:** `title`; `draw`: a Draw; `observe`: layers -> columns, hashable; `sums`; `layout`;
    `error_text(state)`: the current error in a few words; `accurate(state)`: whether the target
    error is reached (asked at doublings of the number of units only, so that the decision does not
    depend on launches).
    """

    title: str
    draw: Any
    observe: Observable
    sums: MomentSums
    layout: Layout
    error_text: Callable[[State], str] = lambda state: ""
    accurate: Callable[[State], bool] = lambda state: False


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its state, whole units done, the signal that stopped it (or None)."""

    state: State
    units: int
    seconds: float
    signal: int | None = None


class _Columns:
    """`unit_sums` with its static plan bound: equal plans are equal, so they compile once."""

    def __init__(self, sums: MomentSums):
        self.plan = sums.plan

    def __call__(self, x, pivot):
        return unit_sums(self.plan, x, pivot)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Columns) and self.plan == other.plan

    def __hash__(self) -> int:
        return hash(self.plan)


def run_units(
    job: Job,
    state: State,
    units: int,
    *,
    show: Callable[[Progress], None],
    save: Callable[[State], None],
) -> Outcome:
    """Extend `state` to `units` whole units (or until accurate, or until a signal) and save it.

    The units done are read off the state: counts of draws over the unit's size.
    """
    done = int(state["count"].sum()) // UNIT
    begin = done
    started = saved = looked = time.monotonic()
    error = ""
    with listening() as signals:
        while done < units and signals.received is None:
            if done >= BLOCKS and done & (done - 1) == 0 and job.accurate(state):
                break
            state, done = _advance(job, state, done, units, signals)
            now = time.monotonic()
            if now - saved > CHECKPOINT_SECONDS:
                save(state)
                saved = time.monotonic()
            if now - looked > ERROR_SECONDS and done >= BLOCKS:
                error, looked = job.error_text(state), time.monotonic()
            rate = (done - begin) * UNIT / max(now - started, 1e-9)
            show(Progress(job.title, done * UNIT, units * UNIT, rate, error))
        save(state)
    return Outcome(state, done, time.monotonic() - started, signals.received)


def _advance(
    job: Job, state: State, done: int, units: int, signals: listening
) -> tuple[State, int]:
    """One launch of whole units, or one unit in several launches; a broken-off unit is dropped."""
    sums = _Columns(job.sums)
    if job.layout.size == UNIT:
        new = launch(
            job.draw, done * UNIT, job.sums.pivot,
            observe=job.observe, sums=sums, layout=job.layout,
        )  # fmt: skip
        count = min(job.layout.groups, units - done)
        # decisions fall at doublings: do not run past the next power of two
        power = 1 << max(done, 1).bit_length()
        count = min(count, power - done) if done >= BLOCKS else min(count, BLOCKS - done)
        kept = {name: value[:count] for name, value in new.items()}
        blocks = np.arange(done, done + count) % BLOCKS
        return job.sums.add(state, kept, blocks), done + count
    whole = state
    for start in range(0, UNIT, job.layout.size):
        if signals.received is not None:
            return whole, done
        piece = launch(
            job.draw, done * UNIT + start, job.sums.pivot,
            observe=job.observe, sums=sums, layout=job.layout,
        )  # fmt: skip
        block = np.array([done % BLOCKS])
        state = job.sums.add(state, piece, block)
    return state, done + 1
