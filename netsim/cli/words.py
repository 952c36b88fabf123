"""Override words: their keys, their values, and quotes where a shell user rarely writes them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["key_of", "nearest", "pieces", "values"]

_OPEN, _CLOSE, _QUOTES = "([{", ")]}", "'\""


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint "Did you mean ...?" with the nearest of `known`, or nothing."""
    near = difflib.get_close_matches(word, list(known), 1)
    return f" Did you mean {near[0]}?" if near else ""


def key_of(word: str) -> str:
    """The key that an override sets, without +, ~ and package."""
    return word.split("=", 1)[0].lstrip("+~").split("@", 1)[0]


def pieces(text: str, separator: str) -> list[str]:
    """`text` split at `separator` outside brackets and quotes; quotes count at the start of a piece.

    So the apostrophe of `cum[z1a'u^2]` opens nothing.
    """
    found, depth, quote, start = [], 0, "", 0
    for i, c in enumerate(text):
        fresh = i == 0 or text[i - 1] in _OPEN + ",= "
        if quote:
            quote = "" if c == quote else quote
        elif c in _QUOTES and fresh:
            quote = c
        elif c in _OPEN + _CLOSE:
            depth += 1 if c in _OPEN else -1
        elif c == separator and depth == 0:
            found.append(text[start:i])
            start = i + 1
    return [*found, text[start:]]


def values(word: str) -> list[str]:
    """The override once for each of its comma-separated values, by Hydra's own grammar.

    Values that Hydra cannot read as they stand are read as if each was quoted, so that
    `network.activation=leaky_relu(0.1)` and `quantities=[cum[z1a z1b],kappa4]` need no inner quotes.

    **Raises:** `ValueError` for what is no override even so.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    key, equals, value = word.partition("=")
    if not word.startswith("~") and not (equals and re.fullmatch(r"\+{0,2}[A-Za-z_][\w./@]*", key)):
        raise _no_override(word)
    if key_of(word).split(".")[0].split("/")[0] == "hydra":
        raise ValueError(
            f"{word!r}: netsim takes no settings of Hydra itself; out=FOLDER says where results go"
        )
    parser = OverridesParser.create()
    for attempt in (word, f"{key}={_quoted(value)}"):
        try:
            (override,) = parser.parse_overrides([attempt])
        except HydraException:
            continue
        if not override.is_sweep_override():
            return [attempt]
        return [f"{key}={value}" for value in override.sweep_string_iterator()]
    raise _no_override(word)


def _quoted(value: str) -> str:
    """Every comma-separated piece in quotes, inside lists too."""
    return ",".join(_quoted_one(piece.strip()) for piece in pieces(value, ","))


def _quoted_one(piece: str) -> str:
    if piece.startswith("[") and piece.endswith("]"):
        return f"[{_quoted(piece[1:-1])}]"
    if piece[:1] in ("", *_QUOTES, "{", "$") or re.fullmatch(r"[\w.+-]*", piece):
        return piece
    quote = '"' if "'" in piece else "'"
    return quote + piece.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


def _no_override(word: str) -> ValueError:
    if "=" not in word:
        hint = f" Did you mean out={word}?" if Path(word).is_dir() else ""
        if re.match(r"kappa[2-8]|(n|log)?cum\[|mom\[", word):
            asked = f"quantities=[{word}]"
            quoted = asked if re.fullmatch(r"[^\s'\"{}^]*", word) else f'"{asked}"'
            hint = f" Did you mean {quoted}?"
        return ValueError(
            f"{word!r} is not an override: write key=value, e.g. network.width=64.{hint}"
        )
    return ValueError(
        f"{word!r} is not an override: write key=value with brackets and quotes closed. The shell "
        "takes off one layer of quotes: give brackets, spaces and apostrophes as in "
        '"quantities=[cum[z1a z1b],cum[z1a\'u^2]]"'
    )
