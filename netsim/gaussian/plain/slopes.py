"""Plain products of piecewise linear activations for up to 16 fields, and their second derivatives.

One and two fields: closed forms (`netsim.gaussian.slopes_pair`). Three and four fields: two parts
(`netsim.gaussian.chaos`). A part is r^p f(angle) in polar coordinates, so its components are a
radial integral times a Fourier coefficient of f, which is smooth between the kinks' lines:

    Phi_{q lambda} = (-1)^k sqrt(k!/(k+l)!) (r^2/2)^{l/2} L_k^{(l)}(r^2/2) exp(i lambda angle),
    int r^p |Phi| = (-1)^k 2^{p/2} Gamma(1 + (p+l)/2) ((l-p)/2)_k / sqrt(k! (k+l)!),

l = |lambda|, k = (q - l)/2, against the standard normal density (t = r^2/2).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from netsim.gaussian.chaos import Chaos
from netsim.gaussian.legendre import legendre
from netsim.gaussian.line import EPSILON
from netsim.gaussian.plain.plan import Key, Part, PlainPlan
from netsim.gaussian.plain.smooth import correlated, root
from netsim.gaussian.slopes_pair import SlopesPair
from netsim.networks.activation import Activation

__all__ = ["covers", "plain_slopes"]

_DEGREE = 60, 40  # for up to 4 and for more fields; a kink leaves about q^-3/2 of the norm beyond q
_NODES = 80  # per sector: exact to rounding for frequencies up to 64 on half a turn


def covers(plan: PlainPlan) -> bool:
    """Whether all keys of the plan are known: what the order 1/n needs is."""
    one = [key[0][1] for key in plan.keys if len(key) == 1]
    two = [(P, Q) for (_, P), (_, Q) in (key for key in plan.keys if len(key) == 2)]
    many = [function for n in plan.many for _, function in plan.keys[n]]
    return (
        all(p % 2 == 0 and i % 2 == 0 for p, i in one)
        and all(
            (p, q) == (1, 1) and i + j in (0, 2, 4) or (p + q, i, j) == (4, 0, 0)
            for (p, i), (q, j) in two
        )
        and not any(i for _, i in many)
    )


def plain_slopes(
    sigma: Activation, K: np.ndarray, plan: PlainPlan
) -> tuple[np.ndarray, np.ndarray]:
    """Expectations of the plan's requests under N(0, K).

    **Arguments:** `K`, (F, F), fields not parallel where second derivatives are asked for; `plan`,
    of keys that `covers` knows.

    **Returns:** (requests,) values, and errors: rounding and truncation.

    **Raises:** `ValueError` for second derivatives at parallel fields.
    """
    value, error = np.zeros(len(plan.keys) + 1), np.zeros(len(plan.keys) + 1)
    pairs: dict[tuple[int, int], SlopesPair] = {}
    for number, key in enumerate(plan.keys):
        if len(key) <= 2:
            value[number] = _closed(sigma, K, key, pairs)
    error[:-1] = 8 * EPSILON * np.abs(value[:-1])
    if len(plan.many):
        chaos = _chaos(sigma, K, plan.parts)
        value[plan.many], error[plan.many] = correlated(K, plan, chaos)
    return value[plan.key_of], error[plan.key_of]


def _closed(sigma: Activation, K: np.ndarray, key: Key, pairs: dict) -> float:
    if len(key) == 1:
        field, (p, i) = key[0]
        plus, minus = sigma.slopes or (math.nan, math.nan)
        if i > p:
            return 0.0
        moment = math.prod(range(1, p, 2)) * (plus**p + minus**p) / 2
        # d^i sigma^p: i/2 derivatives of K^{p/2}, each with a factor 2
        half = i // 2
        return moment * math.perm(p // 2, half) * 2.0**half * K[field, field] ** (p // 2 - half)
    (a, (p, i)), (b, (q, j)) = key
    if (a, b) not in pairs:
        pairs[a, b] = SlopesPair.of(sigma, K[a, a], K[a, b], K[b, b])
    value = pairs[a, b].derivative(i, j) if i + j else pairs[a, b].power(p, q)
    if value is None:
        raise ValueError(f"<d^{i} sigma^{p} d^{j} sigma^{q}> has no closed form here")
    return value


def _chaos(sigma: Activation, K: np.ndarray, parts: tuple[Part, ...]) -> Chaos:
    degree = _DEGREE[0] if len(K) <= 4 else _DEGREE[1]
    fourier = np.zeros((len(parts), degree + 1), dtype=complex)
    total, norm2 = np.zeros(len(parts), dtype=int), np.zeros(len(parts))
    waves: dict[tuple[int, ...], tuple] = {}
    for number, part in enumerate(parts):
        fields, powers = tuple(field for field, _ in part), [p for _, (p, _) in part]
        if fields not in waves:
            waves[fields] = _wave(sigma, K, fields, degree)
        factors, weight, wave = waves[fields]
        f = np.prod([g**p for g, p in zip(factors, powers, strict=True)], axis=0)
        f *= math.prod(math.sqrt(K[a, a]) ** p for a, p in zip(fields, powers, strict=True))
        p = total[number] = sum(powers)
        norm2[number] = 2.0**p * math.factorial(p) * (weight @ f**2)
        fourier[number] = wave @ (weight * f)
    tables = [_radial(p, degree) for p in range(4)]
    circular = [
        fourier[:, q % 2 : q + 1 : 2] * np.stack([table[q] for table in tables])[total]
        for q in range(degree + 1)
    ]
    return Chaos.of(circular, norm2)


def _wave(sigma: Activation, K: np.ndarray, fields: tuple[int, ...], degree: int):
    """sigma(cos(angle - direction)) of each field, weights, and exp(-i m angle), m = 0..degree."""
    directions = [0.0]
    if len(fields) == 2:
        _, c, e = root(K, *fields)
        directions.append(math.atan2(e, c))
    kinks = np.mod([d + k for d in directions for k in (math.pi / 2, -math.pi / 2)], 2 * math.pi)
    kinks = np.sort(kinks)
    edges = np.append(kinks, kinks[0] + 2 * math.pi)
    x, w = legendre(_NODES)
    half = 0.5 * np.diff(edges)[:, None]
    angle = (edges[:-1, None] + half * (1 + x)).ravel()
    weight = (half * w).ravel() / (2 * math.pi)
    turn = np.repeat(np.exp(-1j * angle)[None], degree + 1, axis=0)
    turn[0] = 1.0
    factors = [sigma.numpy(np.cos(angle - d)) for d in directions]
    return factors, weight, np.cumprod(turn, axis=0)


@cache
def _radial(power: int, degree: int) -> tuple[np.ndarray, ...]:
    """The radial integrals for lambda = q%2, .., q-2, q, for each degree q."""
    found = []
    for q in range(degree + 1):
        row = []
        for l in range(q % 2, q + 1, 2):
            k = (q - l) // 2
            log = math.lgamma(1 + (power + l) / 2)
            log += 0.5 * (math.lgamma(k + 1) - math.lgamma(k + l + 1))
            pochhammer = math.prod(((l - power) / 2 + m) / (m + 1) for m in range(k))
            row.append((-1) ** k * 2 ** (power / 2) * math.exp(log) * pochhammer)
        found.append(np.array(row))
    return tuple(found)
