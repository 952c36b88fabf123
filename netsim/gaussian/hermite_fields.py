"""Gaussian expectations of products of features of several fields, and covariance derivatives.

For f = prod_a h_a(y), y ~ N(0, K), u = K^-1 y and a multi-index gamma over the fields,

    <f He_gamma>_K = <d^gamma f>_K,   He_0 = 1,
    He_{gamma + e_i} = u_i He_gamma - sum_j (K^-1)_ij gamma_j He_{gamma - e_j},
    <f>_{K + delta} = <exp((1/2) sum_ab delta_ab d_a d_b) f>_K,

so every derivative in the covariance is one of these numbers (integration by parts; the last line
is Price's theorem). Where the activation's derivatives are known the right-hand side is integrated,
which needs no inverse: nearly equal inputs keep all digits. Kinked activations, and your own beyond
the derivatives you gave, take the weights, which need a non-singular covariance of the z's only.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np

from netsim.gaussian.atoms import Atom, integrate_atoms, weighted
from netsim.gaussian.derivative_terms import Request, differentiated, split_orders
from netsim.gaussian.jets import smooth_order
from netsim.gaussian.line import EPSILON
from netsim.gaussian.many_fields import check_fields
from netsim.gaussian.slopes_pair import SlopesPair
from netsim.networks.activation import Activation
from netsim.quantities import Slot

__all__ = ["CovarianceTaylor", "covariance_taylor", "hermite_expectations", "monomials", "order_of"]

Pair = tuple[int, int]


@dataclass(frozen=True)
class CovarianceTaylor:
    """Coefficients of <f>_{K + delta} in the independent entries delta_ab, a <= b.

    **Fields:** `monomials`, each a sorted tuple of pairs of field numbers, with repeats, () first;
    `value`, `error`, (len(legs), len(monomials)). Row i is the expectation of leg i; a derivative
    is its coefficient times the factorials of the pairs' multiplicities (`derivative`).
    """

    monomials: tuple[tuple[Pair, ...], ...]
    value: np.ndarray
    error: np.ndarray

    def derivative(self, *pairs: Pair) -> np.ndarray:
        """(len(legs),) derivatives in the entries `pairs`, each (a, b) with a <= b."""
        wanted = tuple(sorted(pairs))
        factorial = math.prod(math.factorial(c) for c in Counter(wanted).values())
        return self.value[:, self.monomials.index(wanted)] * factorial


def hermite_expectations(
    sigma: Activation, fields: Sequence[Slot], K: np.ndarray, requests: Sequence[Request]
) -> tuple[np.ndarray, np.ndarray]:
    """<He_gamma prod_{a in legs} h_a>_K for every (legs, gamma) in `requests`.

    **Arguments:** `fields`, closed under the chain rule (`netsim.networks.fields.closure`); `K`,
    (F, F), positive semidefinite, singular allowed where the activation's derivatives are known;
    legs, 1 or more field numbers; gamma, F numbers >= 0.

    **Returns:** (len(requests),) values and errors: each the difference between two rules plus
    rounding. About 1e-13 for one or two inputs; three and four (smooth only) as
    `netsim.gaussian.many_fields.products`.

    **Raises:** `ValueError` for a K or fields that do not fit, kinks with three or more inputs, or
    a singular covariance where weights are needed.
    """
    fields = tuple(fields)
    K = check_fields(sigma, fields, K)
    for legs, order in requests:
        if not legs or len(order) != len(fields) or min(order) < 0:
            raise ValueError(
                f"request ({legs}, {order}): give at least one leg, and {len(fields)} orders >= 0"
            )
    total, bound = np.zeros(len(requests)), np.zeros(len(requests))
    left = []
    for number, request in enumerate(requests):
        closed = _closed(sigma, fields, K, request)
        if closed is None:
            left.append(number)
        else:
            total[number], bound[number] = closed, 8 * EPSILON * abs(closed)
    atoms, rows = _atoms(sigma, fields, K, tuple(requests[number] for number in left))
    value, error = integrate_atoms(sigma, K, atoms)
    for number, at, coefficient in rows:
        total[left[number]] += coefficient * value[at]
        bound[left[number]] += abs(coefficient) * error[at]
    return total, bound


def _closed(sigma: Activation, fields: tuple[Slot, ...], K: np.ndarray, request: Request):
    """Two plain fields with a kink at 0: exact for any angle, where weights lose digits."""
    (*legs,), order = request
    if sigma.slopes is None or len(legs) != 2 or legs[0] == legs[1]:
        return None
    a, b = legs
    if fields[a].directions or fields[b].directions or sum(order) != order[a] + order[b]:
        return None
    pair = SlopesPair.of(sigma, K[a, a], K[a, b], K[b, b])
    return pair.derivative(order[a], order[b]) if any(order) else pair.power(1, 1)


def _atoms(sigma: Activation, fields: tuple[Slot, ...], K: np.ndarray, requests):
    """The distinct atoms, and rows (request, atom, coefficient)."""
    explicit = _explicit(fields, requests)
    highest = max((k for (_, (functions, _)) in explicit[0] for _, k in functions), default=0)
    if highest <= smooth_order(sigma):
        return explicit
    place: dict[Atom, int] = {}
    rows: list[tuple[int, int, float]] = []
    members = [i for i, slot in enumerate(fields) if slot.directions]
    for number, (legs, order) in enumerate(requests):
        by_members, by_inputs = split_orders(fields, order)
        for term, factor in differentiated(fields, legs, by_members):
            if any(k and i not in {f for f, _ in term[0]} for i, k in enumerate(by_inputs)):
                continue  # does not depend on that input
            for atom, coefficient in weighted(K, term, by_inputs, members).items():
                rows.append((number, place.setdefault(atom, len(place)), factor * coefficient))
    return list(place), rows


@lru_cache(maxsize=64)
def _explicit(fields: tuple[Slot, ...], requests: tuple[Request, ...]):
    place: dict[Atom, int] = {}
    rows: list[tuple[int, int, float]] = []
    for number, (legs, order) in enumerate(requests):
        for term, coefficient in differentiated(fields, legs, order):
            rows.append((number, place.setdefault(((), term), len(place)), float(coefficient)))
    return list(place), rows


def covariance_taylor(
    sigma: Activation,
    fields: Sequence[Slot],
    K: np.ndarray,
    legs: Sequence[tuple[int, ...]],
    degree: int,
) -> CovarianceTaylor:
    """Taylor coefficients of <prod_{a in leg} h_a>_{K + delta} in delta, for every leg.

    The coefficient of prod_{a <= b} delta_ab^{beta_ab} is <f He_gamma>_K divided by
    prod beta_ab! prod_a 2^{beta_aa}, gamma_a = 2 beta_aa + sum_{b != a} beta_ab.

    ```python
    from netsim.gaussian.hermite_fields import covariance_taylor
    from netsim.networks.activations import activation
    from netsim.quantities import Slot
    K = [[1.0, 0.3], [0.3, 1.0]]
    found = covariance_taylor(activation("sin"), [Slot("a"), Slot("b")], K, [(0, 1)], 2)
    found.derivative((0, 1))  # d/dK_ab of exp(-1) sinh(K_ab): exp(-1) cosh(0.3)
    ```

    **Arguments, Raises:** as `hermite_expectations`; `degree` >= 0.
    """
    if degree < 0:
        raise ValueError(f"degree={degree}: must be >= 0")
    count = len(fields)
    basis = monomials(count, degree)
    requests = [(tuple(leg), order_of(count, m)[0]) for leg in legs for m in basis]
    value, error = hermite_expectations(sigma, fields, K, requests)
    scale = np.array([order_of(count, m)[1] for m in basis])
    shape = (len(legs), len(basis))
    return CovarianceTaylor(basis, value.reshape(shape) * scale, error.reshape(shape) * scale)


def monomials(count: int, degree: int) -> tuple[tuple[Pair, ...], ...]:
    """All products of up to `degree` entries delta_ab, a <= b < count, by degree."""
    pairs = list(combinations_with_replacement(range(count), 2))
    return tuple(m for k in range(degree + 1) for m in combinations_with_replacement(pairs, k))


def order_of(count: int, monomial: Sequence[Pair]) -> tuple[tuple[int, ...], float]:
    """gamma(beta), and 1 / (prod beta_ab! prod 2^beta_aa), of a monomial."""
    order, scale = [0] * count, 1.0
    for (a, b), times in Counter(monomial).items():
        order[a] += times
        order[b] += times
        scale /= math.factorial(times) * (2.0**times if a == b else 1.0)
    return tuple(order), scale
