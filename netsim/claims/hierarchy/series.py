"""The series in 1/n to order M against the exact law: what is left falls as n^-(M+1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from netsim.claims.check import Check, bound, equal
from netsim.claims.claim import Axes, Claim, Trial
from netsim.claims.hierarchy.rational import (
    Powers,
    polynomial_powers,
    rational_cumulants,
    slope_powers,
)
from netsim.networks.network import Network, network

__all__ = ["CASES", "CLAIM", "Case", "remainders", "table"]

# |kappa_2 to order M - exact|, M = 1..5: tanh, C_b = 0, C_W = 1, |x|^2/n_0 = 1, n = 64, L = 5
TABLE = (6e-6, 8e-8, 4e-9, 2e-10, 4e-13)
LAST, DIGITS, MOST = 12, 30, 5  # powers known, digits of each, largest M tested
TOLERANCE, SLOPE = 3e-7, 0.1
CUBIC = (0.0, 0.9, 0.1, -0.02)


@dataclass(frozen=True)
class Case:
    """A network whose law is known at the widths `n`, all hidden layers equal."""

    name: str
    depth: int
    n: tuple[int, ...]
    couplings: tuple[float, float]  # C_W, C_b
    powers: Powers | None = None  # exact fractions; None: the transfer operator
    x2: float = 1.0

    def network(self, n: int) -> Network:
        C_W, C_b = self.couplings
        return network(self.name, width=n, depth=self.depth, weight_variance=C_W, bias_variance=C_b)


CASES = (
    Case("relu", 4, (8, 16, 32, 64, 128), (2.0, 0.0), slope_powers(1, 0)),
    Case("slopes(1, -1)", 3, (8, 16, 32, 64), (1.0, 0.125), slope_powers(1, -1)),
    Case(f"polynomial({list(CUBIC)})", 2, (32, 64, 128), (0.75, 0.125), polynomial_powers(CUBIC)),
    Case("tanh", 5, (32, 64, 128), (1.0, 0.0)),
    Case("gelu", 3, (128, 256), (2.0, 0.125)),
)


@cache
def _terms(case: Case) -> np.ndarray:
    """(4, 13): coefficients of n^-m in kappa_2, 4, 6, 8 of the output, as mpmath numbers."""
    from netsim.theory.hierarchy.one_input import cumulant_series

    return cumulant_series(case.network(1), case.x2, LAST, digits=DIGITS).coefficients[-1]


@cache
def _exact(case: Case, n: int) -> tuple[list, np.ndarray]:
    """kappa_2..8 of the output and their errors."""
    import mpmath

    if case.powers is not None:
        found = rational_cumulants(case.powers, [n] * case.depth, case.couplings, case.x2)
        with mpmath.workdps(DIGITS + 10):
            return [mpmath.mpf(v.numerator) / v.denominator for v in found], np.zeros(4)
    from netsim.theory.transfer.chain import transfer_cumulants

    values, errors = transfer_cumulants(case.network(n), case.x2, [case.depth + 1])
    return [mpmath.mpf(float(v)) for v in values[0]], errors[0]


def _left(case: Case, n: int, k: int, M: int) -> tuple[float, float, float]:
    """kappa_2k minus its series to order M; the terms from M+1 on; what neither knows."""
    import mpmath

    exact, errors = _exact(case, n)
    with mpmath.workdps(DIGITS + 10):
        terms = [c / mpmath.mpf(n) ** m for m, c in enumerate(_terms(case)[k - 1])]
        left = exact[k - 1] - mpmath.fsum(terms[: M + 1])
        rest = mpmath.fsum(terms[M + 1 :])
        # an asymptotic series is good to about its last terms; and to the digits of each
        own = float(errors[k - 1]) + 4 * float(max(map(abs, terms[-2:])))
        own += 10.0 ** (2 - DIGITS) * float(max(map(abs, terms)))
    return float(left), float(rest), own


def table(trial: Trial) -> Iterator[Check]:
    """kappa_2 of tanh, n = 64, L = 5."""
    case = next(case for case in CASES if case.name == "tanh")
    exact, _ = _exact(case, 64)
    value = trial.scaled("law", float(exact[0]))
    terms = [float(c) / 64.0**m for m, c in enumerate(_terms(case)[0])]
    for M, high in enumerate(TABLE, 1):
        distance = abs(sum(terms[: M + 1]) - value)
        yield bound(
            f"kappa_2 to n^-{M}, tanh, n = 64, L = 5: distance to exact",
            distance,
            None,
            high,
            knob="law",
            unit=value,
        )


def remainders(trial: Trial, cases: Sequence[Case] = CASES) -> Iterator[Check]:
    """What the series to order M leaves, and how it falls between successive widths."""
    for case in cases:
        for k in (1, 2, 3, 4):
            for M in range(max(1, k - 1), MOST + 1):
                yield from _falls(trial, case, k, M)


def _falls(trial: Trial, case: Case, k: int, M: int) -> Iterator[Check]:
    before = None
    for n in case.n:
        left, rest, own = _left(case, n, k, M)
        about = f"kappa_{2 * k} to n^-{M}, {case.name}, L = {case.depth}"
        if own > 0.01 * abs(rest):
            before = None
            if case.powers is not None and abs(rest) <= own:  # a series that has ended
                yield equal(f"{about}, n = {n}: nothing is left", left, 0.0, own)
            continue  # below the digits of the exact law: nothing to compare
        sign = np.sign(rest)
        yield equal(
            f"{about}, n = {n}: what is left", sign * left,
            trial.scaled("coefficient", abs(rest)), max(TOLERANCE * abs(rest), own),
            series=f"kappa_2, M = {M}" if k == 1 and case.name == "tanh" else None,
            x=n if k == 1 and case.name == "tanh" else None, knob="coefficient",
        )  # fmt: skip
        if before is not None and left * before[1] > 0:
            step = np.log(n / before[0])
            measured = np.log(left / before[1]) / step
            predicted = np.log(rest / before[2]) / step
            yield equal(
                f"{about}, slope from n = {before[0]} to {n}", measured,
                trial.shifted("exponent", predicted), SLOPE, knob="exponent", unit=1.0,
            )  # fmt: skip
        before = n, left, rest


def _checks(trial: Trial) -> Iterator[Check]:
    yield from table(trial)
    yield from remainders(trial)


CLAIM = Claim(
    name="series",
    statement=(
        "Cut after n^-M, the series in 1/n of kappa_2, ..., kappa_8 misses the exact law by what its "
        "next coefficients say: a remainder that falls as n^-(M+1), with the local slope that the "
        "coefficients give at the same widths; for tanh at n = 64, L = 5 it is below 6e-6, 8e-8, "
        "4e-9, 2e-10, 4e-13 for M = 1..5."
    ),
    source=(
        "derived: moments of S move linearly from layer to layer, power by power in 1/n "
        "(Hanin, arXiv 2204.01058, has the leading powers); exact laws by the transfer operator of "
        "S and, for two slopes and polynomials, by rational moments"
    ),
    checks=_checks,
    rejects={"law": 1e-6, "coefficient": 1e-6, "exponent": 0.25},
    knobs={
        "law": "the exact kappa_2 in the table",
        "coefficient": "the coefficients beyond n^-M",
        "exponent": "the power with which the remainder falls",
    },
    axes=Axes("n", "remainder of kappa_2 (tanh)", log_x=True, log_y=True),
)
