"""Leading order in 1/n of the cumulants of one neuron, one input, every layer.

With S = C_b + (C_W/n_l) sum_j sigma(z_j)^2 built from layer l, kappa_{2k} of layer l+1 (the 2k-th
cumulant divided by (2k-1)!!) is the k-th cumulant of S. One layer, n = n_l, F = C_b + C_W c_1,
G = C_W^2 c_2/n, H = C_W^3 c_3/n^2, I = C_W^4 c_4/n^3 with c_k(K) the cumulants of sigma(z)^2,
z ~ N(0, K), dashes being K-derivatives:

    K -> F
    D -> F' D + F'' V/2
    V -> G + F'^2 V
    T -> H + 3 F' G' V + 3 F'^2 F'' V^2 + F'^3 T
    Q -> I + 4 F' H' V + 3 G'^2 V + 6 [F'^2 G' T + (2 F' F'' G' + F'^2 G'') V^2]
         + F'^4 Q + 12 F'^3 F'' V T + (12 F'^2 F''^2 + 4 F'^3 F''') V^3

from D = V = T = Q = 0 in layer 1 (Hanin, arXiv 2204.01058, states the hierarchy and the first three
lines; T and Q follow from the conditional cumulants by expanding in the fluctuation of S).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netsim.gaussian.neuron import neuron_cumulants
from netsim.networks.network import Network

__all__ = ["LeadingOrder", "leading"]


@dataclass(frozen=True)
class LeadingOrder:
    """Leading cumulants at the network's own widths, for layers 1..L+1.

    **Fields**, each (L+1,): `K`, infinite-width kernel; `D`, first correction, kappa_2 = K + D +
    O(n^-2); `V`, `T`, `Q`: kappa_4, kappa_6, kappa_8 to their leading powers n^-1, n^-2, n^-3;
    `K_error`, a bound on the numerical error of K.
    """

    K: np.ndarray
    D: np.ndarray
    V: np.ndarray
    T: np.ndarray
    Q: np.ndarray
    K_error: np.ndarray


def leading(
    network: Network, x2: float, *, show: Callable[[int, int], None] | None = None
) -> LeadingOrder:
    """Leading cumulants of one neuron in every layer, for an input with |x|^2/n_0 = `x2`.

    `show` is called after every layer: (layers done, layers in all).

    ```python
    from netsim.networks.network import network
    from netsim.theory.leading_order import leading
    leading(network("relu", width=64, depth=8), 0.5).V[-1]      # 5 L/n = 0.625
    ```

    **Raises:** `ValueError` for weights that are not Gaussian (their fourth cumulant enters V) and
    for x2 that is not a finite number >= 0.
    """
    if not network.weights.is_gaussian:
        raise ValueError(
            f"leading order for weights={network.weights.name!r}: only gaussian weights are "
            "covered; use weights='gaussian' or simulate"
        )
    if not (math.isfinite(x2) and x2 >= 0):
        raise ValueError(f"x2={x2}: |x|^2/n_0 must be a finite number >= 0")
    C_W, C_b = network.weight_variance, network.bias_variance
    state = (C_b[0] + C_W[0] * x2, 0.0, 0.0, 0.0, 0.0)
    error = 1e-16 * state[0]
    rows, errors = [state], [error]
    for l, n in enumerate(network.widths, 1):
        state, error = _layer(network, (C_W[l], C_b[l], n), state, error)
        rows.append(state)
        errors.append(error)
        if show is not None:
            show(l, network.depth)
    K, D, V, T, Q = np.array(rows).T
    return LeadingOrder(K, D, V, T, Q, np.array(errors))


def _layer(network: Network, step: tuple[float, float, int], state, error: float):
    """One layer of the recursion; `step` is (C_W, C_b, n_l)."""
    C_W, C_b, n = step
    K, D, V, T, Q = state
    if K == 0:  # a deterministic layer: z = 0, nothing fluctuates, no derivative is needed
        c, c_error = neuron_cumulants(network.activation, 0.0)
        return (C_b + C_W * c[0, 0], 0.0, 0.0, 0.0, 0.0), C_W * c_error[0, 0]
    c, c_error = neuron_cumulants(network.activation, K, 3)
    F, F1, F2, F3 = C_W * c[:, 0]
    G, G1, G2, _ = C_W**2 * c[:, 1] / n
    H, H1, _, _ = C_W**3 * c[:, 2] / n**2
    I0 = C_W**4 * c[0, 3] / n**3
    new = (
        C_b + F,
        F1 * D + 0.5 * F2 * V,
        G + F1**2 * V,
        H + 3 * F1 * G1 * V + 3 * F1**2 * F2 * V**2 + F1**3 * T,
        I0
        + 4 * F1 * H1 * V
        + 3 * G1**2 * V
        + 6 * (F1**2 * G1 * T + (2 * F1 * F2 * G1 + F1**2 * G2) * V**2)
        + F1**4 * Q
        + 12 * F1**3 * F2 * V * T
        + (12 * F1**2 * F2**2 + 4 * F1**3 * F3) * V**3,
    )
    return new, C_W * c_error[0, 0] + abs(F1) * error
