"""Exact moments of one standardised weight, mean 0 and variance 1, for every real law.

All laws are symmetric, so a law is its even moments m_{2k} = E w^{2k}, k >= 0:

    gaussian      (2k-1)!!
    uniform       3^k/(2k+1)                         w uniform on [-sqrt 3, sqrt 3]
    rademacher    1                                  w = +-1
    sparse(p)     p^(1-k), k >= 1                    w = +-1/sqrt p with probability p/2 each, else 0
    student_t(nu) (nu-2)^k prod_{i=1..k} (2i-1)/(nu-2i), 2k < nu
                                                     w = sqrt((nu-2)/nu) T, T Student's t
    orthogonal    m^k (2k-1)!! / (m (m+2) ... (m+2k-2)), m = max(rows, columns)
                                                     w = sqrt(m) Q_ij: Q_ij^2 ~ Beta(1/2, (m-1)/2)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

__all__ = ["even_moment", "from_moments"]


def even_moment(kind: str, parameter: Fraction | None, k: int, size: int | None) -> Fraction:
    """E w^{2k} of the law `kind` with its parameter, see above; `size`: m of "orthogonal".

    The caller has checked that the moment exists.
    """
    if kind in _PLAIN:
        return _PLAIN[kind](k)
    if kind == "orthogonal":
        assert size is not None  # checked by the caller
        odd = Fraction(_double_factorial(k))
        return odd * math.prod(Fraction(size, size + 2 * i) for i in range(k))
    assert parameter is not None  # sparse(p) and student_t(nu) carry theirs
    if kind == "sparse":
        return parameter ** (1 - k) if k else Fraction(1)
    return math.prod(
        ((parameter - 2) * (2 * i - 1) / (parameter - 2 * i) for i in range(1, k + 1)),
        start=Fraction(1),
    )


def from_moments(moments: Sequence[Fraction]) -> Fraction:
    """The cumulant of order len(moments) - 1 from the moments of orders 0, 1, 2, ...

    kappa_k = m_k - sum_{j<k} binomial(k-1, j-1) kappa_j m_{k-j}
    """
    kappa = [Fraction(0)]
    for k in range(1, len(moments)):
        rest = sum(math.comb(k - 1, j - 1) * kappa[j] * moments[k - j] for j in range(1, k))
        kappa.append(moments[k] - rest)
    return kappa[-1]


def _double_factorial(k: int) -> int:
    """(2k-1)!!"""
    return math.prod(range(1, 2 * k, 2))


_PLAIN: dict[str, Callable[[int], Fraction]] = {
    "gaussian": lambda k: Fraction(_double_factorial(k)),
    "uniform": lambda k: Fraction(3**k, 2 * k + 1),
    "rademacher": lambda k: Fraction(1),
}
