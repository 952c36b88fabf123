"""The hierarchy in 1/n as a theory: statistics of one input to any power of 1/n that is kept.

n is the first hidden width, n_l = (n_l/n_1) n: at equal widths the width.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Quantity
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.hierarchy.expansion import Expansion, expand, zero
from netsim.theory.hierarchy.one_input import MOST_FLOAT, cumulant_series
from netsim.theory.hierarchy.result import CUMULANTS, CumulantSeries
from netsim.theory.limits import norm2_of, one_input
from netsim.theory.pairings import SlotPair
from netsim.theory.statistics import statistic

__all__ = ["ORDER", "Hierarchy"]

ORDER = 3  # kappa_8 begins there


class Hierarchy(AbstractTheory):
    """Cumulants of S of one input as series in 1/n, to n^-`order`, 1 to 6.

    The truncation error is the size of the first term left out.

    **Raises:** `ValueError` for another order.
    """

    name = "hierarchy"

    def __init__(self, network: Network, inputs: Inputs, order: int = ORDER):
        if not isinstance(order, int) or isinstance(order, bool) or not 1 <= order <= MOST_FLOAT:
            raise ValueError(f"order={order!r}: the last power of 1/n kept, 1 to {MOST_FLOAT}")
        self.network, self.inputs, self.order = network, inputs, order

    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        self._check_begins(len(legs))
        return self._summed(self.overlap_expansion(legs))

    def statistic(self, quantity: Quantity) -> Values:
        """`quantity` at every layer row; with `~k`, its coefficient of n^-k, which is exact.

        **Raises:** `OutsideDomain`, saying why.
        """
        k = quantity.order
        if k is not None and k > MOST_FLOAT:
            raise OutsideDomain(
                f"{quantity.text}: coefficients up to n^-{MOST_FLOAT} are computed in float64 (more: "
                "netsim.theory.hierarchy.one_input.cumulant_series with digits=...)"
            )
        if k is not None:
            higher = Hierarchy(self.network, self.inputs, max(self.order, k))
            found = expand(higher, quantity)
            return Values(found.terms[:, k], found.errors[:, k], "exact")
        if quantity.stat == "ncum" and quantity.fields != ("z",):
            return statistic(self, quantity)  # half powers of 1/n: a ratio of sums
        found = expand(self, quantity)
        if quantity.stat != "mom":  # 2k legs of z are k of S
            self._check_begins(len(quantity.legs) // (2 if quantity.fields == ("z",) else 1))
        return self._summed(found)

    def overlap_expansion(self, legs: tuple[SlotPair, ...]) -> Expansion:
        """The joint cumulant of S over `legs` as a series to n^-(order+1).

        **Raises:** `OutsideDomain`, saying why.
        """
        if not self.network.weights.is_gaussian:
            raise OutsideDomain("the hierarchy in 1/n is for gaussian weights")
        if not legs:
            return zero(self.network.depth + 1, self.order + 2)
        name = one_input(legs)
        if name is None or len(legs) > CUMULANTS:
            raise OutsideDomain(
                f"the hierarchy covers cumulants of S up to order {CUMULANTS} of one undifferentiated "
                "input"
            )
        try:
            found = _series(self.network, norm2_of(self.inputs, name), self.order)
        except ValueError as error:
            raise OutsideDomain(str(error)) from error
        k = len(legs) - 1
        terms = np.column_stack([found.coefficients[:, k], found.beyond[:, k]])
        return Expansion(terms, np.column_stack([found.errors[:, k], found.beyond_errors[:, k]]))

    def _check_begins(self, legs: int) -> None:
        if legs > self.order + 1:
            raise OutsideDomain(
                f"joint cumulants of {legs} legs of S begin at n^-{legs - 1}; powers up to "
                f"n^-{self.order} are kept"
            )

    def _summed(self, found: Expansion) -> Values:
        if not np.any(found.terms) and not np.any(found.errors):  # by symmetry, or x = 0
            return Values(found.terms[:, 0], found.errors[:, 0], "exact")
        powers = float(self.network.widths[0]) ** -np.arange(self.order + 2.0)
        terms, errors = found.terms * powers, found.errors * powers
        return Values(
            np.sum(terms[:, :-1], axis=1),
            np.sum(errors[:, :-1], axis=1),
            self.order,
            np.abs(terms[:, -1]),
        )


# inputs of equal norm, and quantities, share them
@lru_cache(maxsize=128)
def _series(network: Network, norm2: float, order: int) -> CumulantSeries:
    return cumulant_series(network, norm2, order)
