"""What each layer of the hierarchy of several fields needs, whatever the covariance.

The variables are delta_p, the fluctuations of S_ab for the pairs p = (a, b), a <= b. To the power
n^-M, conditional joint cumulants of j of them are needed for j <= M + 1, to the degree 2 (M - j +
1) in delta; they follow from the Taylor polynomials of <prod_{p in alpha} h_a h_b>_{K + delta},
which depend on the multiset of fields only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np

from netsim.gaussian.derivative_terms import Request
from netsim.gaussian.hermite_fields import order_of
from netsim.networks.fields import closure
from netsim.quantities import Slot
from netsim.theory.hierarchy_fields.multisets import Multiset, multisets

__all__ = ["FieldPlan", "field_plan"]


@dataclass(frozen=True)
class FieldPlan:
    """Requests, and where each goes.

    **Fields:** `pairs`, (a, b) by number; `legs`, multisets of fields; `legs_of[j-1]`, (multisets
    of j pairs,), numbers of their legs; `requests`, those without derivatives first, one for each
    of `legs`; `leg`, `monomial`, `scale`, one entry per request: coefficient of the monomial (a
    multiset of pairs) in the polynomial of that leg.
    """

    pairs: tuple[tuple[int, int], ...]
    legs: tuple[tuple[int, ...], ...]
    legs_of: tuple[np.ndarray, ...]
    requests: tuple[Request, ...]
    leg: np.ndarray
    monomial: tuple[Multiset, ...]
    scale: np.ndarray


@lru_cache(maxsize=32)
def field_plan(fields: tuple[Slot, ...], order: int) -> FieldPlan:
    """The plan to the power n^-`order` for `fields`, closed under the chain rule."""
    pairs = tuple(combinations_with_replacement(range(len(fields)), 2))
    degree: dict[tuple[int, ...], int] = {}
    legs_of = []
    place: dict[tuple[int, ...], int] = {}
    for j in range(1, order + 2):
        numbers = []
        for alpha in multisets(len(pairs), j):
            leg = tuple(sorted(field for p in alpha for field in pairs[p]))
            numbers.append(place.setdefault(leg, len(place)))
            degree[leg] = 2 * (order - j + 1)
        legs_of.append(np.array(numbers, dtype=int))
    zero = (0,) * len(fields)
    entries: list[tuple[Request, int, Multiset, float]] = [
        ((leg, zero), number, (), 1.0) for leg, number in place.items()
    ]
    for leg, number in place.items():
        near = _near(fields, leg)
        own = [p for p, (a, b) in enumerate(pairs) if a in near and b in near]
        for k in range(1, degree[leg] + 1):
            for m in combinations_with_replacement(own, k):
                gamma, scale = order_of(len(fields), [pairs[p] for p in m])
                entries.append(((leg, gamma), number, m, scale))
    requests, numbers, monomials, scales = zip(*entries, strict=True)
    return FieldPlan(
        pairs,
        tuple(place),
        tuple(legs_of),
        requests,
        np.array(numbers, dtype=int),
        monomials,
        np.array(scales),
    )


def _near(fields: Sequence[Slot], leg: Sequence[int]) -> set[int]:
    """The fields that the features of `leg` depend on."""
    return {fields.index(slot) for slot in closure([fields[a] for a in leg])}
