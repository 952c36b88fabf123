"""The figure of a run: one quantity over effective depth or layer, beside its prediction."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from netsim.experiment.aliases import named_quantities
from netsim.experiment.experiment import Experiment
from netsim.rows import Row

__all__ = ["plot"]

AXES = ("L/n", "layer")


def plot(
    experiment: Experiment,
    rows: Sequence[Row],
    predictions: Sequence[Row],
    *,
    quantity: str | None,
    x: str,
):
    """Estimates with error bars, the best prediction as a line, pulls beneath where there are any.

    **Arguments:** `quantity`: a name that was measured (an alias without input: one curve per
    input); None: the first; `x`: "L/n" or "layer".

    **Returns:** a `matplotlib.figure.Figure` that notebooks show.

    **Raises:** `ValueError` for a quantity that was not measured or an unknown axis.
    """
    from netsim.report.figures import label_of, prediction_figure
    from netsim.store.table import tidy

    if x not in AXES:
        raise ValueError(f"x={x!r}: must be one of {', '.join(map(repr, AXES))}")
    names = _names(experiment, quantity)
    record = {
        "id": experiment.id,
        "network": experiment.network.identity(),
        "estimates": rows,
        "predictions": predictions,
    }
    lines = tidy([record])
    if x == "layer":
        lines = [{**line, "effective_depth": line["layer"]} for line in lines]
    curves = _curves(lines, names)
    label = names[0] if len(names) == 1 else re.sub(r"\[.*", "", names[0])
    figure = prediction_figure(curves, label_of(label))
    if x == "layer":
        figure.axes[-1].set_xlabel(r"layer  $\ell$")
    return _shown_in_notebooks(figure)


def _names(experiment: Experiment, quantity: str | None) -> list[str]:
    """What the curves are called in tables: aliases, else texts without layer."""
    asked = experiment.quantities[0] if quantity is None else quantity
    wanted = named_quantities([asked], experiment.inputs.names)
    measured = {(item.quantity.at(None), item.alias) for item in experiment.named}
    for item in wanted:
        if (item.quantity.at(None), item.alias) not in measured:
            raise ValueError(
                f"quantity={asked!r} was not measured; measured: {', '.join(experiment.quantities)}"
            )
    return [item.alias or item.quantity.at(None).text for item in wanted]


def _curves(lines: Iterable[Mapping], names: Sequence[str]) -> list:
    from dataclasses import replace

    from netsim.report.series import series

    lines = list(lines)
    found = [(name, curve) for name in names for curve in series(lines, name)]
    if len(found) == 1:
        return [curve for _, curve in found]
    inputs = [re.sub(r".*\[(.*)\].*", r"input \1", name) for name, _ in found]
    return [
        replace(curve, label=label, colour=i)
        for i, (label, (_, curve)) in enumerate(zip(inputs, found, strict=True))
    ]


def _shown_in_notebooks(figure):
    # a figure made without pyplot has no picture of its own in a notebook; front ends ask the
    # object for `_repr_svg_`. White, because dark notebooks would swallow the dark ink.
    figure.patch.set(facecolor="white", alpha=1.0)
    figure._repr_svg_ = partial(_svg, figure)
    return figure


def _svg(figure) -> str:
    from netsim.report.style import style

    out = io.StringIO()
    with style():
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
