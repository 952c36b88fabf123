"""Exact second moments of fields at every width, for piecewise linear activations.

For the fields y_a = z, D_u z, D_v z, ... of one input, h_a = sigma'(z) y_a (homogeneity covers z
itself), and sigma'(z_j)^2 is a_+^2 or a_-^2 by the sign of z_j: each with probability 1/2 and
independent of the products y_ja y_jb, which are even. So the collective variables close among
themselves, S'_ab = C_b 1[a = b = z] + (C_W/n) sum_j m_j^2 y_ja y_jb, for every C_b. With
A2 = (a_+^2 + a_-^2)/2, A4 = (a_+^4 + a_-^4)/2:

    E S'_ab = C_b,ab + C_W A2 E S_ab
    Cov'(S_ab, S_cd) = C_W^2 [ A2^2 Cov(S_ab, S_cd) + (A4/n) E(S_ac S_bd + S_ad S_bc)
                               + ((A4 - A2^2)/n) E(S_ab S_cd) ].

For a linear activation m_j is a constant and the same holds for the fields of many inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from netsim.networks.fields import bias_mask, check_order
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.exact import moments, slopes_of

__all__ = ["derivative_moments", "empirical_gradient_variance", "field_moments", "gram_moments"]


def field_moments(
    network: Network, inputs: Inputs, fields: Sequence[Slot]
) -> tuple[np.ndarray, np.ndarray]:
    """Means and covariances of S_ab, exact at every width.

    **Arguments:** `fields`: of one input, in any number and not necessarily closed under the chain
    rule (each set of fields closes by itself); for linear activations of any inputs.

    **Returns:** `(mean, covariance)`, (L+1, F, F) and (L+1, F, F, F, F), rows l = 0..L; row l is the
    covariance of the fields of layer l+1 given layer l. E[S_ab S_cd] = covariance + mean x mean.

    **Raises:** `ValueError` for other activations, several inputs with a kink, derivatives that do
    not exist, or x = 0 without bias, where sigma' has no value.
    """
    linear = _is_linear(network)
    check_order(network.activation, fields)
    names = sorted({slot.input for slot in fields})
    if len(names) != 1 and not linear:
        raise ValueError(
            f"fields of inputs {', '.join(names)}: with {network.activation.name} the exact "
            "recursion closes for one input only; use a linear activation or one input at a time"
        )
    zero = any(inputs.gram([Slot(name)])[0, 0] == 0 for name in names)
    if zero and network.bias_variance[0] == 0 and not linear:
        raise ValueError("x = 0 without bias in the first layer: sigma'(0) is not defined")
    return gram_moments(network, inputs.gram(fields), np.array(bias_mask(fields)))


def _is_linear(network: Network) -> bool:
    a_plus, a_minus = slopes_of(network)
    return a_plus == a_minus


def gram_moments(
    network: Network, gram: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`field_moments` from the fields' inner products.

    **Arguments:** `gram`: (F, F), D^J x_a . D^J' x_b / n_0; `mask`: (F, F), 1 where C_b enters.

    **Returns:** `(mean, covariance)` as `field_moments`.
    """
    a_plus, a_minus = (float(a) for a in slopes_of(network))
    A2, A4 = (a_plus**2 + a_minus**2) / 2, (a_plus**4 + a_minus**4) / 2
    C_b = [float(c) for c in network.bias_variance]
    C_W = [float(c) for c in network.weight_variance]
    mean = [C_b[0] * mask + C_W[0] * np.asarray(gram, dtype=float)]
    covariance = [np.zeros(mean[0].shape * 2)]
    for l, n in enumerate(network.widths, start=1):
        K, C = mean[-1], covariance[-1]
        product = C + np.einsum("ab,cd->abcd", K, K)
        crossed = product.transpose(0, 2, 1, 3) + product.transpose(0, 3, 2, 1)
        noise = A4 * crossed + (A4 - A2**2) * product
        covariance.append(C_W[l] ** 2 * (A2**2 * C + noise / n))
        mean.append(C_b[l] * mask + C_W[l] * A2 * K)
    return np.stack(mean), np.stack(covariance)


def derivative_moments(network: Network, v2: float | Fraction, order: int = 4) -> np.ndarray:
    """E S_uu^k of one derivative direction, exact for every C_b.

        S_uu = (C_W |v|^2/n_0) prod_l X_l,   X_l = (C_W/n_l) sum_j m_j^2 g_j^2,

    with the X_l of the one-input law without bias: C_b does not enter. The derivative Z of an output
    neuron along v has E Z^{2k} = (2k-1)!! E S_uu^k.

    **Arguments:** `v2` = |v|^2/n_0; `order`, the highest k. The input must not be 0 where C_b = 0.

    **Returns:** (L+1, order+1) float64, rows l = 0..L, columns k = 0..order.

    **Raises:** `ValueError` for activations that are not piecewise linear.

    Source: Hanin 2018, arXiv 1801.03744, for ReLU; the other slopes are derived here.
    """
    return moments(replace(network, bias_variance=(0.0,) * (network.depth + 1)), v2, order)


def empirical_gradient_variance(network: Network, dimension: int, coordinates: int) -> np.ndarray:
    """E[(1/M) sum_p Z_p^4 - ((1/M) sum_p Z_p^2)^2] over M input coordinates, exact.

        Z_p = dz_q/dx_p;   = (1 - 1/M) (3 E S_pp^2 - E S_pp S_qq - 2 E S_pq^2)

    **Arguments:** `dimension` = n_0; `coordinates` = M <= n_0.

    **Returns:** (L+1,) float64, rows l = 0..L, for the neurons of layer l+1.

    **Raises:** `ValueError` for M outside 1..n_0, or activations that are not piecewise linear.

    Source: the statistic of Hanin 2018, arXiv 1801.03744.
    """
    M = coordinates
    if not 1 <= M <= dimension:
        raise ValueError(f"coordinates={M}: must lie between 1 and the dimension {dimension}")
    if M == 1:
        return np.zeros(network.depth + 1)
    mean, covariance = gram_moments(network, np.eye(2) / dimension, np.zeros((2, 2)))
    product = covariance + np.einsum("lab,lcd->labcd", mean, mean)
    fourth = 3 * product[:, 0, 0, 0, 0]
    mixed = product[:, 0, 0, 1, 1] + 2 * product[:, 0, 1, 0, 1]
    return (1 - 1 / M) * (fourth - mixed)
