"""How fast a product of observables grows, as far as values show it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsim.theory.base import OutsideDomain
from netsim.theory.observables.functional import Factor, evaluate, neurons_of

__all__ = ["check_growth"]

MOST = 8.0  # power of |z|: E S^4 is the highest moment that theories follow
_FAR = (1e3, 1e6)  # sizes of z between which the power is seen


def check_growth(product: Sequence[Factor], fields: int) -> None:
    """**Raises:** `OutsideDomain` for a product that grows faster than |z|^8 in some direction.

    Where S is unbounded, means of such functions need moments that are not known, or do not exist:
    E exp(z) of a ReLU network of two layers or more is infinite at every width.
    """
    shape = (neurons_of(product), fields)
    directions = np.random.default_rng(0).standard_normal((64, *shape))
    directions[0], directions[1] = 1.0, -1.0
    with np.errstate(all="ignore"):
        near, far = (np.abs(evaluate(product, size * directions)) for size in _FAR)
        power = np.log(np.max(far) / np.max(near)) / np.log(_FAR[1] / _FAR[0])
    if np.max(far) == 0 or np.max(near) == 0:
        return
    if not power <= MOST + 0.5:
        raise OutsideDomain(
            f"the observables grow faster than |z|^{MOST:g}: their means need moments of S beyond the "
            "fourth, which may not exist; simulate, or use a bounded activation"
        )
