"""Cumulants of observables from the means of their products."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Leg, Quantity, Slot, is_observable
from netsim.theory.base import OutsideDomain, Values
from netsim.theory.combine import over_root, product, weighted_sum
from netsim.theory.norm_terms import partitions
from netsim.theory.observables.functional import Functional

__all__ = ["AbstractObservableTheory", "of_observables"]


def of_observables(quantity: Quantity) -> bool:
    """Whether all legs are observables."""
    return all(is_observable(leg.field) for leg in quantity.legs)


class AbstractObservableTheory(ABC):
    """Means of products of observables of one layer, hence their cumulants.

    `functionals`: field, e.g. "{overlap}" -> what it computes.
    """

    name: str

    def __init__(self, network: Network, inputs: Inputs, functionals: Mapping[str, Functional]):
        self.network, self.inputs, self.functionals = network, inputs, functionals
        self._found: dict[tuple, Values] = {}

    @abstractmethod
    def mean(self, legs: tuple[Leg, ...], rows: tuple[int, ...]) -> Values:
        """E of the product of `legs`, (L+1,), NaN but in `rows`.

        **Raises:** `OutsideDomain`, `ValueError`.
        """

    def statistic(self, quantity: Quantity, rows: Sequence[int]) -> Values:
        """`quantity` in the layer rows `rows`, NaN in others.

        **Raises:** `OutsideDomain`, saying why.
        """
        if any(leg.layer is not None for leg in quantity.legs):
            raise OutsideDomain(f"{quantity.text}: legs with layers of their own are not predicted")
        if quantity.order is not None or quantity.stat == "logcum":
            raise OutsideDomain(
                f"{quantity.text}: of observables, moments and cumulants are predicted, no "
                "coefficients of 1/n and no log-moments"
            )
        wanted = tuple(rows)
        try:
            if quantity.stat == "mom":
                return self._mean(quantity.legs, wanted)
            value = self._cumulant(quantity.legs, wanted)
            if quantity.stat == "ncum":
                for leg in quantity.legs:
                    value = over_root(value, self._cumulant((leg, leg), wanted))
            return value
        except OutsideDomain:
            raise
        except ValueError as error:
            raise OutsideDomain(f"{quantity.text}: {error}") from error

    def _mean(self, legs: tuple[Leg, ...], rows: tuple[int, ...]) -> Values:
        key = (legs, rows)
        if key not in self._found:
            self._found[key] = self.mean(legs, rows)
        return self._found[key]

    def _cumulant(self, legs: tuple[Leg, ...], rows: tuple[int, ...]) -> Values:
        """sum over set partitions of (-1)^(blocks - 1) (blocks - 1)! prod of means."""
        terms = []
        for partition in partitions(list(range(len(legs)))):
            blocks = [self._mean(tuple(legs[i] for i in block), rows) for block in partition]
            sign = (-1) ** (len(blocks) - 1) * math.factorial(len(blocks) - 1)
            terms.append((sign, product(blocks)))
        return weighted_sum(terms, self.network.depth + 1)

    def fields(self, legs: Sequence[Leg]) -> tuple[Slot, ...]:
        """The fields that the legs look at, each once."""
        return tuple(sorted({slot for leg in legs for slot in leg.slots}))

    def product(self, legs: Sequence[Leg], fields: tuple[Slot, ...]) -> tuple:
        """The legs' product as `netsim.theory.observables.functional.evaluate` takes it."""
        return tuple(
            (self.functionals[leg.field], tuple(fields.index(slot) for slot in leg.slots))
            for leg in legs
        )
