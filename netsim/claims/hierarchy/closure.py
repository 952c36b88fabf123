"""Closure: cumulants of order 2, ..., 2k of a layer decide those of the next, and no others do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from netsim.claims.check import Check, equal, pull
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.closure_laws import Law, matched_laws
from netsim.claims.hierarchy.scalar import neuron_derivatives, neuron_law
from netsim.networks.network import Network, network

__all__ = ["CLAIM", "differences", "simulated"]

DEPTH = 3  # hidden layers before the one whose S is replaced
NORM2 = 1.0
# polynomials through them end in the limit; wide enough that no law comes near S = 0
WIDTHS = (512, 768, 1024, 1536, 2048, 3072)
TOLERANCE = 3e-7  # relative, where two computations are compared
NAMES = ("tanh", "gelu", "relu", "sin")
DRAWS, BLOCKS = 2**20, 64
# simulated: laws of S of few neurons before a wide layer, so that what S brings is most of kappa_6
FEW, MANY, DRAWN = 8, 128, (1.0, 0.9)
CHUNK = 8192


def _net(name: str, n: int) -> Network:
    return network(name, width=n, depth=DEPTH + 1, weight_variance=1.4, bias_variance=0.1)


def next_cumulants(net: Network, n: int, s: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Cumulants 1..4 of S' = C_b + (C_W/n) sum_j sigma(sqrt(S) g_j)^2, S = s with weights w.

    Given S they are those of a sum of independent terms, kappa_j(s) = C_W^j n^{1-j} c_j(s); then
    E (S' - mean)^p = E of d^2 + k_2, d^3 + 3 d k_2 + k_3, ..., d = kappa_1(s) - mean.
    """
    C_W, C_b = net.weight_variance[-1], net.bias_variance[-1]
    kept = s > 0
    s, w = s[kept], w[kept] / w[kept].sum()
    j = np.arange(1, 5)[:, None]
    k1, k2, k3, k4 = C_W**j * float(n) ** (1 - j) * neuron_law(net.activation, s)
    mean = float(w @ k1)
    d = k1 - mean
    m2, m3 = w @ (d**2 + k2), w @ (d**3 + 3 * d * k2 + k3)
    m4 = w @ (d**4 + 6 * d**2 * k2 + 4 * d * k3 + 3 * k2**2 + k4)
    return np.array([C_b + mean, m2, m3, m4 - 3 * m2**2])


def leading(net: Network, law: Law) -> np.ndarray:
    """Limits of n^{j-1} cum_j(S'), j = 1..4, by the polynomial in 1/n through `WIDTHS`."""
    values = [n ** np.arange(4.0) * next_cumulants(net, n, *law.nodes(n)) for n in WIDTHS]
    x = 1.0 / np.array(WIDTHS)
    # the value at 0 of the polynomial through (x_i, f_i)
    weights = [np.prod([z / (z - y) for z in x if z != y]) for y in x]
    return np.array(weights) @ np.array(values)


def differences(trial: Trial, names: Sequence[str] = NAMES) -> Iterator[Check]:
    """Leading cumulants of the next layer against the hierarchy's, for every law."""
    from netsim.theory.hierarchy.one_input import cumulant_series

    for name in names:
        net = _net(name, 1)
        series = cumulant_series(net, NORM2, 3).coefficients
        # a_j of S at the middle layer, and of the next
        a, after = ([float(series[l, j, j]) for j in range(4)] for l in (DEPTH, DEPTH + 1))
        slope = net.weight_variance[-1] * neuron_derivatives(net.activation, a[0])[1, 0]
        for shared in (1, 2, 3):
            for law in matched_laws(tuple(a), shared):
                found = leading(net, law)
                about = f"{name}, {law.name} sharing {shared}"
                for j in range(shared):
                    value = after[j]
                    yield equal(
                        f"kappa_{2 * j + 2}' of {about}", found[j],
                        trial.scaled("shared", value), TOLERANCE * abs(value), knob="shared",
                    )  # fmt: skip
                change = slope ** (shared + 1) * (law.a[shared] - a[shared])
                what = f"kappa_{2 * shared + 2}' - the network's of {about}"
                # a small difference is known to the size of what it is a difference of
                size = max(abs(change), abs(after[shared]) / 100)
                yield equal(
                    what, found[shared] - after[shared],
                    trial.scaled("difference", change), TOLERANCE * size, knob="difference",
                )  # fmt: skip


