"""n^(k-1) kappa_2k of one neuron of the output layer: exact at finite n, and its limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsim.claims.measured import estimates, predicted
from netsim.compare import uncertainty
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.rows import Row
from netsim.theory.hierarchy.one_input import cumulant_series

__all__ = [
    "KAPPAS", "coefficients", "exact_scaled", "extrapolated", "measured_scaled",
]  # fmt: skip

KAPPAS = (2, 4, 6, 8)


def exact_scaled(network: Network, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """(4,) each: n (kappa_2 - K), n kappa_4, n^2 kappa_6, n^3 kappa_8 of layer L+1, and their errors.

    The prediction is exact at this n for piecewise linear and at most linearly growing activations.
    """
    rows = predicted(network, inputs, _names(), layers=_last(network))
    return _scaled(network, inputs, rows, _own)


def measured_scaled(
    network: Network, inputs: Inputs, draws: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `exact_scaled`, from a simulation whose seed is the width, and which are reliable."""
    n, layer = network.widths[0], network.depth + 1
    rows = estimates(network, inputs, _names(), draws, seed=n, layers=_last(network))
    reliable = ["unreliable" not in rows[f"{name}[a]@{layer}"].flags for name in _names()]
    # float(None) is NaN: a value without an error fails
    values, errors = _scaled(network, inputs, rows, lambda row: row.error)
    return values, errors, np.array(reliable)


def coefficients(network: Network, norm2: float, order: int = 3) -> np.ndarray:
    """(4, order+1): of n^-m in kappa_2, kappa_4, kappa_6, kappa_8 of layer L+1; [0, 0] is K."""
    return cumulant_series(network, norm2, order).coefficients[-1]


def extrapolated(widths: Sequence[int], values: np.ndarray) -> np.ndarray:
    """The limit n -> infinity of the polynomial in 1/n through `values` at `widths` (Neville).

    **Arguments:** `values`, (N, ...), one for each of the N widths.
    """
    x, table = 1 / np.array(widths, float), list(np.asarray(values, float))
    for step in range(1, len(x)):
        for i in range(len(x) - step):
            a, b = x[i], x[i + step]
            table[i] = (b * table[i] - a * table[i + 1]) / (b - a)
    return table[0]


def _names() -> list[str]:
    return [f"kappa{order}" for order in KAPPAS]


def _own(row: Row) -> float:
    own = uncertainty(row)
    return np.inf if own is None else own


def _last(network: Network) -> tuple[int, int]:
    return network.depth + 1, network.depth + 1


def _scaled(network: Network, inputs: Inputs, rows: dict[str, Row], error):
    n, layer = network.widths[0], network.depth + 1
    K = coefficients(network, float(inputs.overlaps[0, 0]))[0, 0]
    found = [rows[f"kappa{order}[a]@{layer}"] for order in KAPPAS]
    powers = np.array([n, n, n**2, n**3], float)
    values = np.array([found[0].value - K, *(row.value for row in found[1:])])
    return powers * values, powers * np.array([error(row) for row in found], float)
