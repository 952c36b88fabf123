"""What the figures share: series of numbers, a white figure, logarithmic axes."""

from __future__ import annotations

__all__ = ["Series", "log_axes", "new_figure", "series_of"]

Series = dict[str, list[float]]


def series_of(x, y) -> Series:
    return {"x": [float(v) for v in x], "y": [float(v) for v in y]}


def new_figure(width: float, height: float, rows: int, columns: int, **options):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_facecolor("white")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def log_axes(ax, x=True, y=True) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for axis, wanted, scale in ((ax.xaxis, x, ax.set_xscale), (ax.yaxis, y, ax.set_yscale)):
        if wanted:
            scale("log")
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
    if x:
        ax.set_xticks([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])
        ax.set_xticklabels(["1/32", "1/16", "1/8", "1/4", "1/2", "1"])
        ax.set_xticks([], minor=True)
