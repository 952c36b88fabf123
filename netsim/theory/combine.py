"""Sums, products and ratios of predictions, with their errors and what they are good to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsim.theory.base import Values

__all__ = ["over_root", "product", "weakest", "weighted_sum"]


def weighted_sum(terms: Sequence[tuple[float, Values]], rows: int) -> Values:
    """sum_t c_t v_t over `rows` rows; an empty sum is 0 by symmetry, whatever the theory."""
    zero = np.zeros(rows)
    if not terms:
        return Values(zero, zero, "exact")
    value = sum((c * v.value for c, v in terms), zero)
    error = sum((abs(c) * v.error for c, v in terms), zero)
    kept = weakest([v.truncation for _, v in terms])
    missing = [v.truncation_error for _, v in terms]
    known = [abs(c) * m for (c, _), m in zip(terms, missing, strict=True) if m is not None]
    return Values(value, error, kept, sum(known, zero) if len(known) == len(terms) else None)


def product(factors: Sequence[Values]) -> Values:
    """The product; how far it is from the untruncated one is not followed."""
    value = np.prod([f.value for f in factors], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = sum(np.where(f.value != 0, f.error / np.abs(f.value), 0.0) for f in factors)
    kept = weakest([f.truncation for f in factors])
    return Values(value, np.abs(value) * relative, kept)


def over_root(value: Values, variance: Values) -> Values:
    """value / sqrt(variance)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(variance.value)
        ratio = value.value / root
        error = value.error / root + 0.5 * np.abs(ratio) * variance.error / variance.value
    kept = weakest([value.truncation, variance.truncation])
    return Values(ratio, error, kept)


def weakest(truncations: Sequence[str | int]) -> str | int:
    """What a combination is good to: exact only if all are; else the fewest powers of 1/n."""
    orders = [t for t in truncations if isinstance(t, int)]
    if any(t == "infinite_width" for t in truncations):
        return "infinite_width"
    return min(orders) if orders else "exact"
