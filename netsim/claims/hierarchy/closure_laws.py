"""Laws of S at a middle layer that share some cumulants and differ in the next.

cum_j(S) = a_j n^{1-j} for each: gamma and inverse Gaussian laws of shape proportional to n, and the
mean of n two-point shifts (binomial), each moved and scaled to given a_1, a_2 and, if wanted, a_3.
Their first free cumulants are

    no fluctuation            a_j = 0, j >= 2
    gamma                     a_3 = 2 a_2^2/a_1 (unmoved),      a_4 = (3/2) a_3^2/a_2
    inverse Gaussian          a_3 = 3 a_2^2/a_1 (unmoved),      a_4 = (5/3) a_3^2/a_2
    two points                a_3 = 0 (at equal odds),          a_4 = a_3^2/a_2 - 2 a_2^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special

__all__ = ["Law", "matched_laws"]

_REACH, _POINTS = 10.0, 101  # of the logarithm, in standard deviations; steps of 1/5


@dataclass(frozen=True, eq=False)
class Law:
    """A family of laws of S, one for each n.

    **Fields:** `name`; `a`, its a_1..a_4; `nodes`: n -> points s and weights of sum 1, (N,) each, with
    E f(S) = sum w f(s) to 1e-14 for smooth f; `draw`: (generator, n, count) -> values of S.
    """

    name: str
    a: tuple[float, float, float, float]
    nodes: Callable[[int], tuple[np.ndarray, np.ndarray]]
    draw: Callable[[np.random.Generator, int, int], np.ndarray]


@cache
def matched_laws(a: tuple[float, ...], shared: int) -> tuple[Law, ...]:
    """Laws whose cumulants 1..`shared` have a_1..a_3 as given, 1 to 3 of them, all with S > 0.

    **Arguments:** `a`, positive.
    """
    if shared == 1:
        free = 2 * a[1] ** 2 / a[0]
        return _constant(a[0]), _gamma(a[0], a[1] / 2, free / 4)
    third = [2 * a[1] ** 2 / a[0], 3 * a[1] ** 2 / a[0], 0.0] if shared == 2 else [a[2]] * 3
    return (
        _gamma(a[0], a[1], third[0]),
        _inverse_gaussian(a[0], a[1], third[1]),
        _two_points(a[0], a[1], third[2]),
    )


def _constant(mean: float) -> Law:
    return Law(
        "no fluctuation",
        (mean, 0.0, 0.0, 0.0),
        lambda n: (np.array([mean]), np.ones(1)),
        lambda rng, n, count: np.full(count, mean),
    )


def _from_density(log_density: Callable, centre: float, relative: float):
    """Nodes of a law on (0, infinity): the trapezoidal rule in the logarithm."""
    t = np.linspace(-_REACH, _REACH, _POINTS) * np.log1p(relative)
    x = centre * np.exp(t)
    log_w = log_density(x) + t
    w = np.exp(log_w - log_w.max())
    return x, w / w.sum()


def _gamma(mean: float, a2: float, a3: float) -> Law:
    scale = a3 / (2 * a2)  # over n: a_2 = k scale^2, a_3 = 2 k scale^3, shape k n
    k = a2 / scale**2
    move = mean - k * scale

    def nodes(n: int):
        shape = k * n
        log_density = lambda x: (shape - 1) * np.log(x / shape) - x
        x, w = _from_density(log_density, shape, shape**-0.5)
        return move + x * scale / n, w

    draw = lambda rng, n, count: move + rng.gamma(k * n, scale / n, count)
    return Law("gamma", (mean, a2, a3, 1.5 * a3**2 / a2), nodes, draw)


def _inverse_gaussian(mean: float, a2: float, a3: float) -> Law:
    own = 3 * a2**2 / a3  # the mean m: a_2 = m r, a_3 = 3 m r^2, r = m/lambda, lambda_n = lambda n
    shape = own**3 / a2
    move = mean - own

    def nodes(n: int):
        lam = shape * n
        log_density = lambda x: -1.5 * np.log(x) - lam * (x - own) ** 2 / (2 * own**2 * x)
        x, w = _from_density(log_density, own, (own / lam) ** 0.5)
        return move + x, w

    draw = lambda rng, n, count: move + rng.wald(own, shape * n, count)
    return Law("inverse Gaussian", (mean, a2, a3, 5 / 3 * a3**2 / a2), nodes, draw)


def _two_points(mean: float, a2: float, a3: float) -> Law:
    """S = mean + (b/n)(B - n p), B binomial: n independent shifts by -b p or b (1 - p)."""
    # a_3^2/a_2^3 = (1 - 2p)^2/(p (1 - p)) =: r, so p (1 - p) = 1/(4 + r)
    r = a3**2 / a2**3
    p = 0.5 * (1 - np.sqrt(r / (4 + r)))
    b = np.sqrt(a2 * (4 + r))

    def nodes(n: int):
        k = np.arange(n + 1.0)
        log_w = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        log_w += k * np.log(p) + (n - k) * np.log1p(-p)
        w = np.exp(log_w)
        s = mean + b / n * (k - n * p)
        kept = (w > 1e-26) & (s > 0)
        return s[kept], w[kept] / w[kept].sum()

    draw = lambda rng, n, count: mean + b / n * (rng.binomial(n, p, count) - n * p)
    return Law("two points", (mean, a2, a3, a3**2 / a2 - 2 * a2**2), nodes, draw)
