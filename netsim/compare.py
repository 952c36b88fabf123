"""Compare: join estimates with predictions by quantity, and judge each pair by fixed rules.

A pull is (estimate - prediction) / (statistical error), mapped from Student's t to a normal
quantile; it is given only where the prediction's own uncertainty is below half the statistical
error. Rows of one run are correlated (all depths, all orders), so a summary counts pulls and names
the largest one, and gives no p-value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from netsim.estimators.jackknife import t_to_normal
from netsim.rows import COLUMNS, Row

__all__ = [
    "Chi2",
    "Comparison",
    "Match",
    "Summary",
    "as_row",
    "best_prediction",
    "chi2",
    "join",
    "to_normal",
    "uncertainty",
]

DEGREES = 63  # the jackknife runs over 64 blocks
MAX_CHI2_ROWS = 8  # more rows than this and the inverse of a 64-block covariance is mostly noise
EQUAL_TOLERANCE = 1e-9  # relative, for rows without statistical error
ROUNDING = 1e-12  # an error below this share of the value is float64 rounding, not statistics


@dataclass(frozen=True)
class Match:
    """An estimate beside the best prediction of the same quantity.

    **Fields:** `kind`, one of "pull", "difference", "unreliable", "equal", "differs", "none";
    `t`, (estimate - prediction)/error, and `pull`, the same as a normal quantile (both None unless
    `kind` is "pull"); `relative`, (estimate - prediction)/|prediction| or None; `verdict`, words.
    """

    estimate: Row
    prediction: Row
    kind: str
    t: float | None
    pull: float | None
    relative: float | None
    verdict: str


@dataclass(frozen=True)
class Summary:
    """Counts over matches; `largest` is the match with the largest |pull|, or None."""

    pulls: int
    largest: Match | None
    unreliable: int
    beyond: int
    differs: int
    unmatched_estimates: int
    unmatched_predictions: int


@dataclass(frozen=True)
class Comparison:
    """What `join` found; nothing that was given is missing from it."""

    matches: tuple[Match, ...]
    unmatched_estimates: tuple[Row, ...]
    unmatched_predictions: tuple[Row, ...]

    def summary(self) -> Summary:
        """Number of pulls, the largest one and what was not compared."""
        judged = [match for match in self.matches if match.kind == "pull"]
        rows = [match.estimate for match in self.matches] + list(self.unmatched_estimates)
        return Summary(
            pulls=len(judged),
            largest=max(judged, key=lambda match: abs(match.pull or 0.0), default=None),
            unreliable=sum("unreliable" in row.flags for row in rows),
            beyond=sum(match.kind == "difference" for match in self.matches),
            differs=sum(match.kind == "differs" for match in self.matches),
            unmatched_estimates=len(self.unmatched_estimates),
            unmatched_predictions=len(self.unmatched_predictions),
        )


@dataclass(frozen=True)
class Chi2:
    """A chi^2 of `rows` rows; `p` allows for the covariance having been estimated."""

    value: float
    rows: int
    p: float


def as_row(data: Row | Mapping) -> Row:
    """A `Row` from a row or from its JSON form (a missing value becomes NaN).

    **Raises:** `ValueError` for unknown or missing columns.
    """
    if isinstance(data, Row):
        return data
    unknown = sorted(set(data) - set(COLUMNS))
    missing = sorted({"quantity", "source", "value"} - set(data))
    if unknown or missing:
        raise ValueError(
            f"not a row: unknown columns {unknown}, missing columns {missing}; "
            f"a row has the columns {', '.join(COLUMNS)}"
        )
    full = {"alias": None, "layer": None, "inputs": "", "error": None} | dict(data)
    full["value"] = math.nan if full["value"] is None else float(full["value"])
    full["flags"] = tuple(full.get("flags") or ())
    return Row(**full)


def to_normal(t: float, degrees: int = DEGREES) -> float:
    """The normal quantile that Student's t with `degrees` degrees of freedom has at `t`.

    Computed in the lower tail, where no digits are lost; odd in `t`.
    """
    if math.isnan(t):
        return math.nan
    size = abs(t)
    tail = float(special.stdtr(degrees, -size))
    if tail == 0.0:
        return float(t_to_normal(t, degrees))  # slower, from the logarithm of the tail
    return math.copysign(float(-special.ndtri(tail)), t)


def uncertainty(prediction: Row) -> float | None:
    """Numerical and truncation error of a prediction in quadrature; None where one is not known.

    Only an exact prediction may leave out its truncation error.
    """
    truncation = prediction.truncation_error
    if truncation is None and prediction.truncation == "exact":
        truncation = 0.0
    error = prediction.error
    if error is None or truncation is None or math.isnan(error) or math.isnan(truncation):
        return None
    return math.hypot(error, truncation)


def _rank(prediction: Row) -> tuple:
    """Sort key: finite first, then exact, the highest order, infinite width; then the surest."""
    kind = prediction.truncation
    if kind == "exact":
        order = math.inf
    elif kind == "infinite_width":
        order = -1.0  # below order 0 of an expansion that says how far it goes
    elif isinstance(kind, int):
        order = float(kind)
    else:
        raise ValueError(
            f"prediction {prediction.quantity} of {prediction.source} has truncation {kind!r}; "
            "allowed: 'exact', 'infinite_width' or the last power of 1/n kept"
        )
    error = uncertainty(prediction)
    return (math.isfinite(prediction.value), order, -math.inf if error is None else -error)


def best_prediction(predictions: Sequence[Row]) -> Row:
    """The exact prediction if there is one, else the highest order kept, else infinite width."""
    return max(predictions, key=_rank)


def _match(estimate: Row, prediction: Row) -> Match:
    """Judge one pair; the order of the questions is the order of the rules in the module's head."""
    difference = estimate.value - prediction.value
    size = abs(prediction.value)
    relative = difference / size if size > 0 and math.isfinite(difference) else None

    def verdict(kind: str, words: str, t: float | None = None) -> Match:
        pull = None if t is None else to_normal(t)
        words = words if pull is None else f"{words} {pull:+.2f}"
        return Match(estimate, prediction, kind, t, pull, relative, words)

    if "unreliable" in estimate.flags:
        return verdict("unreliable", "unreliable, not judged")
    if not math.isfinite(difference):
        return verdict("none", "not comparable: a value is not finite")
    error = estimate.error
    if error is None or not math.isfinite(error):
        return verdict("none", _per_cent(relative, difference) + ", no statistical error")
    own = uncertainty(prediction)
    scale = max(size, abs(estimate.value), 1.0 if estimate.quantity.startswith("ncum[") else 0.0)
    if error <= ROUNDING * scale:
        if abs(difference) <= EQUAL_TOLERANCE * scale:
            return verdict("equal", "equal")
        if own is not None and own < abs(difference):
            return verdict("differs", f"differs by {_per_cent(relative, difference)}")
    if own is not None and error > 0 and own < error / 2:
        return verdict("pull", "pull", difference / error)
    why = "beyond the order kept"
    if prediction.truncation == "exact":
        why = "the prediction's numerical error is too large for a pull"
    return verdict("difference", f"{_per_cent(relative, difference)}, {why}")


