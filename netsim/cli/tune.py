"""`netsim tune activation=NAME`: every critical point of an activation; loads no JAX."""

from __future__ import annotations

from collections.abc import Sequence

from netsim.cli.show import print_rows
from netsim.cli.words import key_of, nearest, values

__all__ = ["KEYS", "run"]

KEYS = ("activation", "kernel", "tolerance", "layers")
_NUMBERS = ("kernel", "tolerance", "layers")


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    if flags["cfg"]:
        raise ValueError("tune composes no config: leave --cfg out")
    names, options = _arguments(overrides)
    from netsim.api.tune import tune
    from netsim.api.tune_text import records, text

    rows = []
    for number, name in enumerate(names):
        found = tune(name, **options, progress=not flags["quiet"])
        if flags["json"]:
            rows += records(found)
        else:
            print(("\n" if number else "") + text(found), flush=True)
    if flags["json"]:
        print_rows(rows)
    return 0


def _arguments(overrides: Sequence[str]) -> tuple[list[str], dict]:
    """(activations, options of `netsim.tune`).

    **Raises:** `ValueError` for other keys, values that are no numbers, and no activation at all.
    """
    names: list[str] = []
    options = {}
    for word in overrides:
        key = key_of(word).removeprefix("network.")
        given = [value.partition("=")[2].strip("'\"") for value in values(word)]
        if key not in KEYS:
            raise ValueError(
                f"tune has no key {key_of(word)!r}.{nearest(key, KEYS)} Keys: {', '.join(KEYS)}"
            )
        if key == "activation":
            names = given
            continue
        if len(given) != 1:
            raise ValueError(f"{word}: give one value; only activation= takes several")
        options[key] = _number(key, given[0])
    if not names:
        raise ValueError("tune needs an activation, e.g. netsim tune activation=gelu")
    return names, options


def _number(key: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{key}={value}: must be a number") from None
