"""What a tuning says to people and to programs."""

from __future__ import annotations

import math
from typing import Any

from netsim.api.frame import aligned
from netsim.api.tune import Start, Tuned, Tuning
from netsim.report.format import plural, value_error
from netsim.theory.base import OutsideDomain
from netsim.theory.criticality.depth import Need
from netsim.theory.criticality.fixed import FixedPoint
from netsim.theory.criticality.laws import Law
from netsim.theory.criticality.point import CriticalPoint

__all__ = ["records", "text"]

_TAU = (0.25, 0.5, 1.0, 2.0)  # L/n at which limit curves are printed


def text(tuning: Tuning) -> str:
    """The tuning as plain text: one paragraph a critical point."""
    found = tuning.criticality
    low, high = found.scanned
    head = (
        f"{found.activation.name}: {plural(len(tuning.points), 'critical point')} "
        f"(K* > 0 searched for from {low:.3g} to {high:.3g})"
    )
    remarks = [f"  {remark}" for remark in found.remarks]
    remarks += [
        f"  rejected: K* = {K:.9g} would need weight_variance={C_W:.9g}, bias_variance={C_b:.9g} < 0"
        for K, C_W, C_b in found.rejected
    ]
    parts = [_paragraph(n, one, tuning) for n, one in enumerate(tuning.points, 1)]
    return "\n\n".join(["\n".join([head, *remarks]), *parts])


def _paragraph(number: int, one: Tuned, tuning: Tuning) -> str:
    point = one.point
    C_W, C_b, K = point.errors
    kernel = "every K is K*" if point.K is None else f"K* = {_number(point.K, K)}"
    lines = [
        f"{number}. {point.kind}: {kernel}, {_attraction(point)}",
        f"   {point.overrides}",
        f"   C_W = {value_error(point.weight_variance, C_W)}, "
        f"C_b = {_number(point.bias_variance, C_b)}; {_expansion(point)}",
    ]
    others = [f for f in one.fixed_points if not _same(f, point)]
    if others:
        lines.append(f"   other fixed points there: {', '.join(map(_fixed, others))}")
    lines.append(f"   limit at fixed L/n: {one.curve}")
    curve = _limit(one)
    if curve:
        lines += _indented([("L/n", *curve), *_rows(curve)])
    for start in one.starts:
        lines += _start(start, tuning.tolerance)
    if not one.starts and tuning.kernel is not None:
        K1, least = tuning.kernel, one.point.bias_variance
        to = (
            f"K goes to {one.flows_to(K1):.6g}"
            if K1 >= least
            else f"impossible: below C_b = {least:.6g}"
        )
        lines.append(f"   from K1 = {K1:.6g} {to}")
    return "\n".join(lines)


def _attraction(point: CriticalPoint) -> str:
    words = {"stays": "K never moves", "nothing": "K leaves it"}
    return words.get(point.attracts, f"attracts K from {point.attracts}")


def _expansion(point: CriticalPoint) -> str:
    if point.K is None:
        return f"v = {point.noise:.6g}"
    K = "K" if point.K == 0 else "(K - K*)"
    parts = []
    for name, term in (("F(K) - K", point.kernel), ("chi_perp - 1", point.perp)):
        if term is None:
            parts.append(f"{name} = 0 to every power of K")
        else:
            power = "" if term.power == 1 else f"^{term.power:g}"
            parts.append(f"{name} = {term.coefficient:.6g} {K}{power}")
    return "; ".join([*parts, f"v = {point.noise:.6g}"])


def _same(fixed: FixedPoint, point: CriticalPoint) -> bool:
    if fixed.K is None or point.K is None:
        return fixed.K is None and point.K is None
    return math.isclose(fixed.K, point.K, rel_tol=1e-3)


def _fixed(fixed: FixedPoint) -> str:
    K = "every K" if fixed.K is None else f"K = {fixed.K:.6g}"
    return f"{K} ({fixed.stability})"


def _start(start: Start, tolerance: float) -> list[str]:
    laws = start.asymptotics
    head = [f"   {laws.start}; depths from K1 = {start.kernel:.6g}"]
    head += [f"     {laws.remark}"] if laws.remark else []
    if not laws.laws:
        return head
    known = {need.law.quantity: need for need in start.needs}
    table = [("quantity", "large L", f"layers needed ({100 * tolerance:g}%)")]
    for law in laws.laws:
        need = known.get(law.quantity)
        table.append((law.quantity, law.text, "-" if need is None else need.text))
    return head + _indented(table)


def _indented(table: list[tuple[str, ...]]) -> list[str]:
    return [f"     {line}" for line in aligned(table).splitlines()]


def _number(value: float, error: float) -> str:
    return "0" if value == error == 0 else value_error(value, error)


def _limit(one: Tuned) -> dict[str, list[float]]:
    """The limit curve at a few L/n, or nothing."""
    try:
        return {name: values.tolist() for name, values in one.limit(_TAU).items()}
    except OutsideDomain:
        return {}


def _rows(curve: dict[str, list[float]]) -> list[tuple[str, ...]]:
    columns = zip(_TAU, *curve.values(), strict=True)
    return [tuple(f"{value:.6g}" for value in column) for column in columns]


def records(tuning: Tuning) -> list[dict[str, Any]]:
    """One JSON-ready dict per critical point; one with class "none" where there is none."""
    found = tuning.criticality
    common = {
        "activation": found.activation.name,
        "searched": list(found.scanned),
        "remarks": list(found.remarks),
        "rejected": [
            {"kernel": K, "weight_variance": C_W, "bias_variance": C_b}
            for K, C_W, C_b in found.rejected
        ],
    }
    if not tuning.points:
        return [{"class": "none", **common}]
    return [_record(one) | common for one in tuning.points]


def _record(one: Tuned) -> dict[str, Any]:
    point = one.point
    names = ("weight_variance", "bias_variance", "kernel")
    record: dict[str, Any] = {
        "class": point.kind,
        "weight_variance": point.weight_variance,
        "bias_variance": point.bias_variance,
        "kernel": point.K,
        "errors": dict(zip(names, point.errors, strict=True)),
        "attracts": point.attracts,
        "noise": point.noise,
        "overrides": point.overrides,
        "limit_curve": one.curve,
        "limit": {"L/n": list(_TAU), **_limit(one)} if _limit(one) else None,
    }
    for name, term in (("kernel_term", point.kernel), ("perp_term", point.perp)):
        record[name] = term and {
            "coefficient": term.coefficient, "power": term.power, "error": term.error,
        }  # fmt: skip
    record["fixed_points"] = [
        {
            "kernel": f.K,
            "error": f.error,
            "chi_parallel": _finite(f.chi_parallel),
            "chi_perp": _finite(f.chi_perp),
            "stability": f.stability,
        }
        for f in one.fixed_points
    ]
    record["starts"] = [
        {
            "start": start.asymptotics.start,
            "kernel": start.kernel,
            "remark": start.asymptotics.remark,
            "laws": [_law(law, start.needs) for law in start.asymptotics.laws],
        }
        for start in one.starts
    ]
    return record


def _law(law: Law, needs: tuple[Need, ...]) -> dict[str, Any]:
    need = next((need for need in needs if need.law == law), None)
    return {
        "quantity": law.quantity,
        "law": law.text,
        "coefficient": law.coefficient,
        "depth_power": law.depth_power,
        "width_power": law.width_power,
        "layers_needed": need and need.layers,
        "layers_searched": need and need.searched,
        "deviation": need and _finite(need.deviation),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
