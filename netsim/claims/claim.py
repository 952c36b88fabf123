"""A claim of a theory: what it says, where it comes from, and how it is put to the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from netsim.claims.check import Check

__all__ = ["EFFORTS", "Axes", "Claim", "Trial"]

# effort -> factor on every draw count
EFFORTS = {"normal": 1, "thorough": 16}


@dataclass(frozen=True)
class Trial:
    """How hard to test, and what wrong value is inserted, if any.

    **Fields:** `effort`, one of `EFFORTS`; `wrong`: knob -> size of the wrong value inserted into the
    predictions that hang on it (tests insert each claim's smallest one and expect a failure).
    """

    effort: str = "normal"
    wrong: Mapping[str, float] = field(default_factory=dict)

    @property
    def thorough(self) -> bool:
        return self.effort == "thorough"

    def draws(self, number: int) -> int:
        """Networks to draw where the normal effort draws `number`."""
        return number * EFFORTS[self.effort]

    def scaled(self, knob: str, value: float) -> float:
        """`value`, wrong by a relative amount if the knob is turned."""
        return value * (1 + self.wrong.get(knob, 0.0))

    def shifted(self, knob: str, value: float) -> float:
        """`value`, wrong by an absolute amount (an exponent's) if the knob is turned."""
        return value + self.wrong.get(knob, 0.0)


@dataclass(frozen=True)
class Axes:
    """How the checks that have an `x` are drawn."""

    x: str
    y: str
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Claim:
    """One claim.

    **Fields:** `name`, a word or some joined by "-"; `statement`, one or two sentences; `source`, paper
    and where, or "derived" with the idea; `checks`: trial -> checks, made one after the other;
    `rejects`: knob -> smallest wrong value that is rejected with probability 0.95, all of which tests
    insert; `knobs`: knob -> what it changes, in words; `axes` of its figure or None; `command`: the
    sweep that draws more of it, or "". For every knob some check must hang on it (`Check.knob`) and
    have that power, or the claim is undecided.
    """

    name: str
    statement: str
    source: str
    checks: Callable[[Trial], Iterable[Check]]
    rejects: Mapping[str, float]
    knobs: Mapping[str, str]
    axes: Axes | None = None
    command: str = ""

    def __post_init__(self):
        if not self.rejects or set(self.rejects) != set(self.knobs):
            raise ValueError(
                f"claim {self.name}: every knob needs a smallest wrong value and words, got "
                f"{sorted(self.rejects)} and {sorted(self.knobs)}"
            )
