"""Run claims of any body of theory, one after the other, and keep what each one showed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from netsim.claims.check import Check
from netsim.claims.claim import Claim, Trial

__all__ = ["DECIDED", "Outcome", "run_claim", "run_claims"]

DECIDED = 0.5  # a claim with a smaller share of decided checks is undecided

Show = Callable[[Claim, int], None]  # called after every check with the number made so far


@dataclass(frozen=True)
class Outcome:
    """What came of a claim.

    **Fields:** `body`, of theory; `claim`; `checks`; `seconds`; `problem`: why it could not be tested
    to the end, or None.
    """

    body: str
    claim: Claim
    checks: tuple[Check, ...]
    seconds: float
    problem: str | None = None

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.verdict == "fails")

    @property
    def verdict(self) -> str:
        """ "fails" if a check fails or the claim could not be tested to the end; "undecided" if there
        is a `doubt`; else "holds"."""
        if self.failed or self.problem:
            return "fails"
        return "undecided" if self.doubt else "holds"

    @property
    def doubt(self) -> str | None:
        """Why the checks that hold do not suffice, in words, or None.

        At least `DECIDED` of all checks must be decided, and for every knob of the claim one check
        that holds must reject the smallest wrong value that the claim says it rejects.
        """
        left = sum(check.verdict == "undecided" for check in self.checks)
        if len(self.checks) - left < DECIDED * len(self.checks):
            return f"{left} of {len(self.checks)} checks are undecided"
        weak = [knob for knob in self.claim.rejects if not self.tested(knob)]
        if not weak:
            return None
        words = [f"{self.claim.rejects[k]:g} in {self.claim.knobs[k]} ({k})" for k in weak]
        return f"no check that holds would reject {'; '.join(words)}"

    def tested(self, knob: str) -> bool:
        """Whether a check that holds has the power that the claim states for `knob`."""
        size = self.claim.rejects[knob]
        return any(check.knob == knob and check.rejects(size) for check in self.checks)

    @property
    def largest(self) -> Check | None:
        """The check with the largest |pull|."""
        judged = [check for check in self.checks if check.pull is not None]
        return max(judged, key=lambda check: abs(check.pull or 0.0), default=None)

    def json(self) -> dict:
        """The outcome as JSON-ready data."""
        axes, largest = self.claim.axes, self.largest
        return {
            "body": self.body,
            "name": self.claim.name,
            "statement": self.claim.statement,
            "source": self.claim.source,
            "verdict": self.verdict,
            "problem": self.problem,
            "doubt": self.doubt if self.verdict == "undecided" else None,
            "seconds": self.seconds,
            "largest_pull": None if largest is None else largest.pull,
            "rejects": [
                {"knob": knob, "what": self.claim.knobs[knob], "size": size}
                for knob, size in self.claim.rejects.items()
            ],
            "axes": None if axes is None else vars(axes),
            "command": self.claim.command,
            "checks": [check.json() for check in self.checks],
        }


def run_claim(body: str, claim: Claim, trial: Trial, show: Show | None = None) -> Outcome:
    """Test one claim; a failure inside it ends this claim only, and is told in `problem`."""
    begin, checks, problem = time.monotonic(), [], None
    try:
        for check in claim.checks(trial):
            checks.append(check)
            if show is not None:
                show(claim, len(checks))
    except (ValueError, ArithmeticError, MemoryError) as error:
        problem = f"{type(error).__name__}: {error}"
    if not checks and problem is None:
        problem = "it made no check"
    return Outcome(body, claim, tuple(checks), time.monotonic() - begin, problem)


def run_claims(
    claims: Sequence[tuple[str, Claim]], trial: Trial, show: Show | None = None
) -> Iterator[Outcome]:
    """Outcomes of (body, claim) pairs, each as soon as it is there."""
    for body, claim in claims:
        yield run_claim(body, claim, trial, show)
