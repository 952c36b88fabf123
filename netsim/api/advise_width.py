"""The smallest width at which a ratio of the output is within an accuracy, at fixed depth."""

from __future__ import annotations

import math
from collections.abc import Callable

from netsim.api.advise_finding import Finding, unknown
from netsim.api.advise_ratios import KERNEL, KURTOSIS, Ratios
from netsim.theory.base import OutsideDomain
from netsim.theory.hierarchy.one_input import MOST_FLOAT

__all__ = ["MOST_WIDTH", "smallest_width"]

MOST_WIDTH = 10**9
_FREE = 4  # exact values before bisection joins in
_FLAT = 0.2  # a smaller power of 1/n between two widths is no guide to the next
_NAMES = {KERNEL: "width for kappa2", KURTOSIS: "width for kappa4/kappa2^2"}


def smallest_width(ratios: Ratios, name: str, accuracy: float) -> Finding:
    """The smallest n such that |ratio| <= accuracy there and, tried by halving, at larger widths.

    Bisection on values, not on leading coefficients: on the series where its uncertainty leaves no
    doubt on which side of `accuracy` a width lies, and on exact values at the widths in between.

    **Returns:** a `Finding`: of the largest crossing; every width beyond it that was tried is good. Its
    value is None, and its remark says why, where there is none up to 10^9. Where no theory decides the
    last few widths, the value is one that is certainly enough, its truncation error how many they are.
    """
    item = _NAMES[name]
    if ratios.is_linear and name == KERNEL:
        reason = f"kappa_2 = K exactly at every width: see {_NAMES[KURTOSIS]}"
        return Finding(item, None, "exact", truncation="exact", remark=reason)
    try:
        if ratios.is_linear:
            bad, good = _bracket(lambda n: ratios.exact(name, n).value <= accuracy)
            return _found(item, bad, good, "exact", accuracy)
        bad, good = _by_series(ratios, name, accuracy)
    except OutsideDomain as reason:
        return unknown(item, reason)
    if good > MOST_WIDTH > bad:
        return unknown(item, f"above {bad}: how far above, the series does not decide")
    if good > MOST_WIDTH or good - bad <= 1:
        return _found(item, bad, good, "hierarchy", accuracy)
    try:
        bad, good = _exactly(ratios, name, accuracy, (bad, good))
    except OutsideDomain:
        return Finding(
            item, good, "hierarchy", 0.0, MOST_FLOAT, float(good - bad - 1),
            f"certainly enough; {bad + 1} may do: the series does not decide, and no theory is exact",
        )  # fmt: skip
    return _found(item, bad, good, "transfer", accuracy)


def _found(item: str, bad: int, good: int, source: str, accuracy: float) -> Finding:
    per_cent = f"{100 * accuracy:g}%"
    if good > MOST_WIDTH:
        return Finding(item, None, source, remark=f"not to {per_cent} at any width up to 10^9")
    remark = f"{per_cent} or better at every width" if bad == 0 else ""
    return Finding(item, good, source, 0.0, "exact", 0.0, remark)


def _edge(is_good: Callable[[int], bool], bad: int, good: int) -> tuple[int, int]:
    """Bisection: neighbours of which the first is bad (or 0) and the second good."""
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if is_good(middle) else (middle, good)
    return bad, good


def _bracket(is_good: Callable[[int], bool]) -> tuple[int, int]:
    """From 10^9 downwards by halves to the first bad width, then bisection."""
    good, n = MOST_WIDTH + 1, MOST_WIDTH
    while n and is_good(n):
        good, n = n, n // 2
    return (n, good) if good > MOST_WIDTH else _edge(is_good, n, good)


def _by_series(ratios: Ratios, name: str, accuracy: float) -> tuple[int, int]:
    """(the largest width that is surely bad, the smallest that is surely good): beyond them none is.

    **Raises:** `OutsideDomain` where there is no series.
    """

    def surely_good(n: int) -> bool:
        found = ratios.summed(name, n)
        return abs(found.value) + found.doubt <= accuracy

    def not_surely_bad(n: int) -> bool:
        found = ratios.summed(name, n)
        return not abs(found.value) - found.doubt > accuracy

    _, good = _bracket(surely_good)
    bad, _ = _bracket(not_surely_bad)
    return min(bad, good - 1), good


def _exactly(ratios: Ratios, name: str, accuracy: float, edges: tuple[int, int]) -> tuple[int, int]:
    """The edge between two widths by exact values, few of them: each takes a tenth of a second.

    False position in logarithms through the last two values, for the ratio is close to a power of
    1/n; from the fifth step on every other one halves.

    **Raises:** `OutsideDomain` where nothing is exact.
    """
    bad, good = edges
    at, last = math.log(good), _excess(ratios.summed(name, good).value, accuracy)
    power, steps = 1.0, 0
    while good - bad > 1:
        halve = steps > _FREE and steps % 2
        root = 0.5 * math.log(max(bad, 1) * good) if halve else at + last / power
        n = min(max(math.ceil(math.exp(min(root, 50.0))), bad + 1), good - 1)
        value, place = _excess(ratios.exact(name, n).value, accuracy), math.log(n)
        if place != at and (last - value) / (place - at) > _FLAT:
            power = (last - value) / (place - at)
        at, last, steps = place, value, steps + 1
        bad, good = (bad, n) if value <= 0 else (n, good)
    return bad, good


def _excess(value: float, accuracy: float) -> float:
    return math.log(max(abs(value), 1e-300) / accuracy)
