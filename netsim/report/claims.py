"""The claims of a body of theory as a section of a page: verdicts, figures, what each one rejects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from netsim.report.claims_figure import claim_curves, claim_figure
from netsim.report.format import plural, value_error
from netsim.report.sections import command_box
from netsim.report.style import svg
from netsim.report.symbols import formula_html
from netsim.report.tables import scroll

__all__ = ["claims_section"]

_MARKS = {"holds": "✓ holds", "fails": "✗ fails", "undecided": "? undecided"}
MOST_ROWS = 12  # checks shown in a table; all are in claims.json


def claims_section(outcomes: Sequence[Mapping]) -> str:
    """HTML of one section per body of theory; empty without outcomes."""
    bodies: dict[str, list[Mapping]] = {}
    for outcome in outcomes:
        bodies.setdefault(outcome["body"], []).append(outcome)
    parts = []
    for body, found in bodies.items():
        claims = "".join(_claim(outcome, f"claim{body}{i}") for i, outcome in enumerate(found))
        head = f"<h2>Claims: {escape(body)}</h2>{_origin(body, found)}{_summary(found)}"
        parts.append(f"<section>{head}{claims}</section>")
    return "".join(parts)


def _origin(body: str, outcomes: Sequence[Mapping]) -> str:
    """What was run, by which versions, and the line that does it again."""
    origins = [outcome.get("origin") or {} for outcome in outcomes]
    thorough = any(origin.get("effort") == "thorough" for origin in origins)
    holds = sum(outcome["verdict"] == "holds" for outcome in outcomes)
    facts = dict.fromkeys(origin["where"] for origin in origins if origin.get("where"))
    words = (
        f"{holds} of {plural(len(outcomes), 'claim')} hold, by "
        f"{plural(sum(len(outcome['checks']) for outcome in outcomes), 'check')} in "
        f"{sum(outcome['seconds'] for outcome in outcomes):.0f} s. {'; '.join(facts)}"
    )
    command = f"netsim verify {body}{' --thorough' if thorough else ''}"
    return f"<p>{escape(words)}</p>{command_box(command)}"


def _summary(outcomes: Sequence[Mapping]) -> str:
    body = []
    for outcome in outcomes:
        counts = _counts(outcome)
        pull = outcome.get("largest_pull")
        cells = [
            f'<a href="#{_anchor(outcome)}">{escape(outcome["name"])}</a>',
            f"<span{_far(outcome)}>{_MARKS[outcome['verdict']]}</span>",
            str(counts["holds"]),
            str(counts["fails"]),
            str(counts["undecided"]),
            "–" if pull is None else f"{abs(pull):.2f}",
            f"{outcome['seconds']:.0f} s",
        ]
        body.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    names = ("claim", "verdict", "hold", "fail", "undecided", "largest |pull|", "time")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    return scroll(
        f'<table class="summary"><thead><tr>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    )


def _anchor(outcome: Mapping) -> str:
    return escape(f"{outcome['body']}-{outcome['name']}", quote=True)


def _far(outcome: Mapping) -> str:
    return "" if outcome["verdict"] == "holds" else ' class="far"'


def _counts(outcome: Mapping) -> dict[str, int]:
    verdicts = [check["verdict"] for check in outcome["checks"]]
    return {name: verdicts.count(name) for name in _MARKS}


def _claim(outcome: Mapping, prefix: str) -> str:
    parts = [
        f'<h3 id="{_anchor(outcome)}">{escape(outcome["name"])}: '
        f"<span{_far(outcome)}>{outcome['verdict']}</span></h3>",
        f"<p>{formula_html(outcome['statement'])}</p>",
        f"<p><small>{formula_html(outcome['source'])}</small></p>",
    ]
    if outcome.get("problem"):
        parts.append(f'<p class="warn">Not tested to the end: {escape(outcome["problem"])}</p>')
    if outcome.get("doubt"):
        parts.append(f'<p class="warn">Undecided: {escape(outcome["doubt"])}</p>')
    parts.append(f"<p>{formula_html(_rejects(outcome))}</p>")
    curves = claim_curves(outcome["checks"])
    if curves and outcome.get("axes"):
        caption = (
            "Points are measured, lines predicted at the same width and depth, nothing is fitted. "
            "Below, pulls with bands of 1 and 2."
        )
        picture = svg(claim_figure(curves, outcome["axes"]), prefix, caption)
        parts.append(
            f'<div class="grid"><figure>{picture}<figcaption>{caption}</figcaption></figure></div>'
        )
    if outcome.get("command"):
        parts.append(f"<p>More draws, more points:</p>{command_box(outcome['command'])}")
    return "".join(parts) + _table(outcome)


def _rejects(outcome: Mapping) -> str:
    knobs = "; ".join(f"{entry['size']:g} in {entry['what']}" for entry in outcome["rejects"])
    return f"{plural(len(outcome['checks']), 'check')}. Smallest wrong values rejected: {knobs}."


def _table(outcome: Mapping) -> str:
    """The checks that fail, then those with the largest pulls."""
    checks = sorted(
        outcome["checks"],
        key=lambda c: (c["verdict"] == "holds", -abs(c.get("pull") or 0.0)),
    )
    rows = []
    for check in checks[:MOST_ROWS]:
        weak = "" if check["verdict"] == "holds" else ' class="weak"'
        cells = [
            formula_html(check["what"]),
            escape(value_error(check.get("measured"), check.get("error") or None)),
            escape(_expected(check)),
            escape(_comparison(check)),
        ]
        rows.append(f"<tr{weak}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    heads = "".join(
        f'<th scope="col">{n}</th>' for n in ("check", "measured", "claimed", "verdict")
    )
    left = len(checks) - len(rows)
    more = f"<p>{plural(left, 'more check')} in claims.json.</p>" if left else ""
    table = scroll(f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>")
    return f"<details><summary>checks</summary>{table}{more}</details>"


def _expected(check: Mapping) -> str:
    if check["kind"] == "bound":
        low, high = check.get("low"), check.get("high")
        if low is None:
            return f"at most {high:.6g}"
        return f"at least {low:.6g}" if high is None else f"{low:.6g} to {high:.6g}"
    return value_error(check.get("predicted"), check.get("uncertainty") or None)


def _comparison(check: Mapping) -> str:
    pull = check.get("pull")
    return check["verdict"] if pull is None else f"{check['verdict']}, pull {pull:+.2f}"
