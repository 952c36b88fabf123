"""Where the statement about gradients does not apply: three controls."""

from __future__ import annotations

import math
from collections.abc import Iterator

from netsim.claims.check import Check, bound, equal, pull
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.gradient_ratio import (
    FIELDS,
    excess_terms,
    gradient_inputs,
    measured_excess,
    ratio_pulls,
)
from netsim.claims.hierarchy.gradients_only_if import MOST, SMALL
from netsim.claims.measured import estimates, predicted
from netsim.compare import uncertainty
from netsim.gaussian.one_field import derivative, expectation
from netsim.networks.critical import critical_couplings
from netsim.networks.inputs_transform import norm2_for_kernel
from netsim.networks.network import network
from netsim.theory.infinite_width import kernels
from netsim.theory.susceptibility import chi_perp

__all__ = [
    "CLAIM",
    "half_stable_terms",
    "half_stable",
    "measured_growth",
    "off_critical",
    "orthogonal",
    "violated",
]

OFF = {"ordered": (0.8, 0.1), "chaotic": (3.0, 0.0)}  # C_W, C_b of tanh


def _checks(trial: Trial) -> Iterator[Check]:
    for words in OFF:
        yield from off_critical(trial, words, 8, 65536)
    yield from orthogonal(trial, 8, 65536)
    for name in ("gelu", "swish"):
        yield from half_stable(trial, name, 64)
        yield from violated(trial, name)
    yield from measured_growth(trial, "gelu", 256, 16, 4 * 65536)


def off_critical(trial: Trial, words: str, depth: int, draws: int) -> Iterator[Check]:
    """At s = 1/32 the mean of Z^2 moves by prod chi_perp, whatever n."""
    C_W, C_b = OFF[words]
    net = network("tanh", width=32 * depth, depth=depth, weight_variance=C_W, bias_variance=C_b)
    inputs = gradient_inputs()
    name = f"cum[z1a'u^2]@{depth + 1}"
    row = estimates(net, inputs, [name], trial.draws(draws), seed=depth)[name]
    exact = predicted(net, inputs, [name])[name]
    own, first = uncertainty(exact), C_W
    assert row.error is not None
    about = f"tanh, {words}, C_W = {C_W}, n = {32 * depth}, L = {depth}"
    yield pull(
        f"E Z^2 over its value in layer 1, {about}",
        row.value / first,
        trial.scaled("mean", exact.value / first),
        row.error / first,
        uncertainty=math.inf if own is None else own / first,
        draws=row.draws,
        knob="mean",
    )
    moved = abs(math.log(row.value / first))
    yield bound(f"size of the logarithm of it, {about}", moved, 0.5, None, row.error / row.value)
    yield from _rate(trial, words, 192)


def _rate(trial: Trial, words: str, depth: int) -> Iterator[Check]:
    """One deep layer multiplies E Z^2 by chi_perp at the fixed point, here at infinite width."""
    C_W, C_b = OFF[words]
    net = network("tanh", width=1, depth=depth, weight_variance=C_W, bias_variance=C_b)
    K = kernels(net, gradient_inputs().gram(FIELDS), FIELDS).values
    rate = trial.scaled("rate", chi_perp(net.activation, C_W, K[-2, 0, 0])[0])
    yield equal(
        f"E Z^2 of layer {depth + 1} over layer {depth}, tanh, {words}, beside chi_perp",
        K[-1, 1, 1] / K[-2, 1, 1],
        rate,
        2e-7 * rate,
        knob="rate",
    )


def orthogonal(trial: Trial, n: int, draws: int) -> Iterator[Check]:
    """Linear networks with orthogonal weights: every draw has the same S_11; s = 1."""
    net = network("linear", width=n, depth=n, weights="orthogonal")
    inputs = gradient_inputs(dimension=n)  # the first layer must not narrow either
    names = [f"cum[Sa'ua'u]@{n}", f"cum[Sa'ua'u^2]@{n}"]
    found = estimates(net, inputs, names, trial.draws(draws), sampler="dense", seed=n)
    mean, variance = (row.value for row in found.values())
    yield equal(
        f"Var(S_11)/E(S_11)^2 of linear, orthogonal weights, n = L = {n} (Gaussian weights: "
        f"{math.expm1(n * math.log1p(2 / n)):.3g})",
        variance / mean**2,
        trial.shifted("orthogonal", 0.0),
        2e-7,
        knob="orthogonal",
        unit=1.0,
    )


