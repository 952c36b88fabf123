"""Coefficients of the hierarchy against a second way to compute each: no sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from netsim.claims.check import Check, equal
from netsim.claims.claim import Trial
from netsim.claims.hierarchy.rational import polynomial_powers, rational_cumulants, slope_powers
from netsim.claims.hierarchy.recursion_nets import (
    C_B,
    C_W,
    CUBIC,
    NORM2,
    POLYNOMIAL,
    WIDTHS,
    recursion_net,
)
from netsim.claims.hierarchy.scalar import scalar_recursions
from netsim.claims.hierarchy.tensors import tensor_recursions
from netsim.quantities import Slot

__all__ = ["exact_fractions", "scalars", "tensors"]

GRAM = np.array([[1.0, 0.5], [0.5, 0.8]])
HUGE = 10**12  # a factor on all widths: what is left of rational cumulants is the leading power
TOLERANCE = 3e-7  # relative, where two computations are compared


def scalars(trial: Trial, names: Sequence[str]) -> Iterator[Check]:
    """Leading coefficients of the hierarchy against the recursions written out."""
    from netsim.theory.hierarchy.one_input import cumulant_series

    for name in names:
        net = recursion_net(name)
        series = cumulant_series(net, NORM2, 3).coefficients
        found = scalar_recursions(net, NORM2)
        for what, k, power in (("K", 0, 0), ("D", 0, 1), ("V", 1, 1), ("T", 2, 2), ("Q", 3, 3)):
            for layer in range(2, net.depth + 2):
                value = float(series[layer - 1, k, power]) / net.widths[0] ** power
                # D of piecewise linear activations is zero: to the size of V
                scale = float(found["V"][layer - 1]) if what == "D" else 0.0
                about = f"{what} of layer {layer}, {name}, written out"
                yield _equal(trial, about, found[what][layer - 1], value, scale)


def exact_fractions(trial: Trial) -> Iterator[Check]:
    """Leading coefficients against exact rational moments at widths of 10^13."""
    from netsim.theory.hierarchy.one_input import cumulant_series

    for name, powers, depth in (
        ("relu", slope_powers(1, 0), 3),
        ("slopes(1, -1)", slope_powers(1, -1), 3),
        (POLYNOMIAL, polynomial_powers(CUBIC), 2),
    ):
        widths = WIDTHS[:depth]
        series = cumulant_series(recursion_net(name, widths), NORM2, 3).coefficients[-1]
        wide = rational_cumulants(powers, [HUGE * n for n in widths], (C_W, C_B), NORM2)
        limit = rational_cumulants(powers, [HUGE**3 * n for n in widths], (C_W, C_B), NORM2, 1)
        n = HUGE * widths[0]
        about = f"{name}, L = {depth}, from exact fractions"
        D, V = float(series[0, 1]), float(series[1, 1])
        yield _equal(trial, f"D of {about}", float((wide[0] - limit[0]) * n), D, V)
        for k in range(4):
            value = float(wide[k] * n**k)
            yield _equal(trial, f"{'KVTQ'[k]} of {about}", value, float(series[k, k]))


def tensors(trial: Trial, names: Sequence[str]) -> Iterator[Check]:
    """First order of two inputs and of an input and its derivative, against the tensors written out."""
    from netsim.theory.hierarchy_fields.fields import hierarchy_fields

    for name, derived in product(names, (False, True)):
        net = recursion_net(name)
        K, D, cov = tensor_recursions(net, GRAM, derived)
        a, b = Slot("a"), Slot("a", ("u",)) if derived else Slot("b")
        found = hierarchy_fields(net, GRAM, [a, b], 1, next_term=False)
        n, legs = net.widths[0], [(a, a), (a, b), (b, b)]
        index = [(0, 0), (0, 1), (1, 1)]
        # a coefficient that vanishes is zero to the size of the others
        scale = [float(np.max(np.abs(v[-1]))) for v in (K, D, cov)]
        scale[1] = max(scale[1], scale[2])
        for i, p in enumerate(index):
            about = f"S_{p[0]}{p[1]}, {name}, {'z and D_u z' if derived else 'two inputs'}"
            mean = found.cumulant(legs[i]).coefficients[-1]
            yield _equal(trial, f"K of {about}", K[-1][p], float(mean[0]), scale[0])
            yield _equal(trial, f"D of {about}", D[-1][p], float(mean[1]) / n, scale[1])
            for j in range(i, 3):
                value = float(found.cumulant(legs[i], legs[j]).coefficients[-1, 1]) / n
                what = f"covariance with S_{index[j][0]}{index[j][1]} of {about}"
                yield _equal(trial, what, cov[-1][p + index[j]], value, scale[2])


def _equal(trial: Trial, what: str, measured: float, value: float, scale: float = 0.0) -> Check:
    size = TOLERANCE * max(scale, abs(value))
    return equal(
        what, float(measured), trial.scaled("coefficient", value), size, knob="coefficient"
    )
