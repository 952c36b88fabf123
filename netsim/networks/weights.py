"""Weight laws: the distribution of one standardised weight, mean 0 and variance 1, as data.

A weight into layer l+1 is sqrt(C_W/n_l) times a standardised one. Each law declares its cumulants,
which theory needs; how it is drawn from random words stands in `netsim.samplers.laws`.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["WeightLaw", "weight_law", "weight_law_names"]


@dataclass(frozen=True)
class WeightLaw:
    """The law of a standardised weight.

    **Fields:** `kind`: "gaussian", "uniform", "rademacher" or "sparse"; `parameter`: p of sparse(p)
    (each weight is +-1/sqrt(p) with probability p/2 each, else 0), otherwise None.
    """

    kind: str
    parameter: Fraction | None = None

    @property
    def name(self) -> str:
        """Canonical text, e.g. `"sparse(0.1)"`."""
        return self.kind if self.parameter is None else f"{self.kind}({float(self.parameter)!r})"

    @property
    def is_gaussian(self) -> bool:
        return self.kind == "gaussian"

    def moment(self, order: int) -> Fraction:
        """E w^order, exact. Odd moments vanish: every law here is symmetric."""
        if order < 0:
            raise ValueError(f"moment of order {order}: the order must be >= 0")
        if order % 2:
            return Fraction(0)
        if self.kind == "gaussian":
            return Fraction(math.prod(range(1, order, 2)))
        if self.kind == "uniform":  # on [-sqrt 3, sqrt 3]
            return Fraction(3 ** (order // 2), order + 1)
        p = Fraction(1) if self.kind == "rademacher" else self.parameter
        assert p is not None  # sparse(p) carries its p
        return p ** (1 - order // 2) if order else Fraction(1)

    def cumulant(self, order: int) -> Fraction:
        """The cumulant of w of that order, exact, from the moments.

        **Raises:** `ValueError` for order < 1 (a law without the moment would be refused here too).
        """
        if order < 1:
            raise ValueError(f"cumulant of order {order}: the order must be >= 1")
        kappa: list[Fraction] = [Fraction(0)]
        for k in range(1, order + 1):
            rest = sum(math.comb(k - 1, j - 1) * kappa[j] * self.moment(k - j) for j in range(1, k))
            kappa.append(self.moment(k) - rest)
        return kappa[order]


_PLAIN = ("gaussian", "uniform", "rademacher")


def weight_law_names() -> list[str]:
    """All laws that `weight_law` knows."""
    return [*_PLAIN, "sparse(p)"]


def weight_law(text: str | WeightLaw) -> WeightLaw:
    """The law called `text`, e.g. `"rademacher"` or `"sparse(0.1)"`.

    **Raises:** `ValueError` for an unknown law, or p outside (0, 1].
    """
    if isinstance(text, WeightLaw):
        return text
    known = ", ".join(weight_law_names())
    match = re.fullmatch(r"\s*([a-z_]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*", str(text))
    name, argument = (match.group(1), match.group(2)) if match else (str(text), None)
    if name in _PLAIN and not argument:
        return WeightLaw(name)
    if name == "sparse":
        try:
            p = Fraction(argument or "")
        except (ValueError, ZeroDivisionError):
            raise ValueError(
                f"{text!r}: write sparse(p) with a number p, e.g. sparse(0.1)"
            ) from None
        if not 0 < p <= 1:
            raise ValueError(f"{text!r}: the density p must lie in (0, 1]")
        return WeightLaw("sparse", p)
    near = difflib.get_close_matches(name, [*_PLAIN, "sparse"], 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown weight law {text!r}.{hint} Known: {known}")
