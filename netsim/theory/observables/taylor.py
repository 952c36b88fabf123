"""Taylor polynomials in the covariance of the mean of a function of several neurons.

    <F>_{K + delta} = sum_beta delta^beta T_beta,   T_beta = <F H_beta>_K

where the density of one neuron expands in the variables delta_p, p = (a, b) with a <= b, as

    N(K + delta)/N(K) = sum_gamma delta^gamma He_{g(gamma)}(u)
                        / (prod_p gamma_p! prod_a 2^{gamma_aa}),
    u = K^{-1} y,  g(gamma)_a = 2 gamma_aa + sum_{b != a} gamma_ab,
    He_{g + e_i} = u_i He_g - sum_j (K^{-1})_ij g_j He_{g - e_j},

and the densities of the neurons multiply, so H is the product of their polynomials. F is not
differentiated, so it may have kinks and steps.

Source: Hermite form of Gaussian derivatives (Price's theorem) for independent neurons, as used for one
neuron in the hierarchy of Hanin, arXiv 2204.01058; derived for this package.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from netsim.gaussian.covariance import factor
from netsim.theory.hierarchy_fields.multisets import Polynomials, multiply, multisets
from netsim.theory.observables.functional import Factor, evaluate, neurons_of
from netsim.theory.observables.nodes import MOST, REACH, Rule, products, replicates

__all__ = ["taylor"]

_SAFETY = 3.0  # three rules may err alike by chance; three standard errors of replicates
_SMOOTH = 1e-6  # relative error of a mean up to which product rules are believed
_ROUNDING = 64 * float(np.finfo(float).eps)


def taylor(
    product: Sequence[Factor], K: np.ndarray, degree: int
) -> tuple[Polynomials, Polynomials]:
    """T_beta for |beta| <= `degree`, and numerical errors.

    **Arguments:** `K`, (F, F), may be singular if `degree` is 0.

    **Returns:** two dictionaries degree -> (1, multisets of that many pairs): values; errors, from
    rules that share no points or the scatter of replicates.

    **Raises:** `ValueError` for a singular K where derivatives are wanted, and too many neurons times
    fields.
    """
    A, neurons = factor(K), neurons_of(product)
    F, rank = A.shape
    if degree and rank < F:
        raise ValueError("the covariance is singular: derivatives along it are not defined")
    if not 1 <= neurons * rank <= MOST:
        if rank == 0:
            value = evaluate(product, np.zeros((1, neurons, F)))
            return {0: value[:, None]}, {0: np.zeros((1, 1))}
        raise ValueError(
            f"{neurons} neurons at {rank} fields: integrals over {MOST} normals at most"
        )
    normals = neurons * rank

    def integrals(rules: Sequence[Rule]):
        return [_integral(product, A, neurons, degree, rule) for rule in rules]

    lines = integrals(products(normals))
    smooth = _of_products(lines) if lines else None
    if smooth is not None and (normals == 1 or _is_smooth(smooth)):
        return smooth
    rough = _of_replicates(integrals(replicates(normals)))
    return rough if smooth is None else _better(smooth, rough)


Integrals = tuple[Polynomials, Polynomials]


def _of_products(found: Sequence[tuple[Polynomials, Polynomials, Polynomials]]) -> Integrals:
    """The finest rule's values; errors from all differences, rounding, and what lies at the edge."""
    (values, sizes, edges), *others = found
    errors = {}
    for d, x in values.items():
        every = [x, *(other[0][d] for other in others)]
        spread = np.max(every, axis=0) - np.min(every, axis=0)
        errors[d] = _SAFETY * spread + _ROUNDING * sizes[d] + edges[d]
    return values, errors


def _of_replicates(found: Sequence[tuple[Polynomials, Polynomials, Polynomials]]) -> Integrals:
    stacked = {d: np.stack([one[0][d] for one in found]) for d in found[0][0]}
    values = {d: x.mean(axis=0) for d, x in stacked.items()}
    root = math.sqrt(len(found)) / _SAFETY
    scatter = {d: x.std(axis=0, ddof=1) / root for d, x in stacked.items()}
    return values, scatter


