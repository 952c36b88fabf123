"""How figures look: palette, markers, axes, and SVG that follows the page's light or dark theme.

Matplotlib is imported inside the functions, and only `matplotlib.figure.Figure` is used: the
user's pyplot state and rcParams stay as they are.
"""

from __future__ import annotations

import io
import math
import re
from html import escape

__all__ = [
    "COLOURS",
    "FAINT",
    "INK",
    "MARKERS",
    "canvas",
    "legend",
    "plain_ticks",
    "style",
    "svg",
    "theme_css",
]

# Okabe & Ito (2008): distinguishable with every common colour deficiency; ordered so that
# neighbours also differ in grey on paper. The second number is the shade on a dark page.
_PALETTE = (
    ("#0072b2", "#56a8e0"),
    ("#d55e00", "#f08a3c"),
    ("#009e73", "#35c39b"),
    ("#a8508a", "#dd93c2"),
    ("#8a6d00", "#e0c04a"),
    ("#3a3a3a", "#c8c8c8"),
)
COLOURS = tuple(light for light, _ in _PALETTE)
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, FAINT = "#1c1d20", "#8b8d92"
_THEME = {
    **{light: f"var(--c{i}, {light})" for i, light in enumerate(COLOURS)},
    INK: f"var(--ink, {INK})",
    FAINT: f"var(--faint, {FAINT})",
}
_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "mathtext.fontset": "dejavusans",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "path",  # the same picture on every device, no font needed
    "svg.hashsalt": "netsim",  # the same file from the same numbers
    "text.usetex": False,
    "axes.formatter.use_locale": False,
}


def theme_css() -> tuple[str, str]:
    """CSS declarations of the series colours for a light and for a dark page."""
    light = " ".join(f"--c{i}: {pair[0]};" for i, pair in enumerate(_PALETTE))
    dark = " ".join(f"--c{i}: {pair[1]};" for i, pair in enumerate(_PALETTE))
    return light, dark


def style():
    """Context in which figures are built and saved, whatever the user's rcParams are."""
    import matplotlib.style

    return matplotlib.style.context(["default", _RC])


def canvas(width: float, height: float, ratios: tuple[float, ...] = (1.0,), top: float = 0.5):
    """A figure with panels stacked over one x-axis: (figure, [axes from top to bottom]).

    `top`: inches above the panels, for the legend.
    """
    from matplotlib.figure import Figure

    # fixed margins in inches: a layout engine draws every figure three times over
    figure = Figure(figsize=(width, height))
    figure.patch.set_alpha(0.0)
    margins = {"left": 0.72 / width, "right": 1 - 0.1 / width, "bottom": 0.5 / height}
    axes = figure.subplots(
        len(ratios), 1, sharex=True, squeeze=False,
        gridspec_kw={"height_ratios": ratios, "hspace": 0.1, "top": 1 - top / height, **margins},
    )[:, 0]  # fmt: skip
    for ax in axes:
        ax.patch.set_alpha(0.0)
    return figure, list(axes)


def plain_ticks(axis) -> None:
    """Tick labels 0.1, 1, 10 rather than powers, where that stays short."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    if axis.get_scale() != "log":
        return
    low, high = sorted(axis.get_view_interval())
    decades = 0.0 if low <= 0 else math.log10(high / low)
    if 0 < decades < 1.2:  # one labelled power of ten would not show the scale
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    if low >= 1e-4 and high <= 2e4:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
    if decades > 2:  # hundreds of unlabelled ticks are most of a figure's bytes
        axis.set_minor_locator(NullLocator())


def legend(figure, ax) -> None:
    """A legend above the panels, out of the data's way, read line by line; room for two lines."""
    from matplotlib.container import ErrorbarContainer

    handles, labels = ax.get_legend_handles_labels()
    pairs = list(zip(handles, labels, strict=True))
    pairs.sort(key=lambda pair: not isinstance(pair[0], ErrorbarContainer))  # the data come first
    columns = 4 if len(pairs) <= 4 else 3
    # matplotlib fills column by column
    order = [i for column in range(columns) for i in range(column, len(pairs), columns)]
    if pairs:
        figure.legend(*zip(*(pairs[i] for i in order), strict=True), loc="upper left",
                      ncols=min(columns, len(pairs)), handlelength=1.6, handletextpad=0.5,
                      columnspacing=1.0, borderaxespad=0.1)  # fmt: skip


def svg(figure, prefix: str, description: str) -> str:
    """The figure as inline SVG: scalable, themed, with its own ids and a text for screen readers.

    **Arguments:** `prefix` starts every id, so that many figures share one page.
    """
    out = io.StringIO()
    with style():
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.S)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'href="#', f'href="#{prefix}-', text)
    text = re.sub(r"url\(#", f"url(#{prefix}-", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    for colour, variable in _THEME.items():
        text = text.replace(colour, variable)
    text = _shortened(text)
    label = escape(description, quote=True)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _shortened(text: str) -> str:
    """Half the bytes: coordinates to a hundredth of a point, groups without ids, no indentation."""
    used = set(re.findall(r"(?:href=\"|url\()#([^\")]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda m: m.group(0) if m.group(1) in used else "", text)
    # numbers below 1 stay as they are: the glyphs' scale is among them
    text = re.sub(r"(?<![\d.])([1-9]\d*\.\d\d)\d+", r"\1", text)
    text = re.sub(r">\s+<", "><", text)
    return re.sub(r"\s*\n\s*", " ", text)
