"""Plain products of smooth activations, and their derivatives, for up to 16 fields at once.

One and two fields: the trapezoid rule in y_a = s g_1, y_b = c g_1 + e g_2. Three and four fields:
two parts (`netsim.gaussian.chaos`), whose coefficients come from the same rule. The step h makes
both its errors, exp(-2 pi a/(h s)) from poles at distance a and exp(-2 pi^2/h^2) from the density,
negligible; p factors of an entire activation that grows like exp(c y^2 + r y) at x + i y change the
latter into exp(-(2 pi/h - p r s)^2/(2 + 4 p c s^2)).
"""

from __future__ import annotations

import math

import numpy as np

from netsim.gaussian.chaos import Chaos, cartesian, correlate, normalised_hermite
from netsim.gaussian.jets import derivatives, powers, smooth_order
from netsim.gaussian.line import EPSILON
from netsim.gaussian.plain.plan import Function, PlainPlan
from netsim.networks.activation import Activation

__all__ = ["correlated", "plain_smooth", "points_needed", "root"]

_DEGREE = 40  # of the coefficients: turning point of He_40 at 12.6
_TRUNCATION = (
    1e-12,
    1e-10,
)  # wanted of products over three and four, for up to 4 and for more fields
_NOTHING = 1e-13  # of the squared norm, beyond the highest degree
_COARSE = 1.2  # the comparison rule's step over the step
_GROWTH = {"erf": (1.0, 0.0), "gelu": (0.5, 0.0), "sin": (0.0, 1.0)}  # c, r; others like erf


