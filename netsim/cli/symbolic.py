"""`netsim predict --symbolic`: formula, recursion, closed form and series of named quantities."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

__all__ = ["print_symbolic", "symbolic_text"]

_LEGEND = """\
kappa(...): joint cumulants over networks. n: hidden width (the first, where they differ). L: hidden
layers behind S. K_1: K of layer 1.
Recursion: one layer, all symbols at layer l on the right; all but K begin at 0 in layer 1.
F(K) = C_b + C_W <sigma^2>_K; c_k(K): k-th cumulant of sigma(z)^2, z ~ N(0, K); dF, d2F: F', F''.
D = E S - K to first order; V, T, Q: cum_2, cum_3, cum_4 of S to their leading orders 1/n, 1/n^2,
1/n^3 (powers included); V_2: the part of order 1/n^2 of cum_2, and so on; kappa10_4: of cum_5."""
_LEGEND_SLOPES = "A_k = (a_+^k + a_-^k)/2 with the slopes a_+ and a_- of sigma."
_LEGEND_MANY = """\
F_ab(K) = C_b + C_W <sigma(z_a) sigma(z_b)>_K; F_ab__aa: its derivative in K_aa; V_ab__cd: covariance
of S_ab and S_cd, D_ab = E S_ab - K_ab, both to first order in 1/n; c_ab__cd: covariance of
sigma(z_a) sigma(z_b) and sigma(z_c) sigma(z_d)."""
_PARTS = {
    "cumulants_of_S": "in cumulants of S", "recursion": "recursion", "closed_form": "closed form",
    "series": "series in 1/n",
}  # fmt: skip


def print_symbolic(
    points: Sequence[tuple[str, list[dict[str, Any]]]], *, json_wanted: bool
) -> None:
    """Records of all points, as one JSON array or as text under the points' titles."""
    if json_wanted:
        records = [record for _, records in points for record in records]
        print("[" + ",\n ".join(json.dumps(record) for record in records) + "]")
        return
    for title, records in points:
        print("\n\n".join([title, *(symbolic_text(record) for record in records)]) + "\n")
    symbols = {s["symbol"] for _, rs in points for r in rs for s in r["recursion"] or ()}
    print(_LEGEND)
    if any("A_2" in record["where"] for _, records in points for record in records):
        print(_LEGEND_SLOPES)
    if any(symbol.startswith("K_") for symbol in symbols):
        print(_LEGEND_MANY)


def symbolic_text(record: dict[str, Any]) -> str:
    """One quantity: every part in SymPy, then in LaTeX, or why it is missing."""
    name, text = record["quantity"], record["text"]
    lines = [f"{name}{'' if name == text else f' ({text})'}, made of S_{record['layers']}"]
    for key, label in _PARTS.items():
        lines.append(f"  {label}")
        lines += [f"    {line}" for line in _lines(record, key)]
    if record["where"]:
        lines.append(
            "  where " + ", ".join(f"{k} = {_short(v)}" for k, v in record["where"].items())
        )
    return "\n".join(lines)


def _lines(record: dict[str, Any], key: str) -> list[str]:
    part = record[key]
    if part is None:
        return [record["reasons"].get(key, "none: this quantity is 0 by symmetry")]
    if key == "recursion":
        steps = [f"{step['symbol']} -> {step['sympy']}" for step in part]
        return steps + [step["latex"] for step in part]
    return [part["sympy"], part["latex"]]


def _short(value: str) -> str:
    """A rational with long numerator as a decimal."""
    top, _, below = value.partition("/")
    return value if len(value) <= 12 else f"{int(top) / int(below or 1):.15g}"
