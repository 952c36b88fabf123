"""First order in 1/n for up to 16 fields: means and covariances of S_ab, every layer.

With p, q pairs of fields, h the features and delta = S - K,

    K'_p     = C_b,p + C_W <h_a h_b>_K
    J_pq     = C_W d<h_a h_b>/dK_q
    C'_pq    = (C_W^2/n_l) (<h_a h_b h_c h_d> - <h_a h_b><h_c h_d>) + sum_{p'q'} J_pp' J_qq' C_p'q'
    D'_p     = sum_q J_pq D_q + (C_W/2) sum_{qq'} d^2<h_a h_b>/dK_q dK_q' C_qq'

from D = C = 0 in the first layer (derived from the conditional law of a layer, Hanin, arXiv
2204.01058; the C recursion is that of V in Roberts, Yaida and Hanin, arXiv 2106.10165). Only
entries q among the fields of h_a and h_b have derivatives.
"""

from __future__ import annotations

import numpy as np

from netsim.gaussian.field_expectations import field_expectations
from netsim.networks.fields import bias_mask
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.hierarchy_fields.multisets import multisets
from netsim.theory.hierarchy_fields.plan import FieldPlan, field_plan

__all__ = ["first_order"]


def first_order(
    network: Network, fields: tuple[Slot, ...], K: np.ndarray, comparison: bool
) -> list[list[np.ndarray]]:
    """Coefficients of cum_1 and cum_2 of S, rows l = 0..L, n being the first hidden width.

    **Arguments:** `K`, (F, F), covariance of the first layer's fields; `comparison`, by the second
    rule of `netsim.gaussian.field_expectations`.

    **Returns:** for each row the arrays (multisets of k pairs, 2), k = 1, 2: coefficients of n^0,
    n^-1.
    """
    plan = field_plan(fields, 1)
    sigma, P, n = network.activation, len(plan.pairs), network.widths[0]
    a, b = np.array(plan.pairs).T
    mask = np.array(bias_mask(fields))[a, b]
    two = np.array(multisets(P, 2))
    D, C = np.zeros(P), np.zeros((P, P))
    linear, quadratic = _by_degree(plan)
    rows = [_row(K[a, b], D, C, two)]
    for l, width in enumerate(network.widths, 1):
        first = l == 1  # nothing fluctuates yet: no derivatives, and K may be singular
        requests = plan.requests[: len(plan.legs)] if first else plan.requests
        value = field_expectations(sigma, fields, K, requests, comparison)
        c = network.weight_variance[l]
        mean = c * value[plan.legs_of[0]]
        source = np.zeros((P, P))
        source[two[:, 0], two[:, 1]] = c * c * value[plan.legs_of[1]]
        source = np.triu(source) + np.triu(source, 1).T - np.outer(mean, mean)
        if first:
            C = (n / width) * source
        else:
            coefficient = c * plan.scale * value
            J, curvature = np.zeros((P, P)), np.zeros(P)
            at, q = linear
            J[plan.leg[at], q] = coefficient[at]
            at, q, r = quadratic
            np.add.at(curvature, plan.leg[at], coefficient[at] * C[q, r])
            D = J @ D + curvature
            C = (n / width) * source + J @ C @ J.T
        K = _symmetric(network.bias_variance[l] * mask + mean, a, b)
        rows.append(_row(K[a, b], D, C, two))
    return rows


def _by_degree(plan: FieldPlan):
    """(requests, q) of degree 1 and (requests, q, q') of degree 2."""
    one = [(k, *m) for k, m in enumerate(plan.monomial) if len(m) == 1]
    two = [(k, *m) for k, m in enumerate(plan.monomial) if len(m) == 2]
    return np.array(one, dtype=int).reshape(-1, 2).T, np.array(two, dtype=int).reshape(-1, 3).T


def _symmetric(entries: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    F = int(b[-1]) + 1
    K = np.zeros((F, F))
    K[a, b] = K[b, a] = entries
    return K


def _row(K: np.ndarray, D: np.ndarray, C: np.ndarray, two: np.ndarray) -> list[np.ndarray]:
    covariance = C[two[:, 0], two[:, 1]]
    return [np.stack([K, D], axis=1), np.stack([np.zeros_like(covariance), covariance], axis=1)]
