"""The figures of a group of points, with captions in full sentences, as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from netsim.report.figures import (
    label_of,
    limit_figure,
    prediction_figure,
    pull_histogram,
    raw_figure,
)
from netsim.report.format import plural
from netsim.report.series import Series, named, series
from netsim.report.style import svg

__all__ = ["group_gallery", "histogram"]

RATIO = re.compile(r"kappa(\d+)/kappa2\^\d+\[(\w+)\]")
MOST_OF_A_KIND = 6  # small multiples of one kind; the others are in the CSV
_KINDS = {
    "kappa2": "The second cumulant itself, whose scale the ratios hide.",
    "log": "A cumulant of log |S|, conditional on a living network: carried by typical draws, it "
    "stays reliable where high moments come from draws that nobody sees.",
    "pair": "A joint cumulant of the outputs at two inputs.",
    "derivative": "A cumulant with derivatives of the outputs along a direction of input space.",
}


def _figure(drawing, prefix: str, caption: str) -> str:
    picture = svg(drawing, prefix, caption)
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def _grid(figures: Sequence[str]) -> str:
    return f'<div class="grid">{"".join(figures)}</div>'


def _counts(curves: Sequence[Series]) -> str:
    """One sentence or two about pulls and unreliable rows of the curves, all layers."""
    pulls = np.concatenate([c.pull for c in curves])
    pulls = pulls[~np.isnan(pulls)]
    unreliable = sum(int(c.unreliable.sum()) for c in curves)
    words = []
    if len(pulls):
        largest = f"{np.abs(pulls).max():.1f}"
        words.append(f"The largest of {plural(len(pulls), 'pull')} is {largest}.")
    if unreliable:
        be = "is" if unreliable == 1 else "are"
        words.append(f"{plural(unreliable, 'row')} {be} unreliable: faint, open, not judged.")
    return " ".join(words)


def _prediction_caption(curves: Sequence[Series]) -> str:
    if not any(np.isfinite(c.prediction).any() for c in curves):
        return "No prediction is available for these rows."
    words = "Points are estimates, lines the best prediction at each width and layer."
    if any(np.isfinite(c.pull).any() for c in curves):
        words += " Below, pulls with bands of 1 and 2."
    else:
        words += " The prediction is not sharp enough for pulls."
    return f"{words} {_counts(curves)}".strip()


def _limit_caption(curves: Sequence[Series], limit: Mapping) -> str:
    name = limit.get("name") or "the limit curve"
    words = (
        f"Dashed: {name}. The widths do not collapse exactly onto it: at finite width corrections "
        "of relative order 1/n remain at the same L/n. The lower panel shows what remains, in "
        "per cent; it is the size of the finite-width effect and not an error of the simulation."
    )
    if any(c.unreliable.any() for c in curves):
        words += " Unreliable rows are left out below."
    return words


def _ratio(curves: Sequence[Series], name: str, limit: Mapping | None, prefix: str) -> str:
    label = label_of(name)
    raw = (
        "Estimates as they are, with bars of one standard error. Depth is L/n up to the layer "
        "shown; the first layer, where the ratio is zero, has no place on logarithmic axes."
    )
    figures = [
        _figure(raw_figure(curves, label), f"{prefix}r", raw),
        _figure(prediction_figure(curves, label), f"{prefix}p", _prediction_caption(curves)),
    ]
    if limit is not None:
        caption = _limit_caption(curves, limit)
        figures.append(_figure(limit_figure(curves, label, limit), f"{prefix}l", caption))
    heading = re.sub(r"kappa(\d+)", r"κ<sub>\1</sub>", escape(name.partition("[")[0]))
    heading = re.sub(r"\^(\d+)", r"<sup>\1</sup>", heading)
    missing = "" if limit is not None else "<p>No limit curve is given for this ratio.</p>"
    return f"<h3>{heading}</h3>{missing}{_grid(figures)}"


def _kind(line: Mapping) -> str | None:
    """Which row of small multiples a line belongs to; None: tables only."""
    name = named(line)
    if name.startswith("logcum["):
        return "log"
    if name.startswith("kappa2["):
        return "kappa2"
    if line.get("alias"):
        return None
    if "'" in name:
        return "derivative"
    return "pair" if "," in (line.get("inputs") or "") else None


def _limits_of(records: Sequence[Mapping]) -> dict:
    """Limit curves by name; the first record that gives a name counts."""
    found: dict = {}
    for record in reversed(records):
        found |= record.get("limit") or {}
    return found


def group_gallery(records: Sequence[Mapping], table: Sequence[Mapping], prefix: str) -> str:
    """All figures of one group: the ratios three ways, then small multiples by kind.

    **Arguments:** `records` of the group; `table`, their tidy lines; `prefix` for SVG ids.
    """
    by_name: dict[str, list[Mapping]] = {}
    for line in table:
        if line.get("verdict") != "no estimate":
            by_name.setdefault(named(line), []).append(line)
    drawn = {name: series(lines, name) for name, lines in by_name.items()}
    drawn = {
        name: curves
        for name, curves in drawn.items()
        if any(np.isfinite(c.value).any() for c in curves)
    }
    parts = _ratios(drawn, _limits_of(records), prefix)
    figures, left_out = [], 0
    for kind in _KINDS:
        names = [name for name in drawn if _kind(by_name[name][0]) == kind]
        left_out += max(0, len(names) - MOST_OF_A_KIND)
        for i, name in enumerate(names[:MOST_OF_A_KIND]):
            caption = f"{name}. {_KINDS[kind]} {_prediction_caption(drawn[name])}"
            drawing = prediction_figure(drawn[name], label_of(name))
            figures.append(_figure(drawing, f"{prefix}{kind[0]}{i}", caption))
    if figures:
        more = f"<p>Left out here, in the CSV: {left_out} more.</p>" if left_out else ""
        parts.append(f"<h3>Other quantities by depth</h3>{more}{_grid(figures)}")
    return "".join(parts) or "<p>This group has no row that a figure could show.</p>"


def _ratios(drawn: Mapping[str, Sequence[Series]], limits: Mapping, prefix: str) -> list[str]:
    """The kappa ratios of the first input, each three ways."""
    found = {name: match for name in drawn if (match := RATIO.fullmatch(name))}
    inputs = sorted({match[2] for match in found.values()})
    names = sorted(
        (name for name, match in found.items() if match[2] == inputs[0]),
        key=lambda name: int(found[name][1]),
    )
    parts = []
    for i, name in enumerate(names):
        limit = limits.get(name) or limits.get(name.partition("[")[0])
        parts.append(_ratio(drawn[name], name, limit, f"{prefix}m{i}"))
    if len(inputs) > 1:
        others = ", ".join(inputs[1:])
        parts.append(f"<p>Shown: input {inputs[0]}. In the tables, too: {others}.</p>")
    return parts


def histogram(table: Sequence[Mapping]) -> str:
    """The histogram of all pulls on the page, or a sentence that there are none."""
    pulls = [line["pull"] for line in table if line.get("pull") is not None]
    if not pulls:
        return "<p>There are no pulls: no prediction here is sharp enough for one.</p>"
    spread = np.std(pulls, ddof=1) if len(pulls) > 1 else float("nan")
    beyond = sum(abs(pull) > 4 for pull in pulls)
    caption = (
        f"{plural(len(pulls), 'pull')}: mean {np.mean(pulls):+.2f}, standard deviation "
        f"{spread:.2f}. {plural(beyond, 'pull')} beyond 4 counted in the outermost bins. Rows of "
        "one run share their draws, so this histogram scatters more than that of independent "
        "pulls would, and no p-value is given."
    )
    return _grid([_figure(pull_histogram(pulls), "hist", caption)])
