"""The grid that a command's overrides span: one composed config per point."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netsim.cli.compose import compose_one
from netsim.cli.words import key_of, pieces, values

__all__ = ["Composed", "expand"]

# options that only one kind of inputs has name the kind, too
_IMPLIED = {"inputs.gram": "inputs=gram", "inputs.path": "inputs=file"}
_SIZES = ("network.width", "network.depth", "network.widths")
_LABELLED = ("network", "inputs", "sampler")  # what a label of a line may speak of


@dataclass(frozen=True)
class Composed:
    """One composed point.

    **Fields:** `overrides`, the words that give it; `config`, as plain data; `dropped`: the label that
    its line gives it, where the command line made that untrue; `merged`: the labels so dropped ("" for
    none) of other points of the experiment that became this one.
    """

    overrides: tuple[str, ...]
    config: dict[str, Any]
    dropped: str = ""
    merged: tuple[str, ...] = ()


def expand(overrides: Sequence[str]) -> list[Composed]:
    """Every point of the grid: the experiment's `sweep` lines, each with the given overrides.

    Comma-separated values multiply out. What is given replaces the same key of every line; a given
    `inputs=` also the lines' options of inputs, a given `network.widths` their width and depth, and
    conversely. A line's `group` is dropped from points that hold something else than the line says.
    Points that occur twice are kept once; points of several lines that the overrides made equal but
    for the seeds of their lines, too.

    **Raises:** `ValueError`, see `compose_one`.
    """
    keys = [key_of(word) for word in overrides]
    implied = [word for key, word in _IMPLIED.items() if key in keys and "inputs" not in keys]
    given = [values(word) for word in (*implied, *overrides)]
    found: dict[tuple, _Made] = {}
    for number, line in enumerate(_lines([choices[0] for choices in given])):
        kept = [
            word for word in line if not _replaced(key_of(word), {*keys, *map(key_of, implied)})
        ]
        for chosen in itertools.product(*map(values, kept), *given):
            words, label = chosen, ""
            changed = _untrue(line, chosen[len(kept) :])
            if changed:
                named = [word for word in chosen[: len(kept)] if key_of(word) == "group"]
                label = named[0].partition("=")[2].strip("'\"") if named else ""
                words = tuple(word for word in chosen if word not in named)
            at = (words, number if changed else None)
            if at not in found:
                composed = Composed(words, compose_one(words), label)
                found[at] = _Made(number, changed, composed)
    return _merged(list(found.values()), own_seed="run.seed" not in keys)


def _untrue(line: Sequence[str], given: Sequence[str]) -> bool:
    """Whether `given` words make a point something else than its line, and so its label, says.

    Several widths of a line are no part of what its label says; seeds and quantities never are.
    """
    said = {key_of(word): word for word in line}
    for word in given:
        key = key_of(word)
        if key.split(".")[0] not in _LABELLED:
            continue
        gone = [other for other in said if _replaced(other, {key})]
        if not gone and key not in _SIZES and said:
            return True
        for other in gone:
            choices = values(said[other])
            sweeps = other in _SIZES and len(choices) > 1
            if not sweeps and (other != key or values(word)[0] not in choices):
                return True
    return False


@dataclass(frozen=True)
class _Made:
    """A point, the number of its line, and whether it holds something else than the line says."""

    line: int
    changed: bool
    point: Composed


def _merged(made: Sequence[_Made], *, own_seed: bool) -> list[Composed]:
    """Each point once: those that were changed give way to an equal one of another line."""
    names = [_identity(one.point, own_seed) for one in made]
    first: dict[str, int] = {}  # the line that keeps it: one that says so, if any
    for name, one in sorted(zip(names, made, strict=True), key=lambda pair: pair[1].changed):
        first.setdefault(name, one.line)
    gone: dict[str, list[str]] = {}
    for name, one in zip(names, made, strict=True):
        if one.changed and first[name] != one.line:
            gone.setdefault(name, []).append(one.point.dropped)
    return [
        replace(one.point, merged=tuple(gone.pop(name, ())))
        for name, one in zip(names, made, strict=True)
        if not one.changed or first[name] == one.line
    ]


def _identity(point: Composed, own_seed: bool) -> str:
    """What the point draws, as text; `own_seed`: without the seed, which only tells lines apart."""
    config = {key: value for key, value in point.config.items() if key not in ("group", "sweep")}
    if own_seed:
        config["run"] = {key: value for key, value in config["run"].items() if key != "seed"}
    return json.dumps(config, sort_keys=True, default=str)


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
