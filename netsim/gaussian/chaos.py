"""E F(y_a, y_b) G(y_c, y_d) for jointly Gaussian fields, from functions of two variables only.

Let g be standard normal coordinates of (y_a, y_b), g' those of (y_c, y_d), R = E g g'^T (2, 2),
with singular values s_1 >= |s_2|, and F_mn = <F He_m(g_1) He_n(g_2)>/sqrt(m! n!). In coordinates
turned to the singular directions (Mehler's formula)

    E F G = sum_mn s_1^m s_2^n F_mn G_mn,
    |terms with m + n > Q| <= s_1^{Q+1} ||F_{>Q}|| ||G_{>Q}||,
    ||F_{>Q}||^2 = <F^2> - sum_{m+n<=Q} F_mn^2:

a bound that needs nothing else. A turn by theta multiplies the circular components of degree q,
V_q^+ F_q, by exp(i lambda theta), lambda = -q, -q+2, .., q, with V_q the eigenvectors of the
generator of rotations. Those of -lambda are complex conjugates and are not kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from netsim.gaussian.line import EPSILON

__all__ = ["Chaos", "cartesian", "circular_basis", "correlate", "normalised_hermite"]


@dataclass(frozen=True)
class Chaos:
    """N functions of two variables by degree.

    **Fields:** `circular[q]`, (N, q//2 + 1) complex, components of degree q, lambda = q%2, .., q-2,
    q; `tail`, (N, Q+1), the squared norm above each degree; `norm2`, (N,), <F^2>.
    """

    circular: tuple[np.ndarray, ...]
    tail: np.ndarray
    norm2: np.ndarray

    @classmethod
    def of(cls, circular: list[np.ndarray], norm2: np.ndarray) -> Chaos:
        """From components and norms; the rounding of a norm is added to its tails."""
        parts = np.stack([np.abs(c) ** 2 @ _count(q) for q, c in enumerate(circular)], axis=1)
        tail = np.maximum(norm2[:, None] - np.cumsum(parts, axis=1), 0.0)
        tail = tail + 4 * EPSILON * norm2[:, None]
        return cls(tuple(circular), tail, norm2)


def normalised_hermite(x: np.ndarray, degree: int) -> np.ndarray:
    """(degree+1, len(x)): He_m(x)/sqrt(m!)."""
    he = np.ones((degree + 1, len(x)))
    if degree:
        he[1] = x
    for k in range(1, degree):
        he[k + 1] = (x * he[k] - math.sqrt(k) * he[k - 1]) / math.sqrt(k + 1)
    return he


@cache
def circular_basis(q: int) -> np.ndarray:
    """V_q, (q+1, q//2 + 1): rows m of He_m(g_1) He_{q-m}(g_2), columns lambda = q%2, .., q-2, q.

    Column lambda is the function (g_1 + i g_2)^{(q+lambda)/2} (g_1 - i g_2)^{(q-lambda)/2} up to a
    positive factor and lower degrees.
    """
    m = np.arange(q)
    off = np.sqrt((m + 1.0) * (q - m))
    _, V = np.linalg.eigh(1j * (np.diag(off, 1) - np.diag(off, -1)))
    V = V[:, (q + 1) // 2 :]
    return V * (np.abs(V[-1]) / V[-1])


@cache
def _count(q: int) -> np.ndarray:
    """How many of lambda, -lambda there are."""
    return np.where(np.arange(q % 2, q + 1, 2) == 0, 1.0, 2.0)


def cartesian(coefficients: np.ndarray) -> list[np.ndarray]:
    """Circular components of F_mn, (N, Q+1, Q+1), entries m + n <= Q."""
    Q = coefficients.shape[1] - 1
    found = []
    for q in range(Q + 1):
        m = np.arange(q + 1)
        found.append(coefficients[:, m, q - m] @ np.conj(circular_basis(q)))
    return found


def correlate(
    chaos: Chaos, left: np.ndarray, right: np.ndarray, R: np.ndarray, wanted: float
) -> tuple[np.ndarray, np.ndarray]:
    """E F G for many pairs of functions.

    **Arguments:** `left`, `right`, (N,), numbers of the functions in `chaos`; `R`, (N, 2, 2),
    covariance of their standard coordinates; `wanted`, truncation relative to the norms of F and G.

    **Returns:** (N,) values and (N,) truncation bounds.
    """
    s, first, second = _singular(R)
    Q = chaos.tail.shape[1] - 1
    power = np.abs(s[:, :1]) ** np.arange(1, Q + 2)
    bound = power * np.sqrt(chaos.tail[left] * chaos.tail[right])
    small = bound <= wanted * np.sqrt(chaos.norm2[left] * chaos.norm2[right])[:, None]
    last = np.where(np.any(small, axis=1), np.argmax(small, axis=1), Q)
    order = np.argsort(-last, kind="stable")
    phases = [_phases(angle[order], Q) for angle in (first, second)]
    powers = [s[order, k, None] ** np.arange(Q + 1) for k in (0, 1)]
    total = np.zeros(len(left))
    for q in range(Q + 1):
        n = int(np.searchsorted(-last[order], -q, side="right"))  # those that need degree q
        at = order[:n]
        a, b = (
            _turned(chaos.circular[q][side[at]] * phase[:n, q % 2 : q + 1 : 2], q)
            for side, phase in zip((left, right), phases, strict=True)
        )
        weight = powers[0][:n, : q + 1] * powers[1][:n, q::-1]
        total[at] += np.sum(a * b * weight, axis=1)
    return total, bound[np.arange(len(left)), last]


def _turned(components: np.ndarray, q: int) -> np.ndarray:
    """Cartesian components, real, (N, q+1), by m."""
    V = circular_basis(q) * _count(q)
    return np.real(components) @ np.real(V).T - np.imag(components) @ np.imag(V).T


def _phases(angle: np.ndarray, Q: int) -> np.ndarray:
    """(N, Q+1): exp(i lambda angle) for lambda = 0..Q."""
    turn = np.repeat(np.exp(1j * angle)[:, None], Q + 1, axis=1)
    turn[:, 0] = 1.0
    return np.cumprod(turn, axis=1)


def _singular(R: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R = turn(first) diag(s) turn(second)^T with proper turns; s (N, 2), s_2 of either sign.

    Singular values beyond 1 by rounding are cut.
    """
    U, s, Vt = np.linalg.svd(R)
    s = np.minimum(s, 1.0)
    for M, flip in ((U, U[:, :, 1]), (Vt, Vt[:, 1, :])):
        sign = np.sign(np.linalg.det(M))
        flip *= sign[:, None]
        s[:, 1] *= sign
    return s, np.arctan2(U[:, 1, 0], U[:, 0, 0]), np.arctan2(Vt[:, 0, 1], Vt[:, 0, 0])
