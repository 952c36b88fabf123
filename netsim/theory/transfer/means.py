"""Means of any function of S_l at finite width: E g(S_l) from the transfer law of one input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from netsim.networks.network import Network
from netsim.theory.transfer.chain import FINE, check, laws

__all__ = ["transfer_means"]

_SAFETY = 5.0  # as for cumulants: errors oscillate with the number of nodes
_FLOOR = 1e-12
_ORDER = 4  # g may grow like s^4

Conditional = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def transfer_means(
    network: Network, x2: float, conditional: Conditional, rows: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """E g(S_l) at the rows l in `rows`, exact in the widths, and numerical errors.

    **Arguments:** `x2` = |x|^2/n_0; `conditional`: s, (N,) >= 0, -> g(s) and its numerical errors, g
    smooth for s > 0 and of at most the order s^4.

    **Returns:** two (L+1,) arrays, NaN in other rows.

    **Raises:** `ValueError` as `netsim.theory.transfer.chain.transfer_cumulants`.
    """
    check(network, x2, 1)
    found = []
    with threadpool_limits(1, user_api="blas"):
        for sizes in FINE:
            found.append(_means(network, x2, conditional, sizes, frozenset(rows)))
    value, own, size = found[0]
    difference = np.max([np.abs(value - other) for other, _, _ in found[1:]], axis=0)
    return value, own + _SAFETY * difference + _FLOOR * size


def _means(network: Network, x2: float, conditional: Conditional, sizes, rows: frozenset[int]):
    """Means, errors passed on from g, and sums of absolute terms, (L+1,) each."""
    value, error, size = (np.full(network.depth + 1, np.nan) for _ in range(3))
    if 0 in rows:
        K = network.bias_variance[0] + network.weight_variance[0] * x2
        (value[0],), (error[0],) = conditional(np.array([K]))
        size[0] = abs(value[0])
    known: dict = {}
    for l, (rho, grid) in enumerate(laws(network, x2, sizes), start=1):
        if l > max(rows):
            break
        if l not in rows:
            continue
        if grid not in known:  # most layers share their grid
            known[grid] = conditional(grid.points)
        g, g_error = known[grid]
        weights = rho[_ORDER - 1] / grid.weight(grid.points, _ORDER)
        value[l], error[l] = weights @ g, np.abs(weights) @ g_error
        size[l] = np.abs(weights) @ np.abs(g)
    return value, error, size
