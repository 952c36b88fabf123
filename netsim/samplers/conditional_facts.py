"""What both bodies of the conditional sampler are built from, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netsim.networks.fields import bias_mask, check_order
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.samplers.base import pairs
from netsim.samplers.rng import seed_words

__all__ = ["conditional_facts"]


def conditional_facts(
    network: Network, inputs: Inputs, fields: Sequence[Slot], seed: int
) -> dict[str, Any]:
    """`fields`, `activation` and the traced arrays: seed words, widths, S_0 (pairs), C_W, C_b.

    **Raises:** `ValueError` for weights that are not Gaussian, or derivatives that the activation
    does not have.
    """
    if not network.weights.is_gaussian:
        raise ValueError(
            f"the conditional sampler needs gaussian weights, got {network.weights.name}: "
            "use sampler=dense"
        )
    check_order(network.activation, fields)
    mask = np.array(bias_mask(fields))
    S = network.bias_variance[0] * mask + network.weight_variance[0] * inputs.gram(fields)
    return {
        "fields": tuple(fields),
        "activation": network.activation,
        "seed": np.array(seed_words(seed), np.uint32),
        "widths": np.array(network.widths, np.int32),
        "first": np.array([S[a, b] for a, b in pairs(len(fields))]),
        "weight_variance": np.array(network.weight_variance[1:]),
        "bias_variance": np.array(network.bias_variance[1:]),
    }
