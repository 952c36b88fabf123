"""Statistics as series in 1/n: the algebra of expansions, and every named statistic in it.

A theory that knows joint cumulants of S as series answers `overlap_expansion(legs)`; cumulants of z
are sums of these (Wick), moments and those of q products, normalised ones quotients, each truncated
at the same power. So the terms of a ratio are those of the ratio, not a ratio of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np

from netsim.networks.network import Network
from netsim.quantities import Leg, Quantity, Slot
from netsim.theory.base import OutsideDomain
from netsim.theory.norm_terms import norm_terms, partitions
from netsim.theory.pairings import SlotPair, output_pairings

__all__ = ["Expansion", "ExpansionTheory", "expand", "zero"]


@dataclass(frozen=True)
class Expansion:
    """One statistic as a series in 1/n, n the first hidden width, at every layer row l = 0..L.

    **Fields:** `terms`, (L+1, M+1), coefficients of n^0..n^-M; `errors`, numerical, same shape.
    """

    terms: np.ndarray
    errors: np.ndarray

    def __add__(self, other: Expansion) -> Expansion:
        return Expansion(self.terms + other.terms, self.errors + other.errors)

    def times(self, factor: float | np.ndarray) -> Expansion:
        """Times a number, or a number per row, (L+1, 1)."""
        return Expansion(factor * self.terms, np.abs(factor) * self.errors)

    def __mul__(self, other: Expansion) -> Expansion:
        a, b = np.abs(self.terms), np.abs(other.terms)
        errors = _product(a, other.errors) + _product(self.errors, b)
        return Expansion(_product(self.terms, other.terms), errors)

    def shifted(self, power: int) -> Expansion:
        """Times n^-power."""
        size = self.terms.shape[1]
        pad = [(0, 0), (power, 0)]
        return Expansion(np.pad(self.terms, pad)[:, :size], np.pad(self.errors, pad)[:, :size])

    def inverse_root(self) -> Expansion:
        """1/sqrt of a series with positive constant term; rows without are NaN.

        r = s^{-1/2} obeys s r' = -r s'/2, which gives its coefficients one after the other.
        """
        s, root = self.terms, np.zeros_like(self.terms)
        with np.errstate(divide="ignore", invalid="ignore"):
            root[:, 0] = np.where(s[:, 0] > 0, s[:, 0], np.nan) ** -0.5
            for m in range(1, s.shape[1]):
                known = sum((0.5 * i + m - i) * s[:, i] * root[:, m - i] for i in range(1, m + 1))
                root[:, m] = -known / (m * s[:, 0])
        # d(s^{-1/2}) = -(1/2) s^{-3/2} ds
        slope = np.abs(root)
        slope = 0.5 * _product(_product(slope, slope), slope)
        return Expansion(root, _product(slope, self.errors) + 4e-16 * np.abs(root))


class ExpansionTheory(Protocol):
    """What `expand` needs of a theory."""

    @property
    def network(self) -> Network: ...

    def overlap_expansion(self, legs: tuple[SlotPair, ...]) -> Expansion:
        """The joint cumulant of S_ab over `legs` as a series.

        **Raises:** `OutsideDomain`, saying why.
        """
        ...


def zero(rows: int, size: int) -> Expansion:
    """A statistic that vanishes."""
    return Expansion(np.zeros((rows, size)), np.zeros((rows, size)))


def expand(theory: ExpansionTheory, quantity: Quantity) -> Expansion:
    """`quantity` as a series at every layer row, whatever its own layer and order.

    **Raises:** `OutsideDomain` for what the theory or this function does not cover.
    """
    if quantity.fields not in (("z",), ("S",), ("q",)):
        raise OutsideDomain(f"{quantity.text}: only z alone, S alone or q alone are predicted")
    if any(leg.layer is not None for leg in quantity.legs):
        raise OutsideDomain(f"{quantity.text}: legs with layers of their own are not predicted")
    if quantity.stat == "logcum":
        raise OutsideDomain(f"{quantity.text}: no prediction for log-moments")
    if quantity.stat == "mom":
        return _moment(theory, quantity.legs)
    found = _cumulant(theory, quantity.legs)
    if quantity.stat == "ncum":
        if quantity.fields != ("z",):
            raise OutsideDomain(
                f"{quantity.text}: variances of S and q begin at 1/n, so this is no series in 1/n"
            )
        for leg in quantity.legs:
            found = found * _cumulant(theory, (leg, leg)).inverse_root()
    return found


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products of series, row by row, truncated."""
    total = np.zeros(np.broadcast_shapes(a.shape, b.shape))
    for m in range(a.shape[1]):
        total[:, m:] += a[:, m : m + 1] * b[:, : b.shape[1] - m]
    return total


def _overlaps(legs: Sequence[Leg]) -> list[tuple[int, tuple[SlotPair, ...]]]:
    """(coefficient, S-legs) whose cumulants or moments add up to those of `legs`."""
    if legs[0].field == "S":
        return [(1, tuple(sorted((min(s.slots), max(s.slots)) for s in legs)))]
    return [(count, pairs) for pairs, count in sorted(output_pairings(legs).items())]


def _total(theory: ExpansionTheory, terms: Sequence[Expansion]) -> Expansion:
    # no terms: an odd number of legs of a neuron, zero by symmetry
    return reduce(Expansion.__add__, terms) if terms else theory.overlap_expansion(())


def _cumulant(theory: ExpansionTheory, legs: Sequence[Leg]) -> Expansion:
    if legs[0].field == "q":
        return _norm_cumulant(theory, tuple(leg.slots[0] for leg in legs))
    return _total(theory, [theory.overlap_expansion(s).times(c) for c, s in _overlaps(legs)])


def _moment(theory: ExpansionTheory, legs: Sequence[Leg]) -> Expansion:
    """E prod of legs = sum over set partitions of products of cumulants, of S or of q."""
    cumulant: Callable = theory.overlap_expansion
    products: list = [] if legs[0].field == "q" else _overlaps(legs)
    if legs[0].field == "q":
        cumulant = lambda slots: _norm_cumulant(theory, slots)
        products = [(1, tuple(leg.slots[0] for leg in legs))]
    terms = []
    for coefficient, parts in products:
        for partition in partitions(list(range(len(parts)))):
            blocks = [cumulant(tuple(sorted(parts[i] for i in block))) for block in partition]
            terms.append(reduce(Expansion.__mul__, blocks).times(coefficient))
    return _total(theory, terms)


def _norm_cumulant(theory: ExpansionTheory, slots: tuple[Slot, ...]) -> Expansion:
    """The joint cumulant of q; row l belongs to layer l+1, the last row (outputs) is NaN."""
    widths = theory.network.widths
    ratio = np.array([widths[0] / n for n in widths] + [np.nan])[:, None]
    terms = []
    for (power, blocks), count in sorted(norm_terms(slots).items()):
        factors = [theory.overlap_expansion(block) for block in blocks]
        terms.append(reduce(Expansion.__mul__, factors).times(count * ratio**power).shifted(power))
    found = reduce(Expansion.__add__, terms)
    last = np.arange(len(found.terms))[:, None] == len(widths)
    return Expansion(np.where(last, np.nan, found.terms), found.errors)
