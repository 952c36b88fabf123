"""Which sums of deviation products a set of targets needs: worked out once, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from netsim.estimators.targets import Target

__all__ = ["Monomial", "Plan", "plan"]

# (present column or None, sorted columns): present * prod_j d_j
Monomial = tuple[int | None, tuple[int, ...]]


@dataclass(frozen=True)
class Plan:
    """The static part of an estimator: hashable, so usable as a static argument of `jax.jit`.

    **Fields:** `targets`; `monomials`, closed under taking sub-multisets and sorted so that each
    comes after the one it extends by its last column; `tops`, the full multisets of all terms,
    whose squares measure reliability.
    """

    targets: tuple[Target, ...]
    monomials: tuple[Monomial, ...]
    tops: tuple[Monomial, ...]

    @property
    def presents(self) -> tuple[int, ...]:
        """The columns that targets are conditional on, sorted."""
        return tuple(sorted({t.present for t in self.targets if t.present is not None}))

    @property
    def width(self) -> int:
        """The smallest number of columns that the targets can be estimated from."""
        return 1 + max(column for target in self.targets for column in target.columns)


def plan(targets: Sequence[Target]) -> Plan:
    """The minimal `Plan` of `targets`: monomials shared by several targets occur once.

    **Raises:** `ValueError` without targets.
    """
    return _plan(tuple(targets))


@lru_cache(maxsize=64)
def _plan(targets: tuple[Target, ...]) -> Plan:
    if not targets:
        raise ValueError("targets=(): give at least one Target")
    if not any(target.columns for target in targets):
        raise ValueError("no target looks at any column: give a term with columns")
    tops = {(target.present, columns) for target in targets for columns in target.multisets}
    needed: set[Monomial] = {(target.present, ()) for target in targets}
    for present, columns in tops:
        for order in range(1, len(columns) + 1):
            needed |= {(present, part) for part in combinations(columns, order)}
    needed.discard((None, ()))  # the number of draws, counted apart

    def key(monomial: Monomial):
        present, columns = monomial
        return (-1 if present is None else present, len(columns), columns)

    return Plan(
        targets=targets,
        monomials=tuple(sorted(needed, key=key)),
        tops=tuple(sorted((top for top in tops if top[1]), key=key)),
    )
