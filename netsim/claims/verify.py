"""Claims in Python: `netsim.verify("hierarchy.neurons")` runs them and shows verdicts in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netsim.claims.bodies import BODIES, claims_named
from netsim.claims.check import Check
from netsim.claims.claim import EFFORTS, Claim, Trial
from netsim.claims.run import Outcome, run_claims
from netsim.claims.text import outcome_text

__all__ = ["Verdicts", "verify"]


@dataclass(frozen=True)
class Verdicts:
    """Outcomes of claims, in the order in which they were run."""

    outcomes: tuple[Outcome, ...]

    @property
    def holds(self) -> bool:
        """Whether every claim holds."""
        return all(outcome.verdict == "holds" for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Check, ...]:
        """All checks that fail."""
        return tuple(check for outcome in self.outcomes for check in outcome.failed)

    def __getitem__(self, name: str) -> Outcome:
        for outcome in self.outcomes:
            if name in (outcome.claim.name, f"{outcome.body}.{outcome.claim.name}"):
                return outcome
        names = ", ".join(outcome.claim.name for outcome in self.outcomes)
        raise KeyError(f"{name}; run here: {names}")

    def __repr__(self) -> str:
        return "\n".join(map(outcome_text, self.outcomes))

    def _repr_html_(self) -> str:
        from netsim.report.claims import claims_section

        return claims_section([outcome.json() for outcome in self.outcomes])


def verify(
    *names: str, effort: str = "normal", show: Callable[[Claim, int], None] | None = None
) -> Verdicts:
    """Test claims of theory: each one's predictions beside measurements, with pulls and verdicts.

    ```python
    import netsim
    verdicts = netsim.verify("hierarchy.neurons")
    verdicts.holds; verdicts["neurons"].largest.pull
    ```

    **Arguments:** `names`: bodies of theory, e.g. "hierarchy", or single claims, e.g.
    "hierarchy.neurons", or "all"; `effort`: "normal" or "thorough" (16 times as many draws); `show`:
    called after every check with the claim and the number of its checks so far.

    **Returns:** `Verdicts`.

    **Raises:** `ValueError` for unknown names (which are listed) or efforts.
    """
    if effort not in EFFORTS:
        raise ValueError(f"effort={effort!r}: must be one of {', '.join(EFFORTS)}")
    if not names:
        known = [f"{body}.{claim.name}" for body, claim in claims_named(["all"])]
        raise ValueError(f"name what to verify: {', '.join(['all', *BODIES, *known])}")
    return Verdicts(tuple(run_claims(claims_named(names), Trial(effort), show)))
