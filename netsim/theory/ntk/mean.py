"""The mean neural tangent kernel of two inputs at infinite width, every layer.

    H^(1)_ab   = lambda_b + lambda_W x_a.x_b/n_0
    H^(l+1)_ab = lambda_b + lambda_W <sigma_a sigma_b> + C_W <sigma'_a sigma'_b> H^(l)_ab,

averages over N(0, K^(l)) (Jacot, Gabriel, Hongler, arXiv 1806.07572). With rate 1 for one weight
matrix and 0 for all else this is the mean squared gradient with respect to that matrix, which the
layers above multiply with chi_perp each.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from netsim.gaussian.line import EPSILON
from netsim.gaussian.many_fields import pair_products
from netsim.networks.network import Network
from netsim.networks.parameter_blocks import Rates
from netsim.quantities import Slot
from netsim.theory.infinite_width import kernels

__all__ = ["mean_kernel"]

_PROBE = 1e-6  # relative change of K by which the response to its error is measured
# two inputs, and a direction at each: derivatives of unit variance, independent of the inputs'
# fields, so that the product of their features is <sigma'_a sigma'_b> times their covariance
_PLAIN = (Slot("a"), Slot("b"))
_FIELDS = (Slot("a"), Slot("a", ("u",)), Slot("b"), Slot("b", ("v",)))
_COVARIANCE = 0.5


def mean_kernel(network: Network, gram: np.ndarray, rates: Rates) -> tuple[np.ndarray, np.ndarray]:
    """The kernel's mean at infinite width.

    **Arguments:** `gram`: (2, 2), x_a.x_b/n_0; `rates`: (lambda_W, lambda_b), L+1 numbers each.

    **Returns:** values and numerical errors, (L+1,), row l being layer l+1.

    **Raises:** `ValueError` for a kernel K = 0 where sigma has a kink, or without sigma'.
    """
    # of the widths only those in the rates enter
    same = replace(network, widths=(1,) * network.depth)
    return _recursion(same, np.ascontiguousarray(gram, dtype=float).tobytes(), rates)


@lru_cache(maxsize=256)
def _recursion(network: Network, gram: bytes, rates: Rates) -> tuple[np.ndarray, np.ndarray]:
    overlap = np.frombuffer(gram).reshape(2, 2)
    found = kernels(network, overlap, _PLAIN)
    weight, bias = rates
    H = [bias[0] + weight[0] * overlap[0, 1]]
    error = [2 * EPSILON * abs(H[0])]
    for l in range(1, network.depth + 1):
        K = found.values[l - 1]
        least = float(np.min(np.diagonal(K)))
        if least == 0 and 0.0 in network.activation.kinks and not _is_linear(network):
            raise ValueError("x = 0 without bias: sigma'(0) is not defined")
        scale = float(np.max(found.error[l - 1])) / least if least > 0 else 0.0
        (y, e), (y_error, e_error) = _averages(network, K, scale)
        C_W = network.weight_variance[l]
        H.append(bias[l] + weight[l] * y + C_W * e * H[-1])
        passed = C_W * (abs(e) * error[-1] + e_error * abs(H[-2]))
        error.append(passed + weight[l] * y_error + 4 * EPSILON * abs(H[-1]))
    values, errors = np.array(H), np.array(error)
    for array in (values, errors):
        array.setflags(write=False)  # shared by all who ask again
    return values, errors


def _is_linear(network: Network) -> bool:
    slopes = network.activation.slopes
    return slopes is not None and slopes[0] == slopes[1]


def _averages(network: Network, K: np.ndarray, relative: float):
    """(<sigma_a sigma_b>, <sigma'_a sigma'_b>) and their errors, those of K included."""
    places = np.ix_((0, 2), (0, 2))
    block = np.diag([0.0, 1.0, 0.0, 1.0])
    block[1, 3] = block[3, 1] = _COVARIANCE

    def at(K):
        block[places] = K
        values, errors = pair_products(network.activation, _FIELDS, block)
        return np.array([[m[0, 2], m[1, 3] / _COVARIANCE] for m in (values, errors)])

    (value, quadrature), (shifted, _) = at(K), at(K * (1 + _PROBE))
    return value, quadrature + np.abs(shifted - value) / _PROBE * relative
