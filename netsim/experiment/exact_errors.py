"""What exact moments say of an estimate's error, where they are known.

A Rao-Blackwellised kappa_{2k} is a k-statistic of S; for piecewise linear activations and one input
its standard error is known exactly. Where it exceeds `LIMIT` of the value, the draws that carry the
moment are not seen, and the jackknife cannot know it. From outputs ("raw") the error is larger
still: the k-statistic of S is the conditional mean of that of z, given S, by the uniqueness of
unbiased symmetric polynomials (P. R. Halmos, Annals of Mathematical Statistics 17 (1946) 34).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from netsim.networks.network import Network
from netsim.quantities import Quantity, Slot
from netsim.theory.exact import relative_error_of_cumulant
from netsim.theory.pairings import output_pairings

__all__ = ["LIMIT", "WIDER_LIMIT", "exact_relative_error"]

LIMIT = 0.3
# Of weighted draws, whose own error is smaller: of unmarked rows those that were right had exact
# plain relative errors below 5, those that were far off above 2000 (nearly every S close to 0)
WIDER_LIMIT = 10.0


def exact_relative_error(
    network: Network, quantity: Quantity, norm2: float, draws: int
) -> np.ndarray | None:
    """(L+1,) relative standard errors at rows l = 0..L, or None where exact moments do not say.

    **Arguments:** `norm2`: |x|^2/n_0 of the quantity's input; `draws`: number of networks.
    """
    k = overlap_order(quantity)
    if k is None or network.activation.slopes is None or not network.weights.is_gaussian:
        return None
    return _one_draw(network, norm2, k) / np.sqrt(draws)


@lru_cache(maxsize=256)
def _one_draw(network: Network, norm2: float, k: int) -> np.ndarray:
    return np.nan_to_num(relative_error_of_cumulant(network, norm2, k, 1))


def overlap_order(quantity: Quantity) -> int | None:
    """k if the quantity is a multiple of cum_k(S_aa), k = 1..4, for one plain input; else None."""
    if quantity.stat not in ("cum", "ncum") or len(quantity.inputs) != 1:
        return None
    if any(leg.layer is not None for leg in quantity.legs):
        return None
    plain = Slot(quantity.inputs[0])
    if any(slot != plain for leg in quantity.legs for slot in leg.slots):
        return None
    if quantity.fields == ("S",):
        k = len(quantity.legs)
    elif quantity.fields == ("z",) and output_pairings(quantity.legs):
        k = len(quantity.legs) // 2
    else:
        return None
    return k if k <= 4 else None
