"""The neural tangent kernel of one input to first order in 1/n, every layer.

Given layer l, with M_jk = sigma'_j sigma'_k H_jk,

    S = C_b + (C_W/n_l) |sigma|^2,
    Theta = lambda_b + (lambda_W/n_l) |sigma|^2 + (C_W/n_l) tr M

are the conditional means of z_i^2 and H_ii of layer l+1, so that at every width E H_11 = E Theta,
Cov(H_11, H_22) = Var Theta, E H_12^2 = (C_W/n_l)^2 E |M|^2 and E z_1 z_2 H_12 =
(C_W/n_l)^2 E sigma.M.sigma. Expanding one layer about infinite width (uppercase K, H), with

    Om = lambda_W sigma^2 + C_W H sigma'^2,   P1 = d<Om>/dK, P2 = d^2<Om>/dK^2 at fixed H,
    chi = C_W d<sigma^2>/dK,   chi_p = C_W <sigma'^2>,   chi_p' = d chi_p/dK,   n = n_l:

    K -> C_b + C_W <sigma^2>            H -> lambda_b + <Om>
    V -> C_W^2 Var(sigma^2)/n + chi^2 V
    D -> C_W Cov(sigma^2, Om)/n + chi P1 V + chi chi_p D
    A -> Var(Om)/n + P1^2 V + 2 P1 chi_p D + chi_p^2 A
    B -> C_W^2 <sigma'^4> H^2/n + chi_p^2 B
    F -> C_W^2 <sigma^2 sigma'^2> H/n + chi^2 F
    K1 -> chi K1 + C_W d^2<sigma^2>/dK^2 V/2
    H1 -> P1 K1 + P2 V/2 + chi_p H1 + chi_p' (D + 2 F)
    P -> C_W^2 <sigma sigma'' sigma'^2> H^2/n + C_W <sigma sigma''> chi_p B + chi chi_p P
    Q -> (lambda_W/C_W) F_new + C_W^2 <sigma sigma'' sigma'^2> H^2/n + chi chi_p' H F + chi chi_p Q

from 0 in layer 1 (the tensors of Roberts, Yaida and Hanin, arXiv 2106.10165, ch. 8 and 11, with their
powers of 1/n inside; the widths may differ because a layer adds its own 1/n_l only).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netsim.gaussian.line import EPSILON
from netsim.networks.network import Network
from netsim.theory.ntk.neuron import tangent_moments
from netsim.theory.ntk.rates import Rate, check_norm2, rates

__all__ = ["NTKFirstOrder", "ntk_first_order"]

_NAMES: tuple[str, ...] = ("K", "H", "K1", "H1", "V", "D", "A", "B", "F", "P", "Q")
_PROBE = 1e-6  # relative change of K by which the response to its error is measured


@dataclass(frozen=True)
class NTKFirstOrder:
    """NTK of one input in layers 1..L+1 at the network's own widths.

    **Fields**, each (L+1,), row l being layer l+1:

    - `K`, `H`: E z_1^2 and E H_11 at infinite width;
    - `K1`, `H1`: their corrections of order 1/n, E z_1^2 = K + K1 + O(n^-2), E H_11 = H + H1 + O(n^-2);
    - `V`: Var S; `D`: Cov(S, Theta) = Cov(z_1^2, H_22); `A`: Cov(H_11, H_22); `B`: E H_12^2;
      `F`: E z_1 z_2 H_12; each to its leading order 1/n;
    - `P`, `Q`: E dH_{ijk} z_m = delta_im delta_jk P + (delta_ij delta_km + delta_ik delta_jm) Q to
      order 1/n, dH_{ijk} = sum_{mu nu} rate_mu rate_nu (d^2 z_i/dtheta_mu dtheta_nu)
      (dz_j/dtheta_mu) (dz_k/dtheta_nu); NaN where sigma'' does not exist (piecewise linear sigma is
      covered);
    - `error`: (L+1,) for each name, a first-order bound of the numerical error.
    """

    K: np.ndarray
    H: np.ndarray
    K1: np.ndarray
    H1: np.ndarray
    V: np.ndarray
    D: np.ndarray
    A: np.ndarray
    B: np.ndarray
    F: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    error: Mapping[str, np.ndarray]

    @property
    def variance(self) -> np.ndarray:
        """Var H_11 = A + 2 B to order 1/n, (L+1,)."""
        return self.A + 2 * self.B


def ntk_first_order(
    network: Network,
    x2: float,
    weight_rate: Rate | None = None,
    bias_rate: Rate | None = None,
) -> NTKFirstOrder:
    """The NTK of one input with |x|^2/n_0 = `x2`: infinite width and first order in 1/n.

    ```python
    from netsim.networks.network import network
    from netsim.theory.ntk.first_order import ntk_first_order
    ntk = ntk_first_order(network("relu", width=64, depth=8), 0.5)
    ntk.H[-1], ntk.variance[-1]
    ```

    **Arguments:** `weight_rate`, lambda_W, and `bias_rate`, lambda_b: one number or L+1 (the first for
    the input layer): the rate of a weight into layer l is lambda_W/n_{l-1}, that of a bias lambda_b.
    None: those of the NTK parametrisation, lambda_W = C_W and lambda_b = C_b.

    **Returns:** `NTKFirstOrder`.

    **Raises:** `ValueError` for weights that are not Gaussian, bad x2 or rates, and a kernel K = 0
    where sigma has a kink.
    """
    if not network.weights.is_gaussian:
        raise ValueError(
            f"NTK for weights={network.weights.name!r}: only gaussian weights are covered; use "
            "weights='gaussian'"
        )
    x2 = float(check_norm2(x2))
    weight = [float(r) for r in rates(network, weight_rate, "weight_rate")]
    bias = [float(r) for r in rates(network, bias_rate, "bias_rate")]
    C_W, C_b = network.weight_variance, network.bias_variance
    state = np.zeros(len(_NAMES))
    state[:2] = C_b[0] + C_W[0] * x2, bias[0] + weight[0] * x2
    error = 2 * EPSILON * state
    values, errors = [state], [error]
    for l, n in enumerate(network.widths, 1):
        step = np.array([C_W[l], C_b[l], weight[l], bias[l], 1 / n])
        state, error = _layer(network, step, state, error)
        values.append(state)
        errors.append(error)
    named = dict(zip(_NAMES, np.array(errors).T, strict=True))
    return NTKFirstOrder(*np.array(values).T, error=named)


def _layer(
    network: Network, step: np.ndarray, state: np.ndarray, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One layer, and a first-order bound of its numerical error."""
    sigma, K = network.activation, state[0]
    moments, moments_error = tangent_moments(sigma, K)
    new = _step(step, state, moments)
    # every term of the recursion has a plus sign, so this is the sum of their sizes
    total = 8 * EPSILON * _step(step, np.abs(state), np.abs(moments))
    total += _response(lambda y: _step(step, y, moments), state, error)
    total += _response(lambda y: _step(step, state, y), moments, moments_error)
    if K > 0:
        shifted, _ = tangent_moments(sigma, K * (1 + _PROBE))
        total += np.abs(_step(step, state, shifted) - new) * (error[0] / (K * _PROBE))
    return new, total


