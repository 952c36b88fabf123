"""Theories of the neural tangent kernel (H, dH) and of gradient norms (g), under their names.

All statistics follow from the tensors of `netsim.theory.ntk.legs`; a theory here knows tensors.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.networks.parameter_blocks import block_rates
from netsim.quantities import Leg, Quantity, Slot
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.combine import over_root, product, weighted_sum
from netsim.theory.limits import decided
from netsim.theory.norm_terms import partitions
from netsim.theory.ntk.legs import Blocks, check_plain, tensor_terms
from netsim.theory.ntk.mean import mean_kernel
from netsim.theory.ntk.tensors import Tensor, exact_tensor, first_order_tensor
from netsim.theory.pairings import SlotPair

__all__ = ["TANGENT_FIELDS", "NTKExactTheory", "NTKInfinite", "NTKLeading", "TangentTheory"]

TANGENT_FIELDS = ("H", "dH", "g")


class TangentTheory(AbstractTheory):
    """A theory of statistics with legs H, dH or g, and perhaps z."""

    network: Network
    inputs: Inputs

    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        raise OutsideDomain("only statistics with legs H, dH or g are predicted")

    @abstractmethod
    def statistic(self, quantity: Quantity) -> Values:
        """`quantity` at every layer row.

        **Raises:** `OutsideDomain`, saying why.
        """


def _refuse_stat(quantity: Quantity) -> None:
    if quantity.stat == "logcum":
        raise OutsideDomain(f"{quantity.text}: no prediction for log-moments")
    if any(leg.layer is not None for leg in quantity.legs):
        raise OutsideDomain(f"{quantity.text}: legs with layers of their own are not predicted")


def _gaussian(network: Network) -> None:
    if not network.weights.is_gaussian:
        raise OutsideDomain("fluctuations of the NTK are known for gaussian weights")


class NTKExactTheory(TangentTheory):
    """Piecewise linear activations, one input: means and second moments, exact at every width."""

    name = "ntk_exact"

    def __init__(self, network: Network, inputs: Inputs):
        self.network, self.inputs = network, inputs

    def statistic(self, quantity: Quantity) -> Values:
        _refuse_stat(quantity)
        _gaussian(self.network)
        if quantity.order is not None:
            raise OutsideDomain(f"{quantity.text}: single coefficients are those of theory:ntk")
        if self.network.activation.slopes is None:
            raise OutsideDomain("exact NTK moments: linear, relu and two-slope activations")
        name = check_plain(quantity)

        def cumulant(legs: Sequence[Leg]) -> Values:
            terms = [
                (c, _value(exact_tensor(self.network, self.inputs, name, tensor, blocks)))
                for c, tensor, blocks in tensor_terms(legs)
            ]
            return weighted_sum(terms, self.network.depth + 1)

        return _statistic(cumulant, quantity)


class NTKLeading(TangentTheory):
    """Any activation, one input: infinite width and the first power of 1/n.

    Layer 2 is exact, as the first layer does not fluctuate. Beyond it the truncation error is an
    estimate, see `netsim.theory.ntk.tensors.missing`.
    """

    name = "ntk"

    def __init__(self, network: Network, inputs: Inputs):
        self.network, self.inputs = network, inputs

    def statistic(self, quantity: Quantity) -> Values:
        _refuse_stat(quantity)
        _gaussian(self.network)
        name = check_plain(quantity)
        if quantity.order is not None:
            return self._coefficient(quantity, name)
        if quantity.stat == "ncum":
            raise OutsideDomain(f"{quantity.text}: a ratio of first powers of 1/n; ask for cum")
        return _statistic(lambda legs: self._cumulant(legs, name), quantity)

    def _tensor(self, name: str, tensor: str, blocks: Blocks) -> Tensor:
        try:
            return first_order_tensor(self.network, self.inputs, name, tensor, blocks)
        except ValueError as error:
            raise OutsideDomain(str(error)) from error

    def _cumulant(self, legs: Sequence[Leg], name: str) -> Values:
        terms = [(c, _value(self._tensor(name, t, blocks))) for c, t, blocks in tensor_terms(legs)]
        return weighted_sum(terms, self.network.depth + 1)

    def _coefficient(self, quantity: Quantity, name: str) -> Values:
        """The coefficient of n^-k, n = n_1."""
        k, text = quantity.order, quantity.text
        if quantity.stat != "cum" or "g" in quantity.fields:
            raise OutsideDomain(f"{text}: coefficients of 1/n are known of cum[...] of z, H and dH")
        if k not in (0, 1):
            raise OutsideDomain(f"{text}: of the NTK the powers n^0 and n^-1 are known")
        terms = [(c, self._tensor(name, t, blocks)) for c, t, blocks in tensor_terms(quantity.legs)]
        n = float(self.network.widths[0]) ** k
        parts = [
            (c * n, Values(t.first if k else t.value - t.first, t.error, "exact")) for c, t in terms
        ]
        return weighted_sum(parts, self.network.depth + 1)


class NTKInfinite(TangentTheory):
    """Means at infinite width, any number of inputs; every fluctuation is 0."""

    name = "ntk_infinite_width"

    def __init__(self, network: Network, inputs: Inputs):
        self.network, self.inputs = network, inputs

    def statistic(self, quantity: Quantity) -> Values:
        _refuse_stat(quantity)
        leg = quantity.legs[0]
        if quantity.order not in (None, 0) or len(quantity.legs) > 1 or quantity.stat == "ncum":
            raise OutsideDomain(f"{quantity.text}: at infinite width means of H and g are known")
        if leg.field == "dH" or any(slot.directions for slot in leg.slots):
            raise OutsideDomain(f"{quantity.text}: at infinite width means of H and g are known")
        rows = self.network.depth + 1
        if leg.field == "H" and leg.indices[0] != leg.indices[1]:
            return weighted_sum([], rows)
        if leg.field == "g" and quantity.order is not None:
            raise OutsideDomain(f"{quantity.text}: g grows with the width")
        block = leg.indices[0] if leg.field == "g" else None
        slots: list[Slot] = [leg.slots[0], leg.slots[-1]]
        if not decided(self.network, [*slots, Slot(leg.slots[0].input, ("u",))]):
            raise OutsideDomain(
                f"{quantity.text}: layer 1 is not Gaussian with {self.network.weights.name} weights, "
                "and the mean of the NTK depends on more than its second moments"
            )
        rates = block_rates(self.network, self.inputs.dimension, block)
        try:
            value, error = mean_kernel(self.network, self.inputs.gram(slots), rates)
        except ValueError as problem:
            raise OutsideDomain(str(problem)) from problem
        return Values(value, error, "exact" if quantity.order == 0 else "infinite_width")


def _value(tensor: Tensor) -> Values:
    return Values(tensor.value, tensor.error, tensor.truncation, tensor.missing)


def _statistic(cumulant, quantity: Quantity) -> Values:
    """cum, ncum or mom from joint cumulants."""
    legs = quantity.legs
    if quantity.stat == "mom":
        terms = []
        for partition in partitions(list(range(len(legs)))):
            blocks = [cumulant([legs[i] for i in block]) for block in partition]
            if all(np.any(block.value) for block in blocks):  # else 0 by symmetry
                terms.append((1.0, product(blocks) if len(blocks) > 1 else blocks[0]))
        return weighted_sum(terms, len(cumulant(legs[:1]).value))
    value = cumulant(legs)
    if quantity.stat == "ncum":
        for leg in legs:
            value = over_root(value, cumulant([leg, leg]))
    return value
