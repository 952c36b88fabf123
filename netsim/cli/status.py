"""`netsim status`: what a results folder holds, and of a sweep what is still missing; no JAX."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from netsim.cli.grid import expand
from netsim.cli.show import aligned, summary_text
from netsim.cli.sweep import MAIN_JOB, folder_of, points_of
from netsim.report.format import plural

__all__ = ["run"]


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    words = list(overrides) or [MAIN_JOB]
    grid = expand(words)
    from netsim.store.points import StoreError

    folder = folder_of(grid[0], words)
    wanted = {}
    if not all(word.startswith("out=") for word in words):  # a folder alone: only what is in it
        wanted = {point.experiment.id: point for point in points_of(grid)}
    stored = {path.stem for path in (folder / "points").glob("*.*") if path.stem[:1] != "."}
    if not wanted and not stored:
        claims = _claims(folder)
        if not claims:
            raise StoreError(f"{folder} holds no results; out=FOLDER names another folder")
        if flags["json"]:
            print("[]")
        print(claims, file=sys.stderr if flags["json"] else sys.stdout)
        return 0
    lines = [_line(folder, id, wanted.get(id)) for id in dict.fromkeys([*wanted, *sorted(stored)])]
    damaged = [line for line in lines if line["state"] == "unreadable"]
    if flags["json"]:
        print(json.dumps(lines, indent=1))
    else:
        head = ("id", "state", "draws", "point", "comparison")
        body = [
            (line["id"], line["state"], _draws(line), line["title"], line["summary"])
            for line in lines
        ]
        print(aligned([head, *body]))
    for line in damaged:
        print(f"netsim: {line['problem']}", file=sys.stderr)
    return 3 if damaged else 0


def _claims(folder: Path) -> str:
    """What the folder holds of claims, in a sentence; "" if nothing.

    **Raises:** `StoreError` for a file of claims that cannot be read.
    """
    from netsim.store.claims import read_claims

    claims = read_claims(folder)
    if not claims:
        return ""
    verdicts = [str(outcome.get("verdict")) for outcome in claims]
    counts = ", ".join(
        f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts)
    )
    return (
        f"{folder} holds no points but {plural(len(claims), 'claim')} of `netsim verify` ({counts}): "
        f"`netsim report out={folder}` makes their page"
    )


def _draws(line: dict) -> str:
    """How many there are, and how many are wanted where that is another number."""
    goal = line["goal"]
    more = goal is not None and goal > line["draws"] and line["state"] != "done"
    return f"{line['draws']:,}" + (f" of {goal:,}" if more else "")


def _line(folder: Path, id: str, point: Any) -> dict:
    from netsim.api.older import is_older
    from netsim.run.plan import UNIT, units_for
    from netsim.samplers.names import RNG
    from netsim.store.points import PointFiles, StoreError

    files = PointFiles(folder, id, RNG)
    line = {
        "id": id,
        "title": point.title if point else "",
        "state": "missing",
        "draws": 0,
        "goal": units_for(point.draws) * UNIT if point else None,
        "summary": "",
    }
    try:
        record, line["draws"] = files.load_record(), files.stored_draws()
    except StoreError as error:
        return line | {"state": "unreadable", "problem": str(error)}
    if record is None:
        return line | ({"state": "interrupted, or running"} if line["draws"] else {})
    run = record["run"]
    line["title"] = record["title"]
    line["goal"] = line["goal"] or run.get("wanted")
    state = "done" if run["complete"] else "interrupted"
    if line["draws"] > run["draws"]:
        state = "interrupted, or running"  # a checkpoint ahead of the record
    line["draws"] = max(line["draws"], run["draws"])
    if is_older(record):
        state = "of an older netsim"
    elif state == "done" and point and not point.target and line["draws"] < line["goal"]:
        state = "to extend"
    return line | {"state": state, "summary": _compared(record)}


def _compared(record: dict) -> str:
    if record["run"]["complete"] or record["predictions"]:
        return summary_text(record) if record["estimates"] else ""
    return "not compared yet"
