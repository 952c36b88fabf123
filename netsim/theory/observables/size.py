"""How large a product of observables is: what a numerical error is small against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsim.theory.observables.functional import Factor, absolute
from netsim.theory.observables.taylor import taylor

__all__ = ["USELESS", "mean_size"]

USELESS = 0.1  # numerical error over `mean_size` from which a row is left out


def mean_size(product: Sequence[Factor], K: np.ndarray) -> float:
    """<|F|>_K."""
    return float(taylor(absolute(product), K, 0)[0][0][0, 0])
