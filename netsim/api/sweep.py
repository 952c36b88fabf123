"""Run points one after the other into a folder: states, records, table and page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from netsim.api.config import Point
from netsim.api.point import PointOutcome, run_point
from netsim.api.predict import predict
from netsim.api.record import make_record
from netsim.compare import as_row
from netsim.estimators import State, plan
from netsim.experiment.experiment import Experiment
from netsim.experiment.rows import estimate_rows
from netsim.run.interrupt import Interrupted
from netsim.run.progress import Progress
from netsim.samplers.names import RNG
from netsim.store.points import PointFiles, StoreError, check_writable

__all__ = ["check_points", "check_predictable", "run_and_store", "write_report"]

_WIDEST = 2**31 - 1  # widths are 32-bit integers on the device


def check_points(points: Sequence[Point], folder: Path) -> None:
    """Everything about `points` and `folder` that can be refused before anything runs.

    **Raises:** `ValueError` for a point that leaves the range of its precision or of widths;
    `StoreError` for files that cannot be read or written.
    """
    for point in points:
        made = point.experiment
        # the reliability of a k-th cumulant of S rests on S^2k
        power = 2 * max(len(columns) for _, columns in plan(made.measurement.targets).tops)
        try:
            _check_size(made)
            _check_range(made, power)
        except ValueError as error:
            raise ValueError(f"{point.title}: {error}") from error
    check_writable(folder)
    for point in points:
        files = PointFiles(folder, point.experiment.id, RNG)
        files.load_state(point.experiment.sums().init())
        files.load_record()


def check_predictable(experiment: Experiment) -> None:
    """**Raises:** `ValueError` where fourth powers of the kernel, as in kappa8, leave float64."""
    _check_range(replace(experiment, dtype="float64"), power=4)


def _check_range(experiment: Experiment, power: int) -> None:
    """The kernels, and their powers up to `power`, must be float64 numbers with room to spare."""
    advice = "use fewer layers, or couplings nearer to criticality"
    with np.errstate(all="ignore"):
        try:
            K = experiment.infinite_width  # raises, too; kept for later
        except ArithmeticError:
            raise ValueError(
                f"the kernels leave the range of float64 at infinite width: {advice}"
            ) from None
    exponent = 300 // power - 9  # of 308; deep networks fluctuate over nine decades
    for l, matrix in enumerate(K):
        for k in np.diag(matrix):
            if k > 0 and not 10.0**-exponent < k < 10.0**exponent:
                raise ValueError(
                    f"the kernel of layer {l + 1} is {k:.3g} at infinite width: its power {power} "
                    f"leaves the range of float64 (allowed: 1e-{exponent}..1e{exponent}): {advice}, or "
                    "leave out the quantities of high order"
                )


def _check_size(experiment: Experiment) -> None:
    widest = max(experiment.network.widths)
    if widest > _WIDEST:
        raise ValueError(f"width={widest}: must be at most {_WIDEST} to be simulated")


def run_and_store(
    point: Point,
    folder: Path,
    *,
    command: str,
    show: Callable[[Progress], None],
    prefix: str = "",
) -> dict:
    """Run `point` from its checkpoint in `folder` (if any) to its draws; store and return its record.

    A checkpoint that cannot be written is warned of and tried again; only the last one must succeed.

    **Raises:** `StoreError` if files cannot be read or written; `Interrupted` after a signal, with
    checkpoint and record written.
    """
    experiment = point.experiment
    files = PointFiles(folder, experiment.id, RNG)
    state = files.load_state(experiment.sums().init())
    earlier = files.load_record()
    failures: list[StoreError] = []

    def save(state: State) -> None:
        try:
            files.save_state(state)
            failures.clear()
        except StoreError as error:
            if not failures:
                print(f"netsim: {error} The run goes on and tries again.", file=sys.stderr)
            failures.append(error)

    outcome = run_point(
        experiment,
        point.draws,
        state=state,
        target=point.target,
        title=prefix + point.title,
        checkpoint_seconds=point.checkpoint_seconds,
        show=show,
        save=save,
    )
    if failures:
        raise failures[-1]
    record = _record(point, outcome, earlier, command)
    files.save_record(record)
    if outcome.signal is not None:
        raise Interrupted(outcome.signal)
    return record


def _record(point: Point, outcome: PointOutcome, earlier: dict | None, command: str) -> dict:
    experiment = point.experiment
    enough = (outcome.state["count"] > 0).sum() >= 2
    estimates = estimate_rows(experiment, outcome.state) if enough else []
    if outcome.signal is None:
        predictions = predict(
            experiment.network,
            experiment.inputs,
            experiment.named,
            experiment.layers,
            point.order,
        ).rows
        return make_record(point, estimates, predictions, outcome, earlier=earlier, command=command)
    # a signal is answered at once: no theory is worked out for a run that was stopped
    known = [as_row(row) for row in (earlier or {}).get("predictions", [])]
    record = make_record(point, estimates, known, outcome, earlier=earlier, command=command)
    note = "Interrupted before its predictions were worked out; the same command goes on."
    return record | {"notes": [] if known else [note]}


def write_report(folder: Path, *, title: str, command: str, ids: Sequence[str] = ()) -> Path:
    """Table and page from the records in `folder` (those of `ids`, in that order, if given).

    **Raises:** `StoreError`.
    """
    from netsim.report.page import write_page
    from netsim.store.claims import read_all

    records, claims = read_all(folder, tuple(dict.fromkeys(ids)))
    try:
        return write_page(records, folder / "index.html", title, command, claims)
    except OSError as error:
        raise StoreError(
            f"table and page in {folder} could not be written ({error.strerror or error}); the results "
            f"in {folder / 'points'} are safe: free space, then `netsim report out={folder}`"
        ) from error
