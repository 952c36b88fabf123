"""Draw the figures of these pages from theory alone: `python docs/make_figures.py` (half a minute).

Every figure NAME is written as figures/NAME.svg beside figures/NAME.json, the numbers it shows:
series -> {"x": [...], "y": [...]}. A test computes the numbers again and compares them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
from figure_tools import Series, log_axes, new_figure, series_of
from kernel_figures import KERNEL_FIGURES

from netsim.networks.network import network
from netsim.report.style import COLOURS, FAINT, INK, MARKERS, style
from netsim.theory.exact import cumulants
from netsim.theory.limit_curves import limit_ratios
from netsim.theory.transfer.chain import transfer_cumulants

__all__ = ["FIGURES", "FOLDER", "main"]

FOLDER = Path(__file__).parent / "figures"
WIDTHS = (32, 64, 128)
TAU = np.geomspace(1 / 32, 1, 61)


# --- numbers ------------------------------------------------------------------------------------


@cache
def _kappas(name: str, n: int) -> np.ndarray:
    """(n+1, 4): kappa_2, kappa_4, kappa_6, kappa_8 of layers 1..n+1, exact, at K_1 = 1."""
    net = network(name, width=n, depth=n)
    x2 = 1.0 / net.weight_variance[0]  # criticality of relu and tanh has C_b = 0
    return cumulants(net, x2) if name == "relu" else transfer_cumulants(net, x2)[0]


def exact_curve(name: str, n: int, k: int) -> Series:
    """kappa_{2k}/kappa_2^k against L/n, L <= n."""
    kappa = _kappas(name, n)
    L = np.unique(np.rint(n * np.geomspace(max(1 / 32, 2 / n), 1, 13)).astype(int))
    return series_of(L / n, kappa[L, k - 1] / kappa[L, 0] ** k)


def limit_curve(name: str, k: int) -> Series:
    """The same in the limit L, n -> infinity at fixed L/n."""
    ratios = limit_ratios(network(name, width=1, depth=1), TAU)
    return series_of(TAU, ratios[f"kappa{2 * k}/kappa2^{k}"])


LEADING = {  # c in kappa_{2k}/kappa_2^k = c (L/n)^{k-1}; derived on the hierarchy page
    ("relu", 2): 5.0, ("relu", 3): 75.0, ("relu", 4): 2000.0,
    ("tanh", 2): 2 / 3, ("tanh", 3): 16 / 15, ("tanh", 4): 96 / 35,
}  # fmt: skip


def leading_curve(name: str, k: int) -> Series:
    ends = np.array([TAU[0], TAU[-1]])
    return series_of(ends, LEADING[name, k] * ends ** (k - 1))


# --- drawing ------------------------------------------------------------------------------------


def _interpolated(curve: Series, x) -> np.ndarray:
    return np.exp(np.interp(np.log(x), np.log(curve["x"]), np.log(curve["y"])))


def draw_depth_over_width(series: dict[str, Series]):
    figure, axes = new_figure(7.4, 4.9, 2, 2, sharex=True, height_ratios=(1.6, 1))
    for column, (name, limit) in enumerate((("relu", "log-normal"), ("tanh", "universal K*=0"))):
        top, bottom = axes[:, column]
        curve, line = series[f"{name} limit"], series[f"{name} leading"]
        top.plot(curve["x"], curve["y"], color=INK, label=f"{limit} limit")
        top.plot(line["x"], line["y"], color=FAINT, ls="--", label="leading order")
        bottom.axhline(1.0, color=INK)
        for n, colour, marker in zip(WIDTHS, COLOURS, MARKERS, strict=False):
            exact = series[f"{name} n={n}"]
            limit_here = _interpolated(curve, exact["x"])
            style = {"color": colour, "marker": marker, "ms": 3.5, "lw": 0.8}
            top.plot(exact["x"], exact["y"], label=f"exact, n = {n}", **style)
            bottom.plot(exact["x"], np.array(exact["y"]) / limit_here, **style)
        top.set_title(f"{name}, critical, one input with K$^{{(1)}}$ = 1")
        top.legend(loc="upper left")
        log_axes(top)
        if name == "tanh":
            top.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5])
        log_axes(bottom, y=False)
        bottom.set_xlabel("L / n")
    axes[0, 0].set_ylabel(r"$\kappa_4\,/\,\kappa_2^2$")
    axes[1, 0].set_ylabel("exact / limit")
    return figure


def draw_kappa_series(series: dict[str, Series]):
    from matplotlib.ticker import LogFormatterSciNotation

    figure, axes = new_figure(7.4, 3.3, 1, 2, sharex=True)
    for ax, (name, n) in zip(axes[0], (("relu", 64), ("tanh", 64)), strict=True):
        for k, colour, marker in zip((2, 3, 4), COLOURS, MARKERS, strict=False):
            exact = series[f"{name} kappa{2 * k}"]
            curve = series[f"{name} kappa{2 * k} limit"]
            line = series[f"{name} kappa{2 * k} leading"]
            label = rf"$\kappa_{2 * k}/\kappa_2^{k}$"
            ax.plot(exact["x"], exact["y"], marker, color=colour, ms=3.5, label=label)
            ax.plot(curve["x"], curve["y"], color=colour, lw=1.0)
            ax.plot(line["x"], line["y"], color=colour, lw=0.8, ls="--")
        log_axes(ax)
        ax.yaxis.set_major_formatter(LogFormatterSciNotation())
        ax.set_title(f"{name}, n = {n}")
        ax.set_xlabel("L / n")
        ax.legend(loc="upper left" if name == "relu" else "lower right")
    return figure


# name -> (series -> its numbers, how it is drawn)
Figure = tuple[dict[str, Callable[[], Series]], Callable]
FIGURES: dict[str, Figure] = {
    "depth_over_width": (
        {
            f"{name} {what}": make
            for name in ("relu", "tanh")
            for what, make in (
                *((f"n={n}", partial(exact_curve, name, n, 2)) for n in WIDTHS),
                ("limit", partial(limit_curve, name, 2)),
                ("leading", partial(leading_curve, name, 2)),
            )
        },
        draw_depth_over_width,
    ),
    "kappa_series": (
        {
            f"{name} kappa{2 * k}{suffix}": make
            for name in ("relu", "tanh")
            for k in (2, 3, 4)
            for suffix, make in (
                ("", partial(exact_curve, name, 64, k)),
                (" limit", partial(limit_curve, name, k)),
                (" leading", partial(leading_curve, name, k)),
            )
        },
        draw_kappa_series,
    ),
} | KERNEL_FIGURES


def main(folder: Path = FOLDER) -> None:
    """Write every figure and its numbers."""
    folder.mkdir(exist_ok=True)
    for name, (makers, draw) in FIGURES.items():
        series = {key: make() for key, make in makers.items()}
        (folder / f"{name}.json").write_text(json.dumps(series, indent=0) + "\n")
        with style():
            figure = draw(series)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
        print(f"{name}: {len(series)} series", file=sys.stderr)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
