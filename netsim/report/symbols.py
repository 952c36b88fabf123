"""Formulas in plain text as HTML: kappa_4/kappa_2^2 -> κ<sub>4</sub>/κ<sub>2</sub><sup>2</sup>."""

from __future__ import annotations

import re
from html import escape

__all__ = ["formula_html", "formula_math"]

_WORDS = {
    "kappa": "κ", "chi": "χ", "sigma": "σ", "tau": "τ", "delta": "δ", "Delta": "Δ", "phi": "φ",
    "alpha": "α", "beta": "β", "gamma": "γ", "lambda": "λ", "rho": "ρ", "theta": "θ",
    "infinity": "∞",
}  # fmt: skip
_SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "+-": "±"}
_GREEK = re.compile(rf"(?<![A-Za-z.])({'|'.join(_WORDS)})(?![A-Za-z=])")
# one sign, a word of letters and digits, or what braces hold; an exponent may have a sign
_BELOW = re.compile(r"(?<=[A-Za-zα-ωΑ-Ω'*)])_(\{[^{}]*\}|[A-Za-z0-9*]+)")
_ABOVE = re.compile(r"(?<=[A-Za-z0-9α-ωΑ-Ω)\]>'*])\^(\{[^{}]*\}|\([^()]*\)|-?[A-Za-z0-9]+)")

_NAME = r"[A-Za-z][\w/^]*\[[^\]]*\](?:[@~]\w+)*"
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])([A-Za-z]+)(?:_(\{[^{}]*\}|[A-Za-z0-9*]+))?"
    r"(?:\^(\{[^{}]*\}|\([^()]*\)|-?[A-Za-z0-9]+))?"
)


def _signs(text: str) -> str:
    """Greek letters and signs as such; powers and indices as they are."""
    for plain, sign in _SIGNS.items():
        text = text.replace(plain, sign)
    return _GREEK.sub(lambda found: _WORDS[found[1]], text)


def formula_html(text: str) -> str:
    """The text escaped, with Greek letters, signs, and powers and indices set as such.

    What stands between backticks, and names of quantities, e.g. cum[z1a^2 z2a^2]@9, are <code>.
    """
    parts = re.split(rf"(`[^`]*`|{_NAME})", text)
    return "".join(
        f"<code>{escape(part.strip('`'))}</code>" if i % 2 else _formula(part)
        for i, part in enumerate(parts)
    )


def formula_math(text: str) -> str:
    """For matplotlib: tokens with an index or a power, and Greek letters, in mathtext.

    Names of quantities, e.g. cum[z1a^2 z2a^2], stay as they are.
    """
    for plain, sign in _SIGNS.items():
        text = text.replace(plain, sign)
    parts = re.split(rf"({_NAME})", text)
    return "".join(p if i % 2 else _TOKEN.sub(_mathtext, p) for i, p in enumerate(parts))


def _mathtext(found: re.Match) -> str:
    name, below, above = (found[i] or "" for i in (1, 2, 3))
    greek = name in _WORDS
    if not (greek or below or above):
        return found[0]
    word = "\\" + {"infinity": "infty"}.get(name, name) if greek else name
    below = f"_{{{below.strip('{}')}}}" if below else ""
    above = f"^{{{above.strip('{}()')}}}" if above else ""
    return f"${word}{below}{above}$"


def _formula(text: str) -> str:
    text = escape(_signs(text), quote=False)
    text = _BELOW.sub(lambda found: f"<sub>{found[1].strip('{}')}</sub>", text)
    return _ABOVE.sub(lambda found: f"<sup>{found[1].strip('{}')}</sup>", text)
