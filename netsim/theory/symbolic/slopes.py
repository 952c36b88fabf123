"""Closed forms at every width, and their series in 1/n, in symbols: piecewise linear sigma, C_b = 0.

S_L = K_1 prod_l X_l with independent X_l = (C_W/n_l) sum_j sigma(g_j)^2, so E S_L^p = K_1^p prod_l
M_p(n_l) with M_p(n) = E X^p: at equal widths K_1^p M_p(n)^L. The cumulants of sum_j sigma(g_j)^2 are
n times those of one term, E sigma(g)^{2j} = (2j-1)!! A_{2j}, A_k = (a_+^k + a_-^k)/2. And with
M_p/M_1^p = 1 + sum_i r_i n^{-i}, the coefficients of its L-th power in 1/n are polynomials in L,

    b_0 = 1,    b_k = (1/k) sum_{i=1}^k (i (L+1) - k) r_i b_{k-i}    (Euler).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, prod
from typing import Any

from netsim.networks.network import Network
from netsim.theory.base import OutsideDomain
from netsim.theory.exact import slopes_of
from netsim.theory.symbolic.names import exact_number, load_sympy

__all__ = ["MOST_CUMULANT", "Slopes", "slopes_closed"]

MOST_CUMULANT = 8
_READABLE = 1000  # rationals with larger numbers are printed as symbols


@dataclass(frozen=True)
class Slopes:
    """What closed forms of a network are functions of.

    **Fields:** `C_W`, `A` = (A_2, A_4, ..., A_16): SymPy numbers, or symbols where numbers are long;
    `K_1`, a symbol; `values`: (symbol, its exact value); `equal`: whether all hidden widths are n.
    """

    C_W: Any
    A: tuple[Any, ...]
    K_1: Any
    values: tuple[tuple[Any, Any], ...]
    equal: bool

    def cumulant(self, k: int) -> Any:
        """cum_k(S_L) in n and L (or in the widths n[1], ..., n[L] if they differ)."""
        _check_order(k)
        sympy = load_sympy()
        m = sympy.symbols(f"m0:{k + 1}")
        written = sympy.expand(_cumulant([sympy.Integer(1), *m[1:]], k))
        moments = {m[p]: self._power(_moment(p, self.C_W, self.A)) for p in range(1, k + 1)}
        return self.K_1**k * written.subs(moments)

    def series(self, k: int, order: int) -> Any:
        """cum_k(S_L) to n^-`order`, a polynomial in 1/n with coefficients in L.

        **Raises:** `OutsideDomain` at widths that differ.
        """
        _check_order(k)
        if not self.equal:
            raise OutsideDomain("a series with symbolic L needs equal widths")
        sympy = load_sympy()
        moments = [[sympy.Integer(1)] + [sympy.Integer(0)] * order]
        moments += [_power_series(p, order, self.A) for p in range(1, k + 1)]
        n, L = _n_L()
        found = _series_cumulant(moments, k, order)
        terms = sum(sympy.factor(c) / n**m for m, c in enumerate(found))
        return self.K_1**k * (self.C_W * self.A[0]) ** (k * L) * terms

    def _power(self, moment: Any) -> Any:
        """prod_l M(n_l)."""
        sympy = load_sympy()
        n, L = _n_L()
        if self.equal:
            return moment**L
        l = sympy.Symbol("l", integer=True, positive=True)
        return sympy.Product(moment.subs(n, sympy.IndexedBase("n")[l]), (l, 1, L))


def slopes_closed(network: Network, x2: float, widths: Sequence[int] | None = None) -> Slopes:
    """Closed forms of a network with piecewise linear sigma and no bias, one input.

    **Arguments:** `x2` = |x|^2/n_0; `widths`: those that count (default: all hidden ones).

    **Raises:** `OutsideDomain` for other networks, saying why.
    """
    sympy = load_sympy()
    try:
        plus, minus = slopes_of(network)
    except ValueError as error:
        raise OutsideDomain(str(error)) from error
    if any(network.bias_variance[1:]):
        raise OutsideDomain(
            "closed forms in n and L are for C_b = 0; `netsim predict` without --symbolic has exact "
            "values with biases"
        )
    if len(set(network.weight_variance[1:])) > 1:
        raise OutsideDomain("closed forms in n and L need one C_W in all hidden layers")
    K_1 = sympy.Symbol("K_1", positive=True)
    start = exact_number(network.bias_variance[0])
    start += exact_number(network.weight_variance[0]) * exact_number(x2)
    values = [(K_1, start)]
    C_W = _shown({"C_W": exact_number(network.weight_variance[-1])}, values)[0]
    squares = exact_number(plus) ** 2, exact_number(minus) ** 2
    A = {f"A_{2 * j}": (squares[0] ** j + squares[1] ** j) / 2 for j in range(1, MOST_CUMULANT + 1)}
    if all(_readable(exact_number(slope)) for slope in (plus, minus)):
        shown = tuple(A.values())
    else:
        shown = _shown(A, values)
    equal = len(set(network.widths if widths is None else widths)) <= 1
    return Slopes(C_W, shown, K_1, tuple(values), equal)


def _readable(value: Any) -> bool:
    return max(abs(value.p), value.q) <= _READABLE


def _shown(numbers: dict[str, Any], values: list) -> tuple[Any, ...]:
    """The numbers, or symbols (and their values behind `values`) if one is long."""
    if all(_readable(value) for value in numbers.values()):
        return tuple(numbers.values())
    symbols = {name: load_sympy().Symbol(name, positive=True) for name in numbers}
    values += [(symbols[name], value) for name, value in numbers.items()]
    return tuple(symbols.values())


def _check_order(k: int) -> None:
    if k > MOST_CUMULANT:
        raise OutsideDomain(f"cumulants of S up to order {MOST_CUMULANT} have closed forms here")


def _n_L() -> tuple[Any, Any]:
    """n and L, the only symbols of closed forms that every network has."""
    sympy = load_sympy()
    return sympy.Symbol("n", positive=True), sympy.Symbol("L", integer=True, nonnegative=True)


def _cumulant(moments: list, k: int) -> Any:
    """The k-th cumulant from raw moments 0..k."""
    found: list = [0]
    for p in range(1, k + 1):
        rest = sum(comb(p - 1, j - 1) * found[j] * moments[p - j] for j in range(1, p))
        found.append(moments[p] - rest)
    return found[k]


@lru_cache(maxsize=256)
def _moment(p: int, C_W: Any, A: tuple[Any, ...]) -> Any:
    """M_p(n) = E X^p, over a common denominator."""
    n, _ = _n_L()
    return load_sympy().factor((C_W / n) ** p * _power_sum(p, A))


@lru_cache(maxsize=256)
def _power_sum(p: int, A: tuple[Any, ...]) -> Any:
    """E (sum_{j<=n} sigma(g_j)^2)^p, a polynomial in n."""
    sympy = load_sympy()
    n, _ = _n_L()
    one = [1, *(prod(range(1, 2 * j, 2)) * A[j - 1] for j in range(1, p + 1))]
    sums = [sympy.Integer(1)]
    for q in range(1, p + 1):
        terms = (comb(q - 1, j - 1) * n * _cumulant(one, j) * sums[q - j] for j in range(1, q + 1))
        sums.append(sympy.expand(sum(terms)))
    return sums[p]


@lru_cache(maxsize=256)
def _power_series(p: int, order: int, A: tuple[Any, ...]) -> list:
    """(M_p/M_1^p)^L as a list of coefficients of n^0..n^-order, polynomials in L."""
    sympy = load_sympy()
    n, L = _n_L()
    polynomial = sympy.Poly(_power_sum(p, A), n)
    r = [
        sympy.expand(polynomial.coeff_monomial(n ** (p - i)) / A[0] ** p)
        for i in range(min(p, order + 1))
    ]
    b = [sympy.Integer(1)]
    for k in range(1, order + 1):
        terms = ((i * (L + 1) - k) * r[i] * b[k - i] for i in range(1, min(k, p - 1) + 1))
        b.append(sympy.expand(sum(terms, sympy.Integer(0)) / k))
    return b


def _series_cumulant(moments: list[list], k: int, order: int) -> list:
    """The k-th cumulant of series given by coefficients of n^0..n^-order."""
    sympy = load_sympy()
    found: list[list] = [[]]
    for p in range(1, k + 1):
        c = list(moments[p])
        for j in range(1, p):
            for a, first in enumerate(found[j]):
                for b in range(order + 1 - a):
                    c[a + b] -= comb(p - 1, j - 1) * first * moments[p - j][b]
        found.append([sympy.expand(value) for value in c])
    return found[k]
