"""From a state to means of deviation products, for all blocks and for each block left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsim.estimators.jackknife import leave_one_out
from netsim.estimators.kstatistics import joint_moment
from netsim.estimators.plan import Monomial
from netsim.estimators.sums import MomentSums, State

__all__ = ["Moments", "moments"]


@dataclass(frozen=True)
class Moments:
    """Means on R = 1 + g replicates: all draws first, then each of the g non-empty blocks left out.

    **Fields:** `means`: monomial -> (R, layers), about `centres` and conditional on presence;
    `centres`: (present column, column) -> (layers,), the columns' means over all draws; `counts`:
    present column -> (R, layers) draws with presence, not weighted; `plain`: no weights and no
    controls, so that unbiased cumulants exist.
    """

    means: dict[Monomial, np.ndarray]
    centres: dict[tuple[int | None, int], np.ndarray]
    counts: dict[int | None, np.ndarray]
    plain: bool

    def about(self, present: int | None) -> tuple[dict, dict]:
        """The means and the centres of one present column, keyed by columns and by column."""
        means = {columns: mean for (on, columns), mean in self.means.items() if on == present}
        centres = {column: centre for (on, column), centre in self.centres.items() if on == present}
        return means, centres


def moments(sums: MomentSums, state: State) -> Moments:
    """Replicated means; weighted means are self-normalised, controls enter by regression.

    With controls y of known mean 0: m -> mean(m) - beta . mean(y), where beta = Cov(y)^-1 Cov(y, m)
    comes from the same draws; the bias of order 1/N is left to the jackknife.
    """
    blocks = np.flatnonzero(state["count"])
    total = {
        name: leave_one_out(array, blocks) for name, array in state.items() if name != "largest"
    }
    # sum (w - 1)^2 = 0 if and only if every weight is one
    weighted = np.any(state["weight2"] - 2 * state["weight"] + state["count"][:, None] != 0)
    draws = total["count"][:, None].astype(float)
    raw = total["sums"] / total["weight"][..., None]
    counts: dict[int | None, np.ndarray] = {None: np.broadcast_to(draws, raw.shape[:2])}
    for place, on in enumerate(sums.plan.presents):
        counts[on] = total["present"][..., place].astype(float)
    mean = raw - _regression(total, raw) if "controls" in state else raw
    column = dict(zip(sums.plan.monomials, np.moveaxis(mean, -1, 0), strict=True))
    conditional = {
        (on, columns): value if on is None else value / column[on, ()]
        for (on, columns), value in column.items()
        if columns
    }
    means, centres = _centred(conditional, sums.pivot)
    return Moments(means, centres, counts, plain=not weighted and "controls" not in state)


def _centred(means: dict[Monomial, np.ndarray], pivot: np.ndarray):
    """Means about the columns' own means: saves 2 to 3 digits where the pivot is far off."""
    shifts: dict[int | None, dict[int, np.ndarray]] = {}
    for (on, columns), mean in means.items():
        if len(columns) == 1:
            shifts.setdefault(on, {})[columns[0]] = -mean[0]
    about = {
        on: {columns: mean for (other, columns), mean in means.items() if other == on}
        for on in shifts
    }
    centred = {(on, columns): joint_moment(about[on], columns, shifts[on]) for on, columns in means}
    centres = {(on, j): pivot[:, j] - shift for on in shifts for j, shift in shifts[on].items()}
    return centred, centres


def _regression(total: State, means: np.ndarray) -> np.ndarray:
    """beta . mean(y): (R, layers, M); constant or repeated controls are harmless."""
    W = total["weight"][..., None]
    y = total["controls"] / W
    covariance = total["control_products"] / W[..., None] - y[..., :, None] * y[..., None, :]
    cross = total["cross"] / W[..., None] - means[..., :, None] * y[..., None, :]
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    second = np.diagonal(total["control_products"], axis1=-2, axis2=-1) / W
    scale = np.where(variance > 1e-12 * second, np.sqrt(np.abs(variance)), np.inf)
    correlation = covariance / (scale[..., :, None] * scale[..., None, :])
    inverse = np.linalg.pinv(np.nan_to_num(correlation), rcond=1e-10, hermitian=True)
    beta = np.einsum("rlmp,rlpq->rlmq", cross / scale[..., None, :], inverse)
    return np.einsum("rlmq,rlq->rlm", beta, y / scale)
