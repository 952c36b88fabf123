"""The tensor recursions of two fields, written out a second time with numerical K-derivatives.

For two fields (two inputs; or an input and a derivative of it) with features h_a, let
M(K)_ab = C_b,ab + C_W <h_a h_b>_K. To leading order in 1/n, with p = (a b), q = (c d) ordered pairs,

    K' = M(K),   Cov'_pq = (C_W^2/n_l) Cov(h_a h_b, h_c h_d)_K + sum_{p'q'} M_{p,p'} M_{q,q'} Cov_p'q'
    D'_p = sum_p' M_{p,p'} D_p' + (1/2) sum_{p'q'} M_{p,p'q'} Cov_p'q'

where M_{p,p'} and M_{p,p'q'} are first and second derivatives of M, here found by differences of M
along symmetric directions and extrapolation (`netsim.theory.hierarchy_fields` uses Hermite functions).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netsim.networks.activation import Activation
from netsim.networks.network import Network

__all__ = ["tensor_recursions"]

# sigma, derived, K -> features at nodes, (2, N), and weights for products of two and of four of them
Rule = Callable[[Activation, bool, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]

_STEP, _HALVINGS = 0.08, 4  # of the differences, in units of K; errors of even powers are removed
_UNIT = [(0, 0), (0, 1), (1, 1)]  # independent entries of K


def _features(sigma: Activation, derived: bool, y: np.ndarray) -> np.ndarray:
    """(2, N): sigma at two inputs, or sigma and its derivative along a direction."""
    if derived:
        return np.array([sigma.numpy(y[0]), sigma.numpy(y[0], 1) * y[1]])
    return sigma.numpy(y)


def plane_rule(sigma: Activation, derived: bool, K: np.ndarray):
    """For smooth sigma: the trapezoidal rule, whose error is exp(-2 pi pole / (step sqrt K))."""
    g = np.linspace(-8.7, 8.7, 121)
    w = np.exp(-g * g / 2)
    w = np.outer(w / w.sum(), w / w.sum()).ravel()
    y = np.linalg.cholesky(K) @ np.array(np.meshgrid(g, g, indexing="ij")).reshape(2, -1)
    return _features(sigma, derived, y), w, w


def sector_rule(sigma: Activation, derived: bool, K: np.ndarray):
    """For two slopes: features are linear on sectors, which are integrated one by one.

    y = r A (cos t, sin t): products of two features have <r^2> = 2, those of four <r^4> = 8, times
    the mean over t, between the angles where a field changes its sign.
    """
    A = np.linalg.cholesky(K)
    rows = A[:1] if derived else A
    zeros = np.arctan2(-rows[:, 0], rows[:, 1])  # A_a . (cos t, sin t) = 0 there and at + pi
    edges = np.sort(np.concatenate([zeros, zeros + np.pi]) % (2 * np.pi))
    edges = np.append(edges, edges[0] + 2 * np.pi)
    x, w = np.polynomial.legendre.leggauss(40)
    half = np.diff(edges)[:, None] / 2
    t = (edges[:-1, None] + half * (x + 1)).ravel()
    weight = (half * w).ravel() / (2 * np.pi)
    h = _features(sigma, derived, A @ np.array([np.cos(t), np.sin(t)]))
    return h, 2 * weight, 8 * weight


def _mean(rule: Rule, sigma: Activation, derived: bool, K: np.ndarray) -> np.ndarray:
    h, two, _ = rule(sigma, derived, K)
    return (h * two) @ h.T


def _covariance(rule: Rule, sigma: Activation, derived: bool, K: np.ndarray) -> np.ndarray:
    """Cov(h_a h_b, h_c h_d), (2, 2, 2, 2)."""
    h, two, four = rule(sigma, derived, K)
    squares = (h[:, None] * h).reshape(4, -1)
    mean = (h * two) @ h.T
    fourth = ((squares * four) @ squares.T).reshape((2,) * 4)
    return fourth - np.einsum("ab,cd->abcd", mean, mean)


def tensor_recursions(
    network: Network, gram: np.ndarray, derived: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """K, D, Cov of layers 1..L+1: (L+1, 2, 2) twice and (L+1, 2, 2, 2, 2), at the network's widths.

    **Arguments:** `gram`, (2, 2), inner products of the two vectors / n_0; `derived`: the second one
    is a direction u, and the fields are z and D_u z.
    """
    sigma = network.activation
    rule = plane_rule if sigma.slopes is None else sector_rule
    M = lambda k: _mean(rule, sigma, derived, k)
    C_W, C_b = network.weight_variance, network.bias_variance
    bias = np.array([[1.0, 0.0], [0.0, 0.0]]) if derived else np.ones((2, 2))
    K = C_b[0] * bias + C_W[0] * gram
    D, cov = np.zeros((2, 2)), np.zeros((2,) * 4)
    rows = [(K, D, cov)]
    for l, n in enumerate(network.widths, 1):
        source = C_W[l] ** 2 / n * _covariance(rule, sigma, derived, K)
        first, second = _differentiated(M, K)
        C, d = _independent(cov), np.array([D[p] for p in _UNIT])
        D = C_W[l] * (np.einsum("pab,p->ab", first, d) + np.einsum("pqab,pq->ab", second, C) / 2)
        cov = source + C_W[l] ** 2 * np.einsum("pab,qcd,pq->abcd", first, first, C)
        K = C_b[l] * bias + C_W[l] * M(K)
        rows.append((K, D, cov))
    K, D, cov = (np.array(column) for column in zip(*rows, strict=True))
    return K, D, cov


def _independent(cov: np.ndarray) -> np.ndarray:
    return np.array([[cov[p + q] for q in _UNIT] for p in _UNIT])


def _differentiated(M: Callable, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivatives of M in K_00, K_01 = K_10, K_11: (3, 2, 2), (3, 3, 2, 2)."""
    scale = np.sqrt(np.outer(np.diag(K), np.diag(K)))
    directions = [np.zeros((2, 2)) for _ in _UNIT]
    for direction, (a, b) in zip(directions, _UNIT, strict=True):
        direction[a, b] = direction[b, a] = scale[a, b]
    size = np.array([scale[p] for p in _UNIT])
    middle = M(K)
    first, second = np.zeros((3, 2, 2)), np.zeros((3, 3, 2, 2))
    for p in range(3):
        slope, second[p, p] = _line(M, K, directions[p], middle)
        first[p] = slope
    for p in range(3):
        for q in range(p):
            _, curve = _line(M, K, directions[p] + directions[q], middle)
            second[p, q] = second[q, p] = (curve - second[p, p] - second[q, q]) / 2
    first /= size[:, None, None]
    return first, second / np.outer(size, size)[:, :, None, None]


def _line(M: Callable, K: np.ndarray, E: np.ndarray, middle: np.ndarray):
    """M' and M'' along E at K: central differences, errors t^2, t^4, ... removed one by one."""
    table = []
    # K must stay positive definite: det K falls first along the off-diagonal direction
    room = float(np.max(np.abs(np.linalg.eigvals(np.linalg.solve(K, E)))))
    step = _STEP * min(1.0, 2.0 / room)
    for i in range(_HALVINGS + 1):
        t = step / 2.0**i
        up, down = M(K + t * E), M(K - t * E)
        table.append(np.array([(up - down) / (2 * t), (up + down - 2 * middle) / t**2]))
    for order in range(1, _HALVINGS + 1):
        ratio = 4.0**order
        table = [(ratio * b - a) / (ratio - 1) for a, b in zip(table[:-1], table[1:], strict=True)]
    return table[0]
