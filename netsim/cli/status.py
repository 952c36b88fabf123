"""`netsim status`: what a results folder holds, and of a sweep what is still missing; no JAX."""

from __future__ import annotations

import json
from collections.abc import Sequence

from netsim.cli.grid import expand
from netsim.cli.show import aligned, summary_text
from netsim.cli.sweep import MAIN_JOB, folder_of

__all__ = ["run"]


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    words = list(overrides) or [MAIN_JOB]
    grid = expand(words)
    from netsim.api.config import point_from
    from netsim.samplers.names import RNG
    from netsim.store.points import PointFiles, read_record

    folder = folder_of(grid[0], words)
    wanted = {p.experiment.id: p for p in (point_from(c.config) for c in grid)}
    if all(word.startswith("out=") for word in words):  # a folder alone: only what is in it
        wanted = {}
    stored = {path.stem: path for path in sorted((folder / "points").glob("*.json"))}
    lines = []
    for id in dict.fromkeys([*wanted, *stored]):
        record = read_record(stored[id]) if id in stored else None
        point = wanted.get(id)
        goal = point.draws if point else None
        done = record["run"]["draws"] if record else 0
        checkpoint = PointFiles(folder, id, RNG).state.exists()
        if record is None:
            state = "checkpoint only" if checkpoint else "missing"
        else:
            state = "done" if record["run"]["complete"] else "interrupted"
        lines.append(
            {
                "id": id,
                "title": record["title"] if record else point.title if point else "",
                "state": state,
                "draws": done,
                "goal": goal,
                "summary": summary_text(record) if record and record["estimates"] else "",
            }
        )
    if flags["json"]:
        print(json.dumps(lines, indent=1))
        return 0
    head = ("id", "state", "draws", "point", "comparison")
    body = [
        (line["id"], line["state"], f"{line['draws']:,}", line["title"], line["summary"])
        for line in lines
    ]
    print(aligned([head, *body]))
    return 0
