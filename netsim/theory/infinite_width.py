"""Infinite-width kernels of any list of fields, every layer.

    K^(1)_ab   = C_b 1[neither differentiated] + C_W (D^J x_a) . (D^J' x_b) / n_0
    K^(l+1)_ab = C_b 1[neither differentiated] + C_W <h_a h_b>_{K^(l)},   l = 1..L

with the features h of `netsim.networks.fields` and the layer's own C_W, C_b (Hanin, arXiv
2204.01058). K^(1) is exact for every law of the weights and every n_0. That z^(1) is Gaussian holds
for gaussian weights and, as n_1 -> infinity, for orthogonal ones; with other weights K^(2), K^(3), ...
are the limit n_0 -> infinity too, except where `netsim.theory.limits.decided`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from netsim.gaussian.line import EPSILON
from netsim.gaussian.many_fields import check_fields, pair_products
from netsim.networks.activation import Activation
from netsim.networks.fields import bias_mask
from netsim.networks.network import Network
from netsim.quantities import Slot

__all__ = ["Kernels", "kernels"]

_PROBE = 1e-6  # relative change of K by which the response to earlier errors is measured


@dataclass(frozen=True)
class Kernels:
    """Kernels of layers 1..L+1.

    **Fields:** `fields`, F slots; `values`, (L+1, F, F), `values[l]` being K^(l+1); `error`,
    (L+1, F, F), numerical: quadrature, and errors of earlier layers as they pass on.
    """

    fields: tuple[Slot, ...]
    values: np.ndarray
    error: np.ndarray


def kernels(network: Network, gram: np.ndarray, fields: Sequence[Slot]) -> Kernels:
    """Infinite-width kernels of `fields` in every layer.

    **Arguments:** `gram`, (F, F), inner products of inputs and directions divided by n_0, zero for
    second derivatives (`Inputs.gram(fields)`); `fields`, closed under the chain rule
    (`netsim.networks.fields.closure`).

    **Returns:** `Kernels`. Equal inputs have bitwise equal kernels in every layer.

    **Raises:** `ValueError` for fields that the activation does not have or that are not closed,
    and for a gram that is not a finite symmetric positive semidefinite (F, F) array.
    """
    sigma, fields = network.activation, tuple(fields)
    gram = check_fields(sigma, fields, gram)
    # the widths do not enter: a sweep over them computes this once
    C_W, C_b = network.weight_variance, network.bias_variance
    return _recursion(sigma, fields, C_W, C_b, np.ascontiguousarray(gram, dtype=float).tobytes())


@lru_cache(maxsize=256)
def _recursion(
    sigma: Activation,
    fields: tuple[Slot, ...],
    C_W: tuple[float, ...],
    C_b: tuple[float, ...],
    gram: bytes,
) -> Kernels:
    mask = np.array(bias_mask(fields))
    K = C_b[0] * mask + C_W[0] * np.frombuffer(gram).reshape(mask.shape)
    error = 2 * EPSILON * np.abs(K)
    values, errors = [K], [error]
    for l in range(1, len(C_W)):
        mean, quadrature = pair_products(sigma, fields, K)
        shifted, _ = pair_products(sigma, fields, K * (1 + _PROBE))
        response = np.abs(shifted - mean) / _PROBE  # to a relative change of all of K
        error = C_W[l] * (quadrature + response * _relative(error, K))
        K = C_b[l] * mask + C_W[l] * mean
        error = error + EPSILON * np.abs(K)
        values.append(K)
        errors.append(error)
    found = Kernels(fields, np.stack(values), np.stack(errors))
    for array in (found.values, found.error):
        array.setflags(write=False)  # shared by all who ask again
    return found


def _relative(error: np.ndarray, K: np.ndarray) -> float:
    """The largest error in units of sqrt(K_aa K_bb), over fields that are not zero."""
    scale = np.sqrt(np.maximum(np.diagonal(K), 0.0))
    scale = np.outer(scale, scale)
    return float(np.max(error[scale > 0] / scale[scale > 0], initial=0.0))
