"""Joint moments and cumulants of several variables, and polynomials in them.

A multiset alpha of variable numbers stands for the product of these variables; families indexed by
the multisets of k variables (lexicographic order) are arrays with that index first. Moments,
cumulants and complete Bell polynomials are tied by one recursion: for any i in alpha and b = alpha
- i,

    B_alpha = sum_{0 <= beta <= b} binom(b, beta) kappa_{beta + i} B_{b - beta},

binom the product of the binomials of the multiplicities (beta = b gives kappa_alpha itself). A
polynomial is a dictionary degree -> (..., monomials of that degree).
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from itertools import combinations_with_replacement, product

import numpy as np

__all__ = ["Multiset", "Polynomials", "multiply", "multisets", "splits"]

Multiset = tuple[int, ...]  # variable numbers, not decreasing
Polynomials = dict[int, np.ndarray]


@lru_cache(maxsize=64)
def multisets(count: int, size: int) -> tuple[Multiset, ...]:
    """All multisets of `size` of the numbers 0..count-1, in lexicographic order."""
    return tuple(combinations_with_replacement(range(count), size))


@lru_cache(maxsize=64)
def _place(count: int, size: int) -> dict[Multiset, int]:
    return {m: i for i, m in enumerate(multisets(count, size))}


@lru_cache(maxsize=64)
def splits(count: int, size: int, part: int):
    """The terms with |beta + i| = `part` for all alpha of `size`, i the least of alpha.

    **Returns:** four equally long arrays: the numbers of alpha, of beta + i among the multisets of
    `part`, of b - beta among those of size - part, and the binomials.
    """
    rows = []
    for number, (i, *b) in enumerate(multisets(count, size)):
        have = sorted(Counter(b).items())
        for take in product(*(range(times + 1) for _, times in have)):
            if sum(take) != part - 1:
                continue
            beta = [v for (v, _), t in zip(have, take, strict=True) for _ in range(t)]
            rest = [v for (v, times), t in zip(have, take, strict=True) for _ in range(times - t)]
            ways = math.prod(math.comb(times, t) for (_, times), t in zip(have, take, strict=True))
            kappa = _place(count, part)[tuple(sorted((i, *beta)))]
            rows.append((number, kappa, _place(count, size - part)[tuple(rest)], ways))
    columns = np.array(rows, dtype=int).reshape(-1, 4).T
    return columns[0], columns[1], columns[2], columns[3].astype(float)


@lru_cache(maxsize=64)
def _table(count: int, first: int, second: int) -> np.ndarray:
    """Number of the product of monomials of degrees `first` and `second`."""
    place = _place(count, first + second)
    return np.array(
        [
            [place[tuple(sorted(m + k))] for k in multisets(count, second)]
            for m in multisets(count, first)
        ]
    )


def multiply(count: int, a: Polynomials, b: Polynomials, degree: int) -> Polynomials:
    """a b to `degree`, elementwise in the leading axis."""
    found: Polynomials = {}
    for d, x in a.items():
        for e, y in b.items():
            if d + e > degree:
                continue
            if x.shape[1] > y.shape[1]:
                table, few, many = _table(count, e, d), y, x
            else:
                table, few, many = _table(count, d, e), x, y
            shape = (len(x), len(multisets(count, d + e)))
            total = found.setdefault(d + e, np.zeros(shape))
            for k, row in enumerate(table):  # distinct monomials times one are distinct
                total[:, row] += few[:, k, None] * many
    return found
