"""Which quantities can be measured, and at which layers."""

from __future__ import annotations

from netsim.quantities import Quantity, is_observable

__all__ = ["Span", "check_measurable", "layers_of", "row_of"]

MIXED = ("H", "dH", "g", "z")  # of one layer and one draw: legs may be of several kinds

Span = tuple[int, int] | None  # first and last layer, both included; None: all

MAX_NEURONS = 4
MAX_ORDER = {"S": 4, "q": 4, "z": 8, "H": 4, "g": 4, "dH": 4}  # observables: what estimators allow


def check_measurable(quantity: Quantity, depth: int) -> None:
    """**Raises:** `ValueError` for a quantity that a simulation does not measure, saying why."""
    text, kinds = quantity.text, _kinds(quantity)
    if quantity.order is not None:
        raise ValueError(f"{text}: a coefficient of 1/n is predicted, not measured; drop ~")
    unknown = [f for f in kinds if f not in ("S", "q", "{}", *MIXED)]
    if unknown:
        raise ValueError(
            f"{text}: field {unknown[0]!r} is not measured yet; z, S, q, H, dH, g and your own "
            "observables are"
        )
    if len(kinds) > 1 and not set(kinds) <= set(MIXED):
        raise ValueError(
            f"{text}: legs of {' and of '.join(quantity.fields)} together are not measured; use one "
            "field (z, H, dH and g may be mixed), or write an observable (netsim.observable) that "
            "contains them"
        )
    if any(leg.layer is not None for leg in quantity.legs):
        raise ValueError(f"{text}: legs with layers of their own are not measured yet; use ...]@9")
    for kind in kinds:
        count = sum(_kind(leg.field) == kind for leg in quantity.legs)
        if count > MAX_ORDER.get(kind, count):
            raise ValueError(f"{text}: joint orders of {kind} up to {MAX_ORDER[kind]} are measured")
    if len(kinds) > 1 and len(quantity.legs) > max(MAX_ORDER.values()):
        raise ValueError(f"{text}: joint orders up to {max(MAX_ORDER.values())} are measured")
    legs = [leg for leg in quantity.legs if leg.field != "g"]  # its index is a layer
    if any(i > MAX_NEURONS for leg in legs for i in leg.indices):
        raise ValueError(f"{text}: up to {MAX_NEURONS} neurons can be looked at")
    _check_gradients(quantity, depth)
    _check_layer(quantity, depth)


def _check_gradients(quantity: Quantity, depth: int) -> None:
    text = quantity.text
    for leg in quantity.legs:
        if leg.field in ("H", "dH", "g") and any(slot.directions for slot in leg.slots):
            raise ValueError(
                f"{text}: {leg.field} of input derivatives is not measured; leave out the directions"
            )
        if leg.field == "g" and leg.indices[0] > depth + 1:
            raise ValueError(
                f"{text}: there is no weight block {leg.indices[0]}; block k is the weights into "
                f"layer k, 1..{depth + 1}"
            )


def _check_layer(quantity: Quantity, depth: int) -> None:
    kind, layer, text = _kinds(quantity)[0], quantity.layer, quantity.text
    last, first = _last(kind, depth), _first_block(quantity)
    if kind == "q" and layer in ("out", depth + 1):
        raise ValueError(
            f"{text}: the norm of the output layer is not measured, because only the outputs looked "
            f"at are drawn; name a hidden layer, 1..{last}"
        )
    if layer not in (None, "out") and not 1 <= int(layer) <= last:
        raise ValueError(f"{text}: layer {layer} does not exist; layers are 1..{last}")
    if layer not in (None, "out") and int(layer) < first:
        raise ValueError(
            f"{text}: neurons of layer {layer} do not depend on weight block {first}; name a layer "
            f"{first}..{last}"
        )


def layers_of(quantity: Quantity, depth: int, span: Span = None) -> list[int]:
    """The layers at which rows of `quantity` are given.

    A quantity without a layer of its own is given at all layers (within `span`).

    **Raises:** `ValueError` for a layer that the network does not have.
    """
    _check_layer(quantity, depth)
    kind = _kinds(quantity)[0]
    last = _last(kind, depth)
    if quantity.layer == "out":
        return [last]
    if quantity.layer is not None:
        return [int(quantity.layer)]
    # layer 1 of z is Gaussian with the known covariance S_0, H is a number there: nothing to measure
    # unless asked for
    first = max(2 if kind in MIXED else 1, _first_block(quantity))
    if span is not None:
        first, last = max(first, span[0]), min(last, span[1])
    return list(range(first, last + 1))


def row_of(quantity: Quantity, layer: int) -> int:
    """The row of results that belongs to `layer`."""
    return layer if _kinds(quantity)[0] == "S" else layer - 1


def _kinds(quantity: Quantity) -> list[str]:
    return sorted({_kind(field) for field in quantity.fields})


def _kind(field: str) -> str:
    return "{}" if is_observable(field) else field


def _first_block(quantity: Quantity) -> int:
    """The first layer whose neurons depend on every weight block looked at."""
    return max((leg.indices[0] for leg in quantity.legs if leg.field == "g"), default=1)


def _last(kind: str, depth: int) -> int:
    # S_l and the norm of layer l are sums over a hidden layer
    return depth if kind in ("S", "q") else depth + 1
