"""Truncated power series in eps = 1/n and in the relative fluctuation x of a collective variable.

Moments of x start at E x^p = O(eps^{ceil(p/2)}), so x counts as half a power of eps: of a monomial
eps^b x^q nothing is needed beyond 2b + q <= 2M where all is wanted to eps^M.

All functions are for any number of layers at once (last axis) and in two arithmetics: float64, and
fixed point, that is object arrays of Python integers in units of 2^-bits. Integers of a few hundred
bits multiply ten times faster than mpmath's floats and need no rounding but one shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

__all__ = ["bell", "cumulants", "degrees", "evolve", "multiply", "series_cumulants"]


def degrees(order: int) -> list[int]:
    """Degrees in x to which the conditional cumulants 1..order+1 are needed.

    The j-th carries eps^{j-1}, so 2 (j-1) + q <= 2 order.
    """
    return [2 * (order - j + 1) for j in range(1, order + 2)]


def multiply(a: np.ndarray, b: np.ndarray, bits: int | None = None) -> np.ndarray:
    """a b elementwise, in float64 (`bits` None) or in fixed point."""
    return a * b if bits is None else (a * b) >> bits


def _product(a: np.ndarray, b: np.ndarray, size: int, bits: int | None) -> np.ndarray:
    """The first `size` coefficients of the product of two polynomials, powers on the first axis."""
    shape = np.broadcast_shapes(a.shape[1:], b.shape[1:])
    total = np.zeros((size, *shape), dtype=np.result_type(a, b))
    for q in range(min(size, len(a))):
        room = min(len(b), size - q)
        total[q : q + room] += multiply(a[q], b[:room], bits)
    return total


def cumulants(moments: Sequence[np.ndarray], bits: int | None = None) -> list[np.ndarray]:
    """Cumulants c_1..c_J from moments m_1..m_J, all of them polynomials, by

        c_j = m_j - sum_{0<i<j} binom(j-1, i-1) c_i m_{j-i}.

    **Arguments:** `moments`, arrays (powers, ...), no longer than the one before; products are
    truncated at the length of m_j.
    """
    found: list[np.ndarray] = []
    for j, moment in enumerate(moments, 1):
        c = moment.copy()
        for i in range(1, j):
            c -= comb(j - 1, i - 1) * _product(found[i - 1], moments[j - i - 1], len(c), bits)
        found.append(c)
    return found


def bell(kappa: Sequence[np.ndarray], order: int, bits: int | None = None) -> np.ndarray:
    """Conditional moments E[x'^p | x] from the conditional cumulants of x', M = `order`.

    Complete Bell polynomials, B_p = sum_j binom(p-1, j-1) eps^{j-1} kappa_j B_{p-j}.

    **Arguments:** `kappa`, arrays (at most `degrees(M)`[j-1] + 1, layers): Taylor coefficients in x
    of the j-th cumulant without its eps^{j-1}; the constant term of the first is taken as 0. M+1 of
    them give all moments, p = 0..2M; fewer those with p <= len(kappa).

    **Returns:** (layers, M+1, p, 2M+1): [layer, b, p, q], the coefficient of eps^b x^q in B_p.
    """
    M, count = order, len(kappa)
    top = 2 * M if count > M else count
    B = np.zeros((top + 1, M + 1, 2 * M + 1, kappa[0].shape[1]), dtype=kappa[0].dtype)
    B[0, 0, 0] = 1 if bits is None else 1 << bits
    for p in range(1, top + 1):
        for j in range(1, min(p, count) + 1):
            scaled = comb(p - 1, j - 1) * kappa[j - 1]
            # B_{p-j} has at most p-j-1 powers of eps, and no monomial below 2b + q = p-j
            for b in range(min(M + 1 - j, max(0, p - j - 1)) + 1):
                low, high = max(0, p - j - 2 * b), 2 * (M - b - j + 1)
                source, target = B[p - j, b], B[p, b + j - 1]
                for q in range(1 if j == 1 else 0, min(len(scaled) - 1, high - low) + 1):
                    target[low + q : high + 1] += multiply(
                        scaled[q], source[low : high + 1 - q], bits
                    )
    return np.ascontiguousarray(B.transpose(3, 1, 0, 2))


def evolve(B: np.ndarray, moments: np.ndarray, bits: int | None = None) -> np.ndarray:
    """Moments of x' in one layer from those of x: E x'^p = sum_q [x^q] B_p E x^q.

    **Arguments:** `B`, (M+1, p, 2M+1), one layer of `bell`; `moments`, (2M+1, M+1): [q, a], the
    coefficient of eps^a in E x^q.

    **Returns:** (p, M+1).
    """
    size = moments.shape[1]
    total = np.zeros((B.shape[1], size), dtype=moments.dtype)
    for b in range(size):
        total[:, b:] += B[b] @ moments[:, : size - b]
    return total if bits is None else total >> bits


def series_cumulants(
    moments: np.ndarray, count: int, bits: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Cumulants 1..count of x as series in eps, and the sizes of the terms they are sums of.

    **Arguments:** `moments`, (layers, at least count+1, M+1): [layer, p, a].

    **Returns:** two arrays (layers, count, M+1).
    """
    powers = [moments[:, p].T for p in range(1, count + 1)]
    found = cumulants(powers, bits)
    # with all signs positive the recursion sums its terms
    sizes: list[np.ndarray] = []
    for j in range(1, count + 1):
        size = np.abs(powers[j - 1])
        for i in range(1, j):
            term = _product(sizes[i - 1], np.abs(powers[j - i - 1]), len(size), bits)
            size = size + comb(j - 1, i - 1) * term
        sizes.append(size)
    return np.stack(found).transpose(2, 0, 1), np.stack(sizes).transpose(2, 0, 1)
