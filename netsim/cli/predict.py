"""`netsim predict`: what theory says about a point; loads no JAX, draws nothing."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace

from netsim.cli.grid import Composed, expand
from netsim.cli.show import aligned, print_config, print_rows
from netsim.cli.sweep import note_labels, points_of
from netsim.experiment.aliases import named_quantities

__all__ = ["run"]


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    grid = expand(overrides)
    if flags["cfg"]:
        return print_config(grid, json_wanted=flags["json"])
    import numpy as np

    from netsim.api.predict import predict
    from netsim.api.refusals import unanswered
    from netsim.api.sweep import check_predictable

    points = points_of([_without_draws(composed) for composed in grid])
    for point in points:
        check_predictable(point.experiment)
    note_labels(grid)
    if flags["symbolic"]:
        return _symbolic(grid, points, json_wanted=flags["json"])
    rows, missing = [], []
    for composed, point in zip(grid, points, strict=True):
        made = point.experiment
        named = named_quantities(_texts(composed), made.inputs.names)
        with np.errstate(all="ignore"):  # what is not finite is left out of the rows, and told
            found = predict(made.network, made.inputs, named, made.layers, point.order)
        id = {"id": made.id} if len(points) > 1 else {}
        rows += [id | row.json() for row in found.rows]
        told = unanswered(found, named)
        if flags["json"]:
            missing += told
            continue
        print(point.title)
        print("\n".join(([_table(found.rows)] if found.rows else []) + told))
    if flags["json"]:
        print_rows(rows)
        for paragraph in dict.fromkeys(missing):
            print(f"netsim: {paragraph}", file=sys.stderr)
    return 0


def _symbolic(grid: Sequence[Composed], points: Sequence, *, json_wanted: bool) -> int:
    from netsim.api.symbolic import symbolic_records
    from netsim.cli.symbolic import print_symbolic

    found = []
    for composed, point in zip(grid, points, strict=True):
        made = point.experiment
        named = named_quantities(_texts(composed), made.inputs.names)
        records = symbolic_records(made.network, made.inputs, named, point.order)
        id = {"id": made.id} if len(points) > 1 else {}
        found.append((point.title, [id | record for record in records]))
    print_symbolic(found, json_wanted=json_wanted)
    return 0


def _texts(composed: Composed) -> list[str]:
    """The quantities asked for, as texts."""
    given = composed.config.get("quantities")
    texts = [given] if isinstance(given, str) else given
    return [str(text) for text in texts] if isinstance(texts, list) else []


def _without_draws(composed: Composed) -> Composed:
    """The point without what only drawing asks for.

    Quantities lose their ~k: a coefficient of 1/n is predicted, never measured. What the conditional
    sampler cannot draw (H, dH, g, other weights) is taken as `dense`, and of dH, whose n^3 numbers are
    drawn at small widths only, the point does not speak.
    """
    texts = [re.sub(r"~\d+\s*$", "", text) for text in _texts(composed)]
    config = composed.config
    gaussian = (config.get("network") or {}).get("weights", "gaussian") == "gaussian"
    if any(re.search(r"[\[ ](d?H|g)\d", text) for text in texts) or not gaussian:
        config = config | {"sampler": "dense"}
    plain = [text for text in texts if not re.search(r"[\[ ]dH\d", text)]
    if len(plain) < len(texts):
        texts = plain or ["kappa2"]
    return replace(composed, config=config | ({"quantities": texts} if texts else {}))


def _table(rows) -> str:
    from netsim.report.format import value_error

    head = ("quantity", "layer", "value", "numerical error", "theory", "good to", "next term", "")
    table: list[tuple[str, ...]] = [head]
    for row in rows:
        kept = row.truncation if isinstance(row.truncation, str) else f"n^-{row.truncation}"
        table.append(
            (
                row.alias or row.quantity,
                str(row.layer),
                value_error(row.value, None),
                f"{row.error:.1e}",
                row.source.removeprefix("theory:"),
                kept,
                "" if row.truncation_error is None else f"{row.truncation_error:.1e}",
                " ".join(row.flags),
            )
        )
    return aligned(table)