def simulated(trial: Trial, draws: int = DRAWS) -> Iterator[Check]:
    """One layer drawn given S from laws that share two cumulants: kappa_2', kappa_4', kappa_6'."""
    net = network("gelu", width=MANY, depth=1, weight_variance=2.0, bias_variance=0.1)
    laws = matched_laws(DRAWN, 2)
    draws = trial.draws(draws)
    exact = {law.name: next_cumulants(net, MANY, *law.nodes(FEW)) for law in laws}
    blocks = {law.name: _blocks(net, law, draws, seed) for seed, law in enumerate(laws)}
    for law in laws:
        for j in range(3):
            kappa, found = f"kappa{2 * j + 2}", blocks[law.name][:, j]
            value = trial.scaled(kappa, float(exact[law.name][j]))
            yield pull(
                f"{kappa}' given S of a law of {law.name}", found.mean(), value, _error(found),
                draws=draws, series="kappa_6'" if j == 2 else None,
                x=law.a[2] / FEW**2 if j == 2 else None, knob=kappa,
            )  # fmt: skip
    last = laws[-1].name
    for law in laws[:-1]:
        value = float(exact[law.name][2] - exact[last][2])
        gap = blocks[law.name][:, 2] - blocks[last][:, 2]
        yield pull(
            f"kappa_6' of a law of {law.name} - that of {last}", gap.mean(),
            trial.scaled("drawn", value), _error(gap), draws=draws, knob="drawn",
        )  # fmt: skip


def _error(blocks: np.ndarray) -> float:
    return float(blocks.std(ddof=1) / np.sqrt(len(blocks)))


@cache
def _blocks(net: Network, law: Law, draws: int, seed: int) -> np.ndarray:
    """k-statistics 1..3 (unbiased cumulants) of S' in each of 64 blocks, (64, 3)."""
    from scipy.stats import kstat

    rng = np.random.default_rng(seed)
    C_W, C_b = net.weight_variance[-1], net.bias_variance[-1]
    found = []
    for _ in range(BLOCKS):
        values = []
        for _ in range(0, draws // BLOCKS, CHUNK):
            S = law.draw(rng, FEW, min(CHUNK, draws // BLOCKS)).astype(np.float32)
            z = np.sqrt(S)[:, None] * rng.standard_normal((len(S), MANY), dtype=np.float32)
            y = net.activation.numpy(z).astype(np.float64) ** 2
            values.append(C_b + C_W * y.mean(axis=1))
        every = np.concatenate(values)
        found.append([float(kstat(every, j)) for j in (1, 2, 3)])
    return np.array(found)


def _checks(trial: Trial) -> Iterator[Check]:
    yield from differences(trial)
    yield from simulated(trial)


CLAIM = Claim(
    name="closure",
    statement=(
        "Replace S at a middle layer by any law with the same cumulants of order <= k, cumulants "
        "scaled as n^{1-j}: the cumulants of order <= 2k of the next layer's neurons keep their "
        "leading powers, and that of order 2k+2 changes by F'^{k+1} times the change of S's "
        "cumulant of order k+1, no more and no less."
    ),
    source=(
        "Hanin, arXiv 2204.01058: the hierarchy closes order by order; derived: the change, from "
        "the law of total cumulance, in which the (k+1)-th cumulant of S enters that of F(S) first "
        "through F'^{k+1}"
    ),
    checks=_checks,
    rejects={
        "shared": 1e-6, "difference": 1e-6, "kappa2": 0.03, "kappa4": 0.03, "kappa6": 0.1,
        "drawn": 0.1,
    },
    knobs={
        "shared": "leading coefficients of the next layer that only shared cumulants enter",
        "difference": "F'^{k+1} (change of the cumulant of order k+1)",
        "kappa2": "simulated kappa_2 of the next layer",
        "kappa4": "simulated kappa_4 of the next layer",
        "kappa6": "simulated kappa_6 of the next layer",
        "drawn": "simulated difference of kappa_6 between laws that share mean and variance",
    },
    axes=Axes("third cumulant of S", "kappa_6 of the next layer"),
)  # fmt: skip
