"""`netsim simulate`: one point, its rows beside the predictions."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from netsim.cli.grid import expand
from netsim.cli.show import print_config, print_rows, row_table, summary_lines
from netsim.cli.sweep import folder_of, note_older, note_others, points_of, title_of

__all__ = ["run"]


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    grid = expand(overrides)
    if flags["cfg"]:
        return print_config(grid, json_wanted=flags["json"])
    if flags["multirun"]:
        from netsim.cli import sweep

        return sweep.run(overrides, flags)
    if len(grid) > 1:
        raise ValueError(
            f"simulate runs one point, these overrides give {len(grid)}: use `netsim sweep` for a "
            "grid; a list is written with brackets, e.g. quantities=[kappa2,kappa4]"
        )
    from netsim.api.sweep import check_points, run_and_store, write_report
    from netsim.compare import as_row
    from netsim.run.progress import progress_for

    (point,) = points_of(grid)
    folder = folder_of(grid[0], overrides, default=f"simulate/{point.experiment.id}")
    check_points([point], folder)
    note_older(folder, [point.experiment.id])
    command = shlex.join(["netsim", "simulate", *overrides])
    show = progress_for(flags["quiet"])
    try:
        record = run_and_store(point, folder, command=command, show=show)
    finally:
        show.close()
    estimates = [as_row(row) for row in record["estimates"]]
    predictions = [as_row(row) for row in record["predictions"]]
    if flags["json"]:
        print_rows([*estimates, *predictions])
    else:
        print(row_table(estimates, predictions))
        print("\n" + summary_lines([record])[0], flush=True)
    # the rows are out before files that may fail
    title = title_of(grid[0]) if grid[0].config.get("title") else point.title
    page = write_report(folder, title=title, command=command, ids=[point.experiment.id])
    note_others(folder, [point.experiment.id])
    print(f"Page: {page}", file=sys.stderr)
    return 0
