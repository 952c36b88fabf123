"""Two inputs at any width, exactly: means and covariances of S of a sine network of two layers.

sin y_a sin y_b is a combination of cos(t . y), t_a = +-1, and so are products of two of those. Given
S_1, <cos(t . y)> = exp(-t S_1 t/2), and S_1 is a sum of n_1 independent terms, so that

    E prod_i exp(-t_i S_1 t_i/2)
        = prod_i exp(-C_b (sum_a t_ia)^2/2) (E exp(-(C_W/2 n_1) sum_i (t_i . h)^2))^{n_1}

with h = (sin y_a, sin y_b), one integral over a plane each.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from netsim.networks.network import Network

__all__ = ["sine_pair"]


def _cosines(legs: tuple[int, ...]) -> dict[tuple[int, int], float]:
    """prod_i sin(y_{legs_i}), an even number of them, as a sum of cosines.

    sin y = (e^{iy} - e^{-iy})/2i, so the signs s_i of the exponents give prod s_i (-1)^{k/2}/2^k.
    """
    found: dict[tuple[int, int], float] = {}
    k = len(legs)
    for signs in product((1, -1), repeat=k):
        first, second = (
            sum(s for s, leg in zip(signs, legs, strict=True) if leg == a) for a in (0, 1)
        )
        t = (first, second)
        found[t] = found.get(t, 0.0) + float(np.prod(signs)) * (-1) ** (k // 2) / 2**k
    return found


def sine_pair(network: Network, gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E S_ab and Cov(S_ab, S_cd) of layer 2 of a network of two hidden layers with activation sin.

    **Arguments:** `gram`, (2, 2), inner products of the inputs / n_0.

    **Returns:** (2, 2) and (2, 2, 2, 2).
    """
    C_W, C_b = network.weight_variance, network.bias_variance
    n_1, n_2 = network.widths
    A = np.linalg.cholesky(C_b[0] + C_W[0] * np.asarray(gram))
    g = np.linspace(-8.7, 8.7, 121)
    w = np.exp(-g * g / 2)
    weight = np.outer(w / w.sum(), w / w.sum()).ravel()
    h = np.sin(A @ np.array(np.meshgrid(g, g, indexing="ij")).reshape(2, -1))

    def transform(*vectors: tuple[int, int]) -> float:
        exponent = sum((t[0] * h[0] + t[1] * h[1]) ** 2 for t in vectors)
        bias = sum(sum(t) ** 2 for t in vectors)
        one = np.exp(-C_W[1] / (2 * n_1) * exponent) @ weight
        return float(np.exp(-C_b[1] * bias / 2) * one**n_1)

    pairs = list(product((0, 1), repeat=2))
    mean, covariance = np.zeros((2, 2)), np.zeros((2,) * 4)
    for p in pairs:
        mean[p] = sum(c * transform(t) for t, c in _cosines(p).items())
    for p, q in product(pairs, repeat=2):
        four = sum(c * transform(t) for t, c in _cosines(p + q).items())
        both = sum(
            c * d * transform(t, u)
            for (t, c), (u, d) in product(_cosines(p).items(), _cosines(q).items())
        )
        # E of products within one neuron, and of two neurons
        covariance[p + q] = (four - both) / n_2 + both - mean[p] * mean[q]
    return C_b[2] + C_W[2] * mean, C_W[2] ** 2 * covariance