def plain_smooth(
    sigma: Activation, K: np.ndarray, plan: PlainPlan, coarse: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Expectations of the plan's requests under N(0, K), by the rule or by the comparison rule.

    **Arguments:** `K`, (F, F), positive semidefinite, singular allowed; `plan`, whose derivatives
    `netsim.gaussian.jets` must know.

    **Returns:** (requests,) values and truncation errors; the difference between both rules tells
    the error of the quadrature.
    """
    x, w, H = _rule(sigma, K, plan, coarse)
    s = np.sqrt(np.diagonal(K))
    wanted = {function for key in (*plan.keys, *plan.parts) for _, function in key}
    own = [_values(sigma, scale * x, wanted) for scale in s]
    value, bound = np.zeros(len(plan.keys)), np.zeros(len(plan.keys))
    pairs = _pairs(sigma, K, plan, (x, H), own)
    for number, key in enumerate(plan.keys):
        if len(key) == 1:
            value[number] = w @ own[key[0][0]][key[0][1]]
        elif len(key) == 2:
            value[number] = pairs[key][0][0, 0]
    if len(plan.many):
        coefficients, norm2 = [], []
        for part in plan.parts:
            if len(part) == 1:
                f = own[part[0][0]][part[0][1]]
                table = np.zeros((len(H), len(H)))
                table[:, 0] = H @ f
                coefficients.append(table)
                norm2.append(w @ f**2)
            else:
                table, square = pairs[part]
                coefficients.append(table)
                norm2.append(square)
        chaos = Chaos.of(cartesian(np.array(coefficients)), np.array(norm2))
        value[plan.many], bound[plan.many] = correlated(K, plan, chaos)
    return _requested(plan, value), _requested(plan, bound)


def _requested(plan: PlainPlan, values: np.ndarray) -> np.ndarray:
    return np.append(values, 0.0)[plan.key_of]


def correlated(K: np.ndarray, plan: PlainPlan, chaos: Chaos) -> tuple[np.ndarray, np.ndarray]:
    """Values and truncation bounds of the keys of three and four fields.

    Of the three ways to take a key apart the one with the least correlated parts is used.
    """
    fields = np.array([(frame * 2)[:2] for frame in plan.frames])
    roots = np.array([_inverse_root(K, frame) for frame in plan.frames])
    left, right = plan.splits[..., 0], plan.splits[..., 1]
    between = K[fields[left][..., :, None], fields[right][..., None, :]]
    R = roots[left] @ between @ np.swapaxes(roots[right], -1, -2)
    best = np.argmin(np.linalg.norm(R, 2, axis=(-2, -1)), axis=1)
    way = best[plan.subset_of]
    rows = plan.rows[np.arange(len(way)), way]
    wanted = _TRUNCATION[0] if len(K) <= 4 else _TRUNCATION[1]
    return correlate(chaos, rows[:, 0], rows[:, 1], R[plan.subset_of, way], wanted)


def root(K: np.ndarray, a: int, b: int) -> tuple[float, float, float]:
    """(s, c, e): y_a = s g_1, y_b = c g_1 + e g_2; e = 0 where K is singular to rounding."""
    s = math.sqrt(K[a, a])
    c = K[a, b] / s if s else 0.0
    rest = K[b, b] - c * c
    return s, c, math.sqrt(rest) if rest > 4 * EPSILON * K[b, b] else 0.0


def _inverse_root(K: np.ndarray, frame: tuple[int, ...]) -> np.ndarray:
    """W with g = W y, for one or two fields; rows of directions without variance are 0."""
    s, c, e = (math.sqrt(K[frame[0], frame[0]]), 0.0, 0.0) if len(frame) == 1 else root(K, *frame)
    W = np.zeros((2, 2))
    W[0, 0] = 1 / s if s else 0.0
    if e:
        W[1] = -c * W[0, 0] / e, 1 / e
    return W


def _pairs(sigma, K: np.ndarray, plan: PlainPlan, rule, own) -> dict:
    """For every key and part of two fields: coefficients (Q+1, Q+1), and the mean square."""
    x, H = rule
    found: dict = {}
    parts = set(plan.parts)
    by_fields: dict[tuple[int, int], list] = {}
    for key in (*(key for key in plan.keys if len(key) == 2), *plan.parts):
        if len(key) == 2:
            by_fields.setdefault((key[0][0], key[1][0]), []).append(key)
    for (a, b), keys in by_fields.items():
        _, c, e = root(K, a, b)
        second = _values(sigma, c * x[:, None] + e * x, {key[1][1] for key in keys})
        inner = {function: values @ H[0] for function, values in second.items()}
        whole = {key[1][1] for key in keys if key in parts}
        inner_all = {function: second[function] @ H.T for function in whole}
        squares = {function: second[function] ** 2 @ H[0] for function in whole}
        for key in keys:
            (_, P), (_, Q) = key
            if key in parts:
                square = float((H[0] * own[a][P] ** 2) @ squares[Q])
                found[key] = (H * own[a][P]) @ inner_all[Q], square
            else:
                found[key] = np.array([[(H[0] * own[a][P]) @ inner[Q]]]), 0.0
    return found


def _values(sigma: Activation, y: np.ndarray, wanted: set[Function]) -> dict[Function, np.ndarray]:
    most = max(p for p, _ in wanted)
    orders = [max(i for q, i in wanted if q >= p) for p in range(1, most + 1)]
    table = powers(derivatives(sigma, y, orders[0]), orders)
    return {(p, i): table[p - 1][i] for p, i in wanted}


def _rule(sigma: Activation, K: np.ndarray, plan: PlainPlan, coarse: bool):
    """Nodes x, weights w, and the weighted rows w He_m/sqrt(m!) up to the degree needed."""
    h, reach = _step(sigma, K, plan)
    h = h * _COARSE if coarse else h
    count = math.ceil(reach / h)
    x = h * np.arange(-count, count + 1)
    w = h * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    if not plan.parts:
        return x, w, w[None]
    H = normalised_hermite(x, _DEGREE) * w
    return x, w, H[: _degree(sigma, math.sqrt(np.max(np.diagonal(K))) * x, H, plan) + 1]


def _degree(sigma: Activation, y: np.ndarray, H: np.ndarray, plan: PlainPlan) -> int:
    """The degree above which no part has anything left, were its fields equal and the widest."""
    kinds = {tuple(sorted(function for _, function in part)) for part in plan.parts}
    own = _values(sigma, y, {function for kind in kinds for function in kind})
    f = np.array([np.prod([own[function] for function in kind], axis=0) for kind in kinds])
    norm2 = f**2 @ H[0]
    tail = norm2[:, None] - np.cumsum((f @ H.T) ** 2, axis=1)
    enough = np.all(tail <= _NOTHING * norm2[:, None], axis=0)
    return int(np.argmax(enough)) if np.any(enough) else len(H) - 1


def points_needed(sigma: Activation, K: np.ndarray, plan: PlainPlan) -> float:
    """Nodes per dimension of the rule."""
    h, reach = _step(sigma, K, plan)
    return 2 * reach / h


def _step(sigma: Activation, K: np.ndarray, plan: PlainPlan) -> tuple[float, float]:
    # a pole of order k multiplies the error exp(-d) by d^k/k!: about exp(3 k), exp(4 k) with margin
    k = plan.sharpness - 2
    d = 26.0 + 3.0 * k if len(K) > 4 else 38.0 + 4.0 * k
    s = math.sqrt(max(np.max(np.diagonal(K)), 1e-30))
    # a pole sets the step itself; polynomials are known to every order
    tame = math.isfinite(sigma.pole) or math.isinf(smooth_order(sigma))
    c, r = (0.0, 0.0) if tame else _GROWTH.get(sigma.name, (1.0, 0.0))
    p = plan.legs
    rate = p * r * s + math.sqrt(d * (2 + 4 * p * c * s * s))
    if math.isfinite(sigma.pole):
        rate = max(rate, d * s / sigma.pole)
    return 2 * math.pi / (rate * _COARSE), 12.0 if len(plan.many) else 10.0
