"""One self-contained HTML page from records: no request, no script, phone, paper, light and dark."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from urllib.parse import quote

from netsim.report.claims import claims_section
from netsim.report.gallery import group_gallery, histogram
from netsim.report.sections import HOW_TO_READ, command_box, provenance, what_was_run
from netsim.report.style import theme_css
from netsim.report.tables import point_rows, summary_table, unmatched, without_twins
from netsim.store.atomic import write_atomic
from netsim.store.table import tidy, write_csv

__all__ = ["render", "write_page"]


def _template(name: str) -> Template:
    return Template((resources.files("netsim.report") / name).read_text(encoding="utf-8"))


def _groups(records: Sequence[Mapping]) -> dict[str, list[Mapping]]:
    groups: dict[str, list[Mapping]] = {}
    for record in records:
        groups.setdefault(str(record.get("group") or record.get("title", "")), []).append(record)
    return groups


def _facts(records: Sequence[Mapping]) -> str:
    """What the records say about their inputs and themselves, each sentence once."""
    sentences: dict[str, None] = {}
    for record in records:
        sentences |= dict.fromkeys(map(str, (record.get("inputs") or {}).get("facts") or []))
        sentences |= dict.fromkeys(map(str, record.get("notes") or []))
    items = "".join(f"<li>{escape(text)}</li>" for text in sentences)
    return f"<ul>{items}</ul>" if items else ""


def _figures(records: Sequence[Mapping], by_id: Mapping[str, Sequence[Mapping]]) -> str:
    parts = []
    for g, (name, found) in enumerate(_groups(records).items()):
        lines = [line for record in found for line in by_id.get(record["id"], [])]
        body = _facts(found) + group_gallery(found, lines, f"g{g}")
        parts.append(f"<section><h2>{escape(name)}</h2>{body}</section>")
    return "".join(parts)


def _points(records: Sequence[Mapping], by_id: Mapping[str, Sequence[Mapping]]) -> str:
    parts = []
    for i, record in enumerate(records):
        lines = by_id.get(record["id"], [])
        title = escape(str(record.get("title", "?")))
        if not (record.get("run") or {}).get("complete", True):
            title += " <b>(interrupted)</b>"
        first, rest = point_rows(lines, aliases=True), point_rows(lines, aliases=False)
        rest = f"<details><summary>other quantities</summary>{rest}</details>" if rest else ""
        opened = " open" if i == 0 else ""
        parts.append(
            f'<h3 id="point{i}">{title}</h3>'
            f'<details class="paper"{opened}><summary>selected rows</summary>{first}</details>'
            f'{rest}<details class="paper"><summary>provenance</summary>'
            f"{provenance(record)}</details>"
        )
    return "".join(parts)


def _distinct(records: Sequence[Mapping]) -> list[dict]:
    """The records with ids that tell them apart, also where one is missing or occurs twice."""
    seen: set = set()
    found = []
    for i, record in enumerate(records):
        name = str(record.get("id") or f"point{i}")
        name = f"{name}#{i}" if name in seen else name
        seen.add(name)
        found.append({**record, "id": name})
    return found


def render(
    records: Sequence[Mapping],
    table: Sequence[Mapping],
    title: str,
    command: str,
    csv_name: str,
    claims: Sequence[Mapping] = (),
) -> str:
    """The page as text; with claims and without records, that of the claims alone.

    **Arguments:** `records`, one per point, with distinct ids; `table`, their tidy lines;
    `command`, the line that reproduces all of them; `csv_name`, the address of the table, relative
    to the page. A quantity given under an alias, too, is one number: the page shows it once.
    """
    table = without_twins(table)
    by_id: dict[str, list[Mapping]] = {}
    for line in table:
        by_id.setdefault(line["id"], []).append(line)
    light, dark = theme_css()
    head = {
        "title": escape(title),
        "style": _template("page.css").substitute(light=light, dark=dark),
        "claims": claims_section(claims),
    }
    if claims and not records:
        return _template("claims.html").substitute(head)
    return _template("page.html").substitute(
        head,
        what=what_was_run(records),
        how=HOW_TO_READ,
        command=command_box(command),
        summary=summary_table(records, by_id) if records else "<p>None.</p>",
        figures=_figures(records, by_id),
        histogram=histogram(table),
        points=_points(records, by_id),
        no_prediction=unmatched(table, "no prediction"),
        no_estimate=unmatched(table, "no estimate"),
        csv=escape(quote(csv_name), quote=True),
    )


def write_page(
    records: Sequence[Mapping],
    path: str | os.PathLike,
    title: str,
    command: str,
    claims: Sequence[Mapping] = (),
) -> Path:
    """Write the page, and beside it the whole table as CSV, to which the page links.

    **Arguments:** `records`, the JSON records of a sweep, any number; `path` of the page, e.g.
    "results/x/index.html": the table becomes "results/x/table.csv"; `command`, one line;
    `claims`, their outcomes (`netsim verify`), for a section of their own.

    **Returns:** the path of the page.

    **Raises:** `OSError` where a file cannot be written; an older file then stays whole.
    """
    path = Path(path)
    records = _distinct(records)
    table = tidy(records)
    beside = write_csv(path.with_name("table.csv"), table)
    page = render(records, table, title, command, beside.name, claims)
    return write_atomic(path, page.encode())
