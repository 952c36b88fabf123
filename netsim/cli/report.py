"""`netsim report out=FOLDER`: table and page again from stored results; loads no JAX."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from netsim.cli.grid import expand
from netsim.cli.show import print_records
from netsim.cli.sweep import MAIN_JOB, folder_of, title_of
from netsim.report.format import plural

__all__ = ["run"]


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    words = list(overrides) or [MAIN_JOB]
    composed = expand(words)[0]
    from netsim.api.older import older_points
    from netsim.api.sweep import write_report
    from netsim.store.claims import read_all

    folder = folder_of(composed, words)
    records, _ = read_all(folder)
    if flags["json"]:
        print_records(records)
        return 0
    title = composed.config.get("title") and title_of(composed)
    commands = sorted({record["command"] for record in records})
    page = write_report(folder, title=title or str(folder), command="\n".join(commands))
    if older := older_points(folder):
        print(
            f"{plural(len(older), 'point')} here came from an older netsim; `netsim status "
            f"out={folder}` says which",
            file=sys.stderr,
        )
    print(f"Table: {folder / 'table.csv'}\nPage:  {page}")
    return 0
