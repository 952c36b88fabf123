"""A check: one number that was measured beside what a claim says of it, and the verdict.

Three kinds, each of which can fail:

- "pull": |measured - predicted| <= 5 errors. Where the prediction's own uncertainty exceeds half the
  error the check is undecided: such a comparison could hide a difference.
- "equal": both are deterministic; |measured - predicted| <= tolerance.
- "bound": low <= measured <= high; crossed only where the distance beyond exceeds 5 errors, and
  undecided where 5 errors exceed the room between the bounds (or, with one bound, its size).

What is not a finite number, measured, predicted or its error, fails. What could not be judged
(unreliable, or nothing predicts it) is undecided and says why; a claim counts those too.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from netsim.compare import to_normal

__all__ = ["LIMIT", "Check", "bound", "equal", "pull", "unjudged"]

LIMIT = 5.0  # errors; one check in two million is wrong by chance
_POWER = 1.645  # a value LIMIT + this many errors away is rejected with probability 0.95
_ROUNDING = 1e-9  # relative, of sizes that are made of the tolerance they are compared with


@dataclass(frozen=True)
class Check:
    """One comparison.

    **Fields:** `what`, in words; `kind`; `measured`; `predicted` (None for a bound); `error`, one
    standard error of their difference (0 if both are deterministic); `uncertainty` of the prediction;
    `tolerance` of "equal", absolute; `low`, `high` of "bound" (None: open); `draws` or None;
    `series`, `x`: where it stands in the claim's figure, if anywhere; `knob` of the claim that the
    prediction (or the bounds) hangs on, or None; `unit`: how far the knob moves it when turned by 1,
    None for |predicted|, which is a relative change.
    """

    what: str
    kind: str
    measured: float
    predicted: float | None = None
    error: float = 0.0
    uncertainty: float = 0.0
    tolerance: float | None = None
    low: float | None = None
    high: float | None = None
    draws: int | None = None
    series: str | None = None
    x: float | None = None
    knob: str | None = None
    unit: float | None = None

    @property
    def pull(self) -> float | None:
        """(measured - predicted)/error as a normal quantile; None without a statistical error."""
        if self.kind != "pull" or self.predicted is None or not 0 < self.error < math.inf:
            return None
        t = (self.measured - self.predicted) / self.error
        return to_normal(t) if math.isfinite(t) else None

    @property
    def verdict(self) -> str:
        """ "holds", "fails" or "undecided"."""
        numbers = [self.measured, self.error, 0.0 if self.predicted is None else self.predicted]
        if not all(map(math.isfinite, numbers)):
            return "fails"
        if math.isinf(self.uncertainty):
            return "undecided"
        if self.kind == "bound":
            return self._inside()
        assert self.predicted is not None
        difference = abs(self.measured - self.predicted)
        if self.kind == "equal":
            assert self.tolerance is not None
            return "holds" if difference <= self.tolerance else "fails"
        if self.uncertainty > self.error / 2:
            return "undecided"
        if self.error == 0:
            return "holds" if difference == 0 else "fails"
        return "holds" if self.pull is not None and abs(self.pull) <= LIMIT else "fails"

    def _inside(self) -> str:
        reach = LIMIT * self.error
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        if not low - reach <= self.measured <= high + reach:
            return "fails"
        room = high - low if math.isfinite(high - low) else abs(self.high or self.low or 0.0)
        return "holds" if reach <= room else "undecided"

    @property
    def detects(self) -> float | None:
        """Smallest relative change of the prediction that is rejected with probability 0.95."""
        if self.kind != "pull" or not self.predicted:
            return None
        return (LIMIT + _POWER) * self.error / abs(self.predicted)

    def rejects(self, size: float) -> bool:
        """Whether a prediction moved by turning `knob` by `size` fails, with probability 0.95.

        An error decides for a pull and twice the tolerance for two computations. Bounds have to move
        past what was measured, and 6.65 errors more; between two bounds, in either direction.
        """
        if self.knob is None or self.verdict != "holds":
            return False
        unit = abs(self.predicted or 0.0) if self.unit is None else abs(self.unit)
        change = abs(size) * unit * (1 + _ROUNDING)
        if self.kind == "equal":
            return change > 0 and change >= 2 * (self.tolerance or 0.0)
        reach = (LIMIT + _POWER) * self.error
        if self.kind == "bound":
            rooms = [(self.measured, self.low, 1), (self.measured, self.high, -1)]
            reach += max(max(0.0, s * (x - end)) for x, end, s in rooms if end is not None)
        return change > 0 and change >= reach

    def json(self) -> dict:
        """The check as JSON-ready data, its verdict and pull included."""
        data = {key: value for key, value in asdict(self).items() if value is not None}
        finite = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in data.items()
        }
        return finite | {"pull": self.pull, "verdict": self.verdict}


def pull(what: str, measured: float, predicted: float, error: float, **more) -> Check:
    """A statistical check; `more`: `uncertainty`, `draws`, `series`, `x`, `knob`, `unit`."""
    return Check(
        what, "pull", float(measured), predicted=float(predicted), error=float(error), **more
    )


def equal(what: str, measured: float, predicted: float, tolerance: float, **more) -> Check:
    """A deterministic check to an absolute `tolerance`."""
    return Check(
        what,
        "equal",
        float(measured),
        predicted=float(predicted),
        tolerance=float(tolerance),
        **more,
    )


def bound(
    what: str, measured: float, low: float | None, high: float | None, error: float = 0.0, **more
) -> Check:
    """A check that a number lies between two bounds, either of which may be open (None).

    **Raises:** `ValueError` if both are open: nothing could fail.
    """
    if low is None and high is None:
        raise ValueError(f"bound on {what}: give low, high or both")
    return Check(what, "bound", float(measured), error=float(error), low=low, high=high, **more)


def unjudged(what: str, why: str, measured: float, error: float | None, **more) -> Check:
    """A check of something measured that cannot be judged: undecided, unless it is not a number."""
    return Check(
        f"{what} ({why})", "pull", float(measured), error=float(error or 0.0),
        uncertainty=math.inf, **more,
    )  # fmt: skip
