"""Any order in 1/n for a few fields: joint cumulants of S_ab, every layer.

delta = S - K in the pairs of fields has E delta^alpha = O(n^-ceil(|alpha|/2)). Given delta, the
next layer's delta' has the conditional joint cumulants, with eps = 1/n,

    kappa_alpha = C_W^j (n/n_l)^{j-1} eps^{j-1} c_alpha(delta),   j = |alpha|,

minus its value at delta = 0 for j = 1, c_alpha the joint cumulants of the products h_a h_b, y ~
N(0, K + delta), as Taylor polynomials in delta. Their complete Bell polynomials B_alpha(delta)
carry the moments from layer to layer linearly,

    E delta'^alpha = sum_beta [delta^beta] B_alpha E delta^beta,

and what is beyond eps^M is dropped (derived from the conditional law, Hanin, arXiv 2204.01058).
"""

from __future__ import annotations

import numpy as np

from netsim.gaussian.field_expectations import field_expectations
from netsim.networks.fields import bias_mask
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.hierarchy_fields.multisets import Polynomials, multiply, multisets, splits
from netsim.theory.hierarchy_fields.plan import FieldPlan, field_plan

__all__ = ["field_series"]

Graded = list[Polynomials]  # one for each power of eps


def field_series(
    network: Network, fields: tuple[Slot, ...], K: np.ndarray, order: int, comparison: bool
) -> list[list[np.ndarray]]:
    """Coefficients of cum_1 .. cum_{M+1} of S to n^-M, M = `order`, n the first hidden width.

    **Arguments, Returns:** as `first_order` next door: for each row the arrays (multisets of k pairs,
    M+1), k = 1..M+1.
    """
    plan = field_plan(fields, order)
    sigma, P, n = network.activation, len(plan.pairs), network.widths[0]
    a, b = np.array(plan.pairs).T
    mask = np.array(bias_mask(fields))[a, b]
    moments = [np.zeros((len(multisets(P, k)), order + 1)) for k in range(2 * order + 1)]
    moments[0][0, 0] = 1.0
    rows = [_row(K[a, b], moments, P, order)]
    for l, width in enumerate(network.widths, 1):
        # nothing fluctuates before the first layer: no derivatives, and K may be singular
        requests = plan.requests[: len(plan.legs)] if l == 1 else plan.requests
        value = field_expectations(sigma, fields, K, requests, comparison)
        c = _conditional(plan, value, P, order)
        for j, polynomial in enumerate(c, 1):
            factor = network.weight_variance[l] ** j * (n / width) ** (j - 1)
            for block in polynomial.values():
                block *= factor
        mean = c[0].pop(0)[:, 0]
        moments = _evolve(_bell(c, P, order), moments, P)
        entries = network.bias_variance[l] * mask + mean
        K = np.zeros_like(K)
        K[a, b] = K[b, a] = entries
        rows.append(_row(entries, moments, P, order))
    return rows


def _conditional(plan: FieldPlan, value: np.ndarray, P: int, order: int) -> list[Polynomials]:
    """c_alpha for |alpha| = 1..M+1, by degree in delta."""
    most = max(len(m) for m in plan.monomial[: len(value)])
    blocks = [np.zeros((len(plan.legs), len(multisets(P, d)))) for d in range(most + 1)]
    for d in range(most + 1):
        place = {m: i for i, m in enumerate(multisets(P, d))}
        at = [k for k in range(len(value)) if len(plan.monomial[k]) == d]
        where = [place[plan.monomial[k]] for k in at]
        blocks[d][plan.leg[at], where] = plan.scale[at] * value[at]
    m: list[Polynomials] = []
    for j, legs in enumerate(plan.legs_of, 1):
        degree = 2 * (order - j + 1)
        m.append({d: blocks[d][legs] for d in range(min(degree, most) + 1)})
    c: list[Polynomials] = []
    for j in range(1, order + 2):
        found = {d: block.copy() for d, block in m[j - 1].items()}
        for i in range(1, j):
            alpha, kappa, rest, ways = splits(P, j, i)
            terms = multiply(
                P, _take(c[i - 1], kappa, ways), _take(m[j - i - 1], rest), 2 * (order - j + 1)
            )
            for d, block in terms.items():
                if d in found:
                    np.subtract.at(found[d], alpha, block)
        c.append(found)
    return c


def _take(polynomial: Polynomials, at: np.ndarray, ways: np.ndarray | None = None) -> Polynomials:
    scale = 1.0 if ways is None else ways[:, None]
    return {d: block[at] * scale for d, block in polynomial.items()}


def _bell(c: list[Polynomials], P: int, order: int) -> list[Graded]:
    """B_alpha by |alpha| = 0..2M, by power of eps."""
    found: list[Graded] = [[{0: np.ones((1, 1))}] + [{} for _ in range(order)]]
    for k in range(1, 2 * order + 1):
        graded: Graded = [{} for _ in range(order + 1)]
        for j in range(1, min(k, order + 1) + 1):
            alpha, kappa, rest, ways = splits(P, k, j)
            left = _take(c[j - 1], kappa, ways)
            for power in range(j - 1, order + 1):
                degree = 2 * (order - power)
                before = found[k - j][power - j + 1]
                for d, block in multiply(P, left, _take(before, rest), degree).items():
                    shape = (len(multisets(P, k)), block.shape[1])
                    np.add.at(graded[power].setdefault(d, np.zeros(shape)), alpha, block)
        found.append(graded)
    return found


def _evolve(bell: list[Graded], moments: list[np.ndarray], P: int) -> list[np.ndarray]:
    found = []
    for k, graded in enumerate(bell):
        total = np.zeros((len(multisets(P, k)), len(graded)))
        for power, polynomial in enumerate(graded):
            for d, block in polynomial.items():
                total[:, power:] += block @ moments[d][:, : len(graded) - power]
        found.append(total)
    return found


def _row(K: np.ndarray, moments: list[np.ndarray], P: int, order: int) -> list[np.ndarray]:
    """Joint cumulants of S from moments of delta, series in eps."""
    found: list[np.ndarray] = []
    for k in range(1, order + 2):
        total = moments[k].copy()
        for i in range(1, k):
            alpha, kappa, rest, ways = splits(P, k, i)
            left, right = found[i - 1][kappa] * ways[:, None], moments[k - i][rest]
            for power in range(order + 1):
                product = left[:, power, None] * right[:, : order + 1 - power]
                np.subtract.at(total[:, power:], alpha, product)
        total[:, : k - 1] = 0.0  # they vanish: cum_k = O(eps^{k-1})
        found.append(total)
    first = found[0].copy()
    first[:, 0] += K
    return [first, *found[1:]]