def half_stable_terms(name: str, depth: int) -> float:
    """n (R - 1) at K* to first order, in closed form.

    With c = C_W^2 Var(sigma^2), b = C_W^2 Cov(sigma^2, sigma'^2), w = 3 C_W^2 <sigma'^4> - 1, chi' =
    d chi_perp/dK, in units of 1/n and of K_11: V_l = c l feeds C_l = Cov(S_00, S_11), and both feed
    W_l = Var(S_11),

        C_{l+1} = C_l + b + chi' V_l,   W_{l+1} = W_l + w + chi'^2 V_l + 2 chi' C_l,

    so W_L = w L + (chi'^2 c + 2 chi' b) L(L-1)/2 + chi'^2 c L(L-1)(L-2)/3.
    """
    sigma = network(name, width=1, depth=1).activation
    _, C_W, K = critical_couplings(sigma)
    assert K is not None

    def mean(f) -> float:
        return float(expectation(f, K, sigma=sigma)[0])

    f, slope = sigma.numpy, lambda z: sigma.numpy(z, 1)
    square, perp = mean(lambda z: f(z) ** 2), mean(lambda z: slope(z) ** 2)
    c = C_W**2 * (mean(lambda z: f(z) ** 4) - square**2)
    b = C_W**2 * (mean(lambda z: (f(z) * slope(z)) ** 2) - square * perp)
    w = C_W**2 * (3 * mean(lambda z: slope(z) ** 4) - perp**2)
    chi = C_W * float(derivative(lambda z: slope(z) ** 2, K, 1, sigma=sigma)[0])
    L = depth
    return (
        w * L
        + (chi**2 * c + 2 * chi * b) * L * (L - 1) / 2
        + chi**2 * c * L * (L - 1) * (L - 2) / 3
    )


def half_stable(trial: Trial, name: str, depth: int) -> Iterator[Check]:
    """The closed form beside the covariance recursion of S_00, S_01, S_11."""
    terms = excess_terms(network(name, width=1, depth=depth), _norm2(name))[:, 1]
    for L in (depth // 4, depth // 2, depth):
        value = trial.scaled("half_stable", half_stable_terms(name, L))
        about = f"n (R - 1) of {name} at K*, L = {L}"
        yield equal(about, terms[L], value, 2e-7 * value, knob="half_stable")


def violated(trial: Trial, name: str) -> Iterator[Check]:
    """At s = 1/32 the first order of R - 1 passes 0.2 and grows as L^2."""
    for L in (256, 4096):
        yield bound(
            f"R - 1 of {name} at K*, L = {L}, n = {32 * L}, first order in 1/n",
            half_stable_terms(name, L) / L * SMALL,
            MOST,
            None,
            series=name,
            x=float(L),
        )
    slope = math.log2(half_stable_terms(name, 8192) / half_stable_terms(name, 4096))
    p = trial.shifted("exponent", 3.0)
    about = f"slope in L of n (R - 1) of {name} at L = 8192"
    yield bound(about, slope, p - 0.1, p + 0.1, knob="exponent", unit=1.0)


def measured_growth(trial: Trial, name: str, n: int, depth: int, draws: int) -> Iterator[Check]:
    """R - 1 beside theory at the same n and L."""
    net, norm2 = network(name, width=n, depth=depth), _norm2(name)
    rows = measured_excess(trial, net, [depth // 2, depth], draws, norm2=norm2, seed=n)
    yield from ratio_pulls(trial, "ratio", net, rows, norm2=norm2)


def _norm2(name: str) -> float:
    C_b, C_W, K = critical_couplings(network(name, width=1, depth=1).activation)
    assert K is not None
    return norm2_for_kernel(K, C_b, C_W)


CLAIM = Claim(
    name="gradient-controls",
    statement=(
        "Three controls. Off criticality E Z^2 itself grows or decays, by chi_perp a layer, however "
        "small s = sum 1/n_l. Linear networks with orthogonal weights have the same |D_v z|^2 in "
        "every draw at any s. Half-stable activations (GELU, swish at K*) violate the 'only if': "
        "kernel fluctuations feed chi_perp in every layer, so R - 1 grows as (1/3) c chi'^2 L^3/n, "
        "chi' = d chi_perp/dK, and exceeds every bound at fixed s."
    ),
    source=(
        "Derived from the covariance recursion of S_00, S_01, S_11 (Hanin, arXiv 2204.01058; Roberts, "
        "Yaida and Hanin, arXiv 2106.10165): at K*, V = c L/n, Cov(S_00, S_11) takes chi' V and "
        "Var(S_11) takes chi'^2 V + 2 chi' Cov(S_00, S_11) in each layer. Orthogonal: |W h| = |h| for "
        "layers that do not narrow."
    ),
    checks=_checks,
    rejects={
        "mean": 0.03, "rate": 1e-6, "orthogonal": 1e-6, "half_stable": 1e-6, "ratio": 0.03,
        "exponent": 0.25,
    },
    knobs={
        "mean": "E Z^2 off criticality, at finite n",
        "rate": "chi_perp, what a deep layer multiplies E Z^2 by",
        "orthogonal": "Var(S_11)/E(S_11)^2 with orthogonal weights, absolute",
        "half_stable": "the first order of R - 1 of half-stable activations",
        "ratio": "R - 1 of half-stable activations beside simulation",
        "exponent": "the power of L in n (R - 1) of half-stable activations",
    },
    axes=Axes("L", "R - 1 at sum 1/n_l = 1/32", log_x=True, log_y=True),
    command="netsim sweep experiment=gradients",
)  # fmt: skip
