"""R at fixed s = L/n where K* = 0, as n and L tend to infinity: the curve that tanh, erf and sin share.

With z, u = D_v z and sigma(z) = z + (a_1/6) z^3 + ..., the collective variables S = S_00, S_01,
m = S_11 of one layer after the other become a diffusion in x = l/n; with p = -a_1 n S, w = S_01^2/S

    d log S = -(p + 1) dx + ...,   dm = -(p m + 2 p w) dx + ...,   dw = (m - w - 3 p w) dx + ...,
    dS_ab dS_cd = (S_ac S_bd + S_ad S_bc) dx    (products of independent Gaussian matrices).

E m and E m^2 after a time s are linear in what they start from, E m = alpha m + beta w and E m^2 =
alpha m^2 + beta m w + gamma w^2, with functions of q = log p that obey linear equations in s
(Kolmogorov's backward equation). Networks start at p = -a_1 n K -> infinity and w = 0, so R there
is the alpha of E m^2 over the squared alpha of E m.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import splu

__all__ = ["limit_of_R"]

sparse: Any = scipy.sparse  # SciPy has no types; those guessed from its source are wrong

_LOW, _HIGH = -16.0, 14.0  # log p: far below what is reached; corrections of the start are 1/(p s)
_POINTS, _STEPS = 1201, 256


@lru_cache(maxsize=32)
def limit_of_R(s: float) -> tuple[float, float]:
    """(R, error) at s = L/n; the error is the difference of two grids, one half as fine.

    Second order in both steps, so a third of the difference is taken off.
    """
    coarse, fine = (_ratio(s, (_POINTS - 1) // f + 1, _STEPS // f) for f in (2, 1))
    return fine + (fine - coarse) / 3, abs(fine - coarse)


def _ratio(s: float, points: int, steps: int) -> float:
    first = _evolved(_first_moment(points), 2, s, steps)
    second = _evolved(_second_moment(points), 3, s, steps)
    return second / first**2


def _operators(points: int, power: int):
    """p, and d/dq, d^2/dq^2 acting on f (1 + p)^-power: such f stay flat at both ends."""
    q = np.linspace(_LOW, _HIGH, points)
    h, p = q[1] - q[0], np.exp(q)
    one = sparse.diags([-0.5, 0.5], [-1, 1], shape=(points, points), format="lil")
    two = sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], shape=(points, points), format="lil")
    for row, inner in ((0, 1), (points - 1, points - 2)):  # f' = 0 at the ends
        one[row, :] = 0
        two[row, :] = 0
        two[row, row], two[row, inner] = -2.0, 2.0
    first, second = one.tocsr() / h, two.tocsr() / h**2
    g, dg = -power * p / (1 + p), -power * p / (1 + p) ** 2
    slope = first + sparse.diags(g)
    curvature = second + 2 * sparse.diags(g) @ first + sparse.diags(dg + g * g)
    return p, slope, curvature


def _first_moment(points: int) -> Any:
    """Of (alpha, beta), E m = alpha m + beta w."""
    p, D, D2 = _operators(points, 1)
    I, P = sparse.identity(points), sparse.diags(p)
    blocks = [
        [D2 - (I + P) @ D - P, I],
        [2 * D - 2 * P, D2 + (I - P) @ D - I - 3 * P],
    ]
    return sparse.csc_matrix(sparse.bmat(blocks))


def _second_moment(points: int) -> Any:
    """Of (alpha, beta, gamma), E m^2 = alpha m^2 + beta m w + gamma w^2."""
    p, D, D2 = _operators(points, 2)
    I, P = sparse.identity(points), sparse.diags(p)
    blocks = [
        [D2 - (I + P) @ D - 2 * P + 2 * I, I, None],
        [4 * D - 4 * P, D2 + (I - P) @ D + 3 * I - 4 * P, 6 * I],
        [None, 2 * D - 2 * I - 2 * P, D2 + (3 * I - P) @ D - 4 * I - 6 * P],
    ]
    return sparse.csc_matrix(sparse.bmat(blocks))


def _evolved(generator: Any, parts: int, s: float, steps: int) -> float:
    """alpha (1 + p)^power at the largest p after time s, from alpha = 1, beta = gamma = 0.

    Two-stage diagonally implicit steps (Alexander's, order 2, L-stable): rates of order p die out.
    """
    points = generator.shape[0] // parts
    h, c = s / steps, 1 - np.sqrt(0.5)
    q = np.linspace(_LOW, _HIGH, points)
    u = np.zeros(generator.shape[0])
    u[:points] = (1 + np.exp(q)) ** (parts - 1)
    solve = splu(sparse.csc_matrix(sparse.identity(len(u)) - c * h * generator)).solve
    for _ in range(steps):
        k1 = solve(generator @ u)
        k2 = solve(generator @ (u + (1 - c) * h * k1))
        u = u + h * ((1 - c) * k1 + c * k2)
    return float(u[points - 1])
