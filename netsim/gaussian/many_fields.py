"""Expectations of products of features h_a h_b (h_c h_d) over jointly Gaussian fields.

The fields are pre-activations z of several inputs and their input derivatives, with any positive
semidefinite covariance. A product of features is a function of the z's of its few inputs once its
derivative fields are averaged given them, so a pair product is an integral over one or two
variables, whatever the number of fields.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsim.gaussian.closed_forms import plain_product
from netsim.gaussian.covariance import factor, regress
from netsim.gaussian.plane import integrate_plane
from netsim.gaussian.rank import integrate_rank
from netsim.gaussian.wick import expand, moment
from netsim.networks.activation import Activation
from netsim.networks.fields import check_order, closure
from netsim.quantities import Slot

__all__ = ["check_fields", "pair_products", "products"]


def check_fields(sigma: Activation, fields: Sequence[Slot], K: np.ndarray) -> np.ndarray:
    """K as a float64 array, after checks.

    **Raises:** `ValueError` for fields that are repeated, not closed under the chain rule or not
    had by `sigma`; for a K that is not (F, F), finite and symmetric.
    """
    check_order(sigma, fields)
    missing = set(closure(fields)) - set(fields)
    if missing or len(set(fields)) < len(fields):
        raise ValueError(
            f"fields {[s.text for s in fields]}: each must occur once, together with what the "
            f"chain rule needs (missing: {sorted(s.text for s in missing)}); use closure(fields)"
        )
    K = np.array(K, dtype=np.float64)
    F = len(fields)
    if K.shape != (F, F) or not np.all(np.isfinite(K)) or np.any(np.diagonal(K) < 0):
        raise ValueError(
            f"covariance of {F} fields: must be a finite ({F}, {F}) array with a diagonal >= 0, "
            f"got shape {K.shape}, {K.tolist()}"
        )
    if np.max(np.abs(K - K.T), initial=0.0) > 1e-12 * np.max(np.abs(K), initial=0.0):
        raise ValueError(f"covariance must be symmetric, got {K.tolist()}")
    lowest = np.linalg.eigvalsh(K)[0]
    if lowest < -1e-9 * np.max(np.diagonal(K)):
        raise ValueError(
            f"covariance must be positive semidefinite; its lowest eigenvalue is {lowest:.3g}: "
            f"{K.tolist()}"
        )
    return K


def pair_products(
    sigma: Activation, fields: Sequence[Slot], K: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """E h_a h_b for all pairs of fields.

    **Arguments:** `fields`, closed under the chain rule; `K`, (F, F), their covariance.

    **Returns:** (F, F) values and (F, F) errors; bitwise equal entries for equal fields.

    **Raises:** `ValueError`, see `check_fields`.
    """
    K = check_fields(sigma, fields, K)
    same = _representatives(fields, K)
    own = sorted(set(same))
    legs = [(a, b) for i, a in enumerate(own) for b in own[i:]]
    value, error = products(sigma, fields, K, legs)
    values, errors = np.zeros_like(K), np.zeros_like(K)
    for (a, b), v, e in zip(legs, value, error, strict=True):
        values[a, b] = values[b, a] = v
        errors[a, b] = errors[b, a] = e
    pick = np.ix_(same, same)
    return values[pick], errors[pick]


def _representatives(fields: Sequence[Slot], K: np.ndarray) -> list[int]:
    """For every field the first one whose feature is the same random variable.

    Equal rows of K mean equal variables; a feature is the same if all it is made of is.
    """
    first: dict[bytes, int] = {}
    variable = [first.setdefault((row + 0.0).tobytes(), a) for a, row in enumerate(K)]
    at = {slot: variable[a] for a, slot in enumerate(fields)}
    made: dict[tuple, int] = {}
    same = []
    for a, slot in enumerate(fields):
        parts = sorted(at[Slot(slot.input, (d,))] for d in slot.directions)
        key = (len(slot.directions), at[Slot(slot.input)], at[slot], *parts)
        same.append(made.setdefault(key, a))
    return same


def products(
    sigma: Activation, fields: Sequence[Slot], K: np.ndarray, legs: Sequence[tuple[int, ...]]
) -> tuple[np.ndarray, np.ndarray]:
    """E prod_{a in t} h_a for every tuple t of field numbers in `legs`.

    **Returns:** (len(legs),) values and errors: about 1e-14 for up to two inputs, 1e-12 and 1e-9
    for three and four of a smooth activation.

    **Raises:** `ValueError`, see `check_fields`; and for three or more linearly independent inputs
    in one product where sigma has kinks.
    """
    K = check_fields(sigma, fields, K)
    value, error = np.zeros(len(legs)), np.zeros(len(legs))
    z_of = [fields.index(Slot(s.input)) for s in fields]
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, leg in enumerate(legs):
        if len(leg) == 2 and all(not fields[a].directions for a in leg):
            a, b = sorted(leg)
            closed = plain_product(sigma, K[a, a], K[a, b], K[b, b])
            if closed is not None:
                value[number], error[number] = closed
                continue
        groups.setdefault(tuple(sorted({z_of[a] for a in leg})), []).append(number)
    for inputs, numbers in groups.items():
        v, e = _group(sigma, fields, K, list(inputs), [legs[k] for k in numbers])
        value[numbers], error[numbers] = v, e
    return value, error


def _group(sigma, fields, K: np.ndarray, inputs: list[int], legs):
    """Values and errors of products that share their inputs."""
    A = factor(K[np.ix_(inputs, inputs)])
    f = _integrand(sigma, fields, K, inputs, A, legs)
    return integrate_rank(sigma, f, A, integrate_plane)


def _integrand(sigma, fields, K: np.ndarray, inputs: list[int], A: np.ndarray, legs):
    """g (r, N) -> (len(legs), N): the products, derivative fields averaged given z = A g."""
    terms = [expand(fields, leg) for leg in legs]
    ys = sorted({y for group in terms for _, members in group for y in members})
    C = regress(K, inputs, ys, A)
    left = K[np.ix_(ys, ys)] - C @ C.T
    covariance = {(y, x): left[i, j] for i, y in enumerate(ys) for j, x in enumerate(ys)}
    row = {field: i for i, field in enumerate(inputs)}
    orders = {function for group in terms for functions, _ in group for function in functions}

    def f(g: np.ndarray) -> np.ndarray:
        z = _rows(A, g)
        s = {(field, k): sigma.numpy(z[row[field]], k) for field, k in orders}
        mean = dict(zip(ys, _rows(C, g), strict=True))
        cache: dict = {}
        out = np.zeros((len(terms), g.shape[1]))
        for i, group in enumerate(terms):
            for functions, members in group:
                y = moment(members, mean, covariance, cache)
                for function in functions:
                    y = y * s[function]
                out[i] += y
        return out

    return f


def _rows(A: np.ndarray, g: np.ndarray) -> list[np.ndarray]:
    """A g row by row, in a fixed order of additions, so that equal rows give equal numbers."""
    rows = []
    for row in A:
        total = np.zeros(g.shape[1])
        for coefficient, component in zip(row, g, strict=True):
            total = total + coefficient * component
        rows.append(total)
    return rows
