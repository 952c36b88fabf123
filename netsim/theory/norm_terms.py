"""Layer norms from collective variables: joint cumulants of q^(l+1) as cumulants of S_l.

q_a = (1/n) sum_j z_ja^2 over the n neurons of layer l+1. Given layer l these are iid Gaussian over
fields with covariance S = S_l, so (trace formula for the cumulants of a Gaussian quadratic form)

    kappa(q_{a_1}, ..., q_{a_j} | S) = (2/n)^{j-1} sum over the (j-1)! cyclic orders of prod S_{a a'},

and by total cumulance kappa(q_1, ..., q_k) = sum over partitions of the cumulants of these products,
which are sums of products of cumulants of S over partitions that connect them (Leonov and Shiryaev
1959; Brillinger 1969). Exact at every width, Gaussian weights. For one input: E q = E S,
Var q = (1 + 2/n) Var S + (2/n) (E S)^2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations, product

from netsim.quantities import Slot
from netsim.theory.pairings import SlotPair

__all__ = ["NormTerm", "norm_terms", "partitions"]

# (power of 1/n, blocks): n^-power times the product of the joint cumulants of S over the blocks
NormTerm = tuple[int, tuple[tuple[SlotPair, ...], ...]]


@lru_cache(maxsize=256)
def norm_terms(slots: tuple[Slot, ...]) -> Counter[NormTerm]:
    """The terms of the joint cumulant of q over `slots`, each with its coefficient."""
    found: Counter[NormTerm] = Counter()
    for partition in partitions(list(range(len(slots)))):
        power = len(slots) - len(partition)
        for cycles in product(*(_cycles(block) for block in partition)):
            legs = [(i, slots[p], slots[q]) for i, cycle in enumerate(cycles) for p, q in cycle]
            for split in partitions(list(range(len(legs)))):
                groups = [{legs[i][0] for i in block} for block in split]
                if not _connected(groups):
                    continue
                blocks = sorted(
                    tuple(sorted((min(legs[i][1:]), max(legs[i][1:])) for i in block))
                    for block in split
                )
                found[power, tuple(blocks)] += 2**power
    return found


def partitions(items: list[int]) -> list[list[list[int]]]:
    """All set partitions of `items`."""
    if not items:
        return [[]]
    first, found = items[0], []
    for partition in partitions(items[1:]):
        found.append([[first], *partition])
        for i, block in enumerate(partition):
            found.append([*partition[:i], [first, *block], *partition[i + 1 :]])
    return found


def _cycles(block: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """The cyclic orders of `block`, each as the pairs of neighbours."""
    first, *rest = block
    for order in permutations(rest):
        ring = (first, *order)
        yield list(zip(ring, (*ring[1:], first), strict=True))


def _connected(groups: Sequence[set[int]]) -> bool:
    """Whether overlapping sets join into one."""
    joined, left = set(groups[0]), list(groups[1:])
    while True:
        near = [group for group in left if group & joined]
        if not near:
            return not left
        joined = joined.union(*near)
        left = [group for group in left if not group & joined]
