"""Powers of sigma(z)^2 and all their K-derivatives, for many variances K at once, in float64.

With g = z/sqrt K and the even Hermite polynomials h_q = He_{2q}(g)/(2^q q!),

    <f>_{K (1 + x)} = sum_q x^q <f h_q>_K,
    (q+1) h_{q+1} = (g^2/2 - 2q - 1/2) h_q - (q - 1/2) h_{q-1}

(integration by parts; h_q = (-1)^q L_q^{(-1/2)}(g^2/2), L the Laguerre polynomials): f is never
differentiated. All K within a factor 2 share their nodes in z, so sigma is evaluated once for them
and the integrals of all are one matrix product. Nodes are those of Gauss-Legendre panels which are
halved until two rules agree on every integrand needed; kinks are panel edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from netsim.gaussian.legendre import legendre
from netsim.gaussian.line import graded_points
from netsim.networks.activation import Activation

__all__ = ["COARSE", "FINE", "HermiteNodes", "even_hermite", "hermite_nodes", "reach"]

FINE, COARSE = 20, 14  # nodes per panel: the rule, and the least that must give the same
_ACCEPT = 2e-15  # of the integral of the absolute value: what rounding lets two sums agree to
_HALVINGS = 45  # of one panel, for a jump or kink that nobody told of
_MOST_PANELS = 4096
_CHUNK = 1 << 22  # numbers held at a time


@dataclass(frozen=True)
class HermiteNodes:
    """A quadrature rule in z for all K of one octave.

    **Fields:** `z`, `weight` (of dz), `power`: (N,), (N,) and (J, N), the powers 1..J of
    y = sigma(z)^2/centre - 1, where `centre` is <sigma^2> at the octave's middle.
    """

    z: np.ndarray
    weight: np.ndarray
    power: np.ndarray
    centre: float

    def mean(self, K: float) -> float:
        """<sigma^2>_K."""
        density = self.weight * np.exp(-(self.z**2) / (2 * K))
        return self.centre * (1 + float(density @ self.power[0]) / math.sqrt(2 * math.pi * K))

    def taylor(self, K: np.ndarray, order: int) -> np.ndarray:
        """(J, order+1, B): coefficient of x^q in <y^j>_{K (1 + x)}, for B variances K."""
        count = max(1, _CHUNK // ((order + 1) * len(self.z)))
        parts = [self._taylor(K[i : i + count], order) for i in range(0, len(K), count)]
        return np.concatenate(parts, axis=2)

    def _taylor(self, K: np.ndarray, order: int) -> np.ndarray:
        g2 = self.z**2 / K[:, None]
        h = even_hermite(g2, order)
        h *= self.weight * np.exp(-0.5 * g2) / np.sqrt(2 * np.pi * K)[:, None]
        table = h.reshape(-1, len(self.z)) @ self.power.T
        return table.reshape(order + 1, len(K), -1).transpose(2, 0, 1)


def even_hermite(g2: np.ndarray, order: int) -> np.ndarray:
    """(order+1, ...): h_q = He_{2q}(g)/(2^q q!) for g^2 = `g2`, q = 0..order."""
    h = np.empty((order + 1, *g2.shape))
    h[0] = 1.0
    for q in range(order):
        np.multiply(0.5 * g2 - (2 * q + 0.5), h[q], out=h[q + 1])
        if q:
            h[q + 1] -= (q - 0.5) * h[q - 1]
        h[q + 1] /= q + 1
    return h


@lru_cache(maxsize=512)  # some 100 kB each
def hermite_nodes(sigma: Activation, octave: int, order: int, points: int) -> HermiteNodes:
    """Nodes for 2^octave <= K <= 2^(octave+1), for the cumulant hierarchy to n^-order.

    That needs the powers j = 1..order+1 of sigma^2, the j-th with q <= 2 (order - j + 1).

    **Arguments:** `points` per panel, from `COARSE` to `FINE`.

    **Raises:** `ValueError` where sigma is not finite.
    """
    edges, centre = _edges(sigma, octave, order)
    z, weight = _rule(edges, points)
    y = _square(sigma, z) / centre - 1
    return HermiteNodes(z, weight, y ** np.arange(1, order + 2)[:, None], centre)


def _rule(edges: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    x, w = legendre(points)
    half = 0.5 * np.diff(edges)
    z = (0.5 * (edges[:-1] + edges[1:]))[:, None] + half[:, None] * x
    return z.ravel(), (half[:, None] * w).ravel()


def _square(sigma: Activation, z: np.ndarray) -> np.ndarray:
    value = np.asarray(sigma.numpy(z), dtype=np.float64)
    if not np.all(np.isfinite(value)):
        raise ValueError(
            f"activation {sigma.name} is not finite at {z[~np.isfinite(value)][0]:g}: use a smaller "
            "kernel, or an activation that is finite everywhere"
        )
    return value**2


@lru_cache(maxsize=512)
def _edges(sigma: Activation, octave: int, order: int) -> tuple[np.ndarray, float]:
    """Panel edges in z, and <sigma^2> in the middle of the octave (or 1e-300 if it is 0)."""
    K = 2.0 ** np.array([octave, octave + 1])
    s, growth = math.sqrt(K[1]), max(1.0, sigma.growth)
    R = reach(max(4 * order + 2 * growth, 2 * growth * (order + 1)))
    even = s * np.arange(0.0, R, 2.0)
    edges = np.unique(np.concatenate([graded_points(sigma, s * R), -even, even, [-s * R, s * R]]))
    z, weight = _rule(edges, FINE)
    middle = K[1] / math.sqrt(2)
    density = weight * np.exp(-(z**2) / (2 * middle)) / math.sqrt(2 * math.pi * middle)
    centre = max(float(density @ _square(sigma, z)), 1e-300)
    left, right = edges[:-1], edges[1:]
    scale = _integrals(sigma, (left, right, FINE), centre, order, K)[1].sum(axis=0)
    for _ in range(_HALVINGS):
        fine, _ = _integrals(sigma, (left, right, FINE), centre, order, K)
        coarse, _ = _integrals(sigma, (left, right, COARSE), centre, order, K)
        bad = np.any(np.abs(fine - coarse) > _ACCEPT * scale, axis=1)
        if not np.any(bad) or len(edges) > _MOST_PANELS:
            break
        half = 0.5 * (left + right)[bad]
        edges = np.union1d(edges, half)
        left, right = np.append(left[bad], half), np.append(half, right[bad])
    return edges, centre


def _integrals(
    sigma: Activation, panels: tuple, centre: float, order: int, K: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(panels, integrands) int f and int |f| of the integrands that order needs, for both K."""
    left, right, points = panels
    x, w = legendre(points)
    half = 0.5 * (right - left)
    z = (0.5 * (left + right))[:, None] + half[:, None] * x
    g2 = z**2 / K[:, None, None]
    h = even_hermite(g2, 2 * order)  # (q, K, panel, node)
    h *= half[:, None] * w * np.exp(-0.5 * g2) / np.sqrt(2 * np.pi * K)[:, None, None]
    y = _square(sigma, z) / centre - 1
    parts, sizes = [], []
    for j in range(1, order + 2):
        f = h[: 2 * (order - j + 1) + 1] * y**j
        parts.append(f.sum(axis=-1).reshape(-1, len(left)))
        sizes.append(np.abs(f).sum(axis=-1).reshape(-1, len(left)))
    return np.concatenate(parts).T, np.concatenate(sizes).T


def reach(degree: float, decades: float = 40.0) -> float:
    """R such that |g|^degree exp(-g^2/2) beyond R is less than exp(-`decades`) of its integral."""
    peak = 0.5 * degree * (math.log(degree) - 1)
    R = math.sqrt(degree)
    while 0.5 * R * R - degree * math.log(R) < decades - peak:
        R += 0.25
    return R
