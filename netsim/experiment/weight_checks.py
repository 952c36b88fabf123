"""What the law of the weights refuses: moments that do not exist, neurons that do not exist."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from netsim.experiment.aliases import Named
from netsim.experiment.measurable import Span, layers_of
from netsim.experiment.observables import Observable
from netsim.networks.network import Network
from netsim.quantities import Quantity

__all__ = ["check_weights", "exists", "weight_order"]


def weight_order(network: Network, quantity: Quantity, layer: int) -> float:
    """The highest moment of one weight without which `quantity` at `layer` does not exist.

    z = b + W h needs as many moments as legs look at one neuron. Behind it h = sigma(z) of growth p
    is of order |z|^p, so with K legs (2K for S and q, which are squares) the weights of m layers
    before need moments of order K p^m; none if sigma is bounded. 0 where nothing is known to be
    needed: logarithms, your own observables, and what derivatives need of earlier layers, where
    sigma' may be small when D z is large (not if sigma is piecewise linear: D z grows like z then).
    """
    legs, fields = quantity.legs, quantity.fields
    if quantity.stat != "logcum" and set(fields) & {"H", "dH", "g"}:
        return _gradient_order(network, quantity, layer)
    if quantity.stat == "logcum" or fields not in (("z",), ("S",), ("q",)):
        return 0.0
    own = 0
    if fields == ("z",):
        own = max(Counter(leg.indices[0] for leg in legs).values())
    elif fields == ("q",):
        own = 2 * len(legs)
    derived = any(slot.directions for leg in legs for slot in leg.slots)
    if derived and network.activation.slopes is None:
        return float(own)
    K = len(legs) * (1 if fields == ("z",) else 2)
    p, before = network.activation.growth, layer if fields == ("S",) else layer - 1
    # K p^m is largest at an end: m = 1 or the last (64 layers of growth are beyond every nu)
    return max([float(own), *(K * p**m for m in (1, min(before, 64)) if before >= 1)])


def _gradient_order(network: Network, quantity: Quantity, layer: int) -> float:
    """The same where legs are H_ij = delta_ij (...) + sum_kl W_ik W_jl ..., dH or g (that is, H_11):
    each neuron that a leg names is one weight into it. The weights of earlier layers occur in H
    likewise, with factors sigma' that are constants if sigma is piecewise linear."""
    if layer < 2:
        return 0.0
    looked = [(1, 1) if leg.field == "g" else leg.indices for leg in quantity.legs]
    own = max(Counter(i for indices in looked for i in indices).values())
    every = sum(len(indices) for indices in looked)
    return float(own if network.activation.slopes is None or layer < 3 else max(own, every))


def exists(network: Network, quantity: Quantity, layer: int, power: int = 1) -> bool:
    """False if the power-th moment of the quantity's estimate is known to be infinite."""
    below = network.weights.moments_below
    return math.isinf(below) or power * weight_order(network, quantity, layer) < below


def check_weights(
    network: Network, named: Sequence[Named], observables: Sequence[Observable], span: Span
) -> None:
    """**Raises:** `ValueError` for a moment that does not exist with heavy-tailed weights, and for a
    neuron that a layer with orthogonal weights does not have."""
    law = network.weights
    for quantity in (item.quantity for item in named):
        for layer in layers_of(quantity, network.depth, span):
            if not exists(network, quantity, layer):
                raise ValueError(
                    f"{quantity.at(layer).text} does not exist with {law.name} weights: it needs "
                    f"their moment of order {weight_order(network, quantity, layer):g}, and those of "
                    f"order < {law.moments_below:g} exist. Ask for lower orders, or for more degrees "
                    "of freedom"
                )
    if law.is_independent:
        return
    own = {f"{{{of.name}}}": of.neurons for of in observables}
    sizes = (*network.widths, network.outputs)
    for quantity in (item.quantity for item in named):
        legs = [leg for leg in quantity.legs if leg.field not in ("S", "q", "g")]
        most = max([0, *(max([own.get(leg.field, 0), *leg.indices]) for leg in legs)])
        for layer in layers_of(quantity, network.depth, span) if legs else ():
            if most > sizes[layer - 1]:
                raise ValueError(
                    f"{quantity.at(layer).text} looks at neuron {most}, but layer {layer} has "
                    f"{sizes[layer - 1]}: with orthogonal weights a further neuron does not stand for "
                    "one more of its law; use a wider layer, more outputs, fewer neurons or another "
                    "layer"
                )
