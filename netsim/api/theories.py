"""All theories, by what they are about, with one way to ask each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Quantity
from netsim.theory.base import AbstractTheory, Values
from netsim.theory.observables.statistics import AbstractObservableTheory, of_observables
from netsim.theory.statistics import statistic

__all__ = ["FIELDS_ORDER", "Theory", "theories", "values_of"]

FIELDS_ORDER = 2  # of several fields: seconds for three of them and 64 layers
Theory = AbstractTheory | AbstractObservableTheory


def theories(
    quantity: Quantity, network: Network, inputs: Inputs, order: int | None = None
) -> list[Theory]:
    """Those about quantities of this kind, the most exact first.

    **Arguments:** `order`: last power of 1/n of the hierarchy, or None for its own.
    """
    from netsim.theory.ntk.theory import TANGENT_FIELDS

    if of_observables(quantity):
        return _observables(quantity, network, inputs, order)
    gradients = any(field in TANGENT_FIELDS for field in quantity.fields)
    # instances keep what they computed: quantities of one point share them
    return list((_tangents if gradients else _cumulants)(network, inputs, order))


@lru_cache(maxsize=8)
def _cumulants(network: Network, inputs: Inputs, order: int | None) -> tuple[AbstractTheory, ...]:
    from netsim.theory.finite_width import FieldsExact, HomogeneousExact, TransferExact
    from netsim.theory.hierarchy.theory import ORDER, Hierarchy
    from netsim.theory.hierarchy_fields.theory import HierarchyFields
    from netsim.theory.limits import InfiniteWidth, LeadingPower

    return (
        HomogeneousExact(network, inputs),
        FieldsExact(network, inputs),
        TransferExact(network, inputs),
        Hierarchy(network, inputs, ORDER if order is None else order),
        HierarchyFields(network, inputs, FIELDS_ORDER if order is None else min(order, 3)),
        LeadingPower(network, inputs),
        InfiniteWidth(network, inputs),
    )


@lru_cache(maxsize=8)
def _tangents(network: Network, inputs: Inputs, order: int | None) -> tuple[AbstractTheory, ...]:
    """Those of gradients with respect to parameters."""
    from netsim.theory.ntk.theory import NTKExactTheory, NTKInfinite, NTKLeading

    return tuple(kind(network, inputs) for kind in (NTKExactTheory, NTKLeading, NTKInfinite))


def _observables(
    quantity: Quantity, network: Network, inputs: Inputs, order: int | None
) -> list[Theory]:
    """Those of registered observables; made anew, as one may be registered again."""
    from netsim.experiment.functionals import functional_of
    from netsim.experiment.observables import OBSERVABLES
    from netsim.theory.observables.exact import ObservablesTransfer
    from netsim.theory.observables.series import ObservablesInfinite, ObservablesSeries

    known = {name: functional_of(OBSERVABLES[name.strip("{}")]) for name in quantity.fields}
    most = FIELDS_ORDER if order is None else min(order, FIELDS_ORDER)
    return [
        ObservablesTransfer(network, inputs, known),
        ObservablesSeries(network, inputs, known, most),
        ObservablesInfinite(network, inputs, known),
    ]


def values_of(theory: Any, quantity: Quantity, rows: Sequence[int]) -> Values:
    """`quantity` by `theory` at least in the layer rows `rows`.

    **Raises:** `netsim.theory.base.OutsideDomain`, saying why.
    """
    if isinstance(theory, AbstractObservableTheory):
        return theory.statistic(quantity, rows)  # an integral a row: only those asked for
    # a series knows more of a ratio than its sums do, and single coefficients; a limit, where z^(1)
    # is not Gaussian
    own = getattr(theory, "statistic", None)
    return statistic(theory, quantity) if own is None else own(quantity)
