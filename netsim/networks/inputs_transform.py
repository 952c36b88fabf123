"""Scaling of an input set to a norm, or to the critical kernel."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from netsim.networks.inputs import Inputs
from netsim.networks.inputs_checks import number_text, real

__all__ = ["norm2_for_kernel", "scaled"]


def norm2_for_kernel(K_star: float, C_b: float, C_W: float) -> float:
    """|x|^2/n_0 at which the first layer has the kernel K*: (K* - C_b) / C_W, C_b + C_W |x|^2/n_0.

    **Raises:** `ValueError` where it would be negative (K* < C_b) or C_W is not positive.
    """
    K_star, C_b = real(K_star, "K_star", least=0), real(C_b, "C_b", least=0)
    C_W = real(C_W, "C_W", above=0)
    if K_star < C_b:
        raise ValueError(
            f"no input reaches the kernel K* = {K_star:g}: the bias variance C_b = {C_b:g} alone "
            "is larger; lower C_b"
        )
    return (K_star - C_b) / C_W


def scaled(inputs: Inputs, norm2: float) -> Inputs:
    """Every input scaled to |x|^2/n_0 = norm2; directions stay as they are.

    Overlaps are scaled as correlations, so that inputs that are, or become, equal have overlaps
    equal to the last bit.

    **Raises:** `ValueError` for norm2 <= 0 and for a zero input, which has no direction.
    """
    norm2 = real(norm2, "norm2", above=0)
    A = len(inputs.vectors)
    K = np.diag(inputs.overlaps)[:A]
    if not np.all(K > 0):
        i = int(np.argmin(K > 0))
        raise ValueError(
            f"input {inputs.names[i]} (number {i}, counted from 0) is zero: it cannot be scaled to "
            f"|x|^2/n_0 = {norm2:g}. Leave it out, or leave norm2 out"
        )
    root = np.sqrt(K)
    G = np.array(inputs.overlaps)
    product = np.where(K[:, None] == K, K[:, None], root[:, None] * root)
    G[:A, :A] = norm2 * np.clip(G[:A, :A] / product, -1.0, 1.0)  # rounding may exceed 1
    np.fill_diagonal(G[:A, :A], norm2)
    factors = math.sqrt(norm2) / root
    G[:A, A:] *= factors[:, None]
    G[A:, :A] = G[:A, A:].T
    x = inputs.vectors * factors[:, None]
    place: dict[bytes, int] = {}
    first = [place.setdefault(row.tobytes(), i) for i, row in enumerate(x)]
    first += range(A, len(G))
    G = G[np.ix_(first, first)]
    for array in (x, G):
        array.setflags(write=False)
    source = f"scaled({inputs.source}, norm2={number_text(norm2)})"
    return replace(inputs, vectors=x, overlaps=G, source=source)
