"""Unbiased joint cumulants (multivariate k-statistics) from moments about any pivot.

A joint cumulant is kappa = sum_pi (-1)^(b-1) (b-1)! prod_{B in pi} E[prod_{i in B} X_i] over set
partitions pi = {B_1..B_b} of the legs. A product of b expectations is estimated without bias by the
mean over b *different* draws, and sums over different draws are sums over free draws by Moebius
inversion on the partition lattice,

    sum_{different} prod_B x_B(i_B) = sum_{sigma >= pi} prod_{C in sigma} (-1)^(k_C-1) (k_C-1)! P_C,

where block C of sigma joins k_C blocks of pi and P_C = sum over draws of prod_{i in C} x_i. Since
S2(|C|, m) partitions of C have m blocks (Stirling numbers of the second kind), the coefficient of
prod_C P_C is found from prod_C f_|C|(t), f_c(t) = sum_m S2(c, m) (-1)^(m-1) (m-1)! t^m, by putting
(-1)^(M-1) (M-1)! / (N (N-1) ... (N-M+1)) for t^M. (Kendall and Stuart, Advanced Theory of
Statistics, vol. 1, ch. 12-13; P. McCullagh, Tensor Methods in Statistics, 1987, ch. 4.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from math import comb, factorial
from typing import Any

__all__ = ["joint_cumulant", "joint_moment", "partitions"]

Columns = tuple[int, ...]


def joint_cumulant(moment: Mapping[Columns, Any], legs: Sequence[int], inverse_count: Any = 0):
    """The k-statistic of `legs`; with `inverse_count` 0 the plug-in cumulant.

    **Arguments:** `moment[c]`, the mean over N draws of prod_{j in c} (x_j - pivot_j) for every
    sorted sub-multiset c of `legs`: arrays of one shape, or numbers (fractions give exact results);
    `inverse_count`, 1/N, broadcast against them, N >= len(legs). Moments about any pivot give the
    same result, except that the pivot is missing from the mean (order 1).
    """
    coefficients: dict[tuple[int, ...], Any] = {}
    total: Any = 0
    for multiplicity, blocks in partitions(tuple(sorted(legs))):
        sizes = tuple(sorted(map(len, blocks)))
        if sizes not in coefficients:
            coefficients[sizes] = _coefficient(sizes, inverse_count)
        product = multiplicity * coefficients[sizes]
        for block in blocks:
            product = product * moment[block]
        total = total + product
    return total


def joint_moment(
    moment: Mapping[Columns, Any], legs: Sequence[int], pivot: Mapping[int, Any]
) -> Any:
    """E prod_j X_j = sum over subsets of the legs of moment[subset] prod_{the others} pivot_j.

    **Arguments:** as in `joint_cumulant`, with `moment[()]` = 1 implied; `pivot[j]`.
    """
    expansion: dict[Columns, Any] = {(): 1}
    for leg in sorted(legs):
        grown = {columns: value * pivot[leg] for columns, value in expansion.items()}
        for columns, value in expansion.items():
            grown[columns + (leg,)] = grown.get(columns + (leg,), 0) + value
        expansion = grown
    return sum(value * moment[cols] if cols else value for cols, value in expansion.items())


@lru_cache(maxsize=4096)
def partitions(legs: Columns) -> tuple[tuple[int, tuple[Columns, ...]], ...]:
    """Set partitions of sorted `legs`, those that repeated legs make equal counted once.

    **Returns:** ((multiplicity, blocks), ...); the multiplicities sum to the Bell number.
    """
    counts: Counter[tuple[Columns, ...]] = Counter({(): 1})
    for leg in legs:
        grown: Counter[tuple[Columns, ...]] = Counter()
        for blocks, multiplicity in counts.items():
            grown[tuple(sorted((*blocks, (leg,))))] += multiplicity
            for i, block in enumerate(blocks):
                joined = (*blocks[:i], (*block, leg), *blocks[i + 1 :])
                grown[tuple(sorted(joined))] += multiplicity
        counts = grown
    return tuple((multiplicity, blocks) for blocks, multiplicity in sorted(counts.items()))


def _coefficient(sizes: tuple[int, ...], inverse_count: Any):
    """N^q times the coefficient of prod_C P_C; written in 1/N, so that N = infinity is exact."""
    polynomial, blocks = _polynomial(sizes), len(sizes)
    total: Any = 0
    ratio: Any = 1  # N^q / (N (N-1) ... (N-M+1)), q blocks
    for M in range(1, len(polynomial)):
        ratio = ratio * (1 if M <= blocks else inverse_count) / (1 - (M - 1) * inverse_count)
        total = total + polynomial[M] * (-1) ** (M - 1) * factorial(M - 1) * ratio
    return total


@cache
def _polynomial(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Coefficients of prod_C f_|C|(t), lowest power first."""
    product = [1]
    for size in sizes:
        factor = [0] + [
            _stirling(size, m) * (-1) ** (m - 1) * factorial(m - 1) for m in range(1, size + 1)
        ]
        longer = [0] * (len(product) + size)
        for i, a in enumerate(product):
            for j, b in enumerate(factor):
                longer[i + j] += a * b
        product = longer
    return tuple(product)


def _stirling(n: int, m: int) -> int:
    """Number of partitions of n things into m blocks."""
    return sum((-1) ** (m - k) * comb(m, k) * k**n for k in range(m + 1)) // factorial(m)
