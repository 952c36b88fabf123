"""SymPy on use, and the LaTeX of the names that symbolic theory writes.

Names are words that SymPy reads back: `dF`, `d2F` are F', F''; `c_2`, `dc_2` are c_2, c_2' (dashes are
K-derivatives); `V_2` is the part of order n^-2 of kappa_4 where V is the leading one; `S_ab` is S of
inputs a and b; `F_ab__aa`, in LaTeX F_{ab;aa}, is the derivative of F_ab with respect to K_aa, and
`V_aa__bb` the covariance of S_aa and S_bb.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from netsim.theory.pairings import SlotPair

__all__ = ["exact_number", "latex", "load_sympy", "overlap_symbol"]


def load_sympy() -> Any:
    """The module sympy.

    **Raises:** `ValueError` if it is not installed, saying how to install it.
    """
    try:
        import sympy
    except ImportError:
        raise ValueError(
            "symbolic theory needs SymPy, which is not installed: pip install 'netsim[symbolic]'"
        ) from None
    return sympy


def exact_number(value: float | Fraction) -> Any:
    """The rational that a float (or a fraction) is, as a SymPy number."""
    ratio = Fraction(value)
    return load_sympy().Rational(ratio.numerator, ratio.denominator)


def overlap_symbol(pair: SlotPair) -> Any:
    """S_ab of two slots; `S_a'u,b` where one is differentiated."""
    comma = "," if any(slot.directions for slot in pair) else ""
    return load_sympy().Symbol("S_" + comma.join(slot.text for slot in sorted(pair)))


def latex(expression: Any) -> str:
    """LaTeX in the notation of the package."""
    sympy = load_sympy()
    names = {s: _tex(s.name) for s in expression.free_symbols if isinstance(s, sympy.Symbol)}
    return str(sympy.latex(expression, symbol_names=names))


def _tex(name: str) -> str:
    if match := re.fullmatch(r"d(\d*)([A-Za-z]+)(_\d+)?", name):
        q, base, index = int(match[1] or 1), match[2], match[3] or ""
        return f"{base}{index}" + ("'" * q if q <= 3 else f"^{{({q})}}")
    if match := re.fullmatch(r"kappa(\d+)_(\d+)", name):
        return rf"\kappa_{{{match[1]}}}^{{[{match[2]}]}}"
    base, *pairs = re.sub("_(?!_)", "__", name, count=1).split("__")
    if base == "F" and len(pairs) > 1:
        return f"F_{{{pairs[0]};{','.join(pairs[1:])}}}"
    return f"{base}_{{{','.join(pairs)}}}" if pairs else base
