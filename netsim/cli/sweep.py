"""`netsim sweep`: a grid of points into one folder, with table and page."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from netsim.cli.grid import Composed, expand
from netsim.cli.show import print_config, summary_lines

__all__ = ["MAIN_JOB", "run"]

MAIN_JOB = "experiment=depth_to_width"


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    words = list(overrides) or [MAIN_JOB]
    grid = expand(words)
    if flags["cfg"]:
        return print_config(grid)
    from netsim.api.config import point_from
    from netsim.api.sweep import run_and_store, write_report
    from netsim.run.interrupt import Interrupted
    from netsim.run.progress import progress_for

    command = shlex.join(["netsim", "sweep", *overrides])
    points = [point_from(composed.config, composed.overrides) for composed in grid]
    for point in points:
        point.experiment.infinite_width  # refuses what would leave the range, before anything runs
    folder, title = folder_of(grid[0], words), title_of(grid[0])
    show = progress_for(flags["quiet"])
    records = []
    try:
        for number, point in enumerate(points, 1):
            numbered = f"[{number}/{len(points)}] "
            records.append(
                run_and_store(point, folder, command=command, show=show, prefix=numbered)
            )
    except Interrupted:
        show.close()
        page = write_report(folder, title=title, command=command)
        print(f"what is there so far: {page}", file=sys.stderr)
        raise
    finally:
        show.close()
    ids = [point.experiment.id for point in points]
    page = write_report(folder, title=title, command=command, ids=ids)
    if flags["json"]:
        for record in records:
            for row in (*record["estimates"], *record["predictions"]):
                print(json.dumps({"id": record["id"], **row}))
    else:
        print("\n".join(summary_lines(records)))
        print(f"\nTable: {folder / 'table.csv'}\nPage:  {page}")
    return 0


def folder_of(composed: Composed, words: Sequence[str], default: str = "sweep") -> Path:
    """`out`, or results/<experiment>, or results/<default>."""
    given = composed.config.get("out")
    if given:
        return Path(str(given))
    named = [word.split("=", 1)[1] for word in words if word.startswith("experiment=")]
    return Path("results") / (named[0] if named else default)


def title_of(composed: Composed) -> str:
    return str(composed.config.get("title") or "A sweep of random networks")
