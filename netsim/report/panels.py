"""The parts that figures are made of: points, theory lines, the pull panel, scales and labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsim.report.series import Series
from netsim.report.style import COLOURS, FAINT, INK, MARKERS, legend, plain_ticks

__all__ = ["finish", "limits", "points", "pull_panel", "scales", "theory_lines"]

DEPTH_LABEL = r"effective depth  $L/n$"
PULL_RANGE = 3.5  # the pull panel shows at least this much
PULL_CAP = 12.0  # and at most this; beyond, a triangle at the edge
WIDE_RANGE = 30.0  # largest over smallest value from which a logarithmic axis is used


def colour_of(curve: Series) -> tuple[str, str]:
    """Colour and marker of a curve."""
    return COLOURS[curve.colour % len(COLOURS)], MARKERS[curve.colour % len(MARKERS)]


def scales(ax, curves: Sequence[Series]) -> None:
    """Logarithmic axes where the good values are positive and span a wide range."""
    x = np.concatenate([c.x for c in curves])
    y = np.concatenate([c.value[c.good & (c.x > 0)] for c in curves])
    positive = x[x > 0]
    if len(positive) and positive.max() > WIDE_RANGE / 3 * positive.min():
        ax.set_xscale("log")
    y = y[y != 0]
    if len(y) and y.min() > 0 and y.max() > WIDE_RANGE * y.min():
        ax.set_yscale("log")


def points(ax, curve: Series, *, y=None, error=None) -> None:
    """Points with error bars; unreliable ones faint, open and without bars."""
    colour, marker = colour_of(curve)
    y = curve.value if y is None else y
    error = curve.error if error is None else error
    drawable = np.isfinite(y) & ((curve.x > 0) | (ax.get_xscale() != "log"))
    if ax.get_yscale() == "log":
        drawable &= y > 0
    good, bad = drawable & ~curve.unreliable, drawable & curve.unreliable
    bars = np.where(np.isfinite(error), error, 0.0)
    if good.any():
        ax.errorbar(
            curve.x[good], y[good], bars[good], fmt=marker, ms=3.6, color=colour, lw=1,
            label=curve.label, zorder=3,
        )  # fmt: skip
    if bad.any():
        ax.plot(
            curve.x[bad], y[bad], marker, ms=3.6, mfc="none", mec=colour, alpha=0.35, mew=0.9,
            zorder=2, label=None if good.any() else curve.label,
        )  # fmt: skip


def limits(ax, curves: Sequence[Series]) -> None:
    """Fit the axes to what is trusted: an unreliable point must not set the vertical scale."""
    log = ax.get_yscale() == "log"
    values = [c.prediction[np.isfinite(c.prediction) & (c.x > 0)] for c in curves]
    for c in curves:
        shown = c.good & (c.x > 0)
        bars = np.where(np.isfinite(c.error), 0.0 if log else c.error, 0.0)
        values += [(c.value + bars)[shown], (c.value - bars)[shown]]
    y = np.concatenate(values)
    y = y[y > 0] if log else y
    if len(y):
        low, high = float(y.min()), float(y.max())
        if log:
            room = max(high / low, 1.5) ** 0.06
            ax.set_ylim(low / room, high * room)
        else:
            room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
            ax.set_ylim(low - room, high + room)
    x = np.concatenate([c.x for c in curves])
    x = x[x > 0]
    if len(x) and x.max() > x.min():  # a limit curve may go on further than the data
        if ax.get_xscale() == "log":
            room = (x.max() / x.min()) ** 0.05
            ax.set_xlim(x.min() / room, x.max() * room)
        else:
            ax.set_xlim(-0.03 * x.max(), 1.05 * x.max())


def finish(figure, axes, curves: Sequence[Series], label: str) -> None:
    """Labels, ticks and the legend."""
    if any(c.unreliable.any() for c in curves):
        axes[0].plot([], [], "o", ms=3.6, mfc="none", mec=FAINT, mew=0.9, label="unreliable")
    axes[0].set_ylabel(label)
    axes[-1].set_xlabel(DEPTH_LABEL)
    for ax in axes:
        plain_ticks(ax.xaxis)
        plain_ticks(ax.yaxis)
        ax.yaxis.set_label_coords(-0.56 / 3.68, 0.5)  # inches over the width of the panel
    legend(figure, axes[0])


def theory_lines(ax, curves: Sequence[Series]) -> None:
    """The prediction of each curve as a line through its layers."""
    for curve in curves:
        known = np.isfinite(curve.prediction)
        if ax.get_xscale() == "log":
            known &= curve.x > 0
        if ax.get_yscale() == "log":
            known &= curve.prediction > 0
        if known.any():
            ax.plot(curve.x[known], curve.prediction[known], "-", color=colour_of(curve)[0], lw=1.1)


def pull_panel(ax, curves: Sequence[Series]) -> None:
    """Pulls over depth on bands of 1 and 2; beyond the panel's range a triangle at its edge."""
    from matplotlib.ticker import MaxNLocator

    largest = max((np.nanmax(np.abs(c.pull), initial=0.0) for c in curves), default=0.0)
    reach = min(max(PULL_RANGE, 1.1 * largest), PULL_CAP)
    for band in (2.0, 1.0):
        ax.axhspan(-band, band, color=FAINT, alpha=0.16, lw=0)
    ax.axhline(0.0, color=INK, lw=0.7)
    for curve in curves:
        colour, marker = colour_of(curve)
        shown = np.isfinite(curve.pull)
        if ax.get_xscale() == "log":
            shown &= curve.x > 0
        inside = shown & (np.abs(curve.pull) <= reach)
        ax.plot(curve.x[inside], curve.pull[inside], marker, ms=3.2, color=colour)
        for sign, arrow in ((1, "^"), (-1, "v")):
            out = shown & (sign * curve.pull > reach)
            ax.plot(curve.x[out], np.full(out.sum(), sign * 0.96 * reach), arrow, color=colour)
    ax.set_ylim(-reach, reach)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    ax.set_ylabel("pull")