def _per_cent(relative: float | None, difference: float) -> str:
    return f"{difference:+.2g} (absolute)" if relative is None else f"{100 * relative:+.2g}%"


def join(estimates: Iterable[Row | Mapping], predictions: Iterable[Row | Mapping]) -> Comparison:
    """Put each estimate beside the best prediction of the same (quantity, alias).

    **Arguments:** rows, or their JSON form. Several estimates may share one prediction.

    **Returns:** matches in the order of the estimates, and all rows without a partner.

    **Raises:** `ValueError` for a prediction whose truncation is not a known one.
    """
    rows = [as_row(row) for row in estimates]
    by_key: dict[tuple, list[Row]] = {}
    for row in map(as_row, predictions):
        by_key.setdefault(row.key, []).append(row)
    keys = {row.key for row in rows}
    best = {key: best_prediction(found) for key, found in by_key.items()}
    return Comparison(
        matches=tuple(_match(row, best[row.key]) for row in rows if row.key in best),
        unmatched_estimates=tuple(row for row in rows if row.key not in best),
        unmatched_predictions=tuple(
            row for key, found in by_key.items() if key not in keys for row in found
        ),
    )


def chi2(values: Mapping[str, float], covariance: np.ndarray, *, degrees: int = DEGREES) -> Chi2:
    """chi^2 = d^T C^-1 d of a few named differences, with their jackknife covariance.

    Because C is itself estimated with nu = `degrees` degrees of freedom, p comes from Hotelling's
    law: chi^2 (nu - m + 1)/(nu m) is F-distributed with (m, nu - m + 1) degrees of freedom.

    **Arguments:** `values`, name -> estimate - prediction, at most 8; `covariance`, (m, m), in the
    same order.

    **Raises:** `ValueError` for more than 8 rows, a wrong shape, or linearly dependent rows.

    Source: Hotelling (1931), The generalization of Student's ratio.
    """
    names, d = list(values), np.array(list(values.values()), dtype=np.float64)
    C, m = np.asarray(covariance, dtype=np.float64), len(names)
    if not 1 <= m <= MAX_CHI2_ROWS:
        raise ValueError(
            f"chi2 of {m} rows: give 1 to {MAX_CHI2_ROWS} named rows; the covariance from 64 "
            "blocks does not support more. Choose the rows before looking at them"
        )
    if C.shape != (m, m) or not (np.isfinite(C).all() and np.isfinite(d).all()):
        raise ValueError(f"covariance has shape {C.shape}: finite numbers of shape ({m}, {m})")
    sigma = np.sqrt(np.diag(C))
    if not (sigma > 0).all() or np.linalg.eigvalsh(C / np.outer(sigma, sigma))[0] < 1e-10:
        raise ValueError(
            f"the rows {', '.join(names)} are linearly dependent or have no error: leave some out"
        )
    value = float((d / sigma) @ np.linalg.solve(C / np.outer(sigma, sigma), d / sigma))
    p = float(special.fdtrc(m, degrees - m + 1, value * (degrees - m + 1) / (degrees * m)))
    return Chi2(value, m, p)
