"""What an advice says to people and to programs."""

from __future__ import annotations

import math
from typing import Any

from netsim.api.advise import Advice
from netsim.api.advise_finding import Finding
from netsim.api.frame import aligned

__all__ = ["records", "text"]

_MEANING = {
    "class": "where the network stands",
    "kernel": "K of the output, infinite width",
    "chi_parallel": "chi_parallel at that K",
    "chi_perp": "chi_perp at that K",
    "excess kurtosis": "excess kurtosis of an output",
    "corr(z1^2, z2^2)": "correlation of z1^2 and z2^2",
    "sqrt(Var H)/H": "NTK, sqrt(Var H)/H",
    "H/H_infinity - 1": "NTK, H/H_infinity - 1",
    "order for kappa2": "powers of 1/n for kappa2",
    "order for kappa4": "powers of 1/n for kappa4",
    "width for kappa2": "width for |kappa2/K - 1|",
    "width for kappa4/kappa2^2": "width for kappa4/kappa2^2",
}
_GRADIENT = "R = E u^4/(3 (E u^2)^2), u the derivative of an output in a direction orthogonal to x"
_LONG = 90  # remarks that are not printed twice
_WITHIN = ("order", "width")  # items that depend on the accuracy


def text(advice: Advice) -> str:
    """The advice as plain text: a head, then one line an item."""
    net = advice.network
    C_W, C_b = net.weight_variance[0], net.bias_variance[0]
    head = (
        f"{net.activation.name}, {net.depth} layers of {net.widths[0]}: weight_variance={C_W!r} "
        f"bias_variance={C_b!r} norm2={advice.norm2:.9g}"
    )
    table = [("quantity", "value", "uncertainty", "source", "")]
    table += [_line(finding, advice.accuracy) for finding in advice.findings]
    known: set[str] = set()
    for i, (*cells, remark) in enumerate(table):
        if len(remark) > _LONG and remark in known:
            table[i] = (cells[0], cells[1], cells[2], cells[3], "as above")
        known.add(remark)
    lines = [f"  {line}" for line in aligned(table).splitlines()]
    return "\n".join([head, *lines, _GRADIENT])


def _line(finding: Finding, accuracy: float) -> tuple[str, ...]:
    name = _MEANING.get(finding.item, finding.item)
    if finding.item.startswith(_WITHIN):
        name += f" within {100 * accuracy:g}%"
    return name, _value(finding), _uncertainty(finding), _source(finding), finding.remark


def _value(finding: Finding) -> str:
    if isinstance(finding.value, float):
        return f"{finding.value:.6g}"
    return "-" if finding.value is None else str(finding.value)


def _uncertainty(finding: Finding) -> str:
    if not isinstance(finding.value, float):
        return ""
    return "not known" if finding.uncertainty is None else f"{finding.uncertainty:.1g}"


def _source(finding: Finding) -> str:
    if isinstance(finding.truncation, int):
        return f"{finding.source} to n^-{finding.truncation}"
    return finding.source or ""


def records(advice: Advice) -> list[dict[str, Any]]:
    """One JSON-ready dict per item."""
    net = advice.network
    common = {
        "activation": net.activation.name,
        "depth": net.depth,
        "width": net.widths[0],
        "weight_variance": net.weight_variance[0],
        "bias_variance": net.bias_variance[0],
        "norm2": advice.norm2,
        "accuracy": advice.accuracy,
    }
    return [common | _record(finding) for finding in advice.findings]


def _record(finding: Finding) -> dict[str, Any]:
    source = finding.source and f"theory:{finding.source}"
    return {
        "item": finding.item,
        "value": _finite(finding.value),
        "source": source,
        "error": _finite(finding.error),
        "truncation": finding.truncation,
        "truncation_error": _finite(finding.truncation_error),
        "remark": finding.remark,
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
