"""Aliases: short names for common quantities, one per input.

    kappa{2k}[a]           cum[z1a^{2k}] / (2k-1)!!   (kappa_{2k} of Hanin 2204.01058)
    kappa{2k}/kappa2^k[a]  ncum[z1a^{2k}] / (2k-1)!!  dimensionless, O((L/n)^{k-1})

An alias row stands beside the row of the plain cumulant. With ~k behind it an alias names the
coefficient of n^-k, divided alike.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netsim.quantities import Quantity, parse

__all__ = ["ALIASES", "Named", "named_quantities"]


def _double_factorial(k: int) -> int:
    return math.prod(range(1, 2 * k, 2))


# alias -> (statistic, number of legs, divisor)
ALIASES: dict[str, tuple[str, int, int]] = {
    f"kappa{2 * k}": ("cum", 2 * k, _double_factorial(k)) for k in range(1, 5)
} | {
    f"kappa{2 * k}/kappa2^{k}".replace("^1", ""): ("ncum", 2 * k, _double_factorial(k))
    for k in range(2, 5)
}


@dataclass(frozen=True)
class Named:
    """A quantity with the aliases under which its value is also given.

    **Fields:** `quantity`; `alias`, e.g. "kappa4[a]" or, of a coefficient, "kappa4[a]~1", or None;
    `divisor`: alias value = plain value / divisor.
    """

    quantity: Quantity
    alias: str | None = None
    divisor: int = 1


def named_quantities(texts: Iterable[str], inputs: Sequence[str]) -> tuple[Named, ...]:
    """Quantities that `texts` name, in order, each once; an alias without [input] means every input.

    `"kappa4"`, `"kappa4[b]"`, `"kappa4/kappa2^2[a]@9"`, `"kappa4@out~1"` and any text of the grammar
    are accepted.

    **Raises:** `ValueError` for a text that is neither, pointing at the nearest alias.
    """
    found: dict[tuple[Quantity, str | None], Named] = {}
    for text in texts:
        for item in _expand(str(text).strip(), inputs):
            found.setdefault((item.quantity, item.alias), item)
    return tuple(found.values())


def _expand(text: str, inputs: Sequence[str]) -> list[Named]:
    match = re.fullmatch(r"(kappa[^\[@~]*)(?:\[([a-m]\d*)\])?(@(?:\d+|out))?(~\d+)?", text)
    if match is None:
        name = text if "/" in text else re.split(r"[\[@~]", text)[0]
        near = [] if name in ALIASES else difflib.get_close_matches(name, ALIASES, 1, 0.7)
        if near:
            raise ValueError(f"unknown quantity {text!r}. Did you mean {near[0]!r}?")
        if text.startswith("kappa"):
            raise ValueError(
                f"{text!r} is no alias: write kappa4, kappa4[a], kappa4[a]@9 (or @out), and ~k, the "
                "coefficient of n^-k, last: kappa4[a]@9~1"
            )
        return [Named(parse(text))]
    name, one, layer, order = match.groups(default="")
    if name not in ALIASES:
        near = difflib.get_close_matches(name, ALIASES, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown alias {name!r}.{hint} Known: {', '.join(ALIASES)}")
    if one and one not in inputs:
        raise ValueError(f"{text!r}: there is no input {one!r}; inputs: {', '.join(inputs)}")
    stat, legs, divisor = ALIASES[name]
    named = []
    for a in [one] if one else inputs:
        quantity = parse(f"{stat}[z1{a}^{legs}]{layer}{order}")
        named.append(Named(quantity, f"{name}[{a}]{order}", divisor))
    return named
