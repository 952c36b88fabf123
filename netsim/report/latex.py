"""A table for a paper: plain LaTeX `tabular`, no package needed, numbers as 0.4321(12)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from netsim.report.format import value_error

__all__ = ["escape", "latex_number", "latex_table"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "'": r"$'$",
    "–": "--",
}
_HEADER = ("network", "quantity", "layer", "estimate", "prediction", "pull")


def escape(text: str) -> str:
    """`text` such that LaTeX prints exactly it; characters outside ASCII become "?"."""
    return "".join(_SPECIAL.get(c, c if " " <= c <= "~" else "?") for c in str(text))


def latex_number(text: str) -> str:
    r"""1.23(45)e-05 -> $1.23(45)\times 10^{-5}$; words pass unchanged."""
    match = re.fullmatch(r"(-?[\d.]+(?:\([\w.+-]+\))?)(?:e([+-]\d+))?", text)
    if match is None:
        return escape(text)
    power = "" if match[2] is None else rf"\times 10^{{{int(match[2])}}}"
    return f"${match[1]}{power}$"


def _cells(line: Mapping) -> tuple[str, ...]:
    unreliable = line.get("kind") == "unreliable"
    pull, relative = line.get("pull"), line.get("relative")
    if pull is not None:
        verdict = f"${pull:+.2f}$"
    elif unreliable or relative is None:
        verdict = escape(line.get("verdict") or "")
    else:
        verdict = rf"(${100 * relative:+.2g}\%$)"
    estimate = latex_number(value_error(line.get("value"), line.get("error")))
    return (
        escape(line.get("title") or ""),
        escape(line.get("alias") or line["quantity"].partition("@")[0]),
        "--" if line.get("layer") is None else str(line["layer"]),
        rf"\emph{{{estimate}}}" if unreliable else estimate,
        latex_number(value_error(line.get("prediction"), _own_error(line))),
        verdict,
    )


def _own_error(line: Mapping) -> float | None:
    exact = line.get("prediction_truncation") == "exact"
    return None if exact else line.get("prediction_truncation_error")


def latex_table(table: Iterable[Mapping], header: Sequence[str] = _HEADER) -> str:
    """Lines of `netsim.store.table.tidy` as one `tabular`.

    Unreliable values are in italics; a difference in brackets, in per cent, is not a pull.
    """
    lines = [
        r"\begin{tabular}{llrllr}",
        r"\hline",
        " & ".join(map(escape, header)) + r" \\",
        r"\hline",
        *(" & ".join(_cells(line)) + r" \\" for line in table),
        r"\hline",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"
