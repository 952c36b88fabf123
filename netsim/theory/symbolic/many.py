"""One layer of the first-order hierarchy of several inputs, in symbols.

With delta_ab = S_ab - K_ab small and F_ab(K) = C_b + C_W <sigma(z_a) sigma(z_b)>_K, a function of K_aa,
K_ab and K_bb only, one layer adds to Cov(S_ab, S_cd) = V_{ab,cd} its own noise and carries the old one:

    V_{ab,cd} -> (C_W^2/n_l) c_{ab,cd} + sum_{p in {aa,ab,bb}} sum_{r in {cc,cd,dd}}
                 dF_ab/dK_p dF_cd/dK_r V_{p,r},
    D_ab      -> sum_p dF_ab/dK_p D_p + (1/2) sum_{p,r} d^2F_ab/(dK_p dK_r) V_{p,r}

with c_{ab,cd} the covariance of sigma(z_a) sigma(z_b) and sigma(z_c) sigma(z_d) under N(0, K), D_ab =
E S_ab - K_ab, and derivatives in the independent entries K_p, equal pairs counted once.

Source: derived for this package; Roberts, Yaida, Hanin (2106.10165) have the same recursion for
V_{(ab)(cd)} = n_l V_{ab,cd}.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from netsim.theory.base import OutsideDomain
from netsim.theory.pairings import SlotPair
from netsim.theory.symbolic.names import load_sympy
from netsim.theory.symbolic.step import Step

__all__ = ["recursion_many"]

_Pair = tuple[str, str]  # inputs, sorted


def recursion_many(legs: tuple[SlotPair, ...]) -> tuple[Step, ...]:
    """A closed recursion of the joint cumulant of one or two S_ab, to first order in 1/n.

    **Raises:** `OutsideDomain` for derivatives and for more than two S.
    """
    if any(slot.directions for pair in legs for slot in pair):
        raise OutsideDomain(
            "the symbolic recursion of several fields is written for inputs without derivatives"
        )
    if len(legs) not in (1, 2):
        raise OutsideDomain(
            "the symbolic recursion of several inputs is written for means and covariances of S; "
            f"this is a joint cumulant of {len(legs)}"
        )
    pairs = [_pair(a.input, b.input) for a, b in legs]
    first = ("D", pairs[0]) if len(pairs) == 1 else ("V", *sorted(pairs))
    wanted, done = [first], {}
    while wanted:
        one = wanted.pop()
        if one not in done:
            done[one] = _COUNT[one[0]](*one[1:], wanted.append)
    kernels = sorted({p for pair in pairs for p in _below(pair)})
    steps = [Step(_symbol("K", p), _symbol("F", p), 1, 0) for p in kernels]
    for name, k in (("V", 2), ("D", 1)):
        some = sorted(one for one in done if one[0] == name)
        steps += [Step(_symbol(*one), done[one], k, 1) for one in some]
    return tuple(steps)


def _pair(a: str, b: str) -> _Pair:
    return (min(a, b), max(a, b))


def _below(pair: _Pair) -> list[_Pair]:
    """The entries of K that F of this pair depends on."""
    a, b = pair
    return [(a, a)] if a == b else [(a, a), (a, b), (b, b)]


def _symbol(name: str, *pairs: _Pair) -> Any:
    return load_sympy().Symbol(f"{name}_" + "__".join(a + b for a, b in pairs))


def _covariance(first: _Pair, second: _Pair, need: Callable) -> Any:
    C_W, n = load_sympy().symbols("C_W n_l")
    total = C_W**2 / n * _symbol("c", first, second)
    for p, r in product(_below(first), _below(second)):
        slope = _symbol("F", first, p) * _symbol("F", second, r)
        total += slope * _needed(need, "V", *sorted((p, r)))
    return total


def _mean(pair: _Pair, need: Callable) -> Any:
    total = load_sympy().Integer(0)
    for p in _below(pair):
        total += _symbol("F", pair, p) * _needed(need, "D", p)
        for r in _below(pair):
            second = _symbol("F", pair, *sorted((p, r)))
            total += second * _needed(need, "V", *sorted((p, r))) / 2
    return total


def _needed(need: Callable, name: str, *pairs: _Pair) -> Any:
    need((name, *pairs))
    return _symbol(name, *pairs)


_COUNT: dict[str, Callable] = {"V": _covariance, "D": _mean}
