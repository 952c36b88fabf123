"""Sums, products and ratios of predictions, with their errors and what they are good to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from netsim.theory.base import Values

__all__ = ["over_root", "product", "weakest", "weighted_sum"]


def weighted_sum(terms: Sequence[tuple[float, Values]], rows: int) -> Values:
    """sum_t c_t v_t over `rows` rows; an empty sum is 0 by symmetry, whatever the theory."""
    zero = np.zeros(rows)
    if not terms:
        return Values(zero, zero, "exact")
    values = [v for _, v in terms]
    sizes = [abs(c) for c, _ in terms]

    def added(errors: Sequence[np.ndarray]) -> np.ndarray:
        return sum((c * e for c, e in zip(sizes, errors, strict=True)), zero)

    value = sum((c * v.value for c, v in terms), zero)
    return _with_errors(value, values, added)


def product(factors: Sequence[Values]) -> Values:
    """The product; errors pass on as sum_i error_i prod_{j != i} |v_j|."""
    sizes = [np.abs(f.value) for f in factors]

    def passed(errors: Sequence[np.ndarray]) -> np.ndarray:
        parts = [
            np.prod([*sizes[:i], *sizes[i + 1 :], error], axis=0) for i, error in enumerate(errors)
        ]
        return np.sum(parts, axis=0)

    return _with_errors(np.prod([f.value for f in factors], axis=0), factors, passed)


def over_root(value: Values, variance: Values) -> Values:
    """value / sqrt(variance)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(variance.value)
        ratio = value.value / root

        def passed(errors: Sequence[np.ndarray]) -> np.ndarray:
            own, other = errors
            return own / root + 0.5 * np.abs(ratio) * other / variance.value

        return _with_errors(ratio, (value, variance), passed)


def _with_errors(
    value: np.ndarray,
    parts: Sequence[Values],
    passed: Callable[[Sequence[np.ndarray]], np.ndarray],
) -> Values:
    """Numerical errors, and truncation errors if all are known, pass on to first order alike."""
    missing = [_truncated(part) for part in parts]
    known = [m for m in missing if m is not None]
    return Values(
        value,
        passed([part.error for part in parts]),
        weakest([part.truncation for part in parts]),
        # exact parts are off by nothing; if all are exact there is nothing to say
        passed(known)
        if len(known) == len(parts) and any(part.truncation != "exact" for part in parts)
        else None,
    )


def _truncated(part: Values) -> np.ndarray | None:
    if part.truncation_error is None and part.truncation == "exact":
        return np.zeros_like(part.value)
    return part.truncation_error


def weakest(truncations: Sequence[str | int]) -> str | int:
    """What a combination is good to: exact only if all are; else the fewest powers of 1/n."""
    orders = [t for t in truncations if isinstance(t, int)]
    if any(t == "infinite_width" for t in truncations):
        return "infinite_width"
    return min(orders) if orders else "exact"
