"""Data frames for people: polars or pandas where installed, else a small `Frame` of our own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from netsim.report.format import plural
from netsim.rows import COLUMNS, Row
from netsim.store.atomic import write_atomic
from netsim.store.table import effective_depth

__all__ = ["Frame", "aligned", "data_frame", "html_table", "rows_frame"]

MOST_LINES = 40  # lines of a frame that are shown; all are in the file of `to_csv`


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """A table of named columns of equal length.

    `frame["value"]` is a NumPy array, `len(frame)` the number of lines, iterating gives one dict per
    line, `frame.to_csv(path)` writes a file; text and HTML show the first lines.

    **Fields:** `columns`: name -> list of numbers, texts or None.
    """

    columns: Mapping[str, list]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, values, strict=True))

    def __getitem__(self, name: str) -> np.ndarray:
        """A column: int64, float64 (NaN where missing), or texts as objects."""
        if name not in self.columns:
            raise KeyError(f"{name!r}: the columns are {', '.join(self.columns)}")
        values = self.columns[name]
        known = [v for v in values if v is not None]
        if known and all(isinstance(v, (int, float)) for v in known):
            whole = len(known) == len(values) and all(isinstance(v, int) for v in known)
            return np.array(values, dtype=np.int64 if whole else np.float64)
        return np.array(values, dtype=object)

    def to_csv(self, path: str | Path) -> Path:
        """Write a CSV file, whole or not at all; every float is read back to the same bits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(["" if v is None else v for v in line.values()] for line in self)
        return write_atomic(path, text.getvalue().encode())

    def _shown(self) -> list[tuple[str, ...]]:
        head = list(self.columns.values())
        lines = zip(*(values[:MOST_LINES] for values in head), strict=True)
        return [tuple(self.columns), *(tuple(map(_cell, line)) for line in lines)]

    def _more(self) -> str:
        left = len(self) - MOST_LINES
        return f"... and {plural(left, 'more row')}; {len(self)} in all" if left > 0 else ""

    def __repr__(self) -> str:
        return "\n".join(filter(None, (aligned(self._shown()), self._more())))

    def _repr_html_(self) -> str:
        return html_table(self._shown()) + (f"<p>{self._more()}</p>" if self._more() else "")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of texts as plain text with aligned columns; the first line is the head."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def html_table(lines: Sequence[Sequence[str]]) -> str:
    """The same as an HTML table."""
    head = "".join(f"<th>{escape(text)}</th>" for text in lines[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in line) + "</tr>"
        for line in lines[1:]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def data_frame(lines: Iterable[Mapping[str, Any]], names: Sequence[str]):
    """Dicts as a data frame with the columns `names`.

    **Returns:** `polars.DataFrame` if polars is installed, else `pandas.DataFrame` if pandas is, else
    `Frame`. In a column that holds words and whole numbers (truncation) all are texts, and the words
    of a list (flags) are joined by ";", so that every column has one type.
    """
    lines = [{name: _plain(line.get(name)) for name in names} for line in lines]
    columns = {name: _one_type([line[name] for line in lines]) for name in names}
    try:
        import polars  # pyright: ignore[reportMissingImports]

        return polars.DataFrame(columns)
    except ImportError:
        pass
    try:
        import pandas  # pyright: ignore[reportMissingImports]

        return pandas.DataFrame(columns)
    except ImportError:
        return Frame(columns)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return ";".join(map(str, value))
    return value.item() if isinstance(value, np.generic) else value


def _one_type(values: list) -> list:
    if any(isinstance(v, str) for v in values):
        return [None if v is None else str(v) for v in values]
    return values


def rows_frame(rows: Iterable[Row], network):
    """Rows as a data frame: the columns of a row, and `effective_depth` (L/n at equal widths)."""
    lines = [
        row.json() | {"effective_depth": effective_depth(network.widths, row.layer, row.quantity)}
        for row in rows
    ]
    return data_frame(lines, [*COLUMNS, "effective_depth"])
