"""`netsim sweep`: a grid of points into one folder, with table and page."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from netsim.cli.grid import Composed, expand
from netsim.cli.show import print_config, print_records, summary_lines
from netsim.report.format import plural

__all__ = [
    "MAIN_JOB", "folder_of", "note_labels", "note_older", "note_others", "points_of", "run",
    "title_of",
]  # fmt: skip

MAIN_JOB = "experiment=depth_to_width"


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    words = list(overrides) or [MAIN_JOB]
    grid = expand(words)
    if flags["cfg"]:
        return print_config(grid, json_wanted=flags["json"])
    from netsim.api.sweep import check_points, run_and_store, write_report
    from netsim.run.progress import progress_for

    command = shlex.join(["netsim", "sweep", *overrides])
    points = points_of(grid)
    folder, title = folder_of(grid[0], words), title_of(grid[0])
    check_points(points, folder)  # a bad point is told of before any other runs
    note_labels(grid)
    note_older(folder, [point.experiment.id for point in points])
    show = progress_for(flags["quiet"])
    records = {}
    try:
        for number, point in enumerate(points, 1):
            numbered = f"[{number}/{len(points)}] "
            record = run_and_store(point, folder, command=command, show=show, prefix=numbered)
            records[record["id"]] = record
    except BaseException:
        show.close()
        if records:
            print(_go_on(len(records), len(points), folder), file=sys.stderr)
        raise
    finally:
        show.close()
    if flags["json"]:
        print_records(records.values())
    else:
        print("\n".join(summary_lines(list(records.values()))), flush=True)
    page = write_report(folder, title=title, command=command, ids=list(records))
    note_others(folder, records)
    to = sys.stderr if flags["json"] else sys.stdout
    print(f"\nTable: {folder / 'table.csv'}\nPage:  {page}", file=to)
    return 0


def _go_on(done: int, total: int, folder: Path) -> str:
    return (
        f"{done} of {total} points are finished; `netsim report out={folder}` makes table and page of "
        "what is there"
    )


def points_of(grid: Sequence[Composed]) -> list:
    """The points of a grid, ready to run; an error names its point.

    **Raises:** `ValueError`.
    """
    from netsim.api.config import point_from

    points = []
    for composed in grid:
        try:
            points.append(point_from(composed.config, composed.overrides))
        except ValueError as error:
            if len(grid) == 1:
                raise
            raise ValueError(f"{error}\n(in the point {' '.join(composed.overrides)})") from error
    return points


def folder_of(composed: Composed, words: Sequence[str], default: str = "sweep") -> Path:
    """`out`, or results/<experiment>, or results/<default>."""
    given = composed.config.get("out")
    if given:
        return Path(str(given))
    named = [word.split("=", 1)[1] for word in words if word.startswith("experiment=")]
    return Path("results") / (named[0] if named else default)


def note_labels(grid: Sequence[Composed]) -> None:
    """Say on stderr which labels the overrides made untrue, and which points they made equal."""
    every = [label for point in grid for label in (point.dropped, *point.merged)]
    labels = [label for label in dict.fromkeys(every) if label]
    merged = sum(len(point.merged) for point in grid)
    said = []
    if labels:
        named = ", ".join(f'"{label}"' for label in labels)
        said.append(f"labels dropped that the overrides made untrue: {named}")
    if merged:
        said.append(f"{plural(merged, 'point')} left out, equal to others with these overrides")
    if said:
        print(f"netsim: {'; '.join(said)}", file=sys.stderr)


def note_older(folder: Path, ids: Collection[str]) -> None:
    """Say on stderr that the folder holds points of an older netsim, which are not gone on from."""
    from netsim.api.older import older_points

    older = older_points(folder, leaving_out=ids)
    if older:
        print(
            f"{folder} holds {plural(len(older), 'point')} of an older netsim, whose draws cannot be "
            "continued: left alone, and drawn anew where this command asks for the same",
            file=sys.stderr,
        )


def note_others(folder: Path, ids: Collection[str]) -> None:
    """Say on stderr that the folder holds points of other configs, which the page leaves out."""
    others = [p for p in (folder / "points").glob("*.json") if p.stem not in ids]
    if others:
        print(
            f"{folder} also holds {plural(len(others), 'point')} of other configs or versions, left as "
            f"they are; `netsim report out={folder}` shows all",
            file=sys.stderr,
        )


def title_of(composed: Composed) -> str:
    return str(composed.config.get("title") or "A sweep of random networks")
