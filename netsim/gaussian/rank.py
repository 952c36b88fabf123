"""Integrals over z = A g, A (inputs, rank): the method that suits the rank and the activation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netsim.gaussian.grid import grid_points, integrate_grid
from netsim.gaussian.line import EPSILON, integrate_line, line_edges
from netsim.gaussian.sectors import integrate_sectors
from netsim.networks.activation import Activation

__all__ = ["integrate_rank"]

_STEEP = 700  # trapezoid points per dimension above which graded panels are cheaper
Integrand = Callable[[np.ndarray], np.ndarray]
Values = tuple[np.ndarray, np.ndarray]


def integrate_rank(
    sigma: Activation,
    f: Integrand,
    A: np.ndarray,
    plane: Callable[[Integrand, np.ndarray, Activation], Values],
) -> Values:
    """int f(g) phi(g) d^r g and an error, f made of sigma at z = A g.

    **Arguments:** `f`, (r, N) -> (P, N); `A`, (inputs, r) of rank r; `plane`, the method for two
    inputs where sigma has kinks or is steep.

    **Returns:** (P,) values and (P,) errors.

    **Raises:** `ValueError` for kinked activations of more than 2 inputs and smooth ones of more
    than 4.
    """
    rank, scale = A.shape[1], float(np.max(np.abs(A), initial=0.0))
    if rank == 0:
        v = f(np.zeros((0, 1)))[:, 0]
        return v, 4 * EPSILON * np.abs(v)
    if rank == 1:
        return integrate_line(lambda g: f(g[None, :]), line_edges(A[:, 0], sigma))
    if rank == 2 and sigma.slopes is not None:
        return integrate_sectors(f, A)
    if rank == 2 and len(A) == 2:
        if sigma.kinks or grid_points(2, scale, sigma.pole) > _STEEP:
            return plane(f, A, sigma)
    if sigma.kinks or rank > 4:
        raise ValueError(
            f"a product of features of {len(A)} inputs with activation {sigma.name}: kinked "
            "activations are integrated for up to 2 inputs, smooth ones for up to 4; ask for "
            "products with fewer inputs"
        )
    return integrate_grid(f, rank, scale, sigma.pole)
