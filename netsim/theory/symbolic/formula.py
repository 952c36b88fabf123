"""A named quantity as an expression in joint cumulants of S: pairings, partitions, norms, ratios.

The symbolic twin of `statistics`: cumulants of z are sums over pairings, moments sums over set
partitions, and q adds its own chi-squared noise, with powers of 1/n, n the width of its layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from netsim.quantities import Leg, Quantity
from netsim.theory.base import OutsideDomain
from netsim.theory.norm_terms import norm_terms, partitions
from netsim.theory.pairings import SlotPair, output_pairings
from netsim.theory.symbolic.names import load_sympy, overlap_symbol

__all__ = ["Cumulant", "formula"]

Cumulant = Callable[[tuple[SlotPair, ...]], Any]


def formula(quantity: Quantity, cumulant: Cumulant | None = None) -> Any:
    """`quantity` in joint cumulants of S of its layer (for z and q of the layer before).

    **Arguments:** `cumulant`: sorted pairs of slots -> the expression to stand for their joint
    cumulant (default: kappa(S_ab, S_cd, ...)).

    **Raises:** `OutsideDomain` for quantities that are not functions of cumulants of S.
    """
    _check(quantity)
    cumulant = _kappa if cumulant is None else cumulant
    if quantity.stat == "mom":
        return _moment(quantity.legs, cumulant)
    value = _cumulant(quantity.legs, cumulant)
    if quantity.stat == "ncum":
        for leg in quantity.legs:
            value = value / load_sympy().sqrt(_cumulant((leg, leg), cumulant))
    return value


def _check(quantity: Quantity) -> None:
    if quantity.fields not in (("z",), ("S",), ("q",)):
        raise OutsideDomain(
            f"{quantity.text}: formulas are known for z alone, S alone or q alone (without ~order); "
            "use e.g. cum[z1a^4], cum[Saa^2], cum[qa^2] or kappa4"
        )
    if any(leg.layer is not None for leg in quantity.legs):
        raise OutsideDomain(f"{quantity.text}: legs with layers of their own have no formula here")
    if quantity.stat == "logcum":
        raise OutsideDomain(
            f"{quantity.text}: log-moments are no function of finitely many cumulants"
        )


def _kappa(legs: tuple[SlotPair, ...]) -> Any:
    return load_sympy().Function("kappa")(*(overlap_symbol(pair) for pair in legs))


def _overlaps(legs: Sequence[Leg]) -> list[tuple[int, tuple[SlotPair, ...]]]:
    if legs[0].field == "S":
        return [(1, tuple(sorted((min(leg.slots), max(leg.slots)) for leg in legs)))]
    return [(count, pairs) for pairs, count in sorted(output_pairings(legs).items())]


def _cumulant(legs: Sequence[Leg], cumulant: Cumulant) -> Any:
    sympy = load_sympy()
    if legs[0].field == "q":
        n = sympy.Symbol("n", positive=True)
        slots = tuple(leg.slots[0] for leg in legs)
        return sum(
            (
                sympy.Integer(count) / n**power * sympy.prod(cumulant(block) for block in blocks)
                for (power, blocks), count in sorted(norm_terms(slots).items())
            ),
            sympy.Integer(0),
        )
    return sum((count * cumulant(pairs) for count, pairs in _overlaps(legs)), sympy.Integer(0))


def _moment(legs: Sequence[Leg], cumulant: Cumulant) -> Any:
    sympy = load_sympy()
    products: list = [(1, tuple(legs))]
    block: Callable = lambda part: _cumulant(part, cumulant)
    if legs[0].field != "q":
        products, block = _overlaps(legs), lambda part: cumulant(tuple(sorted(part)))
    total = sympy.Integer(0)
    for count, parts in products:
        for partition in partitions(list(range(len(parts)))):
            total += count * sympy.prod(block([parts[i] for i in group]) for group in partition)
    return total
