"""All orders in 1/n of the cumulants of one neuron, one input, every layer.

S_l is a Markov chain: given S_{l-1} = K (1 + x), S_l = C_b + (C_W/n_l) sum_j sigma(z_j)^2 is a sum of
independent terms, so its conditional cumulants are known functions of x (`layers`) and its
conditional moments complete Bell polynomials of them. Expanded in x, these carry the moments of x
from layer to layer linearly,

    E x'^p = sum_q [x^q] B_p(kappa_1(x), ..., kappa_p(x)) E x^q,

and E x^q = O(n^{-ceil(q/2)}) leaves finitely many terms at each power of 1/n. kappa_{2k}^{(l+1)}, the
2k-th cumulant of a neuron divided by (2k-1)!!, is the k-th cumulant of S_l. The first order in 1/n is
`leading_order`; for piecewise linear sigma the series end and are exact; for others they are
asymptotic: beyond some power, which comes earlier for deeper and narrower networks, terms grow.

Source: derived for this package from the conditional law (Hanin, arXiv 2204.01058); the paper has the
hierarchy of leading orders.
"""

from __future__ import annotations

import math

import numpy as np

from netsim.gaussian.hermite import COARSE, FINE
from netsim.networks.network import Network
from netsim.theory.hierarchy.layers import Layers, float_layers
from netsim.theory.hierarchy.result import CUMULANTS, CumulantSeries
from netsim.theory.hierarchy.series import bell, evolve, series_cumulants

__all__ = ["MOST_FLOAT", "MOST_ORDER", "cumulant_series"]

MOST_FLOAT, MOST_ORDER = 6, 20
_POINTS = (FINE, COARSE, 17)  # the rule, and two others: one difference may vanish by chance
_SAFETY = 6.0  # true errors against 20 digits were at most 5 times the difference
_EPS = float(np.finfo(float).eps)
_ROUNDING = 8.0 * _EPS  # of the terms summed
_EXTRA, _GUARD = (8, 24, 56), 2  # digits beyond those wanted; the same for each power of 1/n


def cumulant_series(
    network: Network, x2: float, order: int = 3, *, digits: int | None = None
) -> CumulantSeries:
    """Cumulants of one neuron in every layer to n^-`order`, for an input with |x|^2/n_0 = `x2`.

    kappa_{2k} begins at n^{1-k}, so `order` should be at least k-1.

    **Arguments:** `order`, M: up to 6 in float64, up to 20 with `digits`; `digits`, 16 to 200: right
    digits wanted of each coefficient (relative to the terms it is the sum of), for built-in
    activations. M = 5, L = 1000 takes half a second in float64; with digits, M = 20 takes some
    seconds a layer.

    ```python
    from netsim.networks.network import network
    from netsim.theory.hierarchy.one_input import cumulant_series
    series = cumulant_series(network("tanh", width=64, depth=5), 1.0, order=5)
    series.value()[-1, 0], series.truncation_error()[-1, 0]     # 0.10219710269700, 4.9e-13
    ```

    **Raises:** `ValueError` for weights that are not Gaussian, impossible arguments, and activations
    that are not built in where digits are asked for.
    """
    _check(network, x2, order, digits)
    if digits is not None:
        return _in_digits(network, float(x2), order, digits)
    return _in_float(network, float(x2), order)


def _check(network: Network, x2: float, order: int, digits: int | None) -> None:
    if not network.weights.is_gaussian:
        raise ValueError(
            f"the hierarchy in 1/n for weights={network.weights.name!r}: only gaussian weights are "
            "covered; use weights='gaussian' or simulate"
        )
    if not (math.isfinite(x2) and x2 >= 0):
        raise ValueError(f"x2={x2}: |x|^2/n_0 must be a finite number >= 0")
    most = MOST_FLOAT if digits is None else MOST_ORDER
    if isinstance(order, bool) or order not in range(1, most + 1):
        more = f"; with digits=..., up to {MOST_ORDER}" if digits is None else ""
        raise ValueError(f"order={order}: the last power of 1/n, 1 to {most}{more}")
    if digits is not None and digits not in range(16, 201):
        raise ValueError(f"digits={digits}: 16 to 200, or None for float64")


