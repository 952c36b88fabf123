"""Learning rates of the parameters of a network: all of them (NTK), or one weight matrix.

    H_ij = sum_mu rate_mu (dz_i/dtheta_mu) (dz_j/dtheta_mu),

rate = lambda_W/n_{l-1} for a weight into layer l, lambda_b for a bias of layer l, theta being W and b
themselves. With lambda_W = C_W and lambda_b = C_b this is the kernel of the NTK parametrisation
W = sqrt(C_W/n) w, b = sqrt(C_b) beta with unit rates; with rate 1 for W^(k) and 0 for all else it is
the Gram matrix of the gradients with respect to W^(k).
"""

from __future__ import annotations

from fractions import Fraction

from netsim.networks.network import Network

__all__ = ["Rates", "block_rates", "fan_ins"]

Rates = tuple[tuple[float | Fraction, ...], tuple[float | Fraction, ...]]


def fan_ins(network: Network, dimension: int) -> tuple[int, ...]:
    """n_0..n_L: how many neurons feed layers 1..L+1; `dimension` = n_0."""
    return (dimension, *network.widths)


def block_rates(network: Network, dimension: int, block: int | None) -> Rates:
    """(lambda_W, lambda_b) of layers 1..L+1, L+1 numbers each.

    **Arguments:** `dimension` = n_0; `block`: None, the NTK parametrisation's rates of all parameters;
    k, rate 1 for the weights into layer k, 0 for all else.

    **Raises:** `ValueError` for a weight matrix that does not exist.
    """
    if block is None:
        return network.weight_variance, network.bias_variance
    ins = fan_ins(network, dimension)
    if not 1 <= block <= len(ins):
        raise ValueError(f"weight block {block} does not exist; blocks are 1..{len(ins)}")
    weight = tuple(float(n) if l == block else 0.0 for l, n in enumerate(ins, 1))
    return weight, (0.0,) * len(ins)
