"""Outputs from collective variables: cumulants of z^(l+1) as cumulants of S_l.

Given layer l the outputs are Gaussian with covariance delta_ij S_ab, so by the law of total
cumulance kappa(z_{i1 a1}, ..., z_{i2k a2k}) = sum over pairings of the legs that join equal neurons
of kappa_k(S_{a_r a_s} : pairs); the same holds for moments (Wick). Exact at every width, Gaussian
weights (Hanin 2204.01058).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from netsim.quantities import Leg, Slot

__all__ = ["SlotPair", "output_pairings"]

SlotPair = tuple[Slot, Slot]


def output_pairings(legs: Sequence[Leg]) -> Counter[tuple[SlotPair, ...]]:
    """Multisets of S-legs, each with the number of pairings of the z-legs that give it.

    Empty for an odd number of legs of some neuron: then the cumulant is exactly 0.
    """
    by_neuron: dict[int, list[Slot]] = {}
    for leg in legs:
        by_neuron.setdefault(leg.indices[0], []).append(leg.slots[0])
    found: Counter[tuple[SlotPair, ...]] = Counter({(): 1})
    for slots in by_neuron.values():
        own = Counter(_pairings(tuple(sorted(slots))))
        found = _product(found, own)
    return found


def _product(first: Counter, second: Counter) -> Counter:
    product: Counter = Counter()
    for p, m in first.items():
        for q, n in second.items():
            product[tuple(sorted(p + q))] += m * n
    return product


def _pairings(slots: tuple[Slot, ...]) -> list[tuple[SlotPair, ...]]:
    if not slots:
        return [()]
    if len(slots) % 2:
        return []
    first, found = slots[0], []
    for i in range(1, len(slots)):
        rest = slots[1:i] + slots[i + 1 :]
        found += [tuple(sorted(((first, slots[i]), *more))) for more in _pairings(rest)]
    return found
