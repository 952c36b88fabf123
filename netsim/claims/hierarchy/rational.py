"""Exact rational moments of S at any width, for polynomial and two-slope activations.

Moments of one neuron, m_j(s) = E sigma(z)^{2j}, z ~ N(0, s), are polynomials in s; the sum of n
independent y = sigma(z)^2 has E (sum y)^k = k! [t^k] (sum_j m_j t^j / j!)^n, with coefficients that
obey b_k = (1/k) sum_{j=1}^k ((n+1) j - k) a_j b_{k-j}, a_j = m_j/j!. So E[S'^p | s] is a polynomial
in s, and moments of S' follow from those of S. Everything is a `Fraction`: widths like 10^12, where
what is left is the leading power of 1/n, lose no digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial, prod

__all__ = ["Powers", "polynomial_powers", "rational_cumulants", "slope_powers"]

Polynomial = list[Fraction]
Number = float | Fraction


@dataclass(frozen=True)
class Powers:
    """What sigma(z)^{2j} is on average.

    **Fields:** `degree`, d: m_j(s) has degree d j; `coefficients`, of sigma if a polynomial, or its
    slopes (a_+, a_-) if `slopes`.
    """

    coefficients: tuple[Fraction, ...]
    slopes: bool = False

    @property
    def degree(self) -> int:
        return 1 if self.slopes else len(self.coefficients) - 1

    def means(self, order: int) -> list[Polynomial]:
        """m_0, ..., m_order as polynomials in s."""
        if self.slopes:
            found = []
            for j in range(order + 1):
                mean = sum(a ** (2 * j) for a in self.coefficients) / 2
                found.append([Fraction(0)] * j + [prod(range(1, 2 * j, 2)) * Fraction(mean)])
            return found
        square, power = _product(list(self.coefficients), list(self.coefficients)), [Fraction(1)]
        found = []
        for _ in range(order + 1):
            even = power[::2]
            found.append([prod(range(1, 2 * q, 2)) * c for q, c in enumerate(even)])
            power = _product(power, square)
        return found


def polynomial_powers(coefficients: Sequence[Number]) -> Powers:
    """Of sigma(x) = c_0 + c_1 x + ..., the coefficients at their exact binary values."""
    return Powers(tuple(Fraction(c) for c in coefficients))


def slope_powers(a_plus: Number, a_minus: Number) -> Powers:
    """Of a_+ x above zero and a_- x below."""
    return Powers((Fraction(a_plus), Fraction(a_minus)), slopes=True)


def rational_cumulants(
    powers: Powers,
    widths: Sequence[int],
    couplings: tuple[Number, Number],
    x2: Number,
    order: int = 4,
) -> list[Fraction]:
    """Cumulants 1..order of S_L: kappa_2, kappa_4, ... of one output neuron, exact.

    **Arguments:** `couplings`, (C_W, C_b), the same in all layers; `x2` = |x|^2/n_0. The highest
    moment of S_1 that enters is order d^{L-1}, d the degree: use few layers for polynomials.
    """
    C_W, C_b = (Fraction(c) for c in couplings)
    start = C_b + C_W * Fraction(x2)
    highest = [order * powers.degree ** (len(widths) - l) for l in range(1, len(widths) + 1)]
    moments = [start**q for q in range(powers.degree * highest[0] + 1)]
    for n, top in zip(widths, highest, strict=True):
        sums = _power_sums(powers.means(top), n, moments)
        scaled = [(C_W / n) ** q * value for q, value in enumerate(sums)]
        moments = [
            sum((comb(p, q) * C_b ** (p - q) * scaled[q] for q in range(p + 1)), Fraction(0))
            for p in range(top + 1)
        ]
    kappa: list[Fraction] = []
    for p in range(1, order + 1):
        known = sum(
            (comb(p - 1, j - 1) * kappa[j - 1] * moments[p - j] for j in range(1, p)), Fraction(0)
        )
        kappa.append(moments[p] - known)
    return kappa


def _power_sums(means: list[Polynomial], n: int, moments: list[Fraction]) -> list[Fraction]:
    """E (sum of n squares)^k, k = 0.., averaged over s with the given moments."""
    a = [[c / factorial(j) for c in mean] for j, mean in enumerate(means)]
    b: list[Polynomial] = [[Fraction(1)]]
    for k in range(1, len(means)):
        total: Polynomial = []
        for j in range(1, k + 1):
            factor = Fraction((n + 1) * j - k, k)
            total = _sum(total, [factor * c for c in _product(a[j], b[k - j])])
        b.append(total)
    return [
        factorial(k) * sum((c * moments[q] for q, c in enumerate(p)), Fraction(0))
        for k, p in enumerate(b)
    ]


def _product(a: Polynomial, b: Polynomial) -> Polynomial:
    found = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        if x:
            for j, y in enumerate(b):
                found[i + j] += x * y
    return found


def _sum(a: Polynomial, b: Polynomial) -> Polynomial:
    size = max(len(a), len(b))
    pad = lambda p: p + [Fraction(0)] * (size - len(p))
    return [x + y for x, y in zip(pad(a), pad(b), strict=True)]
