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
    "kappa2": "The kernel",
    "log": "Log-moments",
    "pair": "Two inputs",
    "derivative": "Input derivatives",
}
_KIND_TEXT = {
    "kappa2": "The ratios above hide the scale; this is the second cumulant itself.",
    "log": "High moments of a deep, narrow ReLU network come from draws that nobody sees; cumulants "
    "of log S are carried by typical draws and stay reliable. They are conditional on a network "
    "that is alive.",
    "pair": "Joint cumulants of the outputs at two inputs.",
    "derivative": "Cumulants of derivatives of the outputs along a direction of input space.",
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
    limits, parts = _limits_of(records), []
    shown = [line for line in table if line.get("verdict") != "no estimate"]
    names = dict.fromkeys(map(named, shown))
    ratios = sorted(filter(RATIO.fullmatch, names), key=lambda n: int(RATIO.fullmatch(n)[1]))
    inputs = sorted({RATIO.fullmatch(name)[2] for name in ratios})
    for i, name in enumerate(n for n in ratios if n.endswith(f"[{inputs[0]}]")):
        limit = limits.get(name) or limits.get(name.partition("[")[0])
        curves = series(shown, name)
        if any(np.isfinite(c.value).any() for c in curves):
            parts.append(_ratio(curves, name, limit, f"{prefix}m{i}"))
    if len(inputs) > 1:
        others = ", ".join(inputs[1:])
        parts.append(f"<p>Shown: input {inputs[0]}; {escape(others)} in the tables.</p>")
    kinds = {kind: dict.fromkeys(named(x) for x in shown if _kind(x) == kind) for kind in _KINDS}
    for kind, found in kinds.items():
        parts.append(_multiples(kind, list(found), shown, f"{prefix}{kind[0]}"))
    return "".join(parts) or "<p>This group has no row that a figure could show.</p>"


def _multiples(kind: str, names: Sequence[str], table: Sequence[Mapping], prefix: str) -> str:
    figures = []
    for i, name in enumerate(names[:MOST_OF_A_KIND]):
        curves = series(table, name)
        if any(np.isfinite(c.value).any() for c in curves):
            drawing = prediction_figure(curves, label_of(name))
            caption = f"{name}. {_prediction_caption(curves)}"
            figures.append(_figure(drawing, f"{prefix}{i}", caption))
    if not figures:
        return ""
    rest = len(names) - MOST_OF_A_KIND
    more = f" {plural(rest, 'further quantity')} in the CSV." if rest > 0 else ""
    more = more.replace("quantitys", "quantities")
    return f"<h3>{_KINDS[kind]}</h3><p>{_KIND_TEXT[kind]}{more}</p>{_grid(figures)}"


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
