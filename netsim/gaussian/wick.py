"""Products of features as functions of the pre-activations alone.

A feature is a sum of terms sigma^(k)(z_i) times derivative fields (chain rule); given the z's the
derivative fields are jointly Gaussian with linear mean, so their product is averaged exactly by
Wick's theorem with means: E[y_1 ... y_m] = mu_1 E[y_2 ...] + sum_j cov_1j E[y_2 .. without j].
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from netsim.quantities import Slot

__all__ = ["Term", "expand", "moment"]

# sigma^(k) of which z, as sorted (field, k) pairs; and the derivative fields, sorted
Term = tuple[tuple[tuple[int, int], ...], tuple[int, ...]]


def expand(fields: Sequence[Slot], legs: Sequence[int]) -> list[Term]:
    """The terms of prod_a h_a, a in `legs`; all have coefficient 1 (repeats are listed)."""
    at = {slot: index for index, slot in enumerate(fields)}
    choices = []
    for leg in legs:
        slot = fields[leg]
        z = at[Slot(slot.input)]
        if not slot.directions:
            choices.append([((z, 0), ())])
        elif len(slot.directions) == 1:
            choices.append([((z, 1), (leg,))])
        else:
            u, v = (at[Slot(slot.input, (d,))] for d in slot.directions)
            choices.append([((z, 2), (u, v)), ((z, 1), (leg,))])
    terms = []
    for picked in product(*choices):
        functions = tuple(sorted(function for function, _ in picked))
        terms.append((functions, tuple(sorted(y for _, ys in picked for y in ys))))
    return terms


def moment(ys: tuple[int, ...], mean: dict[int, np.ndarray], covariance, cache: dict):
    """E prod_k y_k for Gaussian y, at every node.

    **Arguments:** `ys`, field numbers with repeats; `mean[y]`, (N,) conditional means;
    `covariance[y, y']`, floats; `cache`, a dict kept between calls with the same mean.

    **Returns:** (N,) array, or 1.0 for an empty product.
    """
    if not ys:
        return 1.0
    if ys not in cache:
        first, rest = ys[0], ys[1:]
        total = mean[first] * moment(rest, mean, covariance, cache)
        for j, other in enumerate(rest):
            without = rest[:j] + rest[j + 1 :]
            total = total + covariance[first, other] * moment(without, mean, covariance, cache)
        cache[ys] = total
    return cache[ys]
