"""From table lines to curves: one `Series` per record and quantity, over the layers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Series", "named", "series", "thinned"]

MOST_POINTS = 24  # per curve; more make the page heavy and show nothing


@dataclass(frozen=True)
class Series:
    """One quantity of one record over its layers, arrays of shape (layers,), NaN where unknown.

    **Fields:** `label`, e.g. "n = 64"; `colour`, its place in the palette; `x`, effective depth;
    `value`, `error`; `prediction`, `pull`; `unreliable`, mask.
    """

    label: str
    colour: int
    x: np.ndarray
    value: np.ndarray
    error: np.ndarray
    prediction: np.ndarray
    pull: np.ndarray
    unreliable: np.ndarray

    def at(self, index) -> Series:
        """The series restricted to an index array or a mask."""
        arrays = ("x", "value", "error", "prediction", "pull", "unreliable")
        chosen = {name: getattr(self, name)[index] for name in arrays}
        return Series(self.label, self.colour, **chosen)

    @property
    def good(self) -> np.ndarray:
        """Mask of finite rows that are not unreliable."""
        return np.isfinite(self.value) & ~self.unreliable


def named(line: Mapping) -> str:
    """What a curve is called: the alias, else the quantity without its layer."""
    return line.get("alias") or re.sub(r"@(\d+|out)$", "", line["quantity"])


def _label(line: Mapping, taken: set[str]) -> str:
    width = line.get("width")
    label = f"n = {width}" if isinstance(width, int) else "unequal widths"
    return f"{label} ({line.get('title') or line.get('id')})" if label in taken else label


def series(table: Iterable[Mapping], name: str) -> list[Series]:
    """The curves called `name` (see `named`) in `table`, one per record, narrowest first.

    Of several estimates of one row (raw and Rao-Blackwellised) the first counts. Records of one
    width that cover different depths, e.g. a shallow run with more draws, are one curve.
    """
    records: dict[str, dict[float, Mapping]] = {}
    for line in table:
        depth = line.get("effective_depth")
        if depth is None or line.get("verdict") == "no estimate" or named(line) != name:
            continue
        records.setdefault(line["id"], {}).setdefault(depth, line)
    ordered = sorted(
        _joined(records.values()), key=lambda lines: _width(next(iter(lines.values())))
    )
    found, taken = [], set()
    for colour, lines in enumerate(ordered):
        label = _label(next(iter(lines.values())), taken)
        taken.add(label)
        found.append(_curve(label, colour, [lines[x] for x in sorted(lines)]))
    return found


def _joined(records: Iterable[dict[float, Mapping]]) -> list[dict[float, Mapping]]:
    """Records of one width whose depths do not overlap, put together."""
    joined: list[dict[float, Mapping]] = []
    for lines in records:
        width = _width(next(iter(lines.values())))
        for other in joined:
            same = width == _width(next(iter(other.values()))) and np.isfinite(width)
            if same and not set(lines) & set(other):
                other |= lines
                break
        else:
            joined.append(dict(lines))
    return joined


def _width(line: Mapping) -> float:
    width = line.get("width")
    return width if isinstance(width, int) else np.inf


def _curve(label: str, colour: int, lines: Sequence[Mapping]) -> Series:
    def column(name: str) -> np.ndarray:
        found = [line.get(name) for line in lines]
        return np.array([np.nan if value is None else value for value in found], dtype=np.float64)

    return Series(
        label=label,
        colour=colour,
        x=column("effective_depth"),
        value=column("value"),
        error=column("error"),
        prediction=column("prediction"),
        pull=column("pull"),
        unreliable=np.array([line.get("kind") == "unreliable" for line in lines], dtype=bool),
    )


def thinned(curve: Series, most: int = MOST_POINTS) -> Series:
    """At most `most` points, dense at small depth (axes are often logarithmic), both ends kept."""
    count = len(curve.x)
    if count <= most:
        return curve
    tries = count * 2
    while True:
        index = np.unique(np.rint(np.geomspace(1, count, tries)).astype(int)) - 1
        if len(index) <= most:
            return curve.at(index)
        tries = int(tries * 0.9)
