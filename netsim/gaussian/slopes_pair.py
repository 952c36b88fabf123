"""Two fields of a piecewise linear activation: products and covariance derivatives in closed form.

sigma = alpha x + beta |x|, D = sqrt(K11 K22 - K12^2), t = atan2(K12, D). From

    <|x||y|>       = (2/pi) (D + K12 t)
    <x|x| y|y|>    = (2/pi) (3 D K12 + t (K11 K22 + 2 K12^2))
    <|x|^3 |y|>    = (6/pi) (K11 (K12 t + D) - D^3/(3 K22))

and polynomial moments (arc-cosine kernels, Cho and Saul 2009). Derivatives are d/dK12 <|x||y|> =
(2/pi) t, d/dK11 <|x||y|> = D/(pi K11) and theirs. No term cancels, however nearly parallel the
inputs are; second derivatives grow like 1/D, and parallel inputs have none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from netsim.gaussian.covariance import determinant
from netsim.networks.activation import Activation

__all__ = ["SlopesPair"]


@dataclass(frozen=True)
class SlopesPair:
    """Expectations of sigma^(i)(x)^p sigma^(j)(y)^q under one covariance; build it with `of`."""

    alpha: float
    beta: float
    K11: float
    K12: float
    K22: float
    D: float

    @classmethod
    def of(cls, sigma: Activation, K11: float, K12: float, K22: float) -> SlopesPair:
        """**Raises:** `ValueError` if sigma is not piecewise linear, or K not semidefinite."""
        if sigma.slopes is None:
            raise ValueError(f"activation {sigma.name} is not piecewise linear with a kink at 0")
        plus, minus = sigma.slopes
        D = math.sqrt(determinant(K11, K12, K22))
        return cls((plus + minus) / 2, (plus - minus) / 2, float(K11), float(K12), float(K22), D)

    @property
    def swapped(self) -> SlopesPair:
        return SlopesPair(self.alpha, self.beta, self.K22, self.K12, self.K11, self.D)

    @property
    def t(self) -> float:
        return math.atan2(self.K12, self.D)

    def power(self, p: int, q: int) -> float | None:
        """<sigma^p(x) sigma^q(y)> for p + q = 2 or 4, both at least 1; None for others."""
        if (p, q) == (1, 3):
            return self.swapped.power(3, 1)
        a, b, K11, K12, K22, D = self.alpha, self.beta, self.K11, self.K12, self.K22, self.D
        if (p, q) == (1, 1):
            return a * a * K12 + b * b * (2 / math.pi) * (D + K12 * self.t)
        if (p, q) == (3, 1):
            rest = D**3 / (3 * K22) if K22 else 0.0
            absolute = (6 / math.pi) * (K11 * (K12 * self.t + D) - rest)
            plain = 3 * K11 * K12
            return a * a * (a * a + 3 * b * b) * plain + b * b * (3 * a * a + b * b) * absolute
        if (p, q) == (2, 2):
            even = K11 * K22 + 2 * K12 * K12
            odd = (2 / math.pi) * (3 * D * K12 + self.t * even)
            return (a * a + b * b) ** 2 * even + 4 * a * a * b * b * odd
        return None

    def derivative(self, i: int, j: int) -> float | None:
        """<sigma^(i)(x) sigma^(j)(y)> for i + j = 2 or 4; None for others.

        **Raises:** `ValueError` for i + j = 4 at parallel inputs, and derivatives by one that is 0.
        """
        if i < j:
            return self.swapped.derivative(j, i)
        if (i, j) == (1, 1):
            return self.alpha**2 + self.beta**2 * (2 / math.pi) * self.t
        if i + j not in (2, 4):
            return None
        if self.beta == 0 or (j == 0 and self.K22 == 0):
            return 0.0
        K11, K12, D = self.K11, self.K12, self.D
        if (i, j) == (2, 0) and K11 > 0:
            return self.beta**2 * (2 / math.pi) * D / K11
        if D == 0:
            raise ValueError(
                f"covariance derivatives at K11={K11}, K12={K12}, K22={self.K22}: with a kink they "
                "exist for inputs that are neither 0 nor (for second ones) parallel; drop one"
            )
        second = {
            (4, 0): 4 * (K11 * self.K22 / 2 - D * D) / (K11 * K11 * D),
            (3, 1): -2 * K12 / (K11 * D),
            (2, 2): 2 / D,
        }
        return self.beta**2 * second[i, j] / math.pi
