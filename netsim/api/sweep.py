"""Run points one after the other into a folder: states, records, table and page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from netsim.api.config import Point
from netsim.api.point import PointOutcome, run_point
from netsim.api.predict import predict
from netsim.api.record import make_record
from netsim.experiment.rows import estimate_rows
from netsim.run.interrupt import Interrupted
from netsim.run.progress import Progress
from netsim.samplers.names import RNG
from netsim.store.points import PointFiles, read_records

__all__ = ["run_and_store", "write_report"]


def run_and_store(
    point: Point,
    folder: Path,
    *,
    command: str,
    show: Callable[[Progress], None],
    prefix: str = "",
) -> dict:
    """Run `point` from its checkpoint in `folder` (if any) to its draws; store and return its record.

    **Raises:** `StoreError` if files cannot be read or written; `Interrupted` after a signal, with
    checkpoint and record written.
    """
    experiment = point.experiment
    files = PointFiles(folder, experiment.id, RNG)
    state = files.load_state(experiment.sums().init())
    earlier = files.load_record()
    outcome = run_point(
        experiment,
        point.draws,
        state=state,
        target=point.target,
        title=prefix + point.title,
        show=show,
        save=files.save_state,
    )
    record = _record(point, outcome, earlier, command)
    files.save_record(record)
    if outcome.signal is not None:
        raise Interrupted(outcome.signal)
    return record


def _record(point: Point, outcome: PointOutcome, earlier: dict | None, command: str) -> dict:
    experiment = point.experiment
    enough = (outcome.state["count"] > 0).sum() >= 2
    estimates = estimate_rows(experiment, outcome.state) if enough else []
    predictions = predict(experiment.network, experiment.inputs, experiment.named).rows
    return make_record(point, estimates, predictions, outcome, earlier=earlier, command=command)


def write_report(folder: Path, *, title: str, command: str, ids: Sequence[str] = ()) -> Path:
    """Table and page from the records in `folder` (those of `ids`, in that order, if given).

    **Raises:** `StoreError`.
    """
    from netsim.report.page import write_page

    by_id = {record["id"]: record for record in read_records(folder)}
    records = [by_id[i] for i in ids if i in by_id] if ids else list(by_id.values())
    return write_page(records, folder / "index.html", title, command)
