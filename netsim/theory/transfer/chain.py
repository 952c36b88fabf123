"""The law of S_l at finite width for one input and any activation: cumulants by transfer matrices.

S_l = C_b + (C_W/n_l) sum_j sigma(sqrt(S_{l-1}) g_j)^2 is a Markov chain in one positive variable, and
kappa_{2k}^{(l+1)} = cum_k(S_l). Its transition operator (T f)(s) = E[f(S_l) | S_{l-1} = s] becomes a
matrix: f is interpolated on a grid (`grid`), the sum over neurons is a Gauss rule
(`gauss`). Row vectors rho_l with E f(S_l) = sum_j rho_lj f(s_j)/weight(s_j) then pass forward
through the layers, so one pass gives every depth. Nothing is expanded in 1/n.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from threadpoolctl import threadpool_limits

from netsim.networks.activation import Activation
from netsim.networks.network import Network
from netsim.theory.transfer.gauss import sum_rule
from netsim.theory.transfer.grid import BoundedGrid, Grid, HalfLineGrid, LogGrid
from netsim.theory.transfer.rule import neuron_rule, neuron_rules, square_bound

__all__ = ["laws", "FAST", "FINE", "check", "transfer_cumulants"]

_MOMENTS = 4
# (nodes in s, nodes per Gauss rule, Gauss-Legendre points per panel): the rule, and the smaller
# ones that it is compared with; two, because errors oscillate with the number of nodes.
FINE = ((80, 40, 12), (60, 28, 10), (71, 33, 11))
FAST = ((40, 20, 8), (33, 17, 7), (27, 15, 7))  # a tenth of the time, errors near 1e-8
# true error / difference is at most 2.4 for errors falling like 1/size, below 1 otherwise
_SAFETY = 5.0
_EPS = float(np.finfo(float).eps)
# Rounding, in units of eps times the terms summed, and of the result where layers change scale:
# measured against exact fractions and larger rules, 7 and 6e-13 at most
_ROUNDING = 16.0
_FLOOR = 1e-12
_NARROW = 100.0  # where S is smaller than its bound by more, the bound's grid has no nodes there
# By more than that no node of the half line, up to 1e9 of its scale, sees the bound. At 1e12 the last
# ones do (tanh, C_W = 0.1, n = L = 16: errors of 5e-12 instead of 5e-15).
_FAR = 1e16


def transfer_cumulants(
    network: Network,
    x2: float,
    layers: Sequence[int] | None = None,
    order: int = 4,
    *,
    rules: tuple[tuple[int, int, int], ...] = FINE,
) -> tuple[np.ndarray, np.ndarray]:
    """kappa_2, kappa_4, kappa_6, kappa_8 of one neuron in every layer, exact in n, with errors.

        kappa_{2k}^{(l+1)} = cum_k(S_l)
                           = (1/(2k-1)!!) times the 2k-th cumulant of one neuron of layer l+1

    **Arguments:** `x2` = |x|^2/n_0; `layers`, of the pre-activation, 1..L+1 (default: all);
    `order`, how many cumulants (1 to 4); `rules`: `FINE`, or `FAST` for a tenth of the time.

    **Returns:** `(values, errors)`, (number of layers, order) each; `errors` are bounds of the
    absolute numerical error, from a smaller rule and from rounding. Layer 1 is (K_1, 0, 0, 0).
    Relative errors near 1e-12 are usual; they grow for gelu and the like at n <= 32 (gelu, L = 8:
    1e-10 at n = 32, 1e-5 at n = 8), and for kappa_8 at large n, where it is n^-3 of its terms.

    **Raises:** `ValueError` for weights that are not Gaussian, activations that grow faster than
    linearly, and impossible arguments.

    Source: derived for this package; kappa_{2k} = cum_k(S) follows from Hanin, arXiv 2204.01058.
    """
    check(network, x2, order)
    rows = _rows(network, layers)
    with threadpool_limits(1, user_api="blas"):  # batches of small matrices: threads only wait
        fine, terms, rounding = _all_cumulants(network, float(x2), rules[0])
        smaller = [_all_cumulants(network, float(x2), sizes)[0] for sizes in rules[1:]]
        differences = np.max([np.abs(fine - other) for other in smaller], axis=0)
        # Errors accumulate: relative to the moments they do not fall with depth. A difference may
        # vanish by chance in one layer, not in all before it.
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.where(terms > 0, differences / terms, 0.0)
        errors = _SAFETY * np.maximum.accumulate(relative, axis=0) * terms + rounding
    return fine[rows, :order], errors[rows, :order]


def check(network: Network, x2: float, order: int) -> None:
    if not network.weights.is_gaussian:
        raise ValueError(
            f"weights {network.weights.name}: the transfer operator needs Gaussian weights, given "
            "which neurons are independent; use weights='gaussian'"
        )
    growth = network.activation.growth
    if growth > 1:
        raise ValueError(
            f"activation {network.activation.name} grows like |x|^{growth:g}: E S_l^k then grows "
            "with a power of S that rises from layer to layer and the grid cannot hold it; "
            "growth <= 1 is allowed (use the expansion in 1/n, or simulate)"
        )
    if not (np.isfinite(x2) and x2 >= 0):
        raise ValueError(f"x2={x2}: |x|^2/n_0 must be a finite number >= 0")
    if order not in range(1, _MOMENTS + 1):
        raise ValueError(f"order={order}: 1 to {_MOMENTS} cumulants (kappa_2 to kappa_8) exist")


def _rows(network: Network, layers: Sequence[int] | None) -> list[int]:
    last = network.depth + 1
    wanted = range(1, last + 1) if layers is None else layers
    for layer in wanted:
        if layer not in range(1, last + 1):
            raise ValueError(f"layer {layer}: layers of pre-activations run from 1 to L+1 = {last}")
    return [layer - 1 for layer in wanted]


def _all_cumulants(network: Network, x2: float, sizes: tuple[int, int, int]):
    """Values, the size of the moments they are made of, rounding errors: (L+1, 4) each."""
    values = np.zeros((network.depth + 1, _MOMENTS))
    terms, rounding = np.zeros_like(values), np.zeros_like(values)
    values[0, 0] = network.bias_variance[0] + network.weight_variance[0] * x2
    terms[0, 0], rounding[0, 0] = values[0, 0], 2 * _EPS * values[0, 0]
    for l, (rho, grid) in enumerate(laws(network, x2, sizes), start=1):
        values[l], terms[l], rounding[l] = _central(rho, grid, l)
    return values, terms, rounding


def laws(
    network: Network, x2: float, sizes: tuple[int, int, int]
) -> Iterator[tuple[np.ndarray, Grid]]:
    """The laws of S_1..S_L: (rho, grid) each, rho (4, D) for the grid's weights of orders 1..4.

        E f(S_l) = sum_j rho_pj f(s_j)/weight_p(s_j),  f of at most the order p in s

    **Arguments:** `sizes`: nodes in s, nodes per Gauss rule, points per panel.
    """
    C_b = [float(c) for c in network.bias_variance]
    C_W = [float(c) for c in network.weight_variance]
    grids = _grids(network, C_b, C_W, x2, sizes)
    probe = network.activation.numpy(_PROBE).tobytes()
    rho = np.zeros(0)
    for l, n in enumerate(network.widths, start=1):
        step = (n, C_b[l], C_W[l], grids[l - 1], sizes)
        if l == 1:
            rho = _first_rows(network.activation, C_b[0] + C_W[0] * x2, step)
        else:
            matrices = _matrices(network.activation, probe, grids[l - 2], step)
            rho = (rho[:, None, :] @ matrices)[:, 0]
        yield rho, grids[l - 1]


# Activations are equal if their names are; a user may register another function under an old name,
# so cached matrices are told apart by values of the function as well.
_PROBE = np.array([-7.3, -2.1, -0.6, -0.05, 0.07, 0.4, 1.3, 3.7, 11.9])


def _grids(network, C_b, C_W, x2: float, sizes) -> list[Grid]:
    """The grids of S_1..S_L."""
    sigma, grids = network.activation, []
    bound = square_bound(sigma) if sigma.growth == 0 else np.inf
    K = C_b[0] + C_W[0] * x2
    for l in range(1, network.depth + 1):
        y, w = neuron_rule(sigma, K, sizes[2])
        K = C_b[l] + C_W[l] * float(w @ y)
        if C_W[l] * bound < _NARROW * K:
            grids.append(BoundedGrid(C_b[l], C_W[l] * bound, sizes[0]))
            continue
        # A typical S, in steps of 16 so that layers and inputs share their matrices; any scale
        # within a factor 10 of the infinite-width kernel does as well (measured).
        scale = 4.0 * 16.0 ** round(np.log(K / 4.0) / np.log(16.0)) if K > 0 else 1.0
        if 0 < C_W[l] * bound < _FAR * scale:
            grids.append(LogGrid(C_b[l], scale / 4, C_W[l] * bound, sizes[0]))
        else:
            grids.append(HalfLineGrid(C_b[l], scale, sizes[0]))
    return grids


def _first_rows(sigma: Activation, K: float, step) -> np.ndarray:
    """(4, D): rho_1 for the weights of orders 1..4; S_0 = K is a number."""
    return _functionals(sigma, np.array([K]), step)[:, 0]


@lru_cache(maxsize=256)  # 200 kB each
def _matrices(sigma: Activation, probe: bytes, source: Grid, step) -> np.ndarray:
    """(4, D, D): T_ij = E[weight(S') l_j(S') | S = s_i]/weight(s_i), for the weights 1..4."""
    s = source.points
    functionals = _functionals(sigma, s, step)
    for p in range(_MOMENTS):
        functionals[p] /= source.weight(s, p + 1)[:, None]
    return functionals


def _functionals(sigma: Activation, variances: np.ndarray, step) -> np.ndarray:
    """(4, B, D): E[weight(S') l_j(S') | S = s] for every s in `variances`."""
    n, C_b, C_W, target, (_, m, points) = step
    x, w = sum_rule(neuron_rules(sigma, variances, points), n, m)
    S = C_b + (C_W / n) * x
    out = np.empty((_MOMENTS, len(S), target.size))
    for i in range(len(S)):  # one row at a time: the cardinal functions are (m^2, D) numbers
        weights = np.stack([w[i] * target.weight(S[i], p + 1) for p in range(_MOMENTS)])
        out[:, i] = weights @ target.cardinals(S[i])
    return out


def _central(rho: np.ndarray, grid: Grid, l: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cumulants of S_l from central moments, the size of the moments, and rounding errors.

    Raw moments would lose kappa_8, which is n^-3 of its terms. With the weight of the moment's own
    order no term exceeds the moment, except for cancellation within (s - mean)^p.
    """
    s = grid.points
    scaled = [rho[p] / grid.weight(s, p + 1) for p in range(_MOMENTS)]
    mean = scaled[0] @ s
    m2, m3, m4 = (scaled[p - 1] @ (s - mean) ** p for p in (2, 3, 4))
    size = [np.abs(scaled[0]) @ s]
    size += [np.abs(scaled[p - 1]) @ np.abs(s - mean) ** p for p in (2, 3, 4)]
    terms = np.array([mean, m2, abs(m3) + abs(m2) ** 1.5, m4 + 3 * m2**2])
    e = _ROUNDING * _EPS * (np.sqrt(l) * np.array(size) + l * terms) + _FLOOR * terms
    e[3] += 6 * abs(m2) * e[1]
    return np.array([mean, m2, m3, m4 - 3 * m2**2]), terms, e
