"""Gradients do not fluctuate where the sum of 1/n_l is small, however deep the network."""

from __future__ import annotations

import math
from collections.abc import Iterator

from netsim.claims.check import Check, bound, equal
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.gradient_ratio import (
    exact_excess,
    excess_terms,
    first_order_excess,
    measured_excess,
    ratio_pulls,
)
from netsim.claims.hierarchy.gradients_if import SLOPES
from netsim.networks.network import network

__all__ = ["CLAIM", "homogeneous", "kernel_zero", "simulated"]

SMALL, MOST = 1 / 32, 0.2  # s, and what R - 1 stays below
DEEPEST = 2048
FIRST = 8 / 3  # K* = 0: R - 1 = (8/3) L/n + ...


def _checks(trial: Trial) -> Iterator[Check]:
    for name in SLOPES:
        yield from homogeneous(trial, name, DEEPEST)
    for name in ("tanh", "erf", "sin"):
        yield from kernel_zero(trial, name, DEEPEST)
    for name in ("tanh", "relu"):
        yield from simulated(trial, name, 8, 4 * 65536)


def _depths(deepest: int) -> list[int]:
    return [2**k for k in range(2, 1 + round(math.log2(deepest)), 1 if deepest < 256 else 3)]


def homogeneous(trial: Trial, name: str, deepest: int) -> Iterator[Check]:
    """Exact, at n = 32 L."""
    v = SLOPES[name]
    for L in _depths(deepest):
        excess = exact_excess(network(name, width=32 * L, depth=L))
        place = {"series": name, "x": float(L)}
        yield bound(f"R - 1 of {name}, L = {L}, n = {32 * L}", excess, 0.0, MOST, **place)
        value = trial.scaled("product", math.expm1(L * math.log1p(v / (32 * L))))
        about = f"R - 1 of {name}, L = {L}, beside its product"
        yield equal(about, excess, value, 2e-7 * value, knob="product")


def kernel_zero(trial: Trial, name: str, deepest: int, shallow: int = 16) -> Iterator[Check]:
    """The first order in 1/n at every depth, with room for the next.

    The term of n^-2 is b (L/n)^2, b from a shallow network (it falls with L); twice that is left
    free. The first order comes from a recursion in one variable, beside the one of several fields.
    """
    terms = first_order_excess(network(name, width=1, depth=deepest), 1.0)
    series = excess_terms(network(name, width=1, depth=shallow), 1.0)[shallow]
    value = trial.scaled("first_order", series[1])
    about = f"n (R - 1) of {name} at L = {shallow}"
    yield equal(about, terms[shallow], value, 2e-7 * value, knob="first_order")
    for L in _depths(deepest):
        yield bound(
            f"R - 1 of {name}, L = {L}, n = {32 * L}, first order in 1/n",
            terms[L] / L * SMALL,
            0.0,
            MOST - 2 * abs(series[2]) * (SMALL / shallow) ** 2,
            series=name,
            x=float(L),
        )
    slope, about = trial.scaled("slope", FIRST), f"n (R - 1)/L of {name} at L = {deepest}"
    yield equal(f"{about}, first order", terms[-1] / deepest, slope, 0.015 * slope, knob="slope")


def simulated(trial: Trial, name: str, depth: int, draws: int) -> Iterator[Check]:
    """s = 1/64 and 1/32, beside theory at the same n and L."""
    net = network(name, width=32 * depth, depth=depth)
    rows = measured_excess(trial, net, [depth // 2, depth], draws, seed=32 * depth)
    yield from ratio_pulls(trial, "ratio", net, rows)
    for L, row in rows.items():
        assert row.error is not None
        yield bound(
            f"R - 1 of {name}, L = {L}, n = {32 * depth}, measured",
            row.value / 3,
            0.0,
            MOST,
            row.error / 3,
            uncertainty=math.inf if "unreliable" in row.flags else 0.0,
        )


CLAIM = Claim(
    name="gradients-only-if",
    statement=(
        "At criticality gradients fluctuate only if s = sum 1/n_l is large: at s <= 1/32 R - 1 <= 0.2 "
        "at every depth, here to 2048, for homogeneous activations and where K* = 0. There R - 1 = v "
        "s and (8/3) s to first order."
    ),
    source=(
        "Hanin, arXiv 2204.01058: exploding and vanishing gradients iff L/n is large. Derived: from "
        "the covariance recursion of S_00, S_01, S_11, Var(S_11)/K_11^2 = (2 + (2/3) (b_1/a_1)^2) L/n "
        "where F(K) = K + a_1 K^2 + ..., chi_perp = 1 + b_1 K + ...; a_1 = b_1 for odd activations."
    ),
    checks=_checks,
    rejects={"product": 1e-6, "first_order": 1e-6, "slope": 0.03, "ratio": 0.03},
    knobs={
        "product": "R - 1 by the product over layers",
        "first_order": "the first order of R - 1 by two recursions",
        "slope": "8/3, the slope of R - 1 in L/n where K* = 0",
        "ratio": "R - 1 beside simulation",
    },
    axes=Axes("L", "R - 1 at sum 1/n_l = 1/32", log_x=True),
    command="netsim sweep experiment=gradients",
)
