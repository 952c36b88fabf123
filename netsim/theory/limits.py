"""Theories of wide networks: the infinite-width limit and the leading order in 1/n."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

import numpy as np

from netsim.networks.fields import closure
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Quantity, Slot
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.infinite_width import Kernels, kernels
from netsim.theory.leading_order import LeadingOrder, leading
from netsim.theory.pairings import SlotPair
from netsim.theory.statistics import statistic

__all__ = ["InfiniteWidth", "LeadingPower", "decided", "norm2_of", "one_input"]


def one_input(legs: tuple[SlotPair, ...]) -> str | None:
    """The input whose undifferentiated S_aa all legs are; None if there is none or several."""
    names = {slot.input for pair in legs for slot in pair}
    plain = all(not slot.directions for pair in legs for slot in pair)
    return names.pop() if plain and len(names) == 1 else None


def norm2_of(inputs: Inputs, name: str) -> float:
    """|x_a|^2/n_0."""
    return float(inputs.gram([Slot(name)])[0, 0])


def decided(network: Network, slots: Iterable[Slot]) -> bool:
    """Whether K^(2) of the fields `slots` follows from the second moments of z^(1).

    Neurons of layer 2 see layer 1 through averages over its n_1 -> infinity neurons, so K^(2) =
    C_b + C_W E[h_a h_b] with the law of one neuron z^(1) = b + W x:

    - gaussian weights: it is Gaussian. Orthogonal ones: so it is in the limit at any fixed n_0, as
      W^(1) are n_0 orthonormal columns in n_1 dimensions, sqrt(n_1) times which tend to independent
      normals (Diaconis, Freedman 1987).
    - other independent weights: a sum of n_0 terms, Gaussian for n_0 -> infinity only. Second
      moments suffice for linear sigma, and for slopes (a_+, a_-) at one input, because the law is
      symmetric: E sigma(z)^2 = (a_+^2 + a_-^2)/2 E z^2. With derivatives, E[sigma'(z)^2 (D z)^2],
      also z = 0 must have probability 0: not so for weights +-1 without bias.
    """
    law, slopes, slots = network.weights, network.activation.slopes, list(slots)
    if law.is_gaussian or not law.is_independent:
        return True
    if slopes is None or slopes[0] == slopes[1]:
        return slopes is not None
    atoms = law.kind not in ("uniform", "student_t") and network.bias_variance[0] == 0
    plain = not any(slot.directions for slot in slots)
    return len({slot.input for slot in slots}) == 1 and (plain or not atoms)


class InfiniteWidth(AbstractTheory):
    """n_1, ..., n_L -> infinity at fixed n_0: S is equal to the kernel K, every higher cumulant is 0.

    Row 0, S_0 = K^(1), is exact at every width. From K^(2) on the law of z^(1) enters, and n_0 is
    not large, see `decided`: kernels that depend on more than its second moments are NaN.
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
        known = (np.arange(rows) == 0) | decided(self.network, fields)
        value = np.where(known, found.values[:, a, b], np.nan)
        return Values(value, found.error[:, a, b], "infinite_width")

    def statistic(self, quantity: Quantity) -> Values:
        """`quantity` at every layer row, NaN in layer 1 if only that one is not known.

        **Raises:** `OutsideDomain`, saying why.
        """
        found, law = statistic(self, quantity), self.network.weights
        if law.is_gaussian or not law.is_independent:
            return found
        neurons = Counter(leg.indices for leg in quantity.legs if leg.field == "z")
        even = all(count % 2 == 0 for count in neurons.values())  # else 0: every law is symmetric
        high = even and max(neurons.values(), default=0) > 3
        first = quantity.fields != ("S",) and quantity.layer == 1
        if first and high:
            raise OutsideDomain(
                f"{quantity.text}: at n_0 = {self.inputs.dimension} layer 1 is not Gaussian with "
                f"{law.name} weights; only its second moments are known"
            )
        slots = {slot for leg in quantity.legs for slot in leg.slots}
        if np.isnan(found.value[1]) and not first and not decided(self.network, slots):
            raise OutsideDomain(
                f"{quantity.text}: at n_0 = {self.inputs.dimension} layer 1 is not Gaussian with "
                f"{law.name} weights however wide the network, and this depends on more than its "
                "second moments: use gaussian or orthogonal weights, or simulate (K^(1), at layer 1, "
                "is known, and for linear and, of one input, piecewise linear activations every layer)"
            )
        value = found.value.copy()
        value[0] = np.nan if high else value[0]
        return replace(found, value=value)


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
