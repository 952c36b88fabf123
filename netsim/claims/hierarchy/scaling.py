"""kappa_2k = O(n^(1-k)): bounded over a decade of n, with the slope of the exact value there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from netsim.claims.check import Check, bound, pull, unjudged
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.leading import coefficients
from netsim.claims.measured import estimates, predicted, why_unjudged
from netsim.compare import uncertainty
from netsim.networks.input_sets import build
from netsim.networks.inputs_directions import with_directions
from netsim.networks.network import Network, network
from netsim.rows import Row
from netsim.theory.exact import cumulants

__all__ = ["CLAIM"]

DEPTH, WIDTHS = 4, (16, 32, 64, 160)
FAR = 10**6  # a width at which n^(k-1) kappa_2k is its limit up to 1e-4
FINE = 0.05  # slopes are taken between values with smaller relative errors
KNOBS = {4: "fourth", 6: "sixth", 8: "eighth"}
# statistics of the output layer -> number of legs
PLAIN = {"kappa4[a]": 4, "kappa6[a]": 6, "kappa8[a]": 8}
DERIVATIVES = {"cum[z1a^2 z2a'u^2]": 4, "cum[z1a'u^4]": 4}
LEGS = PLAIN | DERIVATIVES
# (activation, L, n of the slope from n to 2n, orders within 0.25 of the bare exponent, orders not)
BARE = (
    ("tanh", 4, 16, (4, 6, 8), ()),
    ("relu", 8, 64, (4,), (6, 8)),
    ("relu", 8, 128, (4,), (6, 8)),
    ("relu", 8, 256, (4, 6, 8), ()),
)
# of -v L/n in the slope of the scale-invariant class, see `_log_normal`
DEVIATIONS = {4: 1 / 2, 6: 4 / 3, 8: 39 / 16}


@dataclass(frozen=True)
class Case:
    """**Fields:** `activation`; `quantities`, out of `LEGS`; `draws`; `couplings`, (C_W, C_b), or None:
    critical."""

    activation: str
    quantities: tuple[str, ...]
    draws: int
    couplings: tuple[float, float] | None = None

    def network(self, n: int) -> Network:
        if self.couplings is None:
            return network(self.activation, width=n, depth=DEPTH)
        C_W, C_b = self.couplings
        return network(
            self.activation, width=n, depth=DEPTH, weight_variance=C_W, bias_variance=C_b
        )

    @property
    def text(self) -> str:
        C = "" if self.couplings is None else " at C_W = {}, C_b = {}".format(*self.couplings)
        return f"{self.activation}{C}, L = {DEPTH}"


CASES = (
    Case("relu", tuple(PLAIN), 2**19),
    Case("relu", tuple(DERIVATIVES), 2**18),
    Case("tanh", tuple(PLAIN), 2**19),
    Case(
        "tanh", ("kappa4[a]", "kappa6[a]"), 2**18, (1.4, 0.1)
    ),  # where kappa_8 changes sign with n
)
MORE = (Case("gelu", tuple(PLAIN), 2**17), Case("sin", tuple(PLAIN), 2**17))
INPUTS = with_directions(build("single", norm2=1.0), 1, "orthogonal")


def _checks(trial: Trial) -> Iterator[Check]:
    for case in (*CASES, *MORE) if trial.thorough else CASES:
        yield from _decade(trial, case, WIDTHS)
    yield from _bare(trial)
    yield from _log_normal(trial)


def _decade(trial: Trial, case: Case, widths: tuple[int, ...]) -> Iterator[Check]:
    runs = [_run(trial, case, n) for n in widths]
    exact = [_exact(case.network(n), case.quantities) for n in widths]
    for name in case.quantities:
        found = [run[name] for run in runs]
        known = [rows[name] for rows in exact]
        limit = _limit(case, name)
        yield from _values(trial, case, name, widths, found, known, limit)
        yield from _slopes(trial, case, name, widths, found, known)


def _values(
    trial: Trial, case: Case, name: str, widths, found: list[Row], known: list[Row], limit: float
) -> Iterator[Check]:
    k = LEGS[name] // 2
    constant = max(abs(known[0].value) * widths[0] ** (k - 1), abs(limit))
    for n, row, prediction in zip(widths, found, known, strict=True):
        about = f"{name} of {case.text}, n = {n}"
        f = float(n) ** (k - 1)
        why = why_unjudged(row, prediction)
        if why or row.error is None:
            yield unjudged(f"n^{k - 1} {about}", why, row.value, row.error, knob=KNOBS[2 * k])
            continue
        yield pull(
            f"n^{k - 1} {about}",
            f * row.value,
            trial.scaled(KNOBS[2 * k], f * prediction.value),
            f * row.error,
            uncertainty=f * _own(prediction),
            draws=row.draws,
            series=f"{name}, {case.text}",
            x=n,
            knob=KNOBS[2 * k],
        )
        yield bound(
            f"n^{k - 1} |{about}| <= {constant:.4g}",
            f * abs(row.value),
            None,
            constant / trial.scaled("constant", 1.0),
            f * row.error,
            knob="constant",
            unit=constant / 1.1,  # constant (1 - 1/(1 + x)) for x up to a tenth
        )


def _slopes(
    trial: Trial, case: Case, name: str, widths, found: list[Row], known: list[Row]
) -> Iterator[Check]:
    """d log|kappa| / d log n from one width to the next; logarithms need small relative errors."""
    points = list(zip(widths, found, known, strict=True))
    for (n, row, exact), (m, next_row, next_exact) in zip(points, points[1:], strict=False):
        relative = [
            (math.nan if r.error is None else r.error) / abs(p.value)
            for r, p in ((row, exact), (next_row, next_exact))
        ]
        poor = "unreliable" in row.flags + next_row.flags
        about = f"log-slope of {name} of {case.text}, n = {n} to {m}"
        slope = _log_slope((n, row.value), (m, next_row.value))
        if poor or max(relative) > FINE:
            why = "unreliable" if poor else "too noisy for a logarithm"
            yield unjudged(about, why, slope, 0.0, knob="exponent")
            continue
        own = [_own(p) / abs(p.value) for p in (exact, next_exact)]
        yield pull(
            about,
            slope,
            trial.shifted("exponent", _log_slope((n, exact.value), (m, next_exact.value))),
            math.hypot(*relative) / math.log(m / n),
            uncertainty=math.hypot(*own) / math.log(m / n),
            draws=row.draws,
            knob="exponent",
            unit=1.0,
        )


def _log_slope(here: tuple[int, float], there: tuple[int, float]) -> float:
    """d log|f| / d log n between (n, f) and (m, g)."""
    return math.log(abs(there[1] / here[1])) / math.log(there[0] / here[0])


def _bare(trial: Trial) -> Iterator[Check]:
    """How far the slope of the exact value is from 1 - k."""
    for activation, L, n, near, far in BARE:
        at = [_exact(network(activation, width=m, depth=L), tuple(PLAIN)) for m in (n, 2 * n)]
        for name, legs in PLAIN.items():
            off = abs(math.log2(at[1][name].value / at[0][name].value) + legs // 2 - 1)
            off = trial.shifted("bare", off)
            what = f"|slope - ({1 - legs // 2})| of {name}, {activation}, L/n = {L}/{n}"
            if legs in near:
                yield bound(f"{what}: within 0.25", off, None, 0.25, knob="bare", unit=1.0)
            if legs in far:  # a slope further off is no contradiction
                yield bound(f"{what}: beyond 0.25", off, 0.25, None)


def _log_normal(trial: Trial) -> Iterator[Check]:
    """1 - k - slope over v L/n for L, n -> infinity, L/n -> 0. S is log-normal there, E S^p =
    exp(x p (p-1)/2) with x = v L/n: kappa_4 = x + x^2/2 + .., kappa_6 = 3 x^2 + 4 x^3 + .., kappa_8 =
    16 x^3 + 39 x^4 + .., so that slopes are 1 - k minus x times 1/2, 4/3, 39/16."""
    L, v = 256, 5
    n, m = 4096 * L, 4097 * L
    near, far = (cumulants(network("relu", width=w, depth=L), 1.0)[-1] for w in (n, m))
    for legs, c in DEVIATIONS.items():
        k = legs // 2
        slope = math.log(far[k - 1] / near[k - 1]) / math.log(m / n)
        c = trial.scaled("deviation", c)
        what = f"(1 - k - slope) n/(v L) of kappa_{legs}, relu, L = {L}, L/n = 1/4096"
        yield bound(
            what, (1 - k - slope) * n / (v * L), 0.98 * c, 1.02 * c, knob="deviation", unit=c
        )


def _run(trial: Trial, case: Case, n: int) -> dict[str, Row]:
    layer = DEPTH + 1
    rows = estimates(
        case.network(n), INPUTS, list(case.quantities), trial.draws(case.draws), seed=n,
        layers=(layer, layer),
    )  # fmt: skip
    return {name.removesuffix(f"@{layer}"): row for name, row in rows.items()}


def _exact(net: Network, quantities: tuple[str, ...]) -> dict[str, Row]:
    layer = net.depth + 1
    rows = predicted(net, INPUTS, list(quantities), layers=(layer, layer))
    return {name.removesuffix(f"@{layer}"): row for name, row in rows.items()}


def _limit(case: Case, name: str) -> float:
    """n^(k-1) times the cumulant for n -> infinity."""
    k = LEGS[name] // 2
    if name in PLAIN:
        return float(coefficients(case.network(1), 1.0)[k - 1, k - 1])
    return FAR ** (k - 1) * _exact(case.network(FAR), case.quantities)[name].value


def _own(prediction: Row) -> float:
    own = uncertainty(prediction)
    return math.inf if own is None else own


CLAIM = Claim(
    name="scaling",
    statement="kappa_2k = O(n^(1-k)), also for derivatives and several neurons: from n = 16 on "
    "n^(k-1) |kappa_2k| stays below the larger of its limit and its value at n = 16, and the slope "
    "of log |kappa_2k| against log n is that of the exact value at the same n. How soon it is 1 - k "
    "depends on the class: for tanh at K* = 0 it is within 0.25 already at L/n = 1/4; for the "
    "scale-invariant class it is 1 - k - (1/2, 4/3, 39/16) v L/n for kappa_4, kappa_6, kappa_8 at "
    "small L/n, so that relu (v = 5) is within 0.25 only for L/n below about 1/10, 1/27, 1/49.",
    source="Hanin, arXiv 2204.01058: cumulants of 2k outputs are O(n^(1-k)). Constants and slopes: "
    "exact laws at finite width. Slopes of the scale-invariant class: derived from the log-normal "
    "law of S at L, n -> infinity, E S^p = exp(v L/n p (p-1)/2), expanded in L/n.",
    checks=_checks,
    rejects={
        "fourth": 0.03, "sixth": 0.10, "eighth": 0.30, "constant": 0.03, "exponent": 0.25,
        "bare": 0.25, "deviation": 0.03,
    },
    knobs={
        "fourth": "cumulants of 4 legs",
        "sixth": "kappa_6",
        "eighth": "kappa_8",
        "constant": "the bounds of n^(k-1) |kappa_2k|: too low",
        "exponent": "simulated slopes of log |kappa_2k| against log n",
        "bare": "distance of the exact slopes from 1 - k: larger",
        "deviation": "1/2, 4/3, 39/16 in the slopes of the scale-invariant class",
    },
    axes=Axes("n", "n^(k-1) kappa_2k", log_x=True, log_y=True),
    command="netsim sweep network.width=16,32,64,160 network.depth=4 network.activation=relu,tanh "
    "'quantities=[kappa4,kappa6,kappa8]'",
)  # fmt: skip
