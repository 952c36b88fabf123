"""The networks on which every recursion is tested: nine activations, one of them a user's own."""

from __future__ import annotations

from collections.abc import Sequence

from netsim.networks.network import Network, network
from netsim.networks.own_activations import REGISTERED, register_activation

__all__ = ["ACTIVATIONS", "CUBIC", "C_B", "C_W", "NORM2", "POLYNOMIAL", "WIDTHS", "recursion_net"]

CUBIC = (0.2, 0.9, 0.15, -0.05)
OWN = "claims_algebraic"  # x/sqrt(1 + x^2), registered as a user registers an own activation
POLYNOMIAL = f"polynomial([{', '.join(map(str, CUBIC))}])"
ACTIVATIONS = (
    "relu", "tanh", "gelu", "erf", "sin", "swish", "slopes(1, -1)", POLYNOMIAL, OWN,
)  # fmt: skip
C_W, C_B = 1.3, 0.1  # off criticality: every term counts
WIDTHS, NORM2 = (12, 8, 16), 1.0


def recursion_net(
    name: str,
    widths: Sequence[int] = WIDTHS,
    weight_variance: float = C_W,
    bias_variance: float = C_B,
) -> Network:
    """A network of one of `ACTIVATIONS`."""
    if name == OWN and name not in REGISTERED:
        register_activation(
            OWN,
            lambda x, xp: x / xp.sqrt(1 + x * x),
            lambda x, xp: (1 + x * x) ** -1.5,
            lambda x, xp: -3 * x * (1 + x * x) ** -2.5,
            growth=0.0,
            pole=1.0,
        )
    return network(
        name, widths=widths, weight_variance=weight_variance, bias_variance=bias_variance
    )
