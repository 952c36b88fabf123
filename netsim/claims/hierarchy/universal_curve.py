"""At fixed L/n the cumulants of tanh, erf and sin networks tend to the same curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from netsim.claims.check import Check, bound, equal, pull
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.measured import estimates, predicted
from netsim.compare import uncertainty
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.rows import Row
from netsim.theory.limit_curves import RATIOS, limit_ratios

__all__ = ["CLAIM", "QUANTITIES", "exact_ratios", "finite_width", "towards_the_limit"]

ACTIVATIONS = ("tanh", "erf", "sin")
DEPTHS = {0.25: "1/4", 0.5: "1/2", 1.0: "1"}  # L/n
QUANTITIES = ("kappa2", *RATIOS[1:])
# half of the smallest wrong value that has to be rejected
TOLERANCE = dict(zip(RATIOS, (0.015, 0.015, 0.05, 0.15), strict=True))
KNOBS = dict(zip(RATIOS, ("kappa2", "kappa4", "kappa6", "kappa8"), strict=True))
SHRINKS = 0.8  # (A log L + B)/L shrinks by (1 + log 2/(log L + B/A))/2 when L doubles


def _checks(trial: Trial) -> Iterator[Check]:
    widths = (16, 32, 64, 128) if trial.thorough else (16, 32, 64)
    for name in ACTIVATIONS:
        for n in (32, 64) if trial.thorough else (32,):
            yield from finite_width(trial, name, n, 4 * 65536)
        yield from towards_the_limit(trial, name, widths)


def finite_width(trial: Trial, name: str, n: int, draws: int) -> Iterator[Check]:
    """Simulation beside the exact law at the same n and L."""
    net, inputs = network(name, width=n, depth=n), build("single", norm2=1.0)
    wanted = [f"{q}@{round(tau * n) + 1}" for tau in DEPTHS for q in QUANTITIES]
    exact = predicted(net, inputs, wanted)
    kernel = predicted(net, inputs, wanted, theory="infinite_width")
    found = estimates(net, inputs, wanted, trial.draws(draws), seed=n + ACTIVATIONS.index(name))
    for tau, words in DEPTHS.items():
        for ratio, quantity in zip(RATIOS, QUANTITIES, strict=True):
            at = f"{quantity}[a]@{round(tau * n) + 1}"
            # the mean is given in units of its infinite-width value
            unit = kernel[at].value if quantity == "kappa2" else 1.0
            yield _pull(
                trial,
                (f"{ratio} of {name}, n = {n}, L/n = {words}", KNOBS[ratio]),
                (found[at], exact[at], unit),
                {"series": name, "x": tau} if ratio == "kappa4/kappa2^2" else {},
            )


def _pull(trial: Trial, about: tuple[str, str], rows: tuple[Row, Row, float], place: dict) -> Check:
    row, exact, unit = rows
    own = uncertainty(exact)
    assert row.error is not None
    return pull(
        about[0],
        row.value / unit,
        trial.scaled(about[1], exact.value / unit),
        row.error / unit,
        uncertainty=math.inf if own is None or "unreliable" in row.flags else own / unit,
        draws=row.draws,
        knob=about[1],
        **place,
    )


def towards_the_limit(trial: Trial, name: str, widths: Sequence[int]) -> Iterator[Check]:
    """The exact law's distance from the curve falls with n, and to nothing."""
    every = np.array([exact_ratios(name, n) for n in widths])
    limits = limit_ratios(network(name, width=1, depth=1), np.array(list(DEPTHS)))
    for i, (tau, words) in enumerate(DEPTHS.items()):
        if tau < 0.5:  # L = 4, 8 is not deep
            continue
        last = _extrapolated(tau * np.array(widths[-3:]), every[-3:, i])
        for k, ratio in enumerate(RATIOS):
            knob = "limit" if ratio in RATIOS[:2] else KNOBS[ratio]
            limit = trial.scaled(knob, float(limits[ratio][i]))
            about = f"{ratio} of {name} at L/n = {words}"
            residual = np.abs(every[:, i, k] / limit - 1)
            for j in range(1, len(widths)):
                yield bound(
                    f"residual of {about}: n = {widths[j]} over n = {widths[j - 1]}",
                    float(residual[j] / residual[j - 1]),
                    None,
                    SHRINKS,
                    knob=knob,
                    unit=0.0,  # not proportional: the next check is what rejects a wrong limit
                )
            used = ", ".join(map(str, widths[-3:]))
            yield equal(
                f"{about}: exact law at n = {used} continued to infinity, beside the curve",
                last[k],
                limit,
                TOLERANCE[ratio] * limit,
                knob=knob,
            )


@lru_cache(maxsize=32)
def exact_ratios(name: str, n: int) -> np.ndarray:
    """(depths, 4): `RATIOS` of the exact law of width n at the depths `DEPTHS` n."""
    net, inputs = network(name, width=n, depth=n), build("single", norm2=1.0)
    layers = [round(tau * n) + 1 for tau in DEPTHS]
    wanted = [f"{q}@{layer}" for layer in layers for q in QUANTITIES]
    exact = predicted(net, inputs, wanted, theory="transfer")
    kernel = predicted(net, inputs, wanted, theory="infinite_width")
    values = np.array([[exact[f"{q}[a]@{l}"].value for q in QUANTITIES] for l in layers])
    values[:, 0] /= [kernel[f"kappa2[a]@{l}"].value for l in layers]
    return values


def _extrapolated(depths: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The constants of c + (A log L + B)/L through three depths: no freedom is left."""
    basis = np.stack([np.ones(3), np.log(depths) / depths, 1 / depths], axis=1)
    return np.linalg.solve(basis, values)[0]


CLAIM = Claim(
    name="universal-curve",
    statement=(
        "Critical networks with K* = 0 (tanh, erf, sin) share one law at fixed tau = L/n: as n grows, "
        "kappa_2/K and kappa_4/kappa_2^2, kappa_6/kappa_2^3, kappa_8/kappa_2^4 tend to functions of "
        "tau alone, without any fitted constant. The distance at finite n is that of the exact law; "
        "it falls like (A log L + B)/L."
    ),
    source=(
        "Derived: with F(K) = K + a_1 K^2 + ... the chain becomes dS = a_1 S^2 dl + sqrt(2/n) S dB, "
        "and S |a_1| L -> tau/int_0^tau exp(sqrt 2 B_s + s) ds, whose moments follow from m_1 = "
        "exp(-tau/4) E[X/sinh X], X ~ N(0, tau/2) (identity of Matsumoto and Yor), and m_{p+1} = (1 + "
        "(p-1) tau) m_p - (tau/p) m_p'. Classes: Roberts, Yaida and Hanin, arXiv 2106.10165, ch. 5."
    ),
    checks=_checks,
    rejects={"kappa2": 0.03, "kappa4": 0.03, "kappa6": 0.1, "kappa8": 0.3, "limit": 0.03},
    knobs={
        "kappa2": "kappa_2/K at finite n",
        "kappa4": "kappa_4/kappa_2^2 at finite n",
        "kappa6": "kappa_6/kappa_2^3, at finite n and in the limit",
        "kappa8": "kappa_8/kappa_2^4, at finite n and in the limit",
        "limit": "kappa_2/K and kappa_4/kappa_2^2 in the limit",
    },
    axes=Axes("L/n", "kappa_4/kappa_2^2", log_x=True, log_y=True),
    command="netsim sweep experiment=universal_curve",
)
