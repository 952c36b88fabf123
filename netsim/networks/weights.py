"""The weight laws that there are, and their names."""

from __future__ import annotations

import difflib
import re
from fractions import Fraction

from netsim.networks.weight_law import WeightLaw as WeightLaw

__all__ = ["LAWS", "WeightLaw", "weight_law", "weight_law_names"]

# all laws: name -> what a standardised weight is
LAWS = {
    "gaussian": "standard normal",
    "uniform": "uniform on [-sqrt 3, sqrt 3]",
    "rademacher": "+-1",
    "sparse(p)": "+-1/sqrt p with probability p/2 each, else 0",
    "student_t(nu)": "Student's t of variance 1, nu > 2; moments of order < nu exist",
    "orthogonal": "Haar matrices, orthonormal rows or columns: weights are not independent",
    "complex": "complex Gaussian; for products of matrices, a network refuses it",
}

_PLAIN = tuple(name for name in LAWS if "(" not in name)
# kind -> (an example, what is allowed, the test)
_WITH = {
    "sparse": (
        "sparse(0.1)",
        "the density p must lie in (0, 1] and be 1e-6 or more: a draw keeps a weight with probability "
        "p rounded to a multiple of 2^-31 = 4.7e-10, none at all for p <= 2.3e-10, and from 1e-6 on "
        "the variance is right to 3e-4",
        lambda p: Fraction(1, 10**6) <= p <= 1,
    ),
    "student_t": (
        "student_t(5)",
        "the degrees of freedom nu must lie in (2, 10^6]: up to 2 there is no variance, and beyond "
        "10^6 the law is gaussian",
        lambda nu: 2 < nu <= 10**6,
    ),
}


def weight_law_names() -> list[str]:
    """All laws that `weight_law` knows."""
    return list(LAWS)


def weight_law(text: str | WeightLaw) -> WeightLaw:
    """The law called `text`, e.g. `"rademacher"`, `"sparse(0.1)"` or `"student_t(5)"`.

    **Raises:** `ValueError` for an unknown law, p outside [1e-6, 1] or nu outside (2, 10^6].
    """
    if isinstance(text, WeightLaw):
        return text
    match = re.fullmatch(r"\s*([a-z_]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*", str(text))
    name, argument = (match.group(1), match.group(2)) if match else (str(text), None)
    if name in _PLAIN and not argument:
        return WeightLaw(name)
    if name in _PLAIN:
        raise ValueError(f"{text!r}: {name} takes no parameter; write {name}")
    if name in _WITH:
        example, allowed, right = _WITH[name]
        try:
            value = Fraction(argument or "")
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"{text!r}: {name} takes one number; write e.g. {example}") from None
        if not right(value):
            raise ValueError(f"{text!r}: {allowed}")
        return WeightLaw(name, value)
    near = difflib.get_close_matches(name, [*_PLAIN, *_WITH], 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown weight law {text!r}.{hint} Known: {', '.join(weight_law_names())}")
