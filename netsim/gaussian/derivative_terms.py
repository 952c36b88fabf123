"""Derivatives of products of features with respect to the fields, term by term.

A product of features is a sum of terms sigma^(k)(z_i) ... times derivative fields y_j ...
(`netsim.gaussian.wick.expand`). Differentiating with respect to a derivative field takes one such
factor away; with respect to z_i it raises a k, by the product rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from netsim.gaussian.wick import Term, expand
from netsim.quantities import Slot

__all__ = ["Request", "differentiated", "split_orders"]

# the legs of a product of features, and how often it is differentiated by each field
Request = tuple[tuple[int, ...], tuple[int, ...]]


@lru_cache(maxsize=1 << 16)
def differentiated(
    fields: tuple[Slot, ...], legs: tuple[int, ...], order: tuple[int, ...]
) -> tuple[tuple[Term, int], ...]:
    """The terms of d^order prod_{a in legs} h_a, each with its coefficient.

    **Arguments:** `fields`, closed under the chain rule; `legs`, field numbers with repeats;
    `order[i]`, how often by field i.
    """
    by = next((i for i in reversed(range(len(order))) if order[i]), None)
    if by is None:
        return tuple(Counter(expand(fields, legs)).items())
    before = differentiated(fields, legs, _with(order, by, order[by] - 1))
    found: Counter[Term] = Counter()
    for (functions, members), coefficient in before:
        if fields[by].directions:
            if by in members:
                at = members.index(by)
                found[functions, members[:at] + members[at + 1 :]] += coefficient * members.count(
                    by
                )
            continue
        for at, (field, k) in enumerate(functions):
            if field == by:
                raised = (*functions[:at], (field, k + 1), *functions[at + 1 :])
                found[tuple(sorted(raised)), members] += coefficient
    return tuple(found.items())


def split_orders(
    fields: Sequence[Slot], order: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The part of `order` that is by derivative fields, and the part that is by z's."""
    by_members = tuple(k if s.directions else 0 for k, s in zip(order, fields, strict=True))
    by_inputs = tuple(0 if s.directions else k for k, s in zip(order, fields, strict=True))
    return by_members, by_inputs


def _with(order: tuple[int, ...], at: int, value: int) -> tuple[int, ...]:
    return (*order[:at], value, *order[at + 1 :])
