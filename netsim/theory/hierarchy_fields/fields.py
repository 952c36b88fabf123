"""The hierarchy in 1/n for several fields: any inputs and input derivatives together.

Given layer l, the fields of layer l+1 are Gaussian with covariance S_l, so means and joint
cumulants of S are all that there is; they follow layer by layer, to n^-1 for up to 16 fields
(`netsim.theory.hierarchy_fields.first_order`), to n^-2 for four and n^-3 for three
(`netsim.theory.hierarchy_fields.series`).

Source: the hierarchy is that of Hanin, arXiv 2204.01058; the recursions for several fields and
beyond the leading power are derived from the conditional law of a layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from netsim.gaussian.jets import smooth_order
from netsim.gaussian.many_fields import check_fields
from netsim.networks.activation import Activation
from netsim.networks.fields import bias_mask
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.theory.hierarchy_fields.cumulants import FieldCumulants
from netsim.theory.hierarchy_fields.first_order import first_order
from netsim.theory.hierarchy_fields.multisets import multisets
from netsim.theory.hierarchy_fields.series import field_series

__all__ = ["MOST_FIELDS", "hierarchy_fields", "highest_order"]

MOST_FIELDS = {1: 16, 2: 4, 3: 3}  # order -> fields
_MOST_NEXT = {1: 16, 2: 4, 3: 3, 4: 2}  # where the next order can be computed
_MOST_INPUTS = 3  # with derivatives: integrals over three variables
_SAFETY = 4.0  # a difference of two rules may vanish by chance in one layer
_ROUNDING = 16 * float(np.finfo(float).eps)


def hierarchy_fields(
    network: Network,
    gram: np.ndarray,
    fields: Sequence[Slot],
    order: int = 1,
    *,
    next_term: bool = True,
) -> FieldCumulants:
    """Means and joint cumulants of S_ab over `fields` in every layer, to n^-`order`.

    **Arguments:** `gram`, (F, F), inner products of inputs and directions divided by n_0, zero for
    second derivatives (`Inputs.gram(fields)`); `fields`, closed under the chain rule
    (`netsim.networks.fields.closure`); `order`, M: 1 for up to 16 fields, 2 for up to 4, 3 for up
    to 3; `next_term`: also compute the coefficients of n^-(M+1), for the truncation error, where
    possible.

    **Returns:** `FieldCumulants`. Numerical errors are four times the difference of two
    computations with different rules, relative to standard deviations, the largest so far.

    ```python
    from netsim.networks.inputs import from_vectors
    from netsim.networks.network import network
    from netsim.quantities import Slot
    from netsim.theory.hierarchy_fields.fields import hierarchy_fields
    a, b = Slot("a"), Slot("b")
    inputs = from_vectors([[1.0, 0.0], [0.6, 0.8]], source="two vectors")
    found = hierarchy_fields(network("tanh", width=64, depth=5), inputs.gram([a, b]), [a, b])
    found.cumulant((a, a), (b, b)).value()      # Cov(S_aa, S_bb) in rows 0..5
    ```

    **Raises:** `ValueError` for weights that are not Gaussian, too many fields for the order, and
    fields that the activation does not have or that are not closed; for kinked activations: more
    than two inputs with derivatives or beyond n^-1, and parallel inputs.
    """
    if not network.weights.is_gaussian:
        raise ValueError(
            f"the hierarchy in 1/n for weights={network.weights.name!r}: only gaussian weights are "
            "covered; use weights='gaussian' or simulate"
        )
    fields = tuple(fields)
    gram = check_fields(network.activation, fields, gram)
    number = _variables(fields, gram)
    kept = [number.index(v) for v in range(max(number) + 1)]
    own = tuple(fields[i] for i in kept)
    _check(network.activation, own, order)
    more = next_term and _possible(network.activation, own, order + 1, _MOST_NEXT)
    # coefficients depend on n_l/n_1 only: networks that differ by a common factor share them
    common = math.gcd(*network.widths)
    shape = replace(network, widths=tuple(n // common for n in network.widths))
    values, errors = _both(shape, own, gram[np.ix_(kept, kept)].tobytes(), order + more)
    cut = slice(None, order + 1)
    return FieldCumulants(
        fields,
        order,
        network.widths[0],
        number,
        tuple(v[..., cut] for v in values[: order + 1]),
        tuple(e[..., cut] for e in errors[: order + 1]),
        tuple(v[..., order + 1] for v in values[: order + 1]) if more else None,
    )


def highest_order(sigma: Activation, fields: Sequence[Slot], most: int) -> int:
    """The largest order up to `most` that `hierarchy_fields` has for these fields; 0 if none."""
    orders = [k for k in MOST_FIELDS if k <= most]
    return max((k for k in orders if _possible(sigma, tuple(fields), k, MOST_FIELDS)), default=0)


def _check(sigma: Activation, fields: tuple[Slot, ...], order: int) -> None:
    if isinstance(order, bool) or order not in MOST_FIELDS:
        raise ValueError(f"order={order}: the last power of 1/n, 1 to {max(MOST_FIELDS)}")
    if len(fields) > MOST_FIELDS[order]:
        raise ValueError(
            f"{len(fields)} different fields to n^-{order}: at most {MOST_FIELDS[order]} are "
            f"covered ({MOST_FIELDS} by order); ask for fewer at a time"
        )
    inputs = {slot.input for slot in fields}
    derived = any(slot.directions for slot in fields)
    if len(inputs) > _MOST_INPUTS and derived:
        raise ValueError(
            f"{len(inputs)} inputs with input derivatives: at most {_MOST_INPUTS} are covered"
        )
    if not _possible(sigma, fields, order, MOST_FIELDS):
        raise ValueError(
            f"{len(inputs)} inputs to n^-{order} with activation {sigma.name}: more than two need, "
            "with kinks, order 1, no input derivatives and one change of slope at 0; without kinks, "
            f"order 1 or a built-in activation (derivatives up to order {4 * order})"
        )


def _possible(sigma: Activation, fields: tuple[Slot, ...], order: int, most: dict) -> bool:
    if order not in most or len(fields) > most[order]:
        return False
    if len({slot.input for slot in fields}) <= 2:
        return True
    if sigma.kinks:
        plain = not any(slot.directions for slot in fields)
        return order == 1 and plain and sigma.slopes is not None
    return order == 1 or smooth_order(sigma) >= 4 * order


def _variables(fields: tuple[Slot, ...], gram: np.ndarray) -> tuple[int, ...]:
    """Numbers of the different variables: inputs with bitwise equal rows are one input."""
    rows = {slot: (row + 0.0).tobytes() for slot, row in zip(fields, gram, strict=True)}
    known: dict[tuple, str] = {}
    name: dict[str, str] = {}
    for slot in fields:
        own = sorted((s.directions, rows[s]) for s in fields if s.input == slot.input)
        name[slot.input] = known.setdefault(tuple(own), slot.input)
    place: dict[Slot, int] = {}
    return tuple(place.setdefault(Slot(name[s.input], s.directions), len(place)) for s in fields)


@lru_cache(maxsize=8)  # 30 MB for 16 fields and 100 layers
def _both(network: Network, fields: tuple[Slot, ...], gram: bytes, order: int):
    """Coefficients and errors from two computations, arrays (L+1, multisets of k pairs, M+1)."""
    F = len(fields)
    mask = np.array(bias_mask(fields))
    K = network.bias_variance[0] * mask
    K = K + network.weight_variance[0] * np.frombuffer(gram).reshape(F, F)
    runs = []
    for comparison in (False, True):
        if order == 1:
            rows = first_order(network, fields, K, comparison)
        else:
            rows = field_series(network, fields, K, order, comparison)
        runs.append([np.stack(column) for column in zip(*rows, strict=True)])
    pairs = np.array(multisets(F, 2))
    diagonal = runs[0][0][:, pairs[:, 0] == pairs[:, 1], 0]
    sd = np.sqrt(np.maximum(diagonal, 0.0))
    scale = sd[:, pairs[:, 0]] * sd[:, pairs[:, 1]]
    errors = []
    for k, (value, other) in enumerate(zip(*runs, strict=True), 1):
        unit = np.prod(scale[:, np.array(multisets(len(pairs), k))], axis=2)[..., None]
        gap = np.abs(value - other)
        gap = np.divide(gap, unit, out=np.zeros_like(gap), where=unit > 0)
        rounding = _ROUNDING * np.sqrt(1.0 + np.arange(len(value)))[:, None, None] * np.abs(value)
        errors.append(_SAFETY * np.maximum.accumulate(gap, axis=0) * unit + rounding)
    for array in (*runs[0], *errors):
        array.setflags(write=False)  # shared by all who ask again
    return runs[0], errors
