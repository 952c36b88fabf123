"""Theories that are exact at every width: piecewise linear activations, and one input of any."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.base import AbstractTheory, OutsideDomain, Values
from netsim.theory.exact import cumulants
from netsim.theory.exact_derivatives import field_moments
from netsim.theory.limits import norm2_of, one_input
from netsim.theory.pairings import SlotPair
from netsim.theory.transfer.chain import transfer_cumulants

__all__ = ["FieldsExact", "HomogeneousExact", "TransferExact"]

_EPS = float(np.finfo(float).eps)


class HomogeneousExact(AbstractTheory):
    """Piecewise linear activations (linear, ReLU, two slopes), one input: exact rationals."""

    name = "exact"

    def __init__(self, network: Network, inputs: Inputs):
        self.network, self.inputs = network, inputs

    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        name = _covered(self.network, legs, order=8)
        if self.network.activation.slopes is None:
            raise OutsideDomain(
                "exact moments are known for linear, relu and two-slope activations"
            )
        if name is None:
            return _constant_zero(self.network)
        value = _fractions(self.network, norm2_of(self.inputs, name))[:, len(legs) - 1]
        return Values(value, _EPS * np.abs(value), "exact")


class FieldsExact(AbstractTheory):
    """Piecewise linear activations: means and covariances of S for the fields of one input; of all
    inputs if the activation is linear."""

    name = "exact_fields"

    def __init__(self, network: Network, inputs: Inputs):
        self.network, self.inputs = network, inputs
        self._found: dict[tuple[Slot, ...], tuple[np.ndarray, np.ndarray]] = {}

    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        if not self.network.weights.is_gaussian:
            raise OutsideDomain("exact finite-width laws are for gaussian weights")
        if not legs:
            return _constant_zero(self.network)
        if len(legs) > 2:
            raise OutsideDomain("exact means and covariances of S: orders 1 and 2")
        fields = tuple(sorted({slot for pair in legs for slot in pair}))
        if fields not in self._found:
            try:
                self._found[fields] = field_moments(self.network, self.inputs, fields)
            except ValueError as error:
                raise OutsideDomain(str(error)) from error
        mean, covariance = self._found[fields]
        place = {slot: i for i, slot in enumerate(fields)}
        index = tuple(place[slot] for pair in legs for slot in pair)
        value = (mean if len(legs) == 1 else covariance)[:, *index]
        # a sum of at most (depth) terms of one sign each
        error = 4 * (self.network.depth + 1) * _EPS * np.abs(value)
        return Values(value, error, "exact")


class TransferExact(AbstractTheory):
    """Any activation of at most linear growth, one input: the transfer operator of S."""

    name = "transfer"

    def __init__(self, network: Network, inputs: Inputs):
        self.network, self.inputs = network, inputs

    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        name = _covered(self.network, legs, order=4)
        if self.network.activation.slopes is not None:
            raise OutsideDomain("piecewise linear activations have exact fractions")
        if name is None:
            return _constant_zero(self.network)
        try:
            values, errors = _transferred(self.network, norm2_of(self.inputs, name))
        except ValueError as error:
            raise OutsideDomain(str(error)) from error
        return Values(values[:, len(legs) - 1], errors[:, len(legs) - 1], "exact")


# seconds for a deep network, and inputs of equal norm share them
@lru_cache(maxsize=256)
def _fractions(network: Network, norm2: float) -> np.ndarray:
    return cumulants(network, norm2, 8)


@lru_cache(maxsize=256)
def _transferred(network: Network, norm2: float) -> tuple[np.ndarray, np.ndarray]:
    return transfer_cumulants(network, norm2)


def _covered(network: Network, legs: tuple[SlotPair, ...], order: int) -> str | None:
    """The input that all legs look at; None if there are no legs (a statistic that is zero)."""
    if not network.weights.is_gaussian:
        raise OutsideDomain("exact finite-width laws are for gaussian weights")
    if not legs:
        return None
    name = one_input(legs)
    if name is None:
        raise OutsideDomain("exact at finite width: one input without derivatives")
    if len(legs) > order:
        raise OutsideDomain(f"cumulants of S up to order {order} are computed")
    return name


def _constant_zero(network: Network) -> Values:
    zero = np.zeros(network.depth + 1)
    return Values(zero, zero, "exact")