def _is_smooth(found: Integrals) -> bool:
    value, error = found[0][0][0, 0], found[1][0][0, 0]
    return error <= _SMOOTH * abs(value)


def _better(first: Integrals, second: Integrals) -> Integrals:
    """Per coefficient the one of smaller error; where they contradict each other, their distance."""
    values, errors = {}, {}
    for d, x in first[0].items():
        y, e, f = second[0][d], first[1][d], second[1][d]
        values[d] = np.where(e <= f, x, y)
        apart = np.abs(x - y) > 5 * (e + f)
        errors[d] = np.where(apart, np.abs(x - y), np.minimum(e, f))
    return values, errors


def _integral(
    product: Sequence[Factor], A: np.ndarray, neurons: int, degree: int, rule: Rule
) -> tuple[Polynomials, Polynomials, Polynomials]:
    """The integrals, those of the absolute values, and the part of these near the rule's edge."""
    F, rank = A.shape
    inverse = np.linalg.inv(A) if degree else np.zeros((rank, F))
    totals: dict[int, np.ndarray] = {}
    sizes: dict[int, np.ndarray] = {}
    edges: dict[int, np.ndarray] = {}
    for points, weights in rule:
        g = points.reshape(-1, neurons, rank)
        with np.errstate(all="ignore"):  # what is not finite shows in the error
            f = weights * evaluate(product, g @ A.T)
        edge = np.any(np.abs(points) > REACH - 1, axis=1)
        polynomial: Polynomials = {0: np.ones((len(f), 1))}
        for i in range(neurons if degree else 0):
            own = _density(g[:, i] @ inverse, inverse.T @ inverse, degree)
            polynomial = multiply(F * (F + 1) // 2, polynomial, own, degree)
        for d, x in polynomial.items():
            totals[d] = totals.get(d, 0.0) + (f @ x)[None]
            size = np.abs(f)[:, None] * np.abs(x)
            sizes[d] = sizes.get(d, 0.0) + size.sum(axis=0)[None]
            edges[d] = edges.get(d, 0.0) + size[edge].sum(axis=0)[None]
    return totals, sizes, edges


def _density(u: np.ndarray, inverse: np.ndarray, degree: int) -> Polynomials:
    """N(K + delta)/N(K) of one neuron to `degree`; u = K^{-1} y, (N, F)."""
    F = u.shape[1]
    hermite: dict[tuple[int, ...], np.ndarray] = {(0,) * F: np.ones(len(u))}

    def He(g: tuple[int, ...]) -> np.ndarray:
        if g not in hermite:
            i = next(a for a in range(F) if g[a])
            lower = _minus(g, i)
            total = u[:, i] * He(lower)
            for j in range(F):
                if lower[j]:
                    total = total - inverse[i, j] * lower[j] * He(_minus(lower, j))
            hermite[g] = total
        return hermite[g]

    found = {}
    for d in range(degree + 1):
        columns = [He(g) / divisor for g, divisor in _monomials(F, d)]
        found[d] = np.stack(columns, axis=1)
    return found


def _minus(g: tuple[int, ...], i: int) -> tuple[int, ...]:
    return (*g[:i], g[i] - 1, *g[i + 1 :])


@lru_cache(maxsize=64)
def _monomials(F: int, degree: int) -> tuple[tuple[tuple[int, ...], float], ...]:
    """(Hermite index, divisor) of every monomial of that degree in the variables delta_p."""
    pairs = multisets(F, 2)
    found = []
    for gamma in multisets(len(pairs), degree):
        g, divisor = [0] * F, 1.0
        for p in set(gamma):
            times = gamma.count(p)
            a, b = pairs[p]
            divisor *= math.factorial(times) * (2.0**times if a == b else 1.0)
            g[a] += times
            g[b] += times
        found.append((tuple(g), divisor))
    return tuple(found)
