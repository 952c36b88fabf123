"""Square roots of small, possibly singular covariances, in natural order.

K = A A^T with A (F, r) lower trapezoidal: y = A g, g standard normal in r = rank(K) dimensions. For
two fields the determinant is exact (rational arithmetic), so that equal fields have rank 1 and
nearly equal ones keep the digits of their angle.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from netsim.gaussian.line import EPSILON

__all__ = ["determinant", "factor", "regress"]

_SINGULAR = 4 * EPSILON  # 1 - correlation^2 below this is rounding of K, and taken as 0
_INDEFINITE = 1e-9  # below minus this, K is not a covariance


def determinant(K11: float, K12: float, K22: float) -> float:
    """K11 K22 - K12^2, correctly rounded; 0 where it is below the rounding of K itself.

    **Raises:** `ValueError` where K12 exceeds what the Cauchy-Schwarz inequality allows.
    """
    exact = Fraction(K11) * Fraction(K22) - Fraction(K12) ** 2
    product = K11 * K22
    if exact < -_INDEFINITE * Fraction(product) - Fraction(5e-324):
        raise ValueError(
            f"covariance [[{K11!r}, {K12!r}], [{K12!r}, {K22!r}]] is not positive semidefinite: "
            "|K12| must be at most sqrt(K11 K22)"
        )
    return float(exact) if exact > Fraction(_SINGULAR) * Fraction(product) else 0.0


def factor(K: np.ndarray) -> np.ndarray:
    """(F, r) lower trapezoidal A with K = A A^T; r is the rank found.

    **Arguments:** `K`, (F, F) symmetric positive semidefinite.

    **Raises:** `ValueError` if K is not positive semidefinite.
    """
    F = len(K)
    rest = np.array(K, dtype=np.float64)
    columns: list[np.ndarray] = []
    for i in range(F):
        pivot = float(rest[i, i])
        if i == 1 and F == 2 and K[0, 0] > 0:
            pivot = determinant(K[0, 0], K[0, 1], K[1, 1]) / K[0, 0]
        if pivot < -_INDEFINITE * K[i, i]:
            raise ValueError(
                f"covariance {np.array(K).tolist()} is not positive semidefinite: after the fields "
                f"before it, field {i} has variance {pivot:g}; check the overlaps"
            )
        if pivot <= _SINGULAR * K[i, i]:
            continue
        column = np.zeros(F)
        # ratio first: equal fields get bitwise equal rows
        column[i:] = rest[i:, i] / rest[i, i] * math.sqrt(pivot)
        column[i] = math.sqrt(pivot)
        rest -= np.outer(column, column)
        columns.append(column)
    return np.stack(columns, axis=1) if columns else np.zeros((F, 0))


def regress(K: np.ndarray, given: list[int], fields: list[int], A: np.ndarray) -> np.ndarray:
    """(len(fields), r) C with E[y_fields g^T] = C, where y_given = A g.

    Then y_fields given g is Gaussian with mean C g and covariance K_fields - C C^T.
    """
    C = np.zeros((len(fields), A.shape[1]))
    for column in range(A.shape[1]):
        row = int(np.flatnonzero(A[:, column])[0])  # the field that opened this column
        for k, field in enumerate(fields):
            left = K[field, given[row]] - C[k, :column] @ A[row, :column]
            bound = math.sqrt(max(K[field, field] - C[k, :column] @ C[k, :column], 0.0))
            # rounding of K, divided by a small A, must not exceed what a covariance allows
            C[k, column] = np.clip(left / A[row, column], -bound, bound)
    return C
