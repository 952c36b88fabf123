"""Inputs from a Gram matrix: with Gaussian weights the inner products are all that matters."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from netsim.networks.inputs import Inputs, from_vectors
from netsim.networks.inputs_checks import number_text, real_matrix, whole

__all__ = ["factor", "gram"]


def gram(matrix: Any, directions: int = 0) -> Inputs:
    """Inputs with given inner products G_ab = x_a . x_b / n_0, kept bit for bit as `overlaps`.

    **Arguments:** `matrix`, (N, N), symmetric and positive semi-definite; singular is fine: equal
    inputs get equal vectors, zero rows zero vectors. Its last `directions` rows are derivative
    directions u: entries u . x_a / n_0 and u . v / n_0.

    **Returns:** `Inputs` of dimension n_0 = N; `vectors` reproduce `matrix` to rounding.

    **Raises:** `ValueError` if it is not square, not symmetric, NaN or not positive semi-definite.
    """
    G = real_matrix(matrix, "entries of the Gram matrix", "(N, N), inner products / n_0")
    N = len(G)
    if G.shape != (N, N):
        raise ValueError(f"the Gram matrix has shape {G.shape}: it must be square")
    directions = whole(directions, "directions")
    if directions >= N:
        raise ValueError(
            f"directions={directions} of {N} rows: the last rows are directions, and at least one "
            "row must remain an input"
        )
    if not np.array_equal(G, G.T):
        i, j = (int(k) for k in np.argwhere(G != G.T)[0])
        raise ValueError(
            f"the Gram matrix is not symmetric: entry ({i}, {j}) is {G[i, j]!r} but ({j}, {i}) is "
            f"{G[j, i]!r}; if that is rounding, give (G + G.T) / 2"
        )
    X, rank = factor(G)
    text = str([[number_text(v) for v in row] for row in G]).replace("'", "")
    if N > 4:
        text = f"{N}x{N}, sha256={hashlib.sha256(G.astype('<f8').tobytes()).hexdigest()[:12]}"
    return from_vectors(
        math.sqrt(N) * X[: N - directions],
        math.sqrt(N) * X[N - directions :],
        source=f"gram({text}, directions={directions})",
        facts=(f"given by its {N} x {N} matrix of inner products / n_0, rank {rank}",),
        overlaps=G,
    )


def factor(matrix: np.ndarray) -> tuple[np.ndarray, int]:
    """(X, rank) with X X^T = matrix, by an LDL factorisation that reveals the rank.

    The matrix is scaled to unit diagonal, so that small rows count as much as large ones, then
    eliminated, largest pivot first, until the pivots vanish to rounding; the remaining columns of X
    are zero. No jitter: rows that are equal (M_ii = M_ij = M_jj) are factored once and copied.

    **Arguments:** `matrix`, (N, N) symmetric.

    **Raises:** `ValueError` with the smallest eigenvalue if it is not positive semi-definite.
    """
    M, N = matrix, len(matrix)
    diagonal = np.diag(M)
    if np.any(diagonal < 0) or np.any(M[diagonal == 0] != 0):
        raise _not_psd(M)
    same = (M == diagonal) & (M == diagonal[:, None])
    first = np.argmax(same, axis=1)  # of equal rows the first stands for all
    kept = np.flatnonzero((first == np.arange(N)) & (diagonal > 0))
    scale = np.sqrt(diagonal)
    R = M[np.ix_(kept, kept)] / scale[kept, None] / scale[kept]
    np.fill_diagonal(R, 1.0)
    # 32: room for inner products summed in float64 over any realistic n_0
    tolerance = 32 * N * np.finfo(float).eps
    if len(kept) and np.linalg.eigvalsh(R)[0] < -tolerance:
        raise _not_psd(M)
    X = np.zeros((N, N))
    rank = 0
    while rank < len(kept):
        pivot = int(np.argmax(np.diag(R)))
        d = R[pivot, pivot]
        if d <= tolerance:
            break
        column = R[:, pivot] / d
        X[kept, rank] = scale[kept] * column * math.sqrt(d)
        R = R - np.outer(column, R[pivot])
        R[pivot, :] = R[:, pivot] = 0.0
        rank += 1
    return X[first], rank


def _not_psd(matrix: np.ndarray) -> ValueError:
    smallest = np.linalg.eigvalsh(matrix)[0]
    return ValueError(
        "the Gram matrix is not positive semi-definite, so no vectors have these inner products: "
        f"its smallest eigenvalue is {smallest:.6g}. If it was rounded, give more digits"
    )
