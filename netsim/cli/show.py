"""What verbs print: configs, summaries, tables of rows in plain text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from netsim.cli.grid import Composed
from netsim.rows import Row

__all__ = [
    "aligned", "print_config", "print_records", "print_rows", "row_table", "summary_lines",
    "summary_text",
]  # fmt: skip


def print_config(grid: Sequence[Composed], *, json_wanted: bool = False) -> int:
    """The composed config of every point, as YAML documents or one JSON array."""
    if json_wanted:
        print(json.dumps([composed.config for composed in grid], indent=1))
        return 0
    from omegaconf import OmegaConf

    documents = []
    for composed in grid:
        head = f"# {' '.join(composed.overrides)}\n" if len(grid) > 1 else ""
        documents.append(head + OmegaConf.to_yaml(OmegaConf.create(composed.config)))
    print("---\n".join(documents), end="")
    return 0


def summary_lines(records: Sequence[dict]) -> list[str]:
    """One line a point: rows, pulls, the largest pull, rows marked unreliable."""
    from netsim.report.format import plural

    lines = []
    for record in records:
        draws = plural(record["run"]["draws"], "draw") + (
            " (weighted)" * bool(record.get("mixture"))
        )
        lines.append(f"{record['title']}: {draws}; {summary_text(record)}")
    return lines


def summary_text(record: dict) -> str:
    """What the comparison of a record's rows came to, in one sentence."""
    from netsim.api.compared import name_of, without_twins
    from netsim.compare import as_row, join
    from netsim.report.format import plural

    # an alias and its plain quantity are one number: counted once in words
    rows = without_twins(map(as_row, record["estimates"]))
    summary = join(rows, without_twins(map(as_row, record["predictions"]))).summary()
    parts = [f"{plural(len(rows), 'row')}, {plural(summary.pulls, 'pull')}"]
    if summary.largest is not None and summary.largest.pull is not None:
        parts.append(f"largest {summary.largest.pull:+.1f} ({name_of(summary.largest.estimate)})")
    counts = {
        "unreliable": summary.unreliable,
        "beyond the order kept": summary.beyond,
        "differing from exact values": summary.differs,
        "without prediction": summary.unmatched_estimates,
    }
    return ", ".join(parts + [f"{count} {what}" for what, count in counts.items() if count])


def row_table(rows: Iterable[Row], predictions: Iterable[Row] = ()) -> str:
    """Aligned plain text: name, layer, value(error), prediction, pull or difference."""
    from netsim.api.compared import name_of, without_twins
    from netsim.compare import join
    from netsim.report.format import value_error

    rows = list(rows)
    by_row = {match.estimate: match for match in join(rows, predictions).matches}
    table = [("quantity", "estimate", "prediction", "source", "comparison")]
    for row in without_twins(rows):
        match, name = by_row.get(row), name_of(row)
        if match is None:
            table.append((name, value_error(row.value, row.error), "-", "-", "no prediction"))
            continue
        p = match.prediction
        table.append(
            (
                name,
                value_error(row.value, row.error),
                value_error(p.value, None),
                p.source.removeprefix("theory:"),
                match.verdict,
            )
        )
    return aligned(table)


def aligned(table: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in table
    )


def print_rows(rows: Iterable[Row | Mapping]) -> None:
    """Rows as JSON, one array on stdout; what is not a finite number becomes null."""
    texts = []
    for row in rows:
        data = row.json() if isinstance(row, Row) else dict(row)
        finite = {k: v for k, v in data.items() if not isinstance(v, float) or math.isfinite(v)}
        texts.append(json.dumps(dict.fromkeys(data) | finite))
    print("[" + ",\n ".join(texts) + "]")


def print_records(records: Iterable[Mapping]) -> None:
    """Estimates and predictions of all records as JSON rows, each with the `id` of its point."""
    print_rows(
        {"id": record["id"], **row}
        for record in records
        for row in (*record["estimates"], *record["predictions"])
    )
