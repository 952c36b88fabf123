"""Figures from curves: raw estimates, against a prediction with pulls, against a limit curve.

Every function returns a `matplotlib.figure.Figure`. Unreliable rows are faint open markers without
error bars. At most 40 points of a curve are drawn.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from netsim.report.panels import finish, limits, points, pull_panel, scales, theory_lines
from netsim.report.series import Series, thinned
from netsim.report.style import COLOURS, INK, canvas, legend, style

__all__ = [
    "label_of",
    "limit_figure",
    "limit_residual",
    "prediction_figure",
    "pull_histogram",
    "raw_figure",
]

SIZE = (4.5, 3.7)  # inches; nine-point text stays readable at the width of a phone


def label_of(name: str) -> str:
    """A curve's name as an axis label: kappa4/kappa2^2[a] -> mathtext, others as they are."""
    match = re.fullmatch(r"kappa(\d+)(?:/kappa2\^(\d+))?(?:\[(\w+)\])?", name)
    if match is None:
        return name.replace("$", r"\$")
    order, power, given = match.groups()
    below = "" if power is None else rf"/\kappa_2^{{{power}}}"
    return rf"$\kappa_{{{order}}}{below}$" + (f"  [{given}]" if given else "")


def raw_figure(curves: Sequence[Series], label: str):
    """Estimates with one standard error against effective depth, nothing else."""
    curves = [thinned(curve) for curve in curves]
    with style():
        figure, axes = canvas(*SIZE)
        scales(axes[0], curves)
        for curve in curves:
            points(axes[0], curve)
        limits(axes[0], curves)
        finish(figure, axes, curves, label)
    return figure


def prediction_figure(curves: Sequence[Series], label: str):
    """Estimates on the prediction at each (n, L); beneath, the pulls with bands of 1 and 2.

    Without any pull the lower panel is left out.
    """
    curves = [thinned(curve) for curve in curves]
    pulls = any(np.isfinite(curve.pull).any() for curve in curves)
    with style():
        figure, axes = canvas(SIZE[0], SIZE[1] + 0.5 * pulls, (2.4, 1.0) if pulls else (1.0,))
        scales(axes[0], curves)
        theory_lines(axes[0], curves)
        for curve in curves:
            points(axes[0], curve)
        if pulls:
            pull_panel(axes[1], curves)
        limits(axes[0], curves)
        finish(figure, axes, curves, label)
    return figure


def limit_residual(curve: Series, limit: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """(value - limit)/|limit| and its standard error at each depth of `curve`, in per cent.

    The limit curve is interpolated in (log x, log y) where it is positive, else linearly; NaN
    outside its range and where it vanishes.

    **Arguments:** `limit`, with "x" and "y" of shape (points,), x increasing.
    """
    x, y = np.asarray(limit["x"], dtype=float), np.asarray(limit["y"], dtype=float)
    inside = (curve.x >= x.min()) & (curve.x <= x.max())
    at = np.where(inside, curve.x, np.nan)
    if (x > 0).all() and (y > 0).all():
        level = np.exp(np.interp(np.log(at), np.log(x), np.log(y)))
    else:
        level = np.interp(at, x, y)
    level = np.where(level == 0, np.nan, level)
    return 100 * (curve.value - level) / abs(level), 100 * curve.error / abs(level)


def limit_figure(curves: Sequence[Series], label: str, limit: Mapping):
    """Estimates on the limit curve; beneath, what finite size leaves, in per cent.

    **Arguments:** `limit`, {"x": [...], "y": [...], "name": "..."}.
    """
    curves = [thinned(curve) for curve in curves]
    with style():
        figure, axes = canvas(SIZE[0], SIZE[1] + 0.5, (2.4, 1.0))
        scales(axes[0], curves)
        x, y = np.asarray(limit["x"], dtype=float), np.asarray(limit["y"], dtype=float)
        shown = np.isfinite(y)
        if axes[0].get_xscale() == "log":
            shown &= x > 0
        if axes[0].get_yscale() == "log":
            shown &= y > 0
        axes[0].plot(x[shown], y[shown], "--", color=INK, label=limit.get("name") or "limit")
        axes[1].axhline(0.0, color=INK, lw=0.8, ls="--")
        for curve in curves:
            points(axes[0], curve)
            residual, error = limit_residual(curve, limit)
            keep = curve.good & np.isfinite(residual)
            points(axes[1], curve.at(keep), y=residual[keep], error=error[keep])
        axes[1].set_ylabel("residual [%]")
        limits(axes[0], curves)
        finish(figure, axes, curves, label)
    return figure


def pull_histogram(pulls: Sequence[float]):
    """Histogram of pulls on the standard normal density; the last bins hold what lies beyond."""
    values = np.asarray(pulls, dtype=float)
    values = values[~np.isnan(values)]
    reach = 4.0
    count = int(np.clip(4 * math.sqrt(max(len(values), 1)) / 2, 8, 32)) // 2 * 2
    edges = np.linspace(-reach, reach, count + 1)
    grid = np.linspace(-reach, reach, 161)
    with style():
        figure, (ax,) = canvas(SIZE[0], 3.0)
        if len(values):
            inside = np.clip(values, -reach, np.nextafter(reach, 0))
            heights = np.histogram(inside, edges)[0] / (len(values) * np.diff(edges))
            ax.stairs(heights, edges, fill=True, color=COLOURS[0], alpha=0.45, label="pulls")
        density = np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
        ax.plot(grid, density, color=INK, label="standard normal")
        ax.set_xlabel("pull")
        ax.set_ylabel("density")
        ax.set_xlim(-reach, reach)
        legend(figure, ax)
    return figure
