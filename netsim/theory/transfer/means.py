"""Means of any function of S_l at finite width: E g(S_l) from the transfer law of one input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from netsim.networks.network import Network
from netsim.theory.transfer.chain import FINE, check, laws

__all__ = ["alive", "transfer_means"]

_SAFETY = 5.0  # as for cumulants: errors oscillate with the number of nodes
_FLOOR = 1e-12
_NEAR = 1e-30  # of K: where g(0+) is taken

Conditional = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def transfer_means(
    network: Network, x2: float, conditional: Conditional, rows: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """E g(S_l) at the rows l in `rows`, exact in the widths, and numerical errors.

    The grid's four weights (for g of the orders s .. s^4) give four answers; that of the smallest
    error counts. S_l = 0 has the probability 1 - `alive`; the grid sees g(0+) there, so (1 - alive)
    (g(0) - g(0+)) is added.

    **Arguments:** `x2` = |x|^2/n_0; `conditional`: s, (N,) >= 0, -> g(s) and its numerical errors, g
    smooth for s > 0 and of at most the order s^4.

    **Returns:** two (L+1,) arrays, NaN in other rows.

    **Raises:** `ValueError` as `netsim.theory.transfer.chain.transfer_cumulants`.
    """
    check(network, x2, 1)
    K = network.bias_variance[0] + network.weight_variance[0] * x2
    if K == 0 and all(c == 0 for c in network.bias_variance):
        (at_zero,), (error,) = conditional(np.zeros(1))
        if network.activation.numpy(np.zeros(1))[0] == 0:  # S = 0 in every layer
            asked = np.isin(np.arange(network.depth + 1), list(rows))
            return np.where(asked, at_zero, np.nan), np.where(asked, error, np.nan)
    with threadpool_limits(1, user_api="blas"):
        found = [_means(network, x2, conditional, sizes, frozenset(rows)) for sizes in FINE]
    value, own, size = found[0]
    with np.errstate(invalid="ignore"):
        differences = [np.abs(value - other) for other, _, _ in found[1:]]
        error = own + _SAFETY * np.max(differences, axis=0) + _FLOOR * size
    error = np.where(np.isfinite(error) & np.isfinite(value), error, np.inf)
    best = np.argmin(error, axis=0)
    each = np.arange(network.depth + 1)
    value, error = value[best, each], error[best, each]
    dead = 1 - alive(network, x2)
    if np.any(dead > 0):
        (at_zero, near), (e0, e1) = conditional(np.array([0.0, _NEAR * max(K, 1e-200)]))
        value, error = value + dead * (at_zero - near), error + dead * (e0 + e1)
    asked = np.isin(each, list(rows))
    return np.where(asked, value, np.nan), np.where(asked, error, np.nan)


def alive(network: Network, x2: float) -> np.ndarray:
    """P(S_l > 0), (L+1,), for l = 0..L.

    1 but for a zero input without biases and for slopes (a_+, a_-) of which one is 0: without bias
    all n_l neurons are then on the side of the zero slope with probability 2^-n_l.
    """
    slopes = network.activation.slopes
    K = network.bias_variance[0] + network.weight_variance[0] * x2
    found = [float(K > 0)]
    at_zero = float(network.activation.numpy(np.zeros(1))[0])
    for l, n in enumerate(network.widths, 1):
        lost = 0.0
        if slopes is not None and 0 in slopes:
            lost = 1.0 if slopes == (0.0, 0.0) else 0.5**n
        lives = found[-1] * (1 - lost)
        found.append(1.0 if network.bias_variance[l] > 0 or at_zero != 0 else lives)
    return np.array(found)


def _means(network: Network, x2: float, conditional: Conditional, sizes, rows: frozenset[int]):
    """Means, errors passed on from g, and sums of absolute terms, (4, L+1) each."""
    value, error, size = (np.full((4, network.depth + 1), np.nan) for _ in range(3))
    if 0 in rows:
        K = network.bias_variance[0] + network.weight_variance[0] * x2
        (g,), (g_error,) = conditional(np.array([K]))
        value[:, 0], error[:, 0], size[:, 0] = g, g_error, abs(g)
    known: dict = {}
    for l, (rho, grid) in enumerate(laws(network, x2, sizes), start=1):
        if l > max(rows):
            break
        if l not in rows:
            continue
        if grid not in known:  # most layers share their grid
            known[grid] = conditional(grid.points)
        g, g_error = known[grid]
        with np.errstate(invalid="ignore", over="ignore"):
            for p in range(4):
                weights = rho[p] / grid.weight(grid.points, p + 1)
                value[p, l], error[p, l] = weights @ g, np.abs(weights) @ g_error
                size[p, l] = np.abs(weights) @ np.abs(g)
    return value, error, size
