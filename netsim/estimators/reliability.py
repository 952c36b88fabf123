"""Is a variance carried by enough draws to be believed?

Two signs are read off the summands w^2 m^2 of the variance (m the product of a target's deviations
about the pivot):

- their tail index xi, from the maxima of the 64 blocks: maxima of a variable with tail P(x > t) ~
  t^(-1/xi) are Frechet, so the logarithms of the block maxima scatter by xi pi/sqrt 6. At xi = 1
  the mean of the summands ceases to exist; a log-normal has no power tail but behaves as one with
  the slope that the sample reaches, and sums of it fail alike (Gumbel, Statistics of Extremes);
- the share of the largest draw in their sum.

Both are blind where nearly all draws of a column sit at one place far from its pivot, for then all
summands are alike: in a narrow and deep network S ~ 0 almost surely, and draws that nobody saw carry
its mean. A third sign (`absent`) is read off the column's mean M, its jackknife error e and the
pivot P: draws scatter less than they are off, N e^2 < (M - P)^2, and yet M is not resolved,
e >= r |M|. Then |M| < |P|/(r sqrt N - 1): next to nothing is left of the infinite-width value.
"""

from __future__ import annotations

import math

import numpy as np

from netsim.estimators.jackknife import jackknife
from netsim.estimators.moments import Moments
from netsim.estimators.sums import MomentSums, State

__all__ = ["ABSENT_LIMIT", "SHARE_LIMIT", "TAIL_LIMIT", "absent", "shares", "tail_indices"]

# Measured on kappa_2..kappa_8 of ReLU networks, n = 32, 64, 128, L = 1..64, 65,536 draws against exact
# values: of rows with xi <= 1.2 one in 3,000 lies more than 5 errors off (none of 3,000 with plain
# draws), of those between 1.2 and 1.5 some 1%, beyond 2 half (docs/errors.md)
TAIL_LIMIT = 1.2
# When one draw carries half of sum m^2, what the variance lacks is likely to sit in draws that
# nobody saw. By itself the share is the weaker sign: many rows that are far off have small shares.
SHARE_LIMIT = 0.5
# r: where one draw carries a mean, e is between M/2 and M; a mean of 65,536 draws that are seen is
# known to 10% unless they scatter by 25 times the mean
ABSENT_LIMIT = 0.1
_ROUNDING = 1e-12  # a mean below this multiple of its pivot is 0, for deviations were summed


def tail_indices(sums: MomentSums, state: State) -> np.ndarray:
    """Tail index xi of the summands of the variance, see above.

    **Returns:** (targets, layers), the largest over a target's terms; 0 where nothing varies or
    fewer than two blocks are filled, infinite where some blocks vary and others do not.
    """
    filled = state["count"] > 0
    if filled.sum() < 2:
        return _worst(sums, np.zeros(state["largest"].shape[1:]))
    largest = state["largest"][filled]
    positive = np.all(largest > 0, axis=0)
    logs = np.log(np.where(positive, largest, 1.0))
    index = logs.std(axis=0, ddof=1) * math.sqrt(6) / math.pi
    # blocks without any deviation beside blocks with some: the variance rests on rare draws
    some = np.any(largest > 0, axis=0) & ~positive
    return _worst(sums, np.where(some, np.inf, index))


def shares(sums: MomentSums, state: State) -> np.ndarray:
    """Largest draw's share in the sum of the summands.

    **Returns:** (targets, layers), the largest over a target's terms; 0 where nothing varies.
    """
    total = state["squares"].sum(axis=0)
    largest = state["largest"].max(axis=0)
    return _worst(sums, np.divide(largest, total, out=np.zeros_like(total), where=total != 0))


def absent(sums: MomentSums, state: State, means: Moments) -> np.ndarray:
    """Whether a target looks at a column whose mean was not seen, see above.

    Targets with a present column are about logarithms, which have no such tails.

    **Returns:** (targets, layers) booleans.
    """
    sizes = state["count"][state["count"] > 0]
    # as many plain draws as give a mean of weighted ones its error
    draws = state["weight"].sum(axis=0) ** 2 / state["weight2"].sum(axis=0)
    found: dict[int, np.ndarray] = {}
    for (on, column), mean in means.centres.items():
        if on is None:
            error = jackknife(means.means[None, (column,)], sizes).error
            pivot = sums.pivot[:, column]
            unresolved = error + _ROUNDING * np.abs(pivot) >= ABSENT_LIMIT * np.abs(mean)
            found[column] = unresolved & (draws * error**2 < (mean - pivot) ** 2)
    none = np.zeros(sums.pivot.shape[0], bool)
    return np.stack([
        np.any([none, *(found[c] for c in target.columns if target.present is None)], axis=0)
        for target in sums.targets
    ])  # fmt: skip


def _worst(sums: MomentSums, values: np.ndarray) -> np.ndarray:
    """(targets, layers) maxima over each target's terms, from (layers, terms)."""
    place = {top: i for i, top in enumerate(sums.plan.tops)}
    rows = []
    for target in sums.targets:
        own = [place[target.present, columns] for columns in target.multisets if columns]
        rows.append(values[:, own].max(axis=1, initial=0.0))
    return np.stack(rows)
