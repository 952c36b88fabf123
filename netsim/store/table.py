"""The tidy table: one line per (record, row), with what is needed to plot it without a device.

Columns: `IDENTITY`, then the columns of a row, then `COMPARISON`. A prediction without an estimate
keeps its line (empty `value`, verdict "no estimate"), so that no name is ever dropped.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from netsim.compare import Comparison, join
from netsim.rows import COLUMNS, Row
from netsim.store.atomic import write_atomic

__all__ = [
    "TABLE_COLUMNS",
    "effective_depth",
    "read_csv",
    "tidy",
    "write_csv",
    "write_parquet",
]

IDENTITY = ("id", "title", "group", "activation", "width", "depth", "effective_depth")
COMPARISON = (
    "prediction",
    "prediction_error",
    "prediction_source",
    "prediction_truncation",
    "prediction_truncation_error",
    "pull",
    "relative",
    "kind",
    "verdict",
)
TABLE_COLUMNS = (*IDENTITY, *COLUMNS, *COMPARISON)
_FLOATS = {
    "effective_depth",
    "value",
    "error",
    "truncation_error",
    "prediction",
    "prediction_error",
    "prediction_truncation_error",
    "pull",
    "relative",
}
_WHOLE = {"depth", "layer", "draws"}
_MIXED = {"width", "truncation", "prediction_truncation"}  # a whole number or a word


def effective_depth(widths: Sequence[int], layer: int | None, quantity: str = "") -> float | None:
    """sum_l 1/n_l over the hidden layers that `quantity` at `layer` depends on.

    z^(layer) is built from layers 1..layer-1; S^(layer), the covariance of z^(layer+1), also sums
    over the neurons of its own layer. At equal widths and `layer` = L+1 this is L/n.

    **Returns:** None where the quantity has no layer.
    """
    if layer is None:
        return None
    own = quantity.partition("[")[2].startswith("S")
    return sum(1.0 / n for n in widths[: layer if own else layer - 1])


def _identity(record: Mapping) -> dict:
    network = record.get("network") or {}
    widths = network.get("widths") or []
    equal = len(set(widths)) == 1
    return {
        "id": record.get("id", ""),
        "title": record.get("title", ""),
        "group": record.get("group", ""),
        "activation": network.get("activation", ""),
        "width": widths[0] if equal else json.dumps(list(widths)),
        "depth": len(widths),
    }


def _line(identity: dict, widths: Sequence[int], row: Row) -> dict:
    depth = effective_depth(widths, row.layer, row.quantity)
    empty = dict.fromkeys(COMPARISON)
    flags = ";".join(row.flags)
    return {**identity, "effective_depth": depth, **row.json(), "flags": flags, **empty}


def _predicted(prediction: Row) -> dict:
    return {
        "prediction": prediction.value,
        "prediction_error": prediction.error,
        "prediction_source": prediction.source,
        "prediction_truncation": prediction.truncation,
        "prediction_truncation_error": prediction.truncation_error,
    }


def tidy(records: Iterable[Mapping]) -> list[dict]:
    """The table of `records`: their rows joined with their predictions, in `TABLE_COLUMNS`.

    Lines keep the order of the records and of their estimates; estimates without a prediction have
    the verdict "no prediction" and follow the matches of their record.
    """
    table: list[dict] = []
    for record in records:
        comparison = join(record.get("estimates") or [], record.get("predictions") or [])
        table += _record_lines(record, comparison)
    return table


def _record_lines(record: Mapping, comparison: Comparison) -> list[dict]:
    identity = _identity(record)
    widths = (record.get("network") or {}).get("widths") or []
    lines = []
    for match in comparison.matches:
        judged = {
            "pull": match.pull,
            "relative": match.relative,
            "kind": match.kind,
            "verdict": match.verdict,
        }
        line = _line(identity, widths, match.estimate)
        lines.append(line | _predicted(match.prediction) | judged)
    for row in comparison.unmatched_estimates:
        kind = "unreliable" if "unreliable" in row.flags else "none"
        lines.append(_line(identity, widths, row) | {"kind": kind, "verdict": "no prediction"})
    for row in comparison.unmatched_predictions:
        line = _line(identity, widths, row) | {"value": None, "error": None}
        line |= {"truncation": None, "truncation_error": None}
        lines.append(line | _predicted(row) | {"kind": "none", "verdict": "no estimate"})
    return lines


def _cell(name: str, value) -> str:
    if value is None:
        return ""
    return repr(float(value)) if name in _FLOATS else str(value)  # float(): NumPy scalars, too


def write_csv(path: str | os.PathLike, table: Sequence[Mapping]) -> Path:
    """Write the table as CSV; floats are written so that `read_csv` gives back the same bits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TABLE_COLUMNS)
    writer.writerows([_cell(name, line.get(name)) for name in TABLE_COLUMNS] for line in table)
    return write_atomic(path, text.getvalue().encode())


def _parsed(name: str, text: str):
    if name in _FLOATS:
        return float(text) if text else None
    if name in _WHOLE:
        return int(text) if text else None
    if name in _MIXED:
        return int(text) if text.lstrip("-").isdigit() else text or None
    return (text or None) if name in ("alias", "prediction_source") else text


def read_csv(path: str | os.PathLike) -> list[dict]:
    """The table in a file of `write_csv`, with the same types and the same numbers.

    **Raises:** `ValueError` where the header or a line is not that of a table.
    """
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = tuple(next(reader, ()))
        if header != TABLE_COLUMNS:
            raise ValueError(
                f"{path}: its first line is not the header of a netsim table; expected "
                f"{','.join(TABLE_COLUMNS)}. `netsim report` writes such a file"
            )
        table = []
        for number, cells in enumerate(reader, start=2):
            if len(cells) != len(header):
                raise ValueError(f"{path}: line {number} has {len(cells)} of {len(header)} cells")
            pairs = zip(header, cells, strict=True)
            try:
                table.append({name: _parsed(name, text) for name, text in pairs})
            except ValueError as error:
                raise ValueError(f"{path}: line {number}: {error}") from None
    return table


def write_parquet(path: str | os.PathLike, table: Sequence[Mapping]) -> Path:
    """Write the table as parquet, columns typed (width and truncations as text).

    **Raises:** `ValueError` where polars is not installed; CSV needs nothing.
    """
    try:
        import polars  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ValueError(
            f"cannot write {path}: parquet needs polars, which is not installed; "
            "`pip install 'netsim[parquet]'`, or write CSV, which holds the same numbers"
        ) from None

    def kind(name: str):
        if name in _FLOATS:
            return polars.Float64
        return polars.Int64 if name in _WHOLE else polars.String

    def value(name: str, given):
        return given if given is None or name in _FLOATS | _WHOLE else str(given)

    columns = {name: [value(name, line.get(name)) for line in table] for name in TABLE_COLUMNS}
    frame = polars.DataFrame(columns, schema={name: kind(name) for name in TABLE_COLUMNS})
    content = io.BytesIO()
    frame.write_parquet(content)
    return write_atomic(path, content.getvalue())
