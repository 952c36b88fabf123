"""One layer of the hierarchy in symbols: the recursion of any cumulant of S at any power of 1/n.

With delta = S_{l-1} - K, K the infinite-width kernel, the conditional cumulants of S_l are

    kappa_1 = F(K + delta) - F(K),    kappa_j = C_W^j n_l^{1-j} c_j(K + delta),    j >= 2,

their Taylor series in delta with the derivatives of F and c_j as symbols. Conditional moments are
complete Bell polynomials B_p of them, E delta'^p = sum_q [delta^q] B_p E delta^q, and E delta^q =
O(n^{-ceil(q/2)}) leaves finitely many terms at each power of 1/n: the algorithm of `series`, in
SymPy's rings of polynomials instead of numbers.

The unknowns are `part(k, m)`, the part of cum_k(S_{l-1}) of order n^-m, powers of 1/n included: so
the recursion holds for any widths. The leading ones are K, V, T, Q, and D is the first correction
to K (`leading_order`).

Source: derived for this package from the conditional law (Hanin, arXiv 2204.01058).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb, factorial
from typing import Any

from netsim.theory.symbolic.names import latex, load_sympy

__all__ = ["MOST_ORDER", "Step", "part", "recursion"]

MOST_ORDER = 5  # half a second; 6 takes five
_LETTERS = {1: ("D", 1), 2: ("V", 1), 3: ("T", 2), 4: ("Q", 3)}  # k: (letter, its power of 1/n)
_Series = dict[tuple[int, int], Any]  # (power b of 1/n, power q of delta): a polynomial


@dataclass(frozen=True)
class Step:
    """One line of a recursion: `symbol` of layer l becomes `value` in layer l+1.

    **Fields:** `symbol`, a SymPy symbol; `value`, an expression in the symbols of layer l; `k` and
    `order`: it is the part of order n^-`order` of the k-th cumulant of S.
    """

    symbol: Any
    value: Any
    k: int
    order: int

    @property
    def text(self) -> str:
        return f"{self.symbol} -> {self.value}"

    @property
    def latex(self) -> str:
        return rf"{latex(self.symbol)} \mapsto {latex(self.value)}"


def part(k: int, m: int) -> Any:
    """The symbol of the part of order n^-m of cum_k(S): K, D, D_2, V, V_2, T, Q, kappa10_4, ..."""
    if k == 1 and m == 0:
        return load_sympy().Symbol("K")
    letter, first = _LETTERS.get(k, (f"kappa{2 * k}_{m}", m))
    return load_sympy().Symbol(letter if m == first else f"{letter}_{m}")


def recursion(k: int, order: int | None = None) -> tuple[Step, ...]:
    """A closed recursion of cum_k(S), from n^{1-k} to n^-`order`, in one layer step.

    **Arguments:** `k` >= 1; `order`, at most 5 (default: the leading one, for k = 1 the first
    correction, too).

    **Returns:** steps of the parts asked for and of all others that occur in them, by order in 1/n
    and then by k. All but K begin at 0 in layer 1.

    **Raises:** `ValueError` for impossible arguments.
    """
    order = max(1, k - 1) if order is None else order
    if k < 1 or isinstance(order, bool) or not max(1, k - 1) <= order <= MOST_ORDER:
        raise ValueError(
            f"recursion of cum_{k}(S) to order={order}: it begins at n^-{k - 1}, and the order may be "
            f"{max(1, k - 1)} to {MOST_ORDER}"
        )
    wanted = [(k, m) for m in range(max(1, k - 1), order + 1)]
    known = {part(j, m): (j, m) for m in range(1, order + 1) for j in range(1, m + 2)}
    done: dict[tuple[int, int], Any] = {}
    while wanted:
        one = wanted.pop()
        if one not in done:
            done[one] = _value(*one)
            wanted += [known[s] for s in done[one].free_symbols if s in known]
    K = Step(part(1, 0), load_sympy().Symbol("F"), 1, 0)
    ordered = sorted(done, key=lambda one: (one[1], one[0]))
    return (K, *(Step(part(*one), done[one], *one) for one in ordered))


@lru_cache(maxsize=64)
def _value(k: int, m: int) -> Any:
    """The part of order n^-m of cum_k(S_l) in the symbols of layer l."""
    sympy = load_sympy()
    kappa, unknown, back = _ring(m)
    B: list[_Series] = [{(0, 0): unknown["one"]}]
    for p in range(1, k + 1):
        B.append(_bell(kappa, B, p, m))
    # E delta^q as series in 1/n, the same recursion with the numbers cum_j(delta)
    moments: list[_Series] = [{(0, 0): unknown["one"]}]
    sources = [_parts(unknown, j, m) for j in range(1, m + 2)]
    for q in range(1, 2 * m + 1):
        moments.append(_bell(sources, moments, q, m, halves=False))
    new = [_averaged(B[p], moments, m) for p in range(k + 1)]
    found = _cumulants(new, m)[k]
    return sympy.expand(found.get(m, unknown["zero"]).as_expr(*back))


def _ring(m: int) -> tuple[list[_Series], dict, list]:
    """Conditional cumulants as series, the unknowns, and what the generators stand for."""
    sympy = load_sympy()
    C_W, n = sympy.symbols("C_W n_l")
    names: dict = {("c", 1, q): _named("F", q) for q in range(1, 2 * m + 1)}
    factor: dict = dict.fromkeys(names, 1)
    for j in range(2, m + 2):
        for q in range(2 * (m - j + 1) + 1):
            names["c", j, q] = _named(f"c_{j}", q)
            factor["c", j, q] = C_W**j / n ** (j - 1)
    for j in range(1, m + 2):
        for a in range(max(1, j - 1), m + 1):
            names["part", j, a] = part(j, a).name
    ring, *gens = sympy.ring(list(names.values()), sympy.QQ)
    at = dict(zip(names, gens, strict=True))
    back = [factor.get(key, 1) * sympy.Symbol(name) for key, name in names.items()]
    kappa: list[_Series] = [{} for _ in range(m + 1)]
    for key, gen in at.items():
        if key[0] == "c":
            _, j, q = key
            kappa[j - 1][j - 1, q] = gen * sympy.QQ(1, factorial(q))
    return kappa, {"one": ring.one, "zero": ring.zero, **at}, back


def _named(base: str, q: int) -> str:
    return {0: "", 1: "d"}.get(q, f"d{q}") + base


def _parts(unknown: dict, j: int, m: int) -> _Series:
    return {(a, 0): unknown["part", j, a] for a in range(max(1, j - 1), m + 1)}


def _bell(
    kappa: list[_Series], B: list[_Series], p: int, m: int, *, halves: bool = True
) -> _Series:
    """B_p = sum_j binom(p-1, j-1) kappa_j B_{p-j}; with `halves`, delta counts half a power of 1/n."""
    total: _Series = {}
    for j in range(1, min(p, len(kappa)) + 1):
        for (a, q), first in kappa[j - 1].items():
            for (b, r), second in B[p - j].items():
                if 2 * (a + b) + (q + r) * halves <= 2 * m:
                    term = comb(p - 1, j - 1) * first * second
                    key = a + b, q + r
                    total[key] = total[key] + term if key in total else term
    return total


def _averaged(B: _Series, moments: list[_Series], m: int) -> dict[int, Any]:
    """E B as a series in 1/n."""
    total: dict[int, Any] = {}
    for (b, q), first in B.items():
        for (a, _), second in moments[q].items():
            if a + b <= m:
                total[a + b] = total.get(a + b, 0) + first * second
    return total


def _cumulants(moments: list[dict[int, Any]], m: int) -> list[dict[int, Any]]:
    """c_p = m_p - sum_{0<i<p} binom(p-1, i-1) c_i m_{p-i}; entry 0 is not used."""
    found: list[dict[int, Any]] = [{}]
    for p in range(1, len(moments)):
        c = dict(moments[p])
        for i in range(1, p):
            for a, first in found[i].items():
                for b, second in moments[p - i].items():
                    if a + b <= m:
                        c[a + b] = c.get(a + b, 0) - comb(p - 1, i - 1) * first * second
        found.append(c)
    return found
