"""What the hierarchy of one input needs of every layer, to any number of digits: `layers`
in integers, for built-in activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from netsim.gaussian.hermite_mp import MP, fixed, fixed_taylor, mp_function
from netsim.networks.network import Network
from netsim.theory.hierarchy.layers import Layers, slopes_cumulants
from netsim.theory.hierarchy.series import cumulants, degrees, multiply

__all__ = ["fixed_layers"]


def fixed_layers(
    network: Network, x2: float, order: int, bits: int, rule: tuple[int, float]
) -> Layers:
    """In fixed point with units of 2^-bits, K of mpmath; `rule` as in `fixed_taylor`.

    One layer a chunk. Of layer 1 only constant terms are given (x = 0 there), of layer L only the
    cumulants that the first four moments need.

    **Raises:** `ValueError` for activations that are not built in.
    """
    kappa = []
    with MP.workprec(bits):
        C_W, C_b = (
            [MP.mpf(c) for c in v] for v in (network.weight_variance, network.bias_variance)
        )
        K = [C_b[0] + C_W[0] * MP.mpf(x2)]
        for l, n in enumerate(network.widths, 1):
            size = degrees(order)[: 4 if l == network.depth else None]
            size = [0] * len(size) if l == 1 else size
            mean, c = _fixed_cumulants(network, K[-1], size, bits, rule)
            K.append(C_b[l] + C_W[l] * mean)
            scale = C_W[l] * mean / K[-1] if K[-1] else MP.mpf(0)
            ratio = MP.mpf(network.widths[0]) / n
            power = fixed([scale**j * ratio ** (j - 1) for j in range(1, len(c) + 1)], bits)
            kappa.append([multiply(p, f, bits)[:, None] for p, f in zip(c, power, strict=True)])
    return Layers(np.array(K, dtype=object), kappa, bits)


def _fixed_cumulants(
    network: Network, K: Any, size: list[int], bits: int, rule: tuple[int, float]
) -> tuple[Any, list[np.ndarray]]:
    """<sigma^2>_K, and the cumulants of sigma^2/<sigma^2> to the degrees `size` in x."""
    sigma = network.activation
    if sigma.slopes is not None:
        exact = slopes_cumulants(network, size)
        mean = K * sum(MP.mpf(a) ** 2 for a in sigma.slopes) / 2
        return mean, [fixed([MP.mpf(c.numerator) / c.denominator for c in p], bits) for p in exact]
    if K == 0:
        return mp_function(sigma)(K) ** 2, [np.zeros(d + 1, dtype=object) for d in size]
    mean, moments = fixed_taylor(sigma, K, size, bits, rule)
    found = cumulants(moments, bits)
    found[0][0] = 0
    return mean, found
