"""`netsim advise activation=NAME depth=L width=n`: will infinite width do? Loads no JAX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netsim.cli.show import print_rows
from netsim.cli.words import key_of, nearest, values

__all__ = ["KEYS", "run"]

KEYS = ("activation", "depth", "width", "weight_variance", "bias_variance", "norm2", "accuracy")
_NAMED = ("weight_variance", "bias_variance", "norm2")  # take the word "critical", their default


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    if flags["cfg"]:
        raise ValueError("advise composes no config: leave --cfg out")
    names, options = _arguments(overrides)
    from netsim.api.advise import answered, asked
    from netsim.api.advise_text import records, text

    rows = []
    questions = [asked(name, **options) for name in names]  # a bad one is told of before any answer
    for number, question in enumerate(questions):
        found = answered(question)
        if flags["json"]:
            rows += records(found)
        else:
            print(("\n" if number else "") + text(found), flush=True)
    if flags["json"]:
        print_rows(rows)
    return 0


def _arguments(overrides: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """(activations, options of `netsim.advise`).

    **Raises:** `ValueError` for other keys, values that are no numbers, and what is missing.
    """
    names: list[str] = []
    options: dict[str, Any] = {}
    for word in overrides:
        key = key_of(word).removeprefix("network.").removeprefix("inputs.")
        given = [value.partition("=")[2].strip("'\"") for value in values(word)]
        if key not in KEYS:
            raise ValueError(
                f"advise has no key {key_of(word)!r}.{nearest(key, KEYS)} Keys: {', '.join(KEYS)}"
            )
        if key == "activation":
            names = given
            continue
        if len(given) != 1:
            raise ValueError(f"{word}: give one value; only activation= takes several")
        if given[0] == "critical" and key in _NAMED:
            options.pop(key, None)
            continue
        options[key] = _number(key, given[0])
    missing = [key for key in ("depth", "width") if key not in options]
    if not names or missing:
        what = "an activation" if not names else f"{' and '.join(missing)}"
        raise ValueError(
            f"advise needs {what}, e.g. netsim advise activation=tanh depth=8 width=64"
        )
    return names, options


def _number(key: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{key}={value}: must be a number") from None
