"""Expectations of one Gaussian field and their derivatives with respect to its variance.

<f>_K = E f(z), z ~ N(0, K), and d^q/dK^q <f>_K = (2K)^{-q} <f(z) He_{2q}(z/sqrt K)>_K, which needs
no derivative of f (Gaussian integration by parts; He are the probabilists' Hermite polynomials).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from netsim.gaussian.line import EPSILON, integrate_line, line_edges
from netsim.networks.activation import Activation

__all__ = ["check_variance", "derivative", "expectation", "taylor"]

Function = Callable[[np.ndarray], np.ndarray]


def check_variance(K: float) -> float:
    """K as a float. **Raises:** `ValueError` unless it is finite and >= 0."""
    K = float(K)
    if not (math.isfinite(K) and K >= 0):
        raise ValueError(f"variance K={K}: must be a finite number >= 0")
    return K


def expectation(f: Function, K: float, *, sigma: Activation | None = None):
    """(<f>_K, error): E f(z) for z ~ N(0, K).

    **Arguments:** `f`, vectorised: (N,) float64 -> (N,) or (..., N); `K` >= 0; `sigma`, the
    activation that f is built from: its kinks become panel edges, its poles set their width.

    **Returns:** value and error, floats or arrays (...,); about 1e-15 E|f| for K from 1e-30 to
    1e10 if f varies on the scale 1 near 0 and on the scale |z| farther out; elsewhere panels are
    halved until they agree. K = 0 gives f(0).

    **Raises:** `ValueError` for a bad K or an f that is not finite.
    """
    value, error = taylor(f, K, 0, sigma=sigma)
    return value[0], error[0]


def derivative(f: Function, K: float, order: int, *, sigma: Activation | None = None):
    """(d^q/dK^q <f>_K, error), q = `order`, by Hermite weights: f is never differentiated.

    For K -> 0 the weights cancel and the error grows like 1e-16 f/K^q: it is returned.

    **Arguments:** as `expectation`. **Returns:** value and error, floats or arrays.

    **Raises:** `ValueError` also for K = 0 with order >= 1, where the weights do not exist.
    """
    value, error = taylor(f, K, order, sigma=sigma)
    return value[order] * math.factorial(order), error[order] * math.factorial(order)


def taylor(f: Function, K: float, order: int, *, sigma: Activation | None = None):
    """Coefficients of delta^q, q = 0..order, in <f>_{K + delta}, and their errors.

    <f He_{2q}(z/sqrt K)> / ((2K)^q q!).

    **Returns:** two arrays (order+1, ...), the dots being what f puts before its last axis.
    """
    K = check_variance(K)
    if order < 0:
        raise ValueError(f"order={order}: must be >= 0")
    scale = [(2 * K) ** q * math.factorial(q) for q in range(order + 1)]
    if scale[-1] == 0:
        raise ValueError(
            f"a derivative of order {order} in K at K={K}: Hermite weights need K > 0 (and K^order "
            "representable); at K = 0 use derivatives of f at 0"
        )
    if K == 0:
        value = np.asarray(f(np.zeros(1)), dtype=np.float64)[None, ..., 0]
        return value, EPSILON * np.abs(value)
    s = math.sqrt(K)
    shape: list[tuple[int, ...]] = []

    def weighted(g: np.ndarray) -> np.ndarray:
        y = np.asarray(f(s * g), dtype=np.float64)
        shape[:] = [y.shape[:-1]]
        y = y.reshape(-1, len(g))
        he = [np.polynomial.hermite_e.hermeval(g, [0] * (2 * q) + [1]) for q in range(order + 1)]
        return (np.stack(he)[:, None, :] * y).reshape(-1, len(g))

    value, error = integrate_line(weighted, line_edges([s], sigma))
    full = (order + 1, *shape[0])
    divisor = np.array(scale).reshape(-1, *[1] * len(shape[0]))
    return value.reshape(full) / divisor, error.reshape(full) / divisor
