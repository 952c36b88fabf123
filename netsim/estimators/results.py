"""From a state to numbers with error bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsim.estimators.jackknife import Jackknife, jackknife
from netsim.estimators.kstatistics import joint_cumulant, joint_moment
from netsim.estimators.moments import Moments, moments
from netsim.estimators.reliability import SHARE_LIMIT, TAIL_LIMIT, absent, shares, tail_indices
from netsim.estimators.sums import BLOCKS, MomentSums, State
from netsim.estimators.targets import Target, Terms

__all__ = ["TargetResult", "covariance", "result"]

# too few draws, a zero variance or an overflown draw end in nan and a flag, not in a warning
_quiet = np.errstate(all="ignore")
MAX_ROWS = 8  # a 64-block covariance of more rows is too noisy to invert


@dataclass(frozen=True)
class TargetResult:
    """One target at every layer.

    **Fields:** `value`, `error` (one standard error), `draws` (those with presence), `share` (of
    the largest draw in the variance), `tail` (index of the variance's summands): (layers,);
    `flags`, per layer, out of "unreliable" (too few draws carry the variance), "few_blocks" (fewer
    than 64: the error itself is rough), "undefined" (too few draws, or a normalisation by zero: the
    value is nan).
    """

    value: np.ndarray
    error: np.ndarray
    draws: np.ndarray
    share: np.ndarray
    tail: np.ndarray
    flags: tuple[tuple[str, ...], ...]


@_quiet
def result(sums: MomentSums, state: State) -> list[TargetResult]:
    """Every target's estimate with its jackknife error.

    Unweighted cumulants and moments are unbiased; normalised, weighted and controlled ones are the
    jackknife's bias-corrected estimate.

    **Raises:** `ValueError` with fewer than 2 non-empty blocks.
    """
    means, sizes = moments(sums, state), _sizes(state)
    few = ("few_blocks",) if len(sizes) < BLOCKS else ()
    results = []
    signs = shares(sums, state), tail_indices(sums, state), absent(sums, state, means)
    for target, share, tail, unseen in zip(sums.targets, *signs, strict=True):
        estimate = jackknife(_replicates(means, target), sizes)
        value, error = _best(target, means, estimate), estimate.error
        defined = np.isfinite(value) & np.isfinite(error)
        flags = tuple(
            ("unreliable",) * bool(large) + few + ("undefined",) * (not good)
            for large, good in zip(
                (share > SHARE_LIMIT) | (tail > TAIL_LIMIT) | unseen, defined, strict=True
            )
        )
        draws = means.counts[target.present][0].astype(np.int64)
        results.append(TargetResult(value, error, draws, share, tail, flags))
    return results


@_quiet
def covariance(sums: MomentSums, state: State, rows: Sequence[tuple[Target, int]]) -> np.ndarray:
    """Jackknife covariance of at most 8 estimates from the same draws.

    **Arguments:** `rows`: (target, layer index) pairs, e.g. to form a chi^2.

    **Returns:** (rows, rows); its diagonal holds the squared errors of `result`.
    """
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ValueError(f"{len(rows)} rows: the covariance of 1 to {MAX_ROWS} can be estimated")
    means, sizes = moments(sums, state), _sizes(state)
    columns = [_replicates(means, target)[:, layer] for target, layer in rows]
    deviations = jackknife(np.stack(columns, axis=1), sizes).deviations
    return deviations.T @ deviations


def _sizes(state: State) -> np.ndarray:
    return state["count"][state["count"] > 0]


def _best(target: Target, means: Moments, estimate: Jackknife) -> np.ndarray:
    linear = means.plain and not target.normalise
    return estimate.value if linear else estimate.corrected


def _replicates(means: Moments, target: Target) -> np.ndarray:
    """The target on all draws and with each block left out: (1 + g, layers)."""
    value = _combination(means, target, target.terms)
    for part in target.normalise:
        value = value / np.sqrt(_combination(means, target, part))
    return value


def _combination(means: Moments, target: Target, terms: Terms) -> np.ndarray:
    about, centres = means.about(target.present)
    count = means.counts[target.present]
    total = np.zeros(count.shape)
    for coefficient, columns in terms:
        if target.kind == "moment":
            term = joint_moment(about, columns, centres)
        elif len(columns) == 1:
            term = about[columns] + centres[columns[0]]
        else:
            term = joint_cumulant(about, columns, 1 / count if means.plain else 0.0)
        fewest = len(columns) if target.kind == "cumulant" else 1
        total = total + coefficient * np.where(count >= fewest, term, np.nan)
    return total
