"""Tensors of the NTK of one input and of weight blocks, for two kernels with rates of their own.

Means are linear in the rates (lambda_W, lambda_b), A and B quadratic, so those of two kernels follow
from three runs of one recursion:

    A(r, r') = [A(r + t r') - A(r) - t^2 A(r')] / (2 t),

t a power of two that brings both to one size; in exact arithmetic r + t r' is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.networks.parameter_blocks import Rates, block_rates
from netsim.theory.base import OutsideDomain
from netsim.theory.limits import norm2_of
from netsim.theory.ntk.exact import NTKExact, ntk_exact
from netsim.theory.ntk.first_order import NTKFirstOrder, ntk_first_order
from netsim.theory.ntk.legs import Blocks

__all__ = ["Tensor", "exact_tensor", "first_order_tensor", "missing"]

_EPS = float(np.finfo(float).eps)
Found = dict[str, Any]  # tensors by name, and their errors under "error"


@dataclass(frozen=True)
class Tensor:
    """One tensor at rows l = 0..L.

    **Fields:** `value`; `first`: the part of it of order 1/n; `error`, numerical; `truncation`;
    `missing`: the size of what is left out, or None.
    """

    value: np.ndarray
    first: np.ndarray
    error: np.ndarray
    truncation: str | int
    missing: np.ndarray | None = None


def exact_tensor(
    network: Network, inputs: Inputs, name: str, tensor: str, blocks: Blocks
) -> Tensor:
    """`tensor` of the input `name`, piecewise linear activations.

    **Raises:** `OutsideDomain` for P and Q, and x = 0 without bias.
    """
    if tensor in ("P", "Q"):
        raise OutsideDomain("statistics of dH are known to first order in 1/n")
    x2 = norm2_of(inputs, name)

    def solve(rates: Rates) -> Found:
        found = vars(_exact(network, x2, rates))
        return found | {"error": {key: _EPS * np.abs(value) for key, value in found.items()}}

    try:
        value, error = _bilinear(solve, _rates(network, inputs, blocks), tensor)
    except ValueError as problem:
        raise OutsideDomain(str(problem)) from problem
    return Tensor(value, value, error, "exact")


def first_order_tensor(
    network: Network, inputs: Inputs, name: str, tensor: str, blocks: Blocks
) -> Tensor:
    """`tensor` of the input `name` to order 1/n; of `K` and `H` with their limits.

    **Raises:** `ValueError` for a kernel K = 0 where sigma has a kink.
    """
    x2, every = norm2_of(inputs, name), _rates(network, inputs, blocks)

    def solve(rates: Rates) -> Found:
        return vars(_first_order(network, x2, rates))

    found = [solve(rates) for rates in every]
    if tensor not in ("K", "H"):
        value, error = _bilinear(solve, every, tensor)
        return Tensor(value, value, error, 1, missing(found, tensor))
    limit, first = found[0][tensor], found[0][tensor + "1"]
    error = found[0]["error"][tensor] + found[0]["error"][tensor + "1"]
    return Tensor(limit + first, first, error, 1, missing(found, tensor))


def missing(found: list[Found], tensor: str) -> np.ndarray:
    """What is left out beyond 1/n, (L+1,): an estimate, not a bound.

        rho = Var S/K^2 + Var H/H^2   times   A: Var H/2;  B: B;  F: |F|;  D: sqrt(Var S Var H)/2;
        K, H: |K1|, |H1|, at least rho K/20, rho H/20;  P, Q: |P| + |Q|

    (for two kernels the geometric means of Var H and B, and the larger rho). What exact results of
    piecewise linear activations leave out is 0.1 to 0.9 of it; simulations of six activations agree
    (B of softplus: 1.3). 0 in layers 1 and 2, which first order describes exactly.
    """
    variance = [f["A"] + 2 * f["B"] for f in found]
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.max(
            [
                np.nan_to_num(f["V"] / f["K"] ** 2) + np.nan_to_num(v / f["H"] ** 2)
                for f, v in zip(found, variance, strict=True)
            ],
            axis=0,
        )
    one, last = found[0], found[-1]
    if tensor in ("K", "H"):
        size = np.maximum(np.abs(one[tensor + "1"]), rho * np.abs(one[tensor]) / 20)
    elif tensor in ("P", "Q"):
        size = np.abs(one["P"]) + np.abs(one["Q"])
    elif tensor == "D":
        size = np.sqrt(one["V"] * variance[0]) / 2
    elif tensor == "F":
        size = np.abs(one["F"])
    else:
        sizes = [f["B"] for f in (one, last)] if tensor == "B" else [v / 2 for v in variance]
        size = np.sqrt(sizes[0] * sizes[-1])
    return np.where(np.arange(len(rho)) < 2, 0.0, rho * size)


def _rates(network: Network, inputs: Inputs, blocks: Blocks) -> list[Rates]:
    return [block_rates(network, inputs.dimension, block) for block in blocks or (None,)]


def _bilinear(
    solve: Callable[[Rates], Any], every: list[Rates], tensor: str
) -> tuple[np.ndarray, np.ndarray]:
    """The tensor of one or two kernels, and its error."""
    first = solve(every[0])
    if every[0] == every[-1]:
        return first[tensor], first["error"][tensor]
    last = solve(every[-1])
    largest = [float(np.max(found["H"])) for found in (first, last)]
    t = (
        Fraction(2) ** round(math.log2(largest[0] / largest[1]))
        if min(largest) > 0
        else Fraction(1)
    )
    both = solve(_sum(every[0], every[-1], t))
    t = float(t)
    parts = [(1.0, both), (-1.0, first), (-t * t, last)]
    value = sum(c * found[tensor] for c, found in parts) / (2 * t)
    error = sum(
        abs(c) * (found["error"][tensor] + _EPS * np.abs(found[tensor])) for c, found in parts
    )
    return np.asarray(value), np.asarray(error / (2 * t))


def _sum(first: Rates, last: Rates, t: Fraction) -> Rates:
    weight, bias = (
        tuple(Fraction(a) + t * Fraction(b) for a, b in zip(one, other, strict=True))
        for one, other in zip(first, last, strict=True)
    )
    return weight, bias


@lru_cache(maxsize=256)
def _exact(network: Network, x2: float, rates: Rates) -> NTKExact:
    return ntk_exact(network, x2, *rates)


@lru_cache(maxsize=256)
def _first_order(network: Network, x2: float, rates: Rates) -> NTKFirstOrder:
    return ntk_first_order(network, x2, *rates)
