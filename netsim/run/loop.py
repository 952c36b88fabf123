"""The loop over launches: folds draws into the state until enough, checkpoints, shows progress.

Knows the Draw protocol and the estimator's sums, nothing of networks; `save` is an argument.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from netsim.estimators import MomentSums, State
from netsim.estimators.unit import unit_sums
from netsim.run.interrupt import attended, listening
from netsim.run.launch import Observable, default_device, launch
from netsim.run.plan import BLOCKS, CHECKPOINT_SECONDS, UNIT, Layout, units_in
from netsim.run.progress import Progress

__all__ = ["Job", "Outcome", "run_units"]

ERROR_SECONDS = 5.0


@dataclass(frozen=True)
class Job:
    """One point to run.

    **Fields:** `title`; `draw`: a Draw; `observe`: layers -> columns and weights, hashable; `sums`;
    `layout`; `error_text(state)`: the current error in a few words; `accurate(state)`: whether the
    target error is reached (asked at doublings of the number of units only, so that the decision
    does not depend on launches); `checkpoint_seconds`: between calls of `save`.
    """

    title: str
    draw: Any
    observe: Observable
    sums: MomentSums
    layout: Layout
    error_text: Callable[[State], str] = lambda state: ""
    accurate: Callable[[State], bool] = lambda state: False
    checkpoint_seconds: float = CHECKPOINT_SECONDS


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

    def __call__(self, x, pivot, weights):
        return unit_sums(self.plan, x, pivot, weights)

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

    The units done are read off the state.

    **Raises:** `ValueError` for a state that is not one of whole units from the first on.
    """
    done = units_in(state["count"])
    pace = _Pace(done)
    looked = saved = time.monotonic()
    error = ""
    with listening() as signals:
        try:
            while done < units and signals.received is None:
                if done >= BLOCKS and done & (done - 1) == 0 and job.accurate(state):
                    break
                state, done = _advance(job, state, done, units, signals)
                now = time.monotonic()
                if now - saved > job.checkpoint_seconds:
                    save(state)
                    saved = time.monotonic()
                if now - looked > ERROR_SECONDS and done >= BLOCKS:
                    error, looked = job.error_text(state), time.monotonic()
                show(Progress(job.title, done * UNIT, units * UNIT, pace.rate(done), error))
        finally:  # after errors, too, e.g. out of memory or a second Ctrl-C
            save(state)
    return Outcome(state, done, pace.seconds, signals.received)


class _Pace:
    """Draws per second after the first launch, which compiles; with it while there is no other."""

    def __init__(self, done: int):
        self.begin = self.started = time.monotonic()
        self.done, self.launches = done, 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    def rate(self, done: int) -> float:
        now = time.monotonic()
        rate = (done - self.done) * UNIT / max(now - self.started, 1e-9)
        self.launches += 1
        if self.launches == 1:
            self.done, self.started = done, now
        return rate


def _advance(
    job: Job, state: State, done: int, units: int, signals: listening
) -> tuple[State, int]:
    """One launch of whole units, or one unit in several launches; a broken-off unit is dropped."""
    sums = _Columns(job.sums)

    def launched(start: int) -> dict | None:
        work = partial(
            launch, job.draw, start, job.sums.pivot,
            observe=job.observe, sums=sums, layout=job.layout, device=default_device(),
        )  # fmt: skip
        return attended(work, signals)

    if job.layout.size == UNIT:
        new = launched(done * UNIT)
        if new is None:
            return state, done
        # decisions fall at doublings: do not run past the next power of two
        stop = BLOCKS if done < BLOCKS else 1 << done.bit_length()
        count = min(job.layout.groups, units - done, stop - done)
        kept = {name: value[:count] for name, value in new.items()}
        blocks = np.arange(done, done + count) % BLOCKS
        return job.sums.add(state, kept, blocks), done + count
    whole = state
    for start in range(0, UNIT, job.layout.size):
        piece = None if signals.received else launched(done * UNIT + start)
        if piece is None:
            return whole, done
        state = job.sums.add(state, piece, np.array([done % BLOCKS]))
    return state, done + 1
