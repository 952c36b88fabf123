"""`netsim predict`: what theory says about a point; loads no JAX, draws nothing."""

from __future__ import annotations

from collections.abc import Sequence

from netsim.cli.grid import expand
from netsim.cli.show import print_config, print_rows

__all__ = ["run"]


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    grid = expand(overrides)
    if flags["cfg"]:
        return print_config(grid)
    from netsim.api.config import point_from
    from netsim.api.predict import predict

    rows = []
    for composed in grid:
        experiment = point_from(composed.config).experiment
        found = predict(experiment.network, experiment.inputs, experiment.named)
        rows += found.rows
        if not flags["json"]:
            print(point_from(composed.config).title)
            print(_table(found.rows))
            _print_refusals(found)
    if flags["json"]:
        print_rows(rows)
    return 0


def _table(rows) -> str:
    from netsim.cli.show import aligned
    from netsim.report.format import value_error

    table = [("quantity", "layer", "value", "numerical error", "theory", "good to")]
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
            )
        )
    return aligned(table)


def _print_refusals(found) -> None:
    predicted = {row.quantity.split("@")[0] for row in found.rows}
    for text, theory, reason in found.refusals:
        if text.split("@")[0] not in predicted:
            print(f"no prediction of {text} by {theory}: {reason}")
