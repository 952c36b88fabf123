"""The expectations that a recursion over layers needs, by the cheapest way that covers them.

Each is asked for twice: by a rule, and by a comparison rule (coarser, or with every error bound
added with a fixed sign), so that the difference of two whole recursions is what all errors amount
to.
"""

from __future__ import annotations

import numpy as np

from netsim.gaussian.derivative_terms import Request
from netsim.gaussian.hermite_fields import hermite_expectations
from netsim.gaussian.jets import smooth_order
from netsim.gaussian.plain.plan import plan_plain
from netsim.gaussian.plain.slopes import covers, plain_slopes
from netsim.gaussian.plain.smooth import plain_smooth, points_needed
from netsim.networks.activation import Activation
from netsim.quantities import Slot

__all__ = ["field_expectations"]

_STEEP = (
    500,
    1500,
)  # points per dimension above which two fields go to graded panels; more are refused


def field_expectations(
    sigma: Activation,
    fields: tuple[Slot, ...],
    K: np.ndarray,
    requests: tuple[Request, ...],
    comparison: bool,
) -> np.ndarray:
    """<d^order prod_{a in legs} h_a>_K for every (legs, order) of `requests`.

    **Arguments:** as `netsim.gaussian.hermite_fields.hermite_expectations`; `comparison`, by the
    second rule.

    **Returns:** (len(requests),) values; 0 for derivatives by fields without variance, which do not
    fluctuate, so that nothing is multiplied by these derivatives.

    **Raises:** `ValueError` where no way covers them.
    """
    still = np.diagonal(K) == 0
    if np.any(still):
        moving = np.array([not np.any(np.array(order)[still]) for _, order in requests])
        if not np.all(moving):
            kept = tuple(request for request, use in zip(requests, moving, strict=True) if use)
            found = np.zeros(len(requests))
            found[moving] = field_expectations(sigma, fields, K, kept, comparison)
            return found
    found = np.zeros(len(requests))
    fast = _fast(sigma, fields, K, requests)
    some = tuple(request for request, easy in zip(requests, fast, strict=True) if easy)
    if some and smooth_order(sigma) >= 0:
        value, bound = plain_smooth(sigma, K, plan_plain(some), comparison)
        found[fast] = value + bound if comparison else value
    elif some:
        value, error = plain_slopes(sigma, K, plan_plain(some))
        found[fast] = _shifted(value, error) if comparison else value
    rest = tuple(request for request, easy in zip(requests, fast, strict=True) if not easy)
    if rest:
        value, error = hermite_expectations(sigma, fields, K, rest)
        found[~fast] = _shifted(value, error) if comparison else value
    return found


def _fast(sigma: Activation, fields, K: np.ndarray, requests) -> np.ndarray:
    """Which requests the ways for plain products cover; the others are for any fields."""
    if any(slot.directions for slot in fields):
        return np.zeros(len(requests), dtype=bool)
    plan = plan_plain(requests)
    order = smooth_order(sigma)
    if order < 0:
        return np.full(len(requests), sigma.slopes is not None and covers(plan))
    points = points_needed(sigma, K, plan)
    if len(fields) > 2 and points > _STEEP[1]:
        raise ValueError(
            f"{len(fields)} fields with variances up to {np.max(np.diagonal(K)):.3g}: activation "
            f"{sigma.name} varies too fast for products of three; ask for two at a time"
        )
    if len(fields) <= 2 and points > _STEEP[0]:
        return np.zeros(len(requests), dtype=bool)
    highest = np.array([max(i for _, (_, i) in key) for key in plan.keys] + [0])
    return highest[plan.key_of] <= order


def _shifted(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Errors added with signs that no symmetry of the recursion shares."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=len(value))
    return value + signs * error
