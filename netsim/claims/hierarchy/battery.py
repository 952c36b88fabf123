"""Joint cumulants drawn at random, and the narrow networks whose outputs they are taken of."""

from __future__ import annotations

import random
from collections.abc import Sequence

from netsim.networks.activation import Activation
from netsim.networks.inputs import Inputs
from netsim.networks.inputs_gram import gram
from netsim.networks.network import Network, network
from netsim.quantities import parse

__all__ = ["ROOM", "joint_cumulants", "logistic", "narrow", "three_inputs"]

ROOM = 3  # width of the widest layer
NEURONS = (1, 2, 3)
# order -> most derivatives in one cumulant: products of more have tails that minutes don't sample
_DERIVATIVES = {1: 2, 2: 4, 3: 3, 4: 2, 5: 2, 6: 2}


def three_inputs() -> Inputs:
    """Inputs a, b, c in general position, and a direction u along none of them."""
    overlaps = [[1.0, 0.3, -0.2, 0.4], [0.3, 0.8, 0.5, -0.3], [-0.2, 0.5, 1.2, 0.2]]
    return gram([*overlaps, [0.4, -0.3, 0.2, 1.0]], directions=1)


def logistic() -> Activation:
    """1/(1 + e^(-2x)) = (1 + tanh x)/2: smooth, bounded, neither even nor odd."""

    def f0(x, xp):
        return xp.expit(2 * x)

    def f1(x, xp):
        y = f0(x, xp)
        return 2 * y * (1 - y)

    def f2(x, xp):
        y = f0(x, xp)
        return 4 * y * (1 - y) * (1 - 2 * y)

    return Activation("logistic", (f0, f1, f2), 2, growth=0.0)


def narrow(sigma: Activation | str, widths: Sequence[int], outputs: int = 3) -> Network:
    """A network of one to three neurons a layer; off criticality."""
    return network(sigma, widths=widths, weight_variance=1.5, bias_variance=0.1, outputs=outputs)


def joint_cumulants(
    count: int, orders: Sequence[int], rng: random.Random, *, paired: bool
) -> tuple[str, ...]:
    """`count` different joint cumulants of outputs, with derivatives up to D_u^2.

    **Arguments:** `orders`: numbers of legs, all as likely; `paired`: whether each neuron has an
    even number of legs, or some neuron an odd one.
    """
    found: dict[str, None] = {}
    while len(found) < count:
        found[_joint_cumulant(rng.choice(orders), rng, paired)] = None
    return tuple(found)


def _joint_cumulant(order: int, rng: random.Random, paired: bool) -> str:
    while True:
        derivatives = [rng.choice((0, 1, 2)) for _ in range(order)]
        half = [rng.choice(NEURONS) for _ in range(order // 2)]
        neurons = 2 * half if paired else [rng.choice(NEURONS) for _ in range(order)]
        if sum(derivatives) <= _DERIVATIVES[order] and paired == _even(neurons):
            break
    legs = [
        f"z{i}{rng.choice('abc')}" + ("'" + "u" * d if d else "")
        for i, d in zip(neurons, derivatives, strict=True)
    ]
    return parse(f"cum[{' '.join(legs)}]@out").text


def _even(neurons: list[int]) -> bool:
    return all(neurons.count(i) % 2 == 0 for i in neurons)
