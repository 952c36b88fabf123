"""Derivatives of activations to any order, where closed recurrences are known.

With s = 1/(1+e^-x), t = tanh x and phi the normal density:

    tanh^(k)(x) = P_k(t),  P_{k+1} = (1 - t^2) P_k'     s^(k)(x) = tanh^(k)(x/2) / 2^{k+1}, k >= 1
    swish^(k) = x s^(k) + k s^(k-1)                     softplus^(k) = s^(k-1)
    Phi^(k) = (-1)^{k-1} He_{k-1} phi                   gelu^(k) = x Phi^(k) + k Phi^(k-1)
    erf^(k)(x) = 2^{1+k/2} Phi^(k)(sqrt 2 x)

With them a derivative of an expectation in its covariance is itself an expectation, for any
covariance, singular ones too. Your own activations have the derivatives that they were registered
with; what goes beyond uses Hermite weights (`netsim.gaussian.atoms`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from scipy import special

from netsim.networks.activation import Activation

__all__ = ["derivatives", "powers", "smooth_order"]

_MOST = 16  # enough for order 1/n^3; above, the polynomials in t and s cancel


def smooth_order(sigma: Activation) -> float:
    """How many derivatives `derivatives` can give; -1 if sigma has kinks."""
    if sigma.kinks:
        return -1
    if sigma.name.startswith("polynomial(") or sigma.slopes is not None:
        return math.inf
    if sigma.name in _RECURRENCES and not sigma.version:
        return _MOST
    return len(sigma.functions) - 1


def derivatives(sigma: Activation, x: np.ndarray, order: int) -> np.ndarray:
    """(order+1, *x.shape): sigma, sigma', ..., sigma^(order) at x.

    **Raises:** `ValueError` above `smooth_order(sigma)`.
    """
    if order > smooth_order(sigma):
        raise ValueError(
            f"derivatives of {sigma.name} up to order {order} were asked for; "
            f"{smooth_order(sigma):g} are known (-1: it has kinks)"
        )
    x = np.asarray(x, dtype=np.float64)
    own = len(sigma.functions)
    if order < own and sigma.name not in _RECURRENCES:
        return np.stack([np.broadcast_to(sigma.numpy(x, k), x.shape) for k in range(order + 1)])
    if sigma.slopes is not None:
        rows = [sigma.slopes[0] * x, np.full_like(x, sigma.slopes[0])]
        return np.stack(rows + [np.zeros_like(x)] * (order - 1))
    if sigma.name.startswith("polynomial("):
        return _polynomial(sigma, x, order)
    return _RECURRENCES[sigma.name](x, order)


def powers(jet: np.ndarray, orders: Sequence[int]) -> list[np.ndarray]:
    """Derivatives of sigma^p, p = 1..len(orders), from those of sigma: Leibniz's rule.

    **Arguments:** `jet`, (order+1, ...); `orders[p-1]`, up to which order for p, not increasing.

    **Returns:** arrays (orders[p-1]+1, ...).
    """
    found = [jet]
    for order in orders[1:]:
        last = found[-1]
        rows = []
        for k in range(order + 1):
            row = jet[0] * last[k]
            for j in range(1, k + 1):
                row += math.comb(k, j) * (jet[j] * last[k - j])
            rows.append(row)
        found.append(np.stack(rows))
    return found


def _polynomial(sigma: Activation, x: np.ndarray, order: int) -> np.ndarray:
    inner = sigma.name[sigma.name.index("[") + 1 : sigma.name.index("]")]
    c = np.polynomial.Polynomial([float(v) for v in inner.split(",")])
    return np.stack([c.deriv(k)(x) if k else c(x) for k in range(order + 1)])


@cache
def _chain(order: int) -> list[np.ndarray]:
    """Coefficients of P_0 .. P_order of the recurrence for tanh."""
    P = np.polynomial.polynomial
    found = [np.array([0.0, 1.0])]
    for _ in range(order):
        found.append(P.polymul([1.0, 0.0, -1.0], P.polyder(found[-1])))
    return found


def _tanh(x: np.ndarray, order: int) -> np.ndarray:
    t = np.tanh(x)
    found = np.empty((order + 1, *t.shape))
    for k, p in enumerate(_chain(order)):
        # of the parity of k + 1: a polynomial in t^2, times t if k is even
        found[k] = np.polynomial.polynomial.polyval(t * t, p[(k + 1) % 2 :: 2])
        if k % 2 == 0:
            found[k] *= t
    return found


def _sigmoid(x: np.ndarray, order: int) -> np.ndarray:
    # by way of tanh, whose polynomials do not cancel at either end
    d = _tanh(0.5 * x, order)
    return np.stack([special.expit(x)] + [d[k] / 2.0 ** (k + 1) for k in range(1, order + 1)])


def _swish(x: np.ndarray, order: int) -> np.ndarray:
    s = _sigmoid(x, order)
    return np.stack([x * s[k] + (k * s[k - 1] if k else 0.0) for k in range(order + 1)])


def _softplus(x: np.ndarray, order: int) -> np.ndarray:
    return np.concatenate([np.logaddexp(x, 0.0)[None], _sigmoid(x, max(order - 1, 0))])[: order + 1]


def _normal(x: np.ndarray, order: int) -> np.ndarray:
    """Derivatives of the normal distribution function."""
    he = [np.ones_like(x), x]
    for k in range(1, order):
        he.append(x * he[k] - k * he[k - 1])
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    rows = [special.ndtr(x)] + [(-1) ** (k - 1) * he[k - 1] * density for k in range(1, order + 1)]
    return np.stack(rows)


def _gelu(x: np.ndarray, order: int) -> np.ndarray:
    d = _normal(x, order)
    return np.stack([x * d[k] + (k * d[k - 1] if k else 0.0) for k in range(order + 1)])


def _erf(x: np.ndarray, order: int) -> np.ndarray:
    d = 2 * _normal(math.sqrt(2) * x, order)
    rows = [math.sqrt(2) ** k * d[k] for k in range(order + 1)]
    rows[0] = special.erf(x)
    return np.stack(rows)


def _sin(x: np.ndarray, order: int) -> np.ndarray:
    s, c = np.sin(x), np.cos(x)
    return np.stack([(s, c, -s, -c)[k % 4] for k in range(order + 1)])


_RECURRENCES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "tanh": _tanh,
    "swish": _swish,
    "softplus": _softplus,
    "gelu": _gelu,
    "erf": _erf,
    "sin": _sin,
}
