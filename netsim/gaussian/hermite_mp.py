"""Powers of sigma(z)^2 and all their K-derivatives to any number of digits, built-in activations.

The integrals of `netsim.gaussian.hermite`, <y^j h_q>_K with h_q = He_{2q}(g)/(2^q q!), by the
trapezoidal rule in g = z/sqrt K. For a smooth sigma its error falls like exp(-c/step), so halving the
step doubles the digits. The nodes do not depend on K; the square root of the density goes to h_q and
to y^j each, which bounds both, and the sums are exact sums of integers in units of 2^-bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from mpmath import MPContext

from netsim.gaussian.hermite import reach
from netsim.networks.activation import Activation

__all__ = ["BUILT_IN", "MP", "fixed", "fixed_taylor", "mp_function", "unfixed"]

MP: Any = MPContext()  # our own: the global precision of mpmath is the user's
_HALVINGS = 16

# mpmath's context and x -> sigma(x); piecewise linear sigma need no integrals
BUILT_IN: dict[str, Callable[[Any, Any], Any]] = {
    "tanh": lambda mp, x: mp.tanh(x),
    "erf": lambda mp, x: mp.erf(x),
    "sin": lambda mp, x: mp.sin(x),
    "gelu": lambda mp, x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    "swish": lambda mp, x: x / (1 + mp.exp(-x)),
    "softplus": lambda mp, x: mp.log1p(mp.exp(x)),
}


def mp_function(sigma: Activation) -> Callable[[Any], Any]:
    """sigma for numbers of the context `MP`, at its working precision.

    **Raises:** `ValueError` for activations that are not built in: they are float64 functions.
    """
    if sigma.version == "" and sigma.name in BUILT_IN:
        function = BUILT_IN[sigma.name]
        return lambda x: function(MP, x)
    if sigma.version == "" and sigma.name.startswith("polynomial("):
        space = SimpleNamespace(ones_like=lambda x: 1)
        return lambda x: sigma.functions[0](x, space)
    raise ValueError(
        f"activation {sigma.name} is known in float64 only; more digits exist for "
        f"{', '.join(sorted(BUILT_IN))}, polynomial([...]) and piecewise linear ones: leave out digits"
    )


@dataclass(frozen=True)
class _Grid:
    """Nodes g = 0, step, 2 step, ..., each for both signs.

    **Fields:** `weight`, of both signs alike (half at 0); `root` of it and `hermite` = root h_q,
    (N,) and (order+1, N), in units of 2^-bits.
    """

    g: list
    weight: list
    root: np.ndarray
    hermite: np.ndarray


@lru_cache(maxsize=8)  # of layer after layer
def _grid(step: float, top: float, order: int, bits: int) -> _Grid:
    with MP.workprec(bits):
        g = [MP.mpf(step) * i for i in range(math.ceil(top / step) + 1)]
        front = MP.mpf(step) / MP.sqrt(2 * MP.pi)
        weight = [front * MP.exp(-x * x / 2) for x in g]
        weight[0] /= 2
        root = fixed([MP.sqrt(w) for w in weight], bits)
        t = fixed([x * x / 2 for x in g], bits)
    h = np.zeros((order + 1, len(g)), dtype=object)
    h[0] = root
    for q in range(order):
        h[q + 1] = ((t - ((4 * q + 1) << (bits - 1))) * h[q]) >> bits
        if q:
            h[q + 1] -= ((2 * q - 1) * h[q - 1]) >> 1
        h[q + 1] //= q + 1
    return _Grid(g, weight, root, h)


def fixed(values: Iterable, bits: int) -> np.ndarray:
    """Numbers of the context `MP` in units of 2^-bits: an object array of integers."""
    whole = [int(MP.nint(MP.ldexp(value, bits))) for value in values]
    found = np.empty(len(whole), dtype=object)
    found[:] = whole
    return found


def unfixed(values: np.ndarray, bits: int) -> np.ndarray:
    """Numbers of the context `MP`, rounded to its precision, from integers in units of 2^-bits."""
    found = np.empty(values.shape, dtype=object)
    found.ravel()[:] = [MP.ldexp(MP.mpf(value), -bits) for value in values.ravel()]
    return found


def fixed_taylor(
    sigma: Activation, K: Any, degrees: Sequence[int], bits: int, rule: tuple[int, float]
) -> tuple[Any, list[np.ndarray]]:
    """<sigma^2>_K and the coefficients of x^q in <y^j>_{K (1 + x)}, y = sigma^2/<sigma^2>_K - 1.

    **Arguments:** `K` > 0, of the context `MP`; `degrees` in x for j = 1, 2, ..., descending; `rule`:
    the digits wanted of the trapezoidal rule, and the step to start from.

    **Returns:** the mean, and for every j the coefficients q = 0..degrees[j-1] in units of 2^-bits.

    **Raises:** `ValueError` for activations that are not built in.
    """
    digits, step = rule
    growth = max(1.0, sigma.growth)
    most = max(2 * d + 2 * growth * j for j, d in enumerate(degrees, 1))
    top = reach(most, digits * math.log(10) + 10)
    function = mp_function(sigma)
    known: dict[Any, tuple] = {}
    with MP.workdps(digits + 8):  # what bits hold beyond that is room for large moments
        s = MP.sqrt(K)
        for _ in range(_HALVINGS):
            grid = _grid(step, top, degrees[0], bits)
            for x in grid.g:
                if x not in known:
                    known[x] = function(s * x) ** 2, function(-s * x) ** 2
            squares = [known[x] for x in grid.g]
            mean = MP.fdot(grid.weight, [a + b for a, b in squares])
            y = np.stack([fixed([side[i] / mean - 1 for side in squares], bits) for i in (0, 1)])
            table, gap = _table(grid, y, degrees, bits)
            if gap < 10.0 ** (-digits / 2):  # with twice the step: this step has all digits
                return mean, table
            step /= 2
    raise ValueError(
        f"activation {sigma.name} at K={MP.nstr(K, 5)}: the trapezoidal rule does not reach "
        f"{digits} digits; ask for fewer"
    )


def _table(
    grid: _Grid, y: np.ndarray, degrees: Sequence[int], bits: int
) -> tuple[list[np.ndarray], float]:
    """The sums, and how far those over every second node are from them.

    The gap is taken of all q for j = 1 and of q = 0 for the others, relative to sums of |terms|.
    """
    table, gap = [], 0.0
    power = np.stack([grid.root, grid.root])
    for j, degree in enumerate(degrees, 1):
        power = (power * y) >> bits
        both = power.sum(axis=0)
        h = grid.hermite[: degree + 1]
        total = h @ both
        table.append(total >> bits)
        tested = h if j == 1 else h[:1]
        half = 2 * (tested[:, ::2] @ both[::2])
        size = np.abs(tested) @ np.abs(both)
        gap = max(
            [gap, *(abs(a - b) / (c + 1) for a, b, c in zip(total, half, size, strict=False))]
        )
    return table, gap
