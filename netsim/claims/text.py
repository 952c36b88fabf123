"""Outcomes of claims in plain text."""

from __future__ import annotations

from netsim.claims.check import Check
from netsim.claims.run import Outcome
from netsim.report.format import value_error

__all__ = ["outcome_text"]

MOST_FAILURES = 5


def outcome_text(outcome: Outcome) -> str:
    """One line a claim, and one more for every check that fails."""
    verdicts = [check.verdict for check in outcome.checks]
    counts = [f"{verdicts.count(v)} {v}" for v in ("holds", "fails", "undecided") if v in verdicts]
    parts = [f"{outcome.verdict:<9} {outcome.body}.{outcome.claim.name}: {', '.join(counts)}"]
    largest = outcome.largest
    if largest is not None and largest.pull is not None:
        parts.append(f"largest pull {largest.pull:+.1f}")
    parts.append(f"{outcome.seconds:.0f} s")
    lines = ["; ".join(parts)]
    if outcome.problem:
        lines.append(f"          not tested to the end: {outcome.problem}")
    if outcome.verdict == "undecided":
        lines.append(f"          undecided: {outcome.doubt}")
    lines += [f"          {_failure(check)}" for check in outcome.failed[:MOST_FAILURES]]
    if len(outcome.failed) > MOST_FAILURES:
        lines.append(f"          and {len(outcome.failed) - MOST_FAILURES} more")
    return "\n".join(lines)


def _failure(check: Check) -> str:
    measured = value_error(check.measured, check.error or None)
    if check.kind == "bound":
        low = "" if check.low is None else f" at least {check.low:.8g}"
        high = "" if check.high is None else f" at most {check.high:.8g}"
        return f"{check.what}: {measured}, claimed{low}{high}"
    if check.predicted is None:
        return f"{check.what}: {measured}, not a number"
    pull = "" if check.pull is None else f", pull {check.pull:+.1f}"
    return f"{check.what}: {measured}, claimed {check.predicted:.8g}{pull}"
