"""Every named statistic from a theory's cumulants of the collective variables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsim.quantities import Leg, Quantity
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.pairings import SlotPair, output_pairings

__all__ = ["statistic"]


def statistic(theory: AbstractTheory, quantity: Quantity) -> Values:
    """`quantity` at every layer row, whatever its own layer.

    **Raises:** `OutsideDomain` for what this theory or this function does not cover.
    """
    if quantity.fields not in (("z",), ("S",)):
        raise OutsideDomain(f"{quantity.text}: only z alone or S alone are predicted")
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
            value = _over_root(value, _cumulant(theory, (leg, leg)))
    return value


def _overlaps(legs: Sequence[Leg]) -> list[tuple[float, tuple[SlotPair, ...]]]:
    """(coefficient, S-legs) whose cumulants or moments add up to those of `legs`."""
    if legs[0].field == "S":
        return [(1.0, tuple(sorted((min(s.slots), max(s.slots)) for s in legs)))]
    return [(float(count), pairs) for pairs, count in sorted(output_pairings(legs).items())]


def _cumulant(theory: AbstractTheory, legs: Sequence[Leg]) -> Values:
    terms = _overlaps(legs)
    return _sum([(c, theory.overlap_cumulant(pairs)) for c, pairs in terms], theory)


def _moment(theory: AbstractTheory, legs: Sequence[Leg]) -> Values:
    """E prod of S-legs = sum over set partitions of products of cumulants."""
    terms = []
    for coefficient, pairs in _overlaps(legs):
        for partition in _partitions(list(range(len(pairs)))):
            blocks = [
                theory.overlap_cumulant(tuple(sorted(pairs[i] for i in block)))
                for block in partition
            ]
            terms.append((coefficient, _product(blocks)))
    return _sum(terms, theory)


def _sum(terms: Sequence[tuple[float, Values]], theory: AbstractTheory) -> Values:
    if not terms:  # an odd number of legs of a neuron: zero by symmetry, whatever the theory
        zero = np.zeros_like(theory.overlap_cumulant(()).value)
        return Values(zero, zero, "exact")
    value = sum(c * v.value for c, v in terms)
    error = sum(abs(c) * v.error for c, v in terms)
    kept = _weakest([v.truncation for _, v in terms])
    missing = [v.truncation_error for _, v in terms]
    known = [abs(c) * m for (c, _), m in zip(terms, missing, strict=True) if m is not None]
    return Values(value, error, kept, sum(known) if len(known) == len(terms) else None)


def _product(factors: Sequence[Values]) -> Values:
    value = np.prod([f.value for f in factors], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = sum(np.where(f.value != 0, f.error / np.abs(f.value), 0.0) for f in factors)
    kept = _weakest([f.truncation for f in factors])
    return Values(value, np.abs(value) * relative, kept)


def _over_root(value: Values, variance: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(variance.value)
        ratio = value.value / root
        error = value.error / root + 0.5 * np.abs(ratio) * variance.error / variance.value
    kept = _weakest([value.truncation, variance.truncation])
    return Values(ratio, error, kept)


def _weakest(truncations: Sequence[str | int]) -> str | int:
    """What a combination is good to: exact only if all are; else the fewest powers of 1/n."""
    orders = [t for t in truncations if isinstance(t, int)]
    if any(t == "infinite_width" for t in truncations):
        return "infinite_width"
    return min(orders) if orders else "exact"


def _partitions(items: list[int]) -> list[list[list[int]]]:
    if not items:
        return [[]]
    first, found = items[0], []
    for partition in _partitions(items[1:]):
        found.append([[first], *partition])
        for i, block in enumerate(partition):
            found.append([*partition[:i], [first, *block], *partition[i + 1 :]])
    return found
