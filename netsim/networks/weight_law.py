"""A weight law: the distribution of one standardised weight, mean 0 and variance 1, as data.

A weight into layer l+1 is sqrt(C_W/n_l) times a standardised one. Each law declares its moments and
cumulants, which theory needs; how it is drawn from random words stands in `netsim.samplers.laws`
and, for orthogonal matrices, in `netsim.samplers.orthogonal`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from netsim.networks.weight_moments import even_moment, from_moments

__all__ = ["WeightLaw"]


@dataclass(frozen=True)
class WeightLaw:
    """The law of a standardised weight w: E w = 0, E |w|^2 = 1.

    **Fields:** `kind`, one of

    - "gaussian", "uniform", "rademacher" (+-1), independent weights;
    - "sparse": independent, +-1/sqrt(p) with probability p/2 each, else 0;
    - "student_t": independent, sqrt((nu-2)/nu) times a Student t of nu > 2 degrees of freedom; only
      moments of order < nu exist;
    - "orthogonal": the matrix is sqrt(m) times a corner of a Haar matrix of O(m), m = max(rows,
      columns), so W = sqrt(C_W m/fan_in) Q with orthonormal rows (rows <= columns) or columns of Q;
      weights of one matrix are uncorrelated but not independent;
    - "complex": independent circular complex Gaussians, E |w|^2 = 1, E w^2 = 0;

    `parameter`: p of sparse(p), nu of student_t(nu), otherwise None.
    """

    kind: str
    parameter: Fraction | None = None

    @property
    def name(self) -> str:
        """Canonical text, e.g. `"sparse(0.1)"`."""
        p = self.parameter
        if p is None:
            return self.kind
        return f"{self.kind}({p.numerator if p.denominator == 1 else float(p)!r})"

    @property
    def is_gaussian(self) -> bool:
        return self.kind == "gaussian"

    @property
    def is_real(self) -> bool:
        return self.kind != "complex"

    @property
    def is_independent(self) -> bool:
        """Whether the weights of one matrix are independent."""
        return self.kind != "orthogonal"

    @property
    def moments_below(self) -> float:
        """Moments of orders below this exist: nu of student_t(nu), else infinity."""
        p = self.parameter
        return float(p) if self.kind == "student_t" and p is not None else math.inf

    def moment(self, order: int, *, conjugates: int = 0, size: int | None = None) -> Fraction:
        """E w^(order - conjugates) conj(w)^conjugates, exact.

        **Arguments:** `conjugates`: how many of the `order` factors are complex conjugates, which
        matters for complex weights alone; `size`: max(rows, columns), on which an entry of an
        orthogonal matrix depends, and nothing else.

        **Raises:** `ValueError` for a moment that does not exist, and for "orthogonal" without size.
        """
        self._check("moment", order, conjugates, least=0)
        if self.kind == "orthogonal" and (size is None or size < 1):
            raise ValueError(
                f"moment of an entry of an orthogonal matrix, size={size!r}: its law depends on the "
                "size of the matrix; give size=max(rows, columns), at least 1"
            )
        if self.kind == "complex":  # |w|^2 is exponential: E |w|^2k = k!
            balanced = order == 2 * conjugates
            return Fraction(math.factorial(conjugates) if balanced else 0)
        if order % 2:
            return Fraction(0)  # every law here is symmetric
        return even_moment(self.kind, self.parameter, order // 2, size)

    def cumulant(self, order: int, *, conjugates: int = 0) -> Fraction:
        """The joint cumulant of order - conjugates times w and `conjugates` times conj(w), exact.

        For real weights the cumulant of w of that order; for complex Gaussian ones only
        cum(w, conj w) = 1 is not zero.

        **Raises:** `ValueError` for a cumulant that does not exist, and for "orthogonal": formulas
        in cumulants of one weight hold for independent weights.
        """
        self._check("cumulant", order, conjugates, least=1)
        if not self.is_independent:
            raise ValueError(
                f"cumulant of order {order} of one weight: weights of an orthogonal matrix are not "
                "independent, so that cumulants of one do not decide the matrix; moment(order, "
                "size=...) has the moments of an entry"
            )
        if not self.is_real:
            return Fraction(int((order, conjugates) == (2, 1)))
        return from_moments([self.moment(k) for k in range(order + 1)])

    def _check(self, what: str, order: int, conjugates: int, least: int) -> None:
        if order < least:
            raise ValueError(f"{what} of order {order}: the order must be >= {least}")
        if not 0 <= conjugates <= order:
            raise ValueError(
                f"{what} of order {order}: conjugates={conjugates} is not in 0..{order}"
            )
        if order >= self.moments_below:
            raise ValueError(
                f"{self.name} weights have no {what} of order {order}: those of order < "
                f"{self.moments_below:g} exist"
            )
