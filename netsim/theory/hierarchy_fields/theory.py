"""The hierarchy of several fields as a theory: joint cumulants of S over inputs and derivatives."""

from __future__ import annotations

import numpy as np

from netsim.networks.fields import closure
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.hierarchy_fields.cumulants import FieldCumulants
from netsim.theory.hierarchy_fields.fields import MOST_FIELDS, hierarchy_fields, highest_order
from netsim.theory.pairings import SlotPair

__all__ = ["HierarchyFields"]

# fields -> depth to which the next order, for the truncation error, takes some seconds at most
_NEXT_DEPTH = {1: 1000, 2: 300, 3: 50, 4: 20}


class HierarchyFields(AbstractTheory):
    """Joint cumulants of S over any inputs and derivatives.

    To n^-M, M up to `order`, 1 to 3: the highest there is for so many fields (16 fields: 1). The
    truncation error is the first term left out where that is quickly computed (up to four fields,
    not too deep), else the size of the last term kept.
    """

    name = "hierarchy_fields"

    def __init__(self, network: Network, inputs: Inputs, order: int = 1):
        if order not in MOST_FIELDS:
            raise ValueError(f"order={order}: the last power of 1/n, 1 to {max(MOST_FIELDS)}")
        self.network, self.inputs, self.order = network, inputs, order
        self._found: dict[tuple[Slot, ...], FieldCumulants] = {}

    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        if not self.network.weights.is_gaussian:
            raise OutsideDomain("the hierarchy in 1/n is for gaussian weights")
        if not legs:
            zero = np.zeros(self.network.depth + 1)
            return Values(zero, zero, "exact")
        fields = self._list(closure([slot for pair in legs for slot in pair]))
        order = max(1, self._highest(fields))
        if len(legs) > order + 1:
            raise OutsideDomain(
                f"to n^-{order}, cumulants of up to {order + 1} S's are computed for "
                f"{len(fields)} fields"
            )
        if fields not in self._found:
            next_term = self.network.depth <= _NEXT_DEPTH.get(len(fields), 0)
            gram = self.inputs.gram(fields)
            try:
                self._found[fields] = hierarchy_fields(
                    self.network, gram, fields, order, next_term=next_term
                )
            except ValueError as error:
                raise OutsideDomain(str(error)) from error
        series = self._found[fields].cumulant(*legs)
        return Values(series.value(), series.error(), order, series.truncation_error())

    def _highest(self, fields: tuple[Slot, ...]) -> int:
        return highest_order(self.network.activation, fields, self.order)

    def _list(self, fields: tuple[Slot, ...]) -> tuple[Slot, ...]:
        """One list for all products of three or four inputs, if that costs no order."""
        plain = not any(slot.directions for slot in fields)
        every = tuple(Slot(name) for name in self.inputs.names)
        if plain and len(fields) > 2 and self._highest(every) == self._highest(fields):
            return closure(every)
        return fields
