"""One number, found in every way there is: exact laws, series, and four ways to simulate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from netsim.claims.check import Check, equal, pull, unjudged
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.rational import rational_cumulants, slope_powers
from netsim.claims.measured import estimates, predicted
from netsim.compare import uncertainty
from netsim.networks.input_sets import build
from netsim.networks.network import Network, network
from netsim.rows import Row

__all__ = ["CLAIM", "POINTS", "Point", "laws", "simulations", "theories"]

TOLERANCE = 3e-7  # relative, between deterministic ways
KAPPAS = ("kappa2", "kappa4", "kappa6", "kappa8")
FIELDS = ("cum[z1a^2 z2a^2]", "cum[z1a^2 z1a'u^2]", "cum[z1a'u^4]", "cum[z1a'u^2 z2a'u^2]")
THEORIES = ("exact", "exact_fields", "transfer", "hierarchy", "hierarchy_fields")
WIDE = 1024  # where series to n^-3 are good to 1e-7
# way -> options of the run; raw moments of z need more draws for the same error
WAYS = {
    "S, conditional": {"mixture": False},
    "S, conditional, half of the draws wider": {"mixture": True},
    "S, dense": {"sampler": "dense"},
    "z, dense": {"sampler": "dense", "estimators": ("raw",)},
}
DRAWS = 2**18
PLAIN = ("[z1a^2]", "[z1a^4]", "[z1a^6]", "[z1a^8]")


@dataclass(frozen=True)
class Point:
    """A network with |x|^2/n_0 = 1 and equal widths; `order`, powers kept in high precision."""

    name: str
    width: int
    depth: int
    weight_variance: float
    order: int

    def network(self, width: int | None = None) -> Network:
        return network(
            self.name, width=width or self.width, depth=self.depth,
            weight_variance=self.weight_variance, bias_variance=0.125,
        )  # fmt: skip


POINTS = (
    Point("relu", 16, 2, 1.75, 12),
    Point("tanh", 12, 3, 1.25, 16),
    Point("gelu", 40, 2, 1.75, 14),
)


@cache
def _laws(point: Point) -> dict[str, tuple[float, ...]]:
    """kappa_2..8 of the output in each deterministic way."""
    from netsim.theory.exact import cumulants
    from netsim.theory.hierarchy.one_input import cumulant_series
    from netsim.theory.transfer.chain import transfer_cumulants

    net = point.network()
    found = {"transfer operator": transfer_cumulants(net, 1.0, [net.depth + 1])[0][0]}
    series = cumulant_series(net, 1.0, point.order, digits=30)
    found[f"series to n^-{point.order}"] = series.value()[-1]
    if net.activation.slopes is not None:
        powers, couplings = slope_powers(*net.activation.slopes), (point.weight_variance, 0.125)
        found["exact moments"] = cumulants(net, 1.0)[-1]
        found["fractions"] = rational_cumulants(powers, net.widths, couplings, 1.0)
    return {way: tuple(map(float, values)) for way, values in found.items()}


def laws(trial: Trial, points: Sequence[Point] = POINTS) -> Iterator[Check]:
    """Exact laws and high-order series at a small width, in pairs."""
    for point in points:
        for (way, first), (other, second) in combinations(_laws(point).items(), 2):
            for kappa, value, reference in zip(KAPPAS, first, second, strict=True):
                yield equal(
                    f"{kappa} of {point.name}, n = {point.width}: {way} and {other}", value,
                    trial.scaled("law", reference), TOLERANCE * abs(reference),
                    knob="law",
                )  # fmt: skip


def theories(trial: Trial, points: Sequence[Point] = POINTS[:2]) -> Iterator[Check]:
    """What `netsim predict` says of a wide network, one theory against another."""
    inputs = build("single", norm2=1.0, dimension=4, directions=1, seed=1)
    for point in points:
        net = point.network(WIDE)
        names = [f"{kappa}[a]" for kappa in KAPPAS] + list(FIELDS)
        last = (net.depth + 1, net.depth + 1)
        by_theory = {
            theory: predicted(net, inputs, names, order=6, theory=theory, layers=last)
            for theory in THEORIES
        }
        for (one, first), (two, second) in combinations(by_theory.items(), 2):
            for key in [key for key in first if key in second]:
                rows = first[key], second[key]
                if rows[0].alias is None and any(k in rows[0].quantity for k in PLAIN):
                    continue  # its alias is there too
                own = [uncertainty(row) for row in rows]
                size = abs(rows[1].value)
                if any(e is None or e > TOLERANCE / 3 * size for e in own):
                    continue  # a theory that does not claim so many digits
                yield equal(
                    f"{key} of {point.name}, n = {WIDE}: {one} and {two}", rows[0].value,
                    trial.scaled("theory", rows[1].value), TOLERANCE * size, knob="theory",
                )  # fmt: skip


def simulations(
    trial: Trial, points: Sequence[Point] = POINTS[:2], ways: Sequence[str] = tuple(WAYS)
) -> Iterator[Check]:
    """Four ways to simulate against the law, and against each other."""
    inputs = build("single", norm2=1.0, dimension=4)
    for p, point in enumerate(points):
        net = point.network()
        last = net.depth + 1
        exact = dict(zip(KAPPAS, _laws(point)["transfer operator"], strict=True))
        runs = {}
        for way in ways:
            seed = p * len(WAYS) + list(WAYS).index(way)
            names = [f"{kappa}[a]" for kappa in KAPPAS] + [FIELDS[0]]
            options = {"layers": (last, last), "seed": seed} | WAYS[way]
            runs[way] = estimates(net, inputs, names, trial.draws(DRAWS), **options)
        for way, found in runs.items():
            for kappa in KAPPAS:
                row = found[f"{kappa}[a]@{last}"]
                about = f"{kappa} of {point.name}, n = {point.width}: {way}"
                if row.error is None or "unreliable" in row.flags:
                    yield unjudged(about, "unreliable", row.value, row.error, knob=kappa)
                    continue
                shown = p == 0 and row.value > 0
                yield pull(
                    about, row.value, trial.scaled(kappa, exact[kappa]), row.error,
                    draws=row.draws, series=way if shown else None,
                    x=int(kappa[-1]) if shown else None, knob=kappa,
                )  # fmt: skip
            # Cov(z_1^2, z_2^2) of two neurons is Var S, as is kappa_4 of one
            row = found[f"{FIELDS[0]}@{last}"]
            yield pull(
                f"{row.quantity} of {point.name}, n = {point.width}: {way}", row.value,
                trial.scaled("kappa4", exact["kappa4"]), _error(row), draws=row.draws,
                knob="kappa4",
            )  # fmt: skip
        yield from _among_themselves(point, runs, last)


def _among_themselves(point: Point, runs: dict, last: int) -> Iterator[Check]:
    for (way, first), (other, second) in combinations(runs.items(), 2):
        for kappa in KAPPAS[:2]:
            a, b = first[f"{kappa}[a]@{last}"], second[f"{kappa}[a]@{last}"]
            yield pull(
                f"{kappa} of {point.name}, n = {point.width}: {way} and {other}",
                a.value, b.value, math.hypot(_error(a), _error(b)),
                draws=a.draws,
            )  # fmt: skip


def _error(row: Row) -> float:
    """Without an error a check fails."""
    return math.nan if row.error is None else row.error


def _checks(trial: Trial) -> Iterator[Check]:
    yield from laws(trial)
    yield from theories(trial)
    yield from simulations(trial)


CLAIM = Claim(
    name="five-ways",
    statement=(
        "kappa_2, ..., kappa_8 of a network are the same number by exact moments, by the transfer "
        "operator of S, by the series in 1/n to order 12 to 16, by the theories of `predict` where "
        "they overlap, and by every way to simulate: S or outputs, layer by layer or with full "
        "weight matrices, with or without wider draws."
    ),
    source=(
        "derived: each way rests on the conditional law of a layer in its own manner (Hanin, arXiv "
        "2204.01058: given a layer, the next one's neurons are independent Gaussians); full weight "
        "matrices do not use it at all"
    ),
    checks=_checks,
    rejects={
        "law": 1e-6, "theory": 1e-6, "kappa2": 0.03, "kappa4": 0.03, "kappa6": 0.1, "kappa8": 0.3,
    },
    knobs={
        "law": "a cumulant by one of the deterministic ways at n = 12 to 40",
        "theory": "a prediction of `predict` at n = 1024",
        "kappa2": "kappa_2 against simulations",
        "kappa4": "kappa_4 against simulations",
        "kappa6": "kappa_6 against simulations",
        "kappa8": "kappa_8 against simulations",
    },
    axes=Axes("2k", "kappa_2k of relu, n = 16, L = 2", log_y=True),
)  # fmt: skip
