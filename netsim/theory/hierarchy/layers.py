"""What the hierarchy of one input needs of every layer: kernels and conditional cumulants.

With S_{l-1} = K (1 + x), K = K^(l), and S_l = K' (1 + x'), K' = K^(l+1) = C_b + C_W <sigma^2>_K, the
cumulants of x' given x are

    eps^{j-1} kappa_j(x) = (C_W/K')^j n_l^{1-j} c_j(K (1 + x))      (j = 1: minus its value at x = 0)

with c_j(K) the j-th cumulant of sigma(z)^2, z ~ N(0, K), as Taylor polynomials in x. Relative
fluctuations keep every number near 1 however small or large the kernels are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from netsim.gaussian.hermite import hermite_nodes
from netsim.networks.network import Network
from netsim.theory.hierarchy.series import cumulants, degrees

__all__ = ["Layers", "float_layers", "slopes_cumulants"]

_CHUNK = 256  # layers at a time: their Bell polynomials stay in the cache


@dataclass(frozen=True)
class Layers:
    """Kernels and conditional cumulants.

    **Fields:** `K`, (L+1,): K^(1)..K^(L+1), float64 or mpf; `kappa`, in chunks of successive layers:
    for each chunk the kappa_j of l = 1..L, j = 1..M+1, arrays (powers of x, layers of the chunk),
    (n/n_l)^{j-1} included, n = n_1; `bits`: None, or the unit 2^-bits of `kappa`.
    """

    K: np.ndarray
    kappa: list[list[np.ndarray]]
    bits: int | None = None


def float_layers(network: Network, x2: float, order: int, points: int) -> Layers:
    """In float64; `points`: nodes per panel.

    **Raises:** `ValueError` for kernels outside 1e-70..1e70.
    """
    C_W, C_b, L = network.weight_variance, network.bias_variance, network.depth
    K = np.empty(L + 1)
    mean = np.empty(L)
    K[0] = C_b[0] + C_W[0] * x2
    for l in range(L):
        mean[l] = _mean(network, _checked(K[l], l), order, points)
        K[l + 1] = _checked(C_b[l + 1] + C_W[l + 1] * mean[l], l + 1)
    c = slopes_cumulants(network, degrees(order)) if network.activation.slopes is not None else None
    scale = np.divide(np.array(C_W[1:]) * mean, K[1:], out=np.zeros(L), where=K[1:] != 0)
    widths = np.array(network.widths, dtype=np.float64)
    kappa = []
    for first in range(0, L, _CHUNK):
        at = slice(first, first + _CHUNK)
        if c is None:
            chunk = _cumulants(network, K[:-1][at], mean[at], order, points)
        else:
            chunk = [np.array(part, dtype=np.float64)[:, None] for part in c]
        power = [scale[at] ** j * (widths[0] / widths[at]) ** (j - 1) for j in range(1, order + 2)]
        kappa.append([part * p for part, p in zip(chunk, power, strict=True)])
    return Layers(K, kappa)


def _checked(K: float, l: int) -> float:
    if K != 0 and not 1e-70 < K < 1e70:
        raise ValueError(
            f"the kernel of layer {l + 1} is {K:.3g} at infinite width: its fourth power, in "
            "kappa_8, leaves the range of float64; use fewer layers, couplings nearer to "
            "criticality, or digits=..."
        )
    return K


def _octave(K: float) -> int:
    return math.frexp(K)[1] - 1


def _mean(network: Network, K: float, order: int, points: int) -> float:
    """<sigma^2>_K."""
    sigma = network.activation
    if sigma.slopes is not None:
        return K * (sigma.slopes[0] ** 2 + sigma.slopes[1] ** 2) / 2
    if K == 0:
        return float(np.asarray(sigma.numpy(np.zeros(1)))[0]) ** 2
    return hermite_nodes(sigma, _octave(K), order, points).mean(K)


def _cumulants(
    network: Network, K: np.ndarray, mean: np.ndarray, order: int, points: int
) -> list[np.ndarray]:
    """Cumulants of sigma^2/mean as polynomials in x, (powers, layers) for j = 1..order+1."""
    moments = np.zeros((order + 1, 2 * order + 1, len(K)))
    octaves = np.array([_octave(k) for k in K])
    for octave in np.unique(octaves[K > 0]):
        at = np.flatnonzero((octaves == octave) & (K > 0))
        nodes = hermite_nodes(network.activation, int(octave), order, points)
        # cumulants do not feel that y is centred at the octave's mean, not at the layer's
        ratio = np.divide(nodes.centre, mean[at], out=np.zeros(len(at)), where=mean[at] > 0)
        powers = ratio ** np.arange(1, order + 2)[:, None]
        moments[:, :, at] = nodes.taylor(K[at], 2 * order) * powers[:, None]
    found = cumulants([part[: d + 1] for part, d in zip(moments, degrees(order), strict=True)])
    found[0][0] = 0
    return found


def slopes_cumulants(network: Network, size: list[int]) -> list[list[Fraction]]:
    """Cumulants of sigma^2/<sigma^2> as polynomials in x, to the degrees `size`, exact.

    For piecewise linear sigma c_j(K (1 + x)) = c_j(K) (1 + x)^j, and E sigma(g)^{2j} = (2j-1)!! A_{2j}
    with A_k = (a_+^k + a_-^k)/2.
    """
    assert network.activation.slopes is not None
    a, b = (Fraction(slope) ** 2 for slope in network.activation.slopes)
    unit = (a + b) / 2
    moments = [
        np.array([math.prod(range(1, 2 * j, 2)) * (a**j + b**j) / 2 / unit**j], dtype=object)
        for j in range(1, len(size) + 1)
    ]
    found = [part[0] for part in cumulants(moments)]
    polynomials = []
    for j, (c, d) in enumerate(zip(found, size, strict=True), 1):
        polynomials.append([c * math.comb(j, q) for q in range(d + 1)])
    polynomials[0][0] = Fraction(0)
    return polynomials
