"""The figure of a claim: what was measured on the predicted lines, and the pulls beneath."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

from netsim.report.panels import limits, points, pull_panel, theory_lines
from netsim.report.series import Series, thinned
from netsim.report.style import canvas, plain_ticks, style
from netsim.report.symbols import formula_math

__all__ = ["claim_curves", "claim_figure"]

SIZE = (4.5, 3.9)  # inches, without the legend
_LINE = 0.17  # inches a line of the legend
_LETTERS = 58  # that stand beside each other above the panels
_WRAP = 30  # letters along the upper panel


def claim_curves(checks: Sequence[Mapping]) -> list[Series]:
    """One curve per series of those checks that have an `x`, in order of x."""
    groups: dict[str, list[Mapping]] = {}
    for check in checks:
        if check.get("x") is not None and check.get("predicted") is not None:
            groups.setdefault(check.get("series") or "", []).append(check)
    curves = []
    for colour, (label, found) in enumerate(groups.items()):
        found = sorted(found, key=lambda check: check["x"])
        arrays = {
            name: np.array([np.nan if c.get(key) is None else float(c[key]) for c in found])
            for name, key in _COLUMNS.items()
        }
        curves.append(Series(label, colour, **arrays, unreliable=np.zeros(len(found), dtype=bool)))
    return curves


_COLUMNS = {
    "x": "x", "value": "measured", "error": "error", "prediction": "predicted", "pull": "pull",
}  # fmt: skip


def claim_figure(curves: Sequence[Series], axes_of: Mapping):
    """**Arguments:** `axes_of`: "x", "y" (labels), "log_x", "log_y"."""
    curves = [thinned(curve) for curve in curves]
    pulls = any(np.isfinite(curve.pull).any() for curve in curves)
    columns, lines = _shape([curve.label for curve in curves])
    height = SIZE[1] + _LINE * lines
    with style():
        ratios = (2.4, 1.0) if pulls else (1.0,)
        figure, axes = canvas(SIZE[0], height, ratios, top=0.14 + _LINE * lines)
        if axes_of.get("log_x") and all((curve.x > 0).all() for curve in curves):
            axes[0].set_xscale("log")
        if axes_of.get("log_y") and all((curve.value > 0).all() for curve in curves):
            axes[0].set_yscale("log")
        theory_lines(axes[0], curves)
        for curve in curves:
            points(axes[0], curve)
        if pulls:
            pull_panel(axes[1], curves)
        limits(axes[0], curves)
        axes[0].set_ylabel(formula_math(textwrap.fill(axes_of["y"], _WRAP)))
        axes[-1].set_xlabel(formula_math(axes_of["x"]))
        for ax in axes:
            plain_ticks(ax.xaxis)
            plain_ticks(ax.yaxis)
        handles, labels = axes[0].get_legend_handles_labels()
        if columns:
            figure.legend(
                handles, [formula_math(label) for label in labels], loc="upper left", ncols=columns,
                fontsize=8, handlelength=1.2, handletextpad=0.4, columnspacing=0.9,
                borderaxespad=0.1, labelspacing=0.25,
            )  # fmt: skip
    return figure


def _shape(labels: Sequence[str]) -> tuple[int, int]:
    """Columns and lines of the legend; none for a curve without a name."""
    longest = max(map(len, labels), default=0)
    if longest == 0:
        return 0, 0
    columns = max(1, min(4, _LETTERS // (longest + 6)))
    return columns, math.ceil(len(labels) / columns)
