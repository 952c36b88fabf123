"""Is a variance carried by enough draws to be believed?"""

from __future__ import annotations

import numpy as np

from netsim.estimators.sums import MomentSums, State

__all__ = ["SHARE_LIMIT", "shares"]

# When one draw carries a third of sum |m|^2, what the variance lacks is likely to sit in draws that
# nobody saw: without a second moment the largest share does not fall with the number of draws, with
# light tails it falls like 1/draws. One third leaves three draws' worth of evidence; it is a
# starting value, to be tuned by measured rates of misses.
SHARE_LIMIT = 1 / 3


def shares(sums: MomentSums, state: State) -> np.ndarray:
    """Largest draw's share in sum w^2 m^2, m the products of the target's highest deviations.

    **Returns:** (targets, layers), the largest over a target's terms; 0 where nothing varies.
    """
    total = state["squares"].sum(axis=0)
    largest = state["largest"].max(axis=0)
    share = np.divide(largest, total, out=np.zeros_like(total), where=total != 0)
    place = {top: i for i, top in enumerate(sums.plan.tops)}
    rows = []
    for target in sums.targets:
        own = [place[target.present, columns] for columns in target.multisets if columns]
        rows.append(share[:, own].max(axis=1, initial=0.0))
    return np.stack(rows)
