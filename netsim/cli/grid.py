"""The grid that a command's overrides span: one composed config per point."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from netsim.cli.compose import compose_one
from netsim.cli.words import key_of, pieces, values

__all__ = ["Composed", "expand"]

# options that only one kind of inputs has name the kind, too
_IMPLIED = {"inputs.gram": "inputs=gram", "inputs.path": "inputs=file"}


@dataclass(frozen=True)
class Composed:
    """One composed point: the override words that give it, and the config as plain data."""

    overrides: tuple[str, ...]
    config: dict[str, Any]


def expand(overrides: Sequence[str]) -> list[Composed]:
    """Every point of the grid: the experiment's `sweep` lines, each with the given overrides.

    Comma-separated values multiply out. What is given replaces the same key of every line; a given
    `inputs=` also the lines' options of inputs, a given `network.widths` their width and depth, and
    conversely. Points that occur twice are kept once.

    **Raises:** `ValueError`, see `compose_one`.
    """
    keys = [key_of(word) for word in overrides]
    implied = [word for key, word in _IMPLIED.items() if key in keys and "inputs" not in keys]
    given = [values(word) for word in (*implied, *overrides)]
    found: dict[tuple[str, ...], Composed] = {}
    for line in _lines([choices[0] for choices in given]):
        kept = [
            word for word in line if not _replaced(key_of(word), {*keys, *map(key_of, implied)})
        ]
        for chosen in itertools.product(*map(values, kept), *given):
            if chosen not in found:
                found[chosen] = Composed(chosen, compose_one(chosen))
    return list(found.values())


def _lines(overrides: Sequence[str]) -> list[list[str]]:
    """The words of every line of `sweep`; one empty line if there is none."""
    chosen = [word for word in overrides if key_of(word) in ("experiment", "sweep")]
    lines = compose_one(chosen).get("sweep") or [""] if chosen else [""]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError(
            f"sweep={lines!r}: must be a list of lines of overrides, e.g. "
            '"network.activation=relu,tanh network.width=32,64"'
        )
    return [[word for word in pieces(line, " ") if word] for line in lines]


def _replaced(key: str, given: Iterable[str]) -> bool:
    """Whether a line's `key` gives way to the keys given on the command line."""
    rivals = {
        "network.width": {"network.widths"},
        "network.depth": {"network.widths"},
        "network.widths": {"network.width", "network.depth"},
    }
    group = {"inputs"} if key.startswith("inputs.") else set()
    return bool(({key} | group | rivals.get(key, set())) & set(given))
