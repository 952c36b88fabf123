"""Gradients fluctuate from network to network, exponentially in the sum of 1/n_l."""

from __future__ import annotations

import math
from collections.abc import Iterator

from netsim.claims.check import LIMIT, Check, bound, equal, unjudged
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.gradient_limit import limit_of_R
from netsim.claims.hierarchy.gradient_ratio import exact_excess, measured_excess, ratio_pulls
from netsim.networks.network import network

__all__ = ["CLAIM", "SLOPES", "exact", "in_the_limit", "measured", "simulated"]

WIDTHS, SUMS = (16, 64, 256), (0.25, 0.5, 1.0, 2.0)
SLOPES = {"relu": 5, "linear": 2}  # n (E X^2 - 1) of one layer's factor X of S_11
# K* = 0: log(R)/s of the limit falls from 8/3 at s -> 0 to 2.1 at s = 2; finite n moves it by a tenth
C1, C2 = 1.5, 3.0


def _checks(trial: Trial) -> Iterator[Check]:
    for name in SLOPES:
        yield from exact(trial, name)
        yield from simulated(trial, name, 4, 24 * 65536)
    for n, draws in ((16, 8 * 65536), (32, 4 * 65536), (64, 2 * 65536)):
        yield from measured(trial, "tanh", n, draws)
    yield from in_the_limit(trial)
    if trial.thorough:
        for name in ("erf", "sin"):
            yield from measured(trial, name, 16, 4 * 65536)


def exact(trial: Trial, name: str) -> Iterator[Check]:
    """R = prod (1 + v/n_l): n log(1 + v/n) rises with n towards v, which gives c1 and c2."""
    v = SLOPES[name]
    c1, c2 = (1 - 1e-9) * min(WIDTHS) * math.log1p(v / min(WIDTHS)), float(v)
    for n in WIDTHS:
        for s in SUMS:
            R = 1 + exact_excess(network(name, width=n, depth=round(s * n)))
            product = trial.scaled("product", math.prod([1 + v / n] * round(s * n)))
            yield equal(
                f"R of {name}, n = {n}, s = {s}", R, product, 2e-7 * product, knob="product"
            )
            yield _between(f"{name}, n = {n}, s = {s}", math.log(R) / s, (c1, c2), 0.0, name, s)


def simulated(trial: Trial, name: str, depth: int, draws: int) -> Iterator[Check]:
    """s = 1/4, beside the exact value."""
    net = network(name, width=4 * depth, depth=depth)
    rows = measured_excess(trial, net, [depth], draws, seed=4 * depth)
    yield from ratio_pulls(trial, "ratio", net, rows)


def measured(trial: Trial, name: str, n: int, draws: int, depth: int = 32) -> Iterator[Check]:
    """log R/s of one deep run, at all s that it reaches."""
    net = network(name, width=n, depth=depth)
    depths = [round(s * n) for s in SUMS if s * n <= depth]
    for L, row in measured_excess(trial, net, depths, draws, seed=n).items():
        s, R = L / n, 1 + row.value / 3
        assert row.error is not None
        about, error = f"{name}, n = {n}, s = {s}", row.error / (3 * R * s)
        if "unreliable" in row.flags:
            yield unjudged(f"log(R)/s of {about}", "unreliable", math.log(R) / s, error)
        else:
            yield _between(about, math.log(R) / s, (C1, C2), error, name, s)


def in_the_limit(trial: Trial) -> Iterator[Check]:
    """K* = 0, n and L to infinity at fixed s: the curve that finite widths come down to."""
    for s in SUMS:
        R, error = limit_of_R(s)
        about = f"tanh, erf, sin, n to infinity, s = {s}, R = {R:.4g}"
        size = error / (R * s * LIMIT)  # numerical, and all of it
        yield _between(about, math.log(R) / s, (C1, C2), size, "K* = 0, n to infinity", s)
    # (R - 1)/s at s = 1/4, 1/8, 1/16 is a parabola in s as far as it matters
    slopes = [(limit_of_R(2.0**-k)[0] - 1) * 2**k for k in (2, 3, 4)]
    first = trial.scaled("limit", 8 / 3)  # of the covariance recursion, at large L
    yield equal(
        "(R - 1)/s of the limit at s = 1/4, 1/8, 1/16 continued to 0",
        (slopes[0] - 6 * slopes[1] + 8 * slopes[2]) / 3,
        first,
        0.015 * first,
        knob="limit",
    )


def _between(about: str, value: float, limits: tuple[float, float], error, name, s) -> Check:
    return bound(
        f"log(R)/s of {about}, c1 = {limits[0]:.4g}, c2 = {limits[1]:.4g}",
        value,
        *limits,
        error,
        series=name,
        x=s,
    )


CLAIM = Claim(
    name="gradients-if",
    statement=(
        "At criticality gradients fluctuate if s = sum 1/n_l is large: R = E[Z^4]/(3 E[Z^2]^2), Z = "
        "D_v z with v orthogonal to x, obeys exp(c1 s) <= R <= exp(c2 s) for s = 1/4..2. For "
        "homogeneous activations R = prod (1 + v/n_l) exactly, v = 5 (ReLU), 2 (linear), so c2 = v "
        "and c1 = n log(1 + v/n) at the smallest n. Where K* = 0, R tends to one curve at fixed s as "
        "n grows, with log(R)/s falling from 8/3 to 2.1 at s = 2; c1 = 3/2 and c2 = 3 hold at finite "
        "n."
    ),
    source=(
        "Hanin, arXiv 2204.01058: exploding and vanishing gradients iff L/n is large; Hanin, arXiv "
        "1801.03744, for ReLU. Derived: given the signs of z, S_11 of ReLU is multiplied in each "
        "layer by 2/n times a chi^2 of Bin(n, 1/2) degrees, second moment 1 + 5/n; of a linear "
        "network by chi^2_n/n, 1 + 2/n. K* = 0: Kolmogorov's backward equation of the diffusion of "
        "S_00, S_01, S_11."
    ),
    checks=_checks,
    rejects={"product": 1e-6, "ratio": 0.03, "limit": 0.03},
    knobs={
        "product": "R by the product over layers",
        "ratio": "R - 1 beside simulation at s = 1/4",
        "limit": "the slope of R - 1 at s -> 0 where K* = 0",
    },
    axes=Axes("s", "log(R)/s", log_x=True),
    command="netsim sweep experiment=gradients",
)
