"""Theories of wide networks: the infinite-width limit and the leading order in 1/n."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from netsim.networks.fields import closure
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.infinite_width import Kernels, kernels
from netsim.theory.leading_order import LeadingOrder, leading
from netsim.theory.pairings import SlotPair

__all__ = ["InfiniteWidth", "LeadingPower", "one_input"]


def one_input(legs: tuple[SlotPair, ...]) -> str | None:
    """The input whose undifferentiated S_aa all legs are; None if there is none or several."""
    names = {slot.input for pair in legs for slot in pair}
    plain = all(not slot.directions for pair in legs for slot in pair)
    return names.pop() if plain and len(names) == 1 else None


def norm2_of(inputs: Inputs, name: str) -> float:
    """|x_a|^2/n_0."""
    return float(inputs.gram([Slot(name)])[0, 0])


class InfiniteWidth(AbstractTheory):
    """n -> infinity: S is deterministic, equal to the kernel K; every higher cumulant is 0.

    Row 0 is S_0, which is exact at every width.
    """

    name = "infinite_width"

    def __init__(self, network: Network, inputs: Inputs):
        self.network, self.inputs = network, inputs
        self._kernels: dict[tuple[Slot, ...], Kernels] = {}

    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        rows = self.network.depth + 1
        if len(legs) != 1:
            zero = np.zeros(rows)
            return Values(zero, zero, "infinite_width")
        fields = closure(list(legs[0]))
        if fields not in self._kernels:
            self._kernels[fields] = kernels(self.network, self.inputs.gram(fields), fields)
        found = self._kernels[fields]
        a, b = (fields.index(slot) for slot in legs[0])
        return Values(found.values[:, a, b], found.error[:, a, b], "infinite_width")


class LeadingPower(AbstractTheory):
    """The leading power of 1/n of kappa_2..kappa_8 of one input, kappa_2 with its 1/n correction."""

    name = "leading_order"

    def __init__(self, network: Network, inputs: Inputs):
        self.network, self.inputs = network, inputs

    @cached_property
    def _leading(self) -> dict[str, LeadingOrder]:
        return {
            name: leading(self.network, norm2_of(self.inputs, name)) for name in self.inputs.names
        }

    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        if not self.network.weights.is_gaussian:
            raise OutsideDomain("the hierarchy in 1/n is for gaussian weights")
        if not legs:
            rows = np.zeros(self.network.depth + 1)
            return Values(rows, rows, "exact")
        name = one_input(legs)
        if name is None or len(legs) > 4:
            raise OutsideDomain(
                "leading order covers kappa_2..kappa_8 of one undifferentiated input"
            )
        found = self._leading[name]
        value = (found.K + found.D, found.V, found.T, found.Q)[len(legs) - 1]
        # K's numerical error is relative 1e-13 or so; higher cumulants inherit its relative size
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(found.K != 0, found.K_error / np.abs(found.K), 0.0)
        return Values(value, np.abs(value) * relative, max(1, len(legs) - 1))
