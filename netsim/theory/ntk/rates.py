"""Learning-rate weights of the neural tangent kernel (NTK), layer by layer.

    H_ij = sum_mu rate_mu (dz_i/dtheta_mu) (dz_j/dtheta_mu),

rate = lambda_W/n_{l-1} for a weight W^(l) and lambda_b for a bias b^(l), the parameters being W and b
themselves (Roberts, Yaida and Hanin, arXiv 2106.10165, ch. 8). The same kernel in other words:

- NTK parametrisation, W = sqrt(C_W/n) w, b = sqrt(C_b) beta, unit rates for w and beta:
  lambda_W = C_W, lambda_b = C_b;
- plain gradient descent with unit rates on W and b: lambda_W = n_{l-1}, lambda_b = 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from netsim.networks.network import Network

__all__ = ["Rate", "check_norm2", "rates"]

Rate = float | Fraction | Sequence[float | Fraction]


def rates(network: Network, value: Rate | None, name: str) -> tuple[float | Fraction, ...]:
    """lambda_W or lambda_b of layers 1..L+1.

    **Arguments:** `value`: one number, L+1 numbers (the first for the input layer), or None for those
    of the NTK parametrisation; `name`: "weight_rate" or "bias_rate".

    **Returns:** L+1 numbers.

    **Raises:** `ValueError` for another count, or numbers that are not finite and >= 0.
    """
    L = network.depth
    if value is None:
        return network.weight_variance if name == "weight_rate" else network.bias_variance
    given = tuple(value) if isinstance(value, Sequence) else (value,) * (L + 1)
    if len(given) != L + 1:
        raise ValueError(
            f"{name} has {len(given)} numbers; give one, or depth+1 = {L + 1} (the first for the "
            "input layer)"
        )
    for rate in given:
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(f"{name}={rate}: a learning rate must be a finite number >= 0")
    return given


def check_norm2(x2: float | Fraction) -> float | Fraction:
    """x2 = |x|^2/n_0. **Raises:** `ValueError` unless it is a finite number >= 0."""
    if not (math.isfinite(x2) and x2 >= 0):
        raise ValueError(f"x2={x2}: |x|^2/n_0 must be a finite number >= 0")
    return x2
