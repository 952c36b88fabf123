"""The recursions of one input, written out a second time, with derivatives found by interpolation.

With c_k(K) the cumulants of sigma(z)^2, z ~ N(0, K), and F = C_b + C_W c_1, G = C_W^2 c_2/n_l,
H = C_W^3 c_3/n_l^2, I = C_W^4 c_4/n_l^3, the leading terms of the cumulants of S obey, dashes being
K-derivatives,

    K <- F
    D <- F' D + F'' V/2
    V <- G + F'^2 V
    T <- H + 3 F' G' V + 3 F'^2 F'' V^2 + F'^3 T
    Q <- I + 4 F' H' V + 3 G'^2 V + 6 F'^2 G' T + (12 F' F'' G' + 6 F'^2 G'') V^2
         + F'^4 Q + 12 F'^3 F'' V T + (12 F'^2 F''^2 + 4 F'^3 F''') V^3.

Nothing is shared with `netsim.theory.hierarchy`, which moves all moments of S by Bell polynomials and
differentiates by Hermite functions: here the c_k are integrated at Chebyshev points of log K and their
interpolating polynomials are differentiated.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Chebyshev

from netsim.networks.activation import Activation
from netsim.networks.network import Network

__all__ = ["neuron_derivatives", "neuron_law", "scalar_recursions"]

_HALF_WIDTH = 0.6  # of the interval in log K
_DEGREE = 26  # singularities at Im log K >= pi/2 leave (2.6 + sqrt(7.9))^-26 = 1e-19
_TOP, _PANEL, _POINTS = 11.0, 0.5, 16  # of g; P(|g| > 11) = 4e-28


def neuron_law(sigma: Activation, K: np.ndarray) -> np.ndarray:
    """Cumulants 1..4 of sigma(z)^2, z ~ N(0, K).

    **Arguments:** `K`, (N,), positive. **Returns:** (4, N).
    """
    x, w = np.polynomial.legendre.leggauss(_POINTS)
    edges = np.arange(-_TOP, _TOP, _PANEL)[:, None]  # 0 is an edge: the kink of slopes
    g = (edges + _PANEL * (x + 1) / 2).ravel()
    weight = np.tile(w, len(edges)) * np.exp(-g * g / 2)
    y = sigma.numpy(np.sqrt(K)[:, None] * g) ** 2
    weight = weight / weight.sum()
    mean = y @ weight
    m2, m3, m4 = ((y - mean[:, None]) ** p @ weight for p in (2, 3, 4))
    return np.array([mean, m2, m3, m4 - 3 * m2**2])


def scalar_recursions(network: Network, x2: float) -> dict[str, np.ndarray]:
    """K, D, V, T, Q of layers 1..L+1 at the network's own widths, (L+1,) each; |x|^2/n_0 = `x2`."""
    C_W, C_b = network.weight_variance, network.bias_variance
    state = (C_b[0] + C_W[0] * x2, 0.0, 0.0, 0.0, 0.0)
    rows = [state]
    for l, n in enumerate(network.widths, 1):
        state = _step(neuron_derivatives(network.activation, state[0]), state, (C_W[l], C_b[l], n))
        rows.append(state)
    return dict(zip("KDVTQ", np.array(rows).T, strict=True))


def neuron_derivatives(sigma: Activation, K: float) -> np.ndarray:
    """(4, 4): [q, k-1], the q-th derivative of c_k at K, q = 0..3."""
    nodes = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    values = neuron_law(sigma, K * np.exp(_HALF_WIDTH * nodes))
    domain = [-_HALF_WIDTH, _HALF_WIDTH]
    columns = []
    for value in values:
        f = Chebyshev.fit(_HALF_WIDTH * nodes, value, _DEGREE, domain=domain)
        f0, f1, f2, f3 = (float((f.deriv(q) if q else f)(0.0)) for q in range(4))
        # d/dK = (1/K) d/dt, t = log K
        columns.append([f0, f1 / K, (f2 - f1) / K**2, (f3 - 3 * f2 + 2 * f1) / K**3])
    return np.array(columns).T


def _step(c: np.ndarray, state: tuple, step: tuple[float, float, int]) -> tuple:
    C_W, C_b, n = step
    _, D, V, T, Q = state
    F, F1, F2, F3 = C_W * c[:, 0]
    G, G1, G2, _ = C_W**2 * c[:, 1] / n
    H, H1, _, _ = C_W**3 * c[:, 2] / n**2
    source = C_W**4 * c[0, 3] / n**3 + 4 * F1 * H1 * V + 3 * G1**2 * V
    fourth = 6 * F1**2 * G1 * T + (12 * F1 * F2 * G1 + 6 * F1**2 * G2) * V**2
    carried = F1**4 * Q + 12 * F1**3 * F2 * V * T + (12 * F1**2 * F2**2 + 4 * F1**3 * F3) * V**3
    return (
        C_b + F,
        F1 * D + F2 * V / 2,
        G + F1**2 * V,
        H + 3 * F1 * G1 * V + 3 * F1**2 * F2 * V**2 + F1**3 * T,
        source + fourth + carried,
    )