def _solve(layers: Layers, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Cumulants of x in every layer and the sizes of their terms, (L+1, 4, order+1) each."""
    one = 1 if layers.bits is None else 1 << layers.bits
    state = np.zeros((2 * order + 1, order + 1), dtype=layers.kappa[0][0].dtype)
    state[0, 0] = one
    rows = [state[: CUMULANTS + 1]]
    for chunk in layers.kappa:
        for B in bell(chunk, order, layers.bits):
            state = evolve(B, state, layers.bits)
            rows.append(state[: CUMULANTS + 1])
    return series_cumulants(np.array(rows), CUMULANTS, layers.bits)


def _in_float(network: Network, x2: float, order: int) -> CumulantSeries:
    runs = []
    for points in _POINTS:
        layers = float_layers(network, x2, order + 1, points)
        runs.append((layers.K, *_solve(layers, order + 1)))
    K, x, size = runs[0]
    gap = np.max([np.abs(x - other) for _, other, _ in runs[1:]], axis=0)
    K_gap = np.max([np.abs(K - other) for other, _, _ in runs[1:]], axis=0)
    gap[:, 0, 0] = np.divide(K_gap, K, out=np.zeros_like(K), where=K > 0)
    gap[1:-1] = np.maximum(gap[1:-1], gap[2:])  # the first layers have nothing before them
    l = np.arange(len(K))[:, None, None]
    rounding = np.sqrt(1 + l) * size
    rounding[:, :1, :1] = 1 + l
    return _result(network, order, None, (K, x, _accumulated(gap) + _ROUNDING * rounding))


def _accumulated(gap: np.ndarray) -> np.ndarray:
    """Errors accumulate; a difference may vanish by chance in one layer, not in all before it."""
    return _SAFETY * np.maximum.accumulate(gap.astype(np.float64), axis=0)


def _in_digits(network: Network, x2: float, order: int, digits: int) -> CumulantSeries:
    """Twice, the second time with other steps and fewer digits; again if they differ too much."""
    from netsim.gaussian.hermite_mp import MP, unfixed
    from netsim.theory.hierarchy.fixed import fixed_layers

    result = None
    for extra in _EXTRA:
        runs = []
        for fewer, step in ((0, 0.5), (3, 0.4)):
            inner = digits + extra - fewer
            bits = math.ceil((inner + _GUARD * (order + 1)) * math.log2(10))
            layers = fixed_layers(network, x2, order + 1, bits, (inner, step))
            with MP.workprec(bits):
                runs.append([layers.K, *(unfixed(v, bits) for v in _solve(layers, order + 1))])
        (K, x, size), (other, y, _) = runs
        with MP.workdps(digits + extra):
            gap = np.abs(x - y)
            gap[:, 0, 0] = [abs(a - b) / a if a else 0 for a, b in zip(K, other, strict=True)]
            errors = _accumulated(gap)
            result = _result(network, order, digits, (K, x, errors))
        size[:, 0, 0] = 1
        if np.all(errors <= 10.0**-digits * size.astype(np.float64)):
            break
    assert result is not None
    return result


def _result(network: Network, order: int, digits: int | None, found) -> CumulantSeries:
    """From relative cumulants: S = K (1 + x), so cum_k(S) = K^k cum_k(x), and K joins the mean."""
    K, x, errors = found
    unit = K[:, None] ** np.arange(1, CUMULANTS + 1)
    errors = errors * unit.astype(np.float64)[..., None]
    values = x * unit[..., None]
    values[:, 0, 0] = K
    if digits is not None:
        import mpmath

        # numbers of mpmath's own context, not of ours, and unrounded
        values = np.vectorize(lambda v: mpmath.mp.make_mpf(v._mpf_), otypes=[object])(values)
    kept = order + 1
    for k in range(1, CUMULANTS):  # cum_{k+1} = O(n^-k): what is left there is rounding
        values[:, k, :k] *= 0
        errors[:, k, :k] = 0
    return CumulantSeries(
        network.widths, order, digits,
        values[..., :kept], errors[..., :kept], values[..., kept], errors[..., kept],
    )  # fmt: skip
