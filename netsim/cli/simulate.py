"""`netsim simulate`: one point, its rows beside the predictions."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from netsim.cli.grid import expand
from netsim.cli.show import print_config, row_table, summary_text
from netsim.cli.sweep import folder_of, title_of

__all__ = ["run"]


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    grid = expand(overrides)
    if len(grid) > 1:
        raise ValueError(
            f"simulate runs one point, these overrides give {len(grid)}: use `netsim sweep` for a grid"
        )
    if flags["cfg"]:
        return print_config(grid)
    from netsim.api.config import point_from
    from netsim.api.sweep import run_and_store, write_report
    from netsim.cli.show import print_rows
    from netsim.compare import as_row
    from netsim.run.progress import progress_for

    point = point_from(grid[0].config, grid[0].overrides)
    folder = folder_of(grid[0], overrides, default=f"simulate/{point.experiment.id}")
    command = shlex.join(["netsim", "simulate", *overrides])
    show = progress_for(flags["quiet"])
    try:
        record = run_and_store(point, folder, command=command, show=show)
    finally:
        show.close()
    title = title_of(grid[0]) if grid[0].config.get("title") else point.title
    page = write_report(folder, title=title, command=command, ids=[point.experiment.id])
    estimates = [as_row(row) for row in record["estimates"]]
    predictions = [as_row(row) for row in record["predictions"]]
    if flags["json"]:
        print_rows([*estimates, *predictions])
    else:
        print(row_table(estimates, predictions))
        print(f"\n{point.title}: {summary_text(record)}")
        print(f"Page: {page}", file=sys.stderr)
    return 0
