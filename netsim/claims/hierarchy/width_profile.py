"""With unequal widths L/n becomes a weighted sum of 1/n_l, and the weights depend on the class."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from netsim.claims.check import Check, bound, equal
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.measured import pulls
from netsim.networks.critical import critical_couplings
from netsim.networks.input_sets import build
from netsim.networks.inputs_transform import norm2_for_kernel
from netsim.networks.network import network
from netsim.theory.hierarchy.one_input import cumulant_series

__all__ = ["CLAIM", "flat_weights", "halves", "simulated", "weight", "weight_exponents"]

WIDE = 10**13  # a layer that adds nothing
DEPTH = 1024
HALVES = {"first": 0.375, "second": 0.625}  # of L/n, n the smaller width


def _checks(trial: Trial) -> Iterator[Check]:
    for name in ("tanh", "erf", "sin"):
        yield from weight_exponents(trial, name, DEPTH)
        yield from halves(trial, name, DEPTH)
    for name in ("relu", "linear", "gelu", "swish"):
        yield from flat_weights(trial, name, 64)
    for name, depth in (("tanh", 16), ("relu", 8)):
        yield from simulated(trial, name, depth, 6 * 65536)


@lru_cache(maxsize=64)
def weight(name: str, widths: tuple[int, ...]) -> float:
    """kappa_4/kappa_2^2 behind these layers to first order in 1/n; at K* where there is one."""
    net = network(name, widths=widths)
    C_b, C_W, K = critical_couplings(net.activation)
    found = cumulant_series(net, norm2_for_kernel(K, C_b, C_W) if K else 1.0, 1).coefficients[-1]
    return float(found[1, 1] / found[0, 0] ** 2 / widths[0])


def _one_narrow(l: int, depth: int) -> tuple[int, ...]:
    """Widths of which only layer l counts: the sum is then its weight."""
    return tuple(1 if m == l else WIDE for m in range(1, depth + 1))


def weight_exponents(trial: Trial, name: str, depth: int) -> Iterator[Check]:
    """K* = 0: weights 2 l^2/L^2 (1 + O(log l/l)), so their local log-slope in l is 2."""
    w = {l: weight(name, _one_narrow(l, depth)) for l in (depth // 2, depth)}
    l, room = depth // 2, 8 * math.log(depth // 2) / (depth // 2)
    slope, q = math.log2(w[depth] / w[l]), trial.shifted("exponent", 2.0)
    yield bound(
        f"slope in l of the weight of layer l between l = {l} and {depth} = L, {name}",
        slope,
        q - room,
        q + room,
        knob="exponent",
        unit=1.0,
    )
    yield equal(
        f"weight of the last layer, {name}, L = {depth}",
        w[depth],
        trial.scaled("halves", 2.0),
        0.03,
        knob="halves",
    )


def halves(trial: Trial, name: str, depth: int) -> Iterator[Check]:
    """Half of the layers of width n, the others of width 2n: 3/8 or 5/8 of L/n."""
    half = depth // 2
    for place, share in HALVES.items():
        widths = [1] * half + [2] * half if place == "first" else [2] * half + [1] * half
        share = trial.scaled("halves", share)
        yield equal(
            f"kappa_4/kappa_2^2 over L/n with the {place} half of the layers of width n, the other of "
            f"2n, {name}, L = {depth}",
            weight(name, tuple(widths)) / depth,
            share,
            0.015 * share,
            knob="halves",
        )


def flat_weights(trial: Trial, name: str, depth: int) -> Iterator[Check]:
    """F' = 1 at every layer: each adds c/n_l, c = C_W^2 Var(sigma^2)/K^2."""
    last = weight(name, _one_narrow(depth, depth))
    for l in (1, depth // 4, depth // 2):
        yield equal(
            f"weight of layer {l} over that of the last one, {name}, L = {depth}",
            weight(name, _one_narrow(l, depth)) / last,
            trial.scaled("flat", 1.0),
            1e-7,
            knob="flat",
        )


def simulated(trial: Trial, name: str, depth: int, draws: int) -> Iterator[Check]:
    """The same widths in two orders, beside the exact law of each."""
    inputs, half = build("single", norm2=1.0), depth // 2
    orders = {"narrow first": [32] * half + [64] * half, "narrow last": [64] * half + [32] * half}
    if name == "relu":  # heavier tails
        orders = {words: [2 * n for n in widths] for words, widths in orders.items()}
    for seed, (words, widths) in enumerate(orders.items()):
        n = min(widths)
        yield from pulls(
            trial,
            "profile",
            network(name, widths=widths),
            inputs,
            [f"kappa4/kappa2^2@{depth + 1}"],
            draws,
            seed=seed,
            series=f"{name}, {words}",
            x=lambda row, n=n: depth / n,
        )


CLAIM = Claim(
    name="width-profile",
    statement=(
        "With unequal widths kappa_4/kappa_2^2 is to first order a weighted sum of 1/n_l. Where K* = "
        "0 layer l weighs 2 l^2/L^2: late layers count, and narrowing the first or the second half of "
        "the layers from 2n to n gives 0.375 or 0.625 L/n. In the scale-invariant class, and at K* > "
        "0, all layers weigh the same, v, and for homogeneous activations their order does not matter "
        "at any width."
    ),
    source=(
        "Derived from the recursion V' = G + F'^2 V of Hanin, arXiv 2204.01058: layer l weighs G_l "
        "n_l prod_{m>l} F'(K_m)^2. Where K* = 0, G n_l = 2 K_l^2, K_l ~ 1/l and F' = 1 - 2/l, so the "
        "product is (l/L)^4; at K* > 0 and for homogeneous activations F' is 1 or drops out."
    ),
    checks=_checks,
    rejects={"exponent": 0.25, "halves": 0.03, "flat": 1e-6, "profile": 0.03},
    knobs={
        "exponent": "the power of l in the weights where K* = 0",
        "halves": "0.375, 0.625 and the weight 2 of the last layer",
        "flat": "the ratio of two weights at K* > 0 and for homogeneous activations",
        "profile": "kappa_4/kappa_2^2 at finite widths",
    },
    axes=Axes("L/n, n the smaller width", "kappa_4/kappa_2^2"),
    command="netsim sweep experiment=width_profile",
)
