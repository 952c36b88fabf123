"""The figure of a claim: what was measured on the predicted lines, and the pulls beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netsim.report.panels import limits, points, pull_panel, theory_lines
from netsim.report.series import Series, thinned
from netsim.report.style import canvas, legend, plain_ticks, style

__all__ = ["claim_curves", "claim_figure"]

SIZE = (4.5, 4.2)  # inches


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
    with style():
        figure, axes = canvas(*SIZE, (2.4, 1.0) if pulls else (1.0,))
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
        axes[0].set_ylabel(axes_of["y"])
        axes[-1].set_xlabel(axes_of["x"])
        for ax in axes:
            plain_ticks(ax.xaxis)
            plain_ticks(ax.yaxis)
        legend(figure, axes[0])
    return figure