def _response(f, at: np.ndarray, error: np.ndarray) -> np.ndarray:
    """sum_i |df/dy_i| error_i, by steps large against rounding and small against 1."""
    base, total = f(at), np.zeros(len(_NAMES))
    for i in np.flatnonzero(error):
        moved = at.copy()
        moved[i] += error[i] * 2.0**20
        total += np.abs(f(moved) - base) * 2.0**-20
    return total


def _step(step: np.ndarray, state: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The recursion above. `step`: C_W, C_b, lambda_W, lambda_b, 1/n of this layer."""
    C_W, C_b, rate, bias, inverse = step
    _, H, K1, H1, V, D, A, B, F, P, Q = state
    y, y1, y2, e, e1, e2, yy, ye, ee, curved, steep = moments
    chi, chi_p, chi_p1 = C_W * y1, C_W * e, C_W * e1
    P1 = rate * y1 + C_W * H * e1
    P2 = rate * y2 + C_W * H * e2
    y_om = rate * yy + C_W * H * ye
    om_om = rate**2 * yy + 2 * rate * C_W * H * ye + (C_W * H) ** 2 * ee
    F_new = C_W**2 * (ye + y * e) * H * inverse + chi**2 * F
    bend = C_W**2 * steep * H**2 * inverse
    return np.array(
        [
            C_b + C_W * y,
            bias + rate * y + C_W * H * e,
            chi * K1 + C_W * y2 * V / 2,
            P1 * K1 + P2 * V / 2 + chi_p * H1 + chi_p1 * (D + 2 * F),
            C_W**2 * yy * inverse + chi**2 * V,
            C_W * y_om * inverse + chi * P1 * V + chi * chi_p * D,
            om_om * inverse + P1**2 * V + 2 * P1 * chi_p * D + chi_p**2 * A,
            C_W**2 * (ee + e * e) * H**2 * inverse + chi_p**2 * B,
            F_new,
            bend + C_W * curved * chi_p * B + chi * chi_p * P,
            rate / C_W * F_new + bend + chi * chi_p1 * H * F + chi * chi_p * Q,
        ]
    )
