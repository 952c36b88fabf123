"""HTML tables: the summary of all points, selected rows of one point, names without partner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from netsim.report.format import plural, ranges, thousands, value_error
from netsim.report.series import named

__all__ = [
    "point_rows", "scroll", "selected_layers", "summary_table", "unmatched", "without_twins",
]  # fmt: skip


def scroll(table: str) -> str:
    """A box in which a wide table scrolls by itself, reachable by keyboard."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="table">{table}</div>'


def selected_layers(layers: Sequence[int]) -> list[int]:
    """Those of 2, 3, 5, 9, 17, ... (one after a power of two) that occur, and the last."""
    present = sorted(set(layers))
    wanted = {2**k + 1 for k in range(40)}
    return [layer for layer in present if layer in wanted or layer == present[-1]]


def _largest(lines: Sequence[Mapping]) -> str:
    pulls = [line for line in lines if line.get("pull") is not None]
    if not pulls:
        return "–"
    line = max(pulls, key=lambda x: abs(x["pull"]))
    name = line.get("alias") or line["quantity"].partition("@")[0]
    where = "" if line.get("layer") is None else f" at layer {line['layer']}"
    return f"{abs(line['pull']):.2f} <small>{escape(name)}{where}</small>"


def summary_table(records: Sequence[Mapping], by_id: Mapping[str, Sequence[Mapping]]) -> str:
    """One line per point: what it is, how many rows, how they compare."""
    head = (
        "point", "L/n", "draws", "rows", "pulls", "largest |pull|", "beyond the order kept",
        "unreliable", "no prediction", "state",
    )  # fmt: skip
    body = []
    for i, record in enumerate(records):
        lines = by_id.get(record["id"], [])
        rows = [x for x in lines if x["verdict"] != "no estimate"]
        run = record.get("run") or {}
        widths = (record.get("network") or {}).get("widths") or []
        state = "complete" if run.get("complete", True) else "<b>interrupted</b>"
        cells = [
            f'<a href="#point{i}">{escape(str(record.get("title", "?")))}</a>',
            f"{sum(1 / n for n in widths):.3g}",
            thousands(run.get("draws")),
            thousands(len(rows)),
            thousands(sum(x.get("pull") is not None for x in rows)),
            _largest(rows),
            thousands(sum(x["kind"] == "difference" for x in rows)),
            thousands(sum("unreliable" in x["flags"].split(";") for x in rows)),
            thousands(sum(x["verdict"] == "no prediction" for x in rows)),
            state,
        ]
        body.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    heads = "".join(f'<th scope="col">{text}</th>' for text in head)
    return scroll(
        f'<table class="summary"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table>"
    )


def _kept(line: Mapping) -> str:
    kept = line.get("prediction_truncation")
    if kept is None:
        return ""
    words = {"exact": "exact", "infinite_width": "n = ∞"}.get(kept, f"to n<sup>−{kept}</sup>")
    return f" <small>{words}</small>"


def _comparison(line: Mapping) -> str:
    if line.get("pull") is not None:
        far = ' class="far"' if abs(line["pull"]) > 3 else ""
        return f"<span{far}>pull {line['pull']:+.2f}</span>"
    return escape(line["verdict"])


def _row(line: Mapping) -> str:
    weak = ' class="weak"' if line["kind"] == "unreliable" else ""
    layer = "–" if line["layer"] is None else line["layer"]
    prediction = "–"
    if line["prediction"] is not None:
        own = line["prediction_truncation_error"]
        prediction = escape(value_error(line["prediction"], own or None)) + _kept(line)
    estimate = escape(value_error(line["value"], line["error"]))
    return (
        f"<tr{weak}><td>{layer}</td><td>{estimate}</td><td>{prediction}</td>"
        f"<td>{_comparison(line)}</td></tr>"
    )


def _tooltip(line: Mapping) -> str:
    """Of an alias, the name of the plain quantity."""
    if not line.get("alias"):
        return ""
    plain = line["quantity"].partition("@")[0]
    return f' title="{escape(plain, quote=True)}, normalised"'


def without_twins(table: Sequence[Mapping]) -> list[Mapping]:
    """Lines without those that an alias gives a second time in the field's own normalisation."""
    aliased = {(line["id"], line["quantity"]) for line in table if line.get("alias")}
    return [x for x in table if x.get("alias") or (x["id"], x["quantity"]) not in aliased]


def point_rows(lines: Sequence[Mapping], aliases: bool) -> str:
    """Selected layers of one point, grouped by quantity.

    **Arguments:** `aliases`: the named ratios and cumulants (kappa4[a], ...), or all other rows.
    """
    groups: dict[str, list[Mapping]] = {}
    for line in lines:
        if bool(line.get("alias")) == aliases and line["verdict"] != "no estimate":
            groups.setdefault(named(line), []).append(line)
    if not groups:
        return ""
    bodies = []
    for name, found in groups.items():
        chosen = set(selected_layers([x["layer"] for x in found if x["layer"] is not None]))
        kept = [x for x in found if x["layer"] is None or x["layer"] in chosen]
        head = f'colspan="4" scope="rowgroup"{_tooltip(found[0])}'
        title = f"<tr><th {head}>{escape(name)}</th></tr>"
        bodies.append(f"<tbody>{title}{''.join(map(_row, kept))}</tbody>")
    heads = ("layer", "estimate", "prediction", "comparison")
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return scroll(f"<table><thead><tr>{head}</tr></thead>{''.join(bodies)}</table>")


def unmatched(table: Sequence[Mapping], verdict: str) -> str:
    """Names of rows without a partner, with the number of points and the layers they occur at."""
    layers: dict[str, set] = {}
    points: dict[str, set] = {}
    for line in table:
        if line["verdict"] == verdict:
            name = named(line)
            layers.setdefault(name, set()).add(line["layer"])
            points.setdefault(name, set()).add(line["id"])
    if not layers:
        return "<p>None.</p>"
    items = []
    for name, found in layers.items():
        known = ranges([layer for layer in found if layer is not None])
        where = f", layers {known}" if known else ""
        count = plural(len(points[name]), "point")
        items.append(f"<li><code>{escape(name)}</code>{where} ({count})</li>")
    return f"<ul>{''.join(items)}</ul>"
