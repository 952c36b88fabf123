"""Every named statistic from a theory's cumulants of the collective variables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsim.quantities import Leg, Quantity, Slot
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.combine import over_root, product, weakest, weighted_sum
from netsim.theory.norm_terms import norm_terms, partitions
from netsim.theory.pairings import SlotPair, output_pairings

__all__ = ["statistic"]


def statistic(theory: AbstractTheory, quantity: Quantity) -> Values:
    """`quantity` at every layer row, whatever its own layer.

    **Raises:** `OutsideDomain` for what this theory or this function does not cover.
    """
    if quantity.fields not in (("z",), ("S",), ("q",)):
        raise OutsideDomain(f"{quantity.text}: only z alone, S alone or q alone are predicted")
    if any(leg.layer is not None for leg in quantity.legs):
        raise OutsideDomain(f"{quantity.text}: legs with layers of their own are not predicted")
    if quantity.order is not None:
        raise OutsideDomain(f"{quantity.text}: single coefficients of 1/n are not predicted")
    if quantity.stat == "logcum":
        raise OutsideDomain(f"{quantity.text}: no prediction for log-moments")
    if quantity.stat == "mom":
        return _moment(theory, quantity.legs)
    value = _cumulant(theory, quantity.legs)
    if quantity.stat == "ncum":
        for leg in quantity.legs:
            value = over_root(value, _cumulant(theory, (leg, leg)))
    return value


def _overlaps(legs: Sequence[Leg]) -> list[tuple[float, tuple[SlotPair, ...]]]:
    """(coefficient, S-legs) whose cumulants or moments add up to those of `legs`."""
    if legs[0].field == "S":
        return [(1.0, tuple(sorted((min(s.slots), max(s.slots)) for s in legs)))]
    return [(float(count), pairs) for pairs, count in sorted(output_pairings(legs).items())]


def _cumulant(theory: AbstractTheory, legs: Sequence[Leg]) -> Values:
    if legs[0].field == "q":
        return _norm_cumulant(theory, tuple(leg.slots[0] for leg in legs))
    terms = _overlaps(legs)
    return _sum([(c, theory.overlap_cumulant(pairs)) for c, pairs in terms], theory)


def _moment(theory: AbstractTheory, legs: Sequence[Leg]) -> Values:
    """E prod of legs = sum over set partitions of products of cumulants, of S or of q."""
    cumulant = theory.overlap_cumulant
    products: list = [] if legs[0].field == "q" else _overlaps(legs)
    if legs[0].field == "q":
        cumulant = lambda slots: _norm_cumulant(theory, slots)
        products = [(1.0, tuple(leg.slots[0] for leg in legs))]
    terms = []
    for coefficient, parts in products:
        for partition in partitions(list(range(len(parts)))):
            blocks = [cumulant(tuple(sorted(parts[i] for i in block))) for block in partition]
            terms.append((coefficient, product(blocks)))
    return _sum(terms, theory)


def _norm_cumulant(theory: AbstractTheory, slots: tuple[Slot, ...]) -> Values:
    """The joint cumulant of q; row l belongs to layer l+1, the last row (outputs) is NaN."""
    network = theory.network
    if len(slots) > 1 and not network.weights.is_gaussian:
        raise OutsideDomain("fluctuations of q are those of S plus chi^2 for gaussian weights only")
    n = np.array([*network.widths, np.nan])
    total, error, kept = np.zeros(len(n)), np.zeros(len(n)), []
    for (power, blocks), count in sorted(norm_terms(slots).items()):
        factors = [theory.overlap_cumulant(block) for block in blocks]
        if len(slots) > 1 and any(f.truncation == "infinite_width" for f in factors):
            raise OutsideDomain(
                "q fluctuates at order 1/n, where S at infinite width is not enough"
            )
        values = [f.value for f in factors]
        total = total + count / n**power * np.prod(values, axis=0)
        for i, factor in enumerate(factors):
            others = np.prod(values[:i] + values[i + 1 :], axis=0)
            error = error + count / n**power * np.abs(others) * factor.error
        kept += _kept(power, blocks, factors)
    total[-1] = np.nan
    return Values(total, error, weakest(kept))


def _kept(power: int, blocks: Sequence[tuple], factors: Sequence[Values]) -> list[str | int]:
    """Powers of 1/n to which n^-power times the factors is known: kappa_k of S begins at k - 1."""
    begins = [len(block) - 1 for block in blocks]
    return [
        f.truncation
        if isinstance(f.truncation, str)
        else f.truncation + power + sum(begins) - begin
        for f, begin in zip(factors, begins, strict=True)
    ]


def _sum(terms: Sequence[tuple[float, Values]], theory: AbstractTheory) -> Values:
    # without terms: an odd number of legs of a neuron
    first = terms[0][1] if terms else theory.overlap_cumulant(())
    return weighted_sum(terms, len(first.value))
