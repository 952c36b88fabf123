"""Fields: closure under the chain rule, refused orders, features against mpmath derivatives."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from netsim.networks.activations import activation
from netsim.networks.fields import bias_mask, check_order, closure, features
from netsim.networks.inputs import from_vectors
from netsim.quantities import Slot

UV = Slot("a", ("u", "v"))


def test_closure_adds_what_the_chain_rule_needs_and_sorts():
    assert [s.text for s in closure([UV])] == ["a", "a'u", "a'v", "a'uv"]
    assert [s.text for s in closure([Slot("b", ("u", "u")), Slot("a")])] == [
        "a",
        "b",
        "b'u",
        "b'uu",
    ]
    names = [s.text for s in closure([Slot("a1"), Slot("m", ("u",)), Slot("b")])]
    assert names == ["b", "m", "m'u", "a1"]  # the 14th input comes after the 13th
    assert closure(closure([UV, Slot("b")])) == closure([UV, Slot("b")])
    assert closure([]) == ()


def test_check_order_refuses_what_does_not_exist():
    check_order(activation("relu"), closure([Slot("a", ("u",))]))
    check_order(activation("gelu"), closure([UV]))
    with pytest.raises(ValueError, match="order 2 .* relu have 1.*smoother"):
        check_order(activation("relu"), [UV])
    with pytest.raises(ValueError, match="orders 0, 1, 2 exist"):
        check_order(activation("tanh"), [Slot("a", ("u", "u", "v"))])


def test_bias_enters_only_between_undifferentiated_fields():
    assert bias_mask([Slot("a"), Slot("a", ("u",)), Slot("b")]) == [[1, 0, 1], [0, 0, 0], [1, 0, 1]]


def _network(dimension: int, widths: list[int]):
    rng = np.random.default_rng(1)
    shapes = zip([dimension, *widths], [*widths, 1], strict=True)
    return [(rng.normal(size=(m, n)) / np.sqrt(n), rng.normal(size=m)) for n, m in shapes]


def _output_by_fields(layers, inputs, fields, sigma):
    """D^J z of the output neuron for every field, by the chain rule of `features`."""
    plain = np.array([not s.directions for s in fields], dtype=float)
    h = inputs.field_vectors(fields)  # (F, n_0)
    for W, b in layers:
        y = h @ W.T + plain[:, None] * b
        h = np.stack(features(fields, list(y), sigma.numpy))
    return y[:, 0]


def _output_exactly(layers, x, sigma):
    h = list(x)
    for W, b in layers:
        z = [mpmath.fdot(map(float, row), h) + float(c) for row, c in zip(W, b, strict=True)]
        h = [sigma(v) for v in z]
    return z[0]


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("tanh", mpmath.tanh),
        ("gelu", lambda x: x * mpmath.ncdf(x)),
        ("polynomial([0.5, 1, -0.3, 0.2])", lambda x: 0.5 + x * (1 + x * (-0.3 + x * 0.2))),
    ],
)
def test_features_are_the_derivatives_of_an_explicit_network(name, exact):
    layers = _network(3, [4, 3])
    x, u, v = np.random.default_rng(2).normal(size=(3, 3))
    inputs = from_vectors([x], [u, v], source="test")
    fields = closure([UV, Slot("a", ("u", "u"))])
    found = _output_by_fields(layers, inputs, fields, activation(name))

    def along(s, t):
        point = [mpmath.mpf(p) + s * q + t * r for p, q, r in zip(x, u, v, strict=True)]
        return _output_exactly(layers, point, exact)

    with mpmath.workdps(30):
        for slot, value in zip(fields, found, strict=True):
            orders = (slot.directions.count("u"), slot.directions.count("v"))
            expected = mpmath.diff(along, (0, 0), orders) if any(orders) else along(0, 0)
            assert value == pytest.approx(float(expected), rel=1e-11, abs=1e-12), slot.text


def test_relu_first_derivative_against_central_differences():
    layers = _network(3, [5, 4])
    x, u = np.random.default_rng(3).normal(size=(2, 3))
    sigma, fields, h = activation("relu"), closure([Slot("a", ("u",))]), 1e-4

    def z(t):
        return _output_by_fields(layers, from_vectors([x + t * u], source=""), [Slot("a")], sigma)[
            0
        ]

    found = _output_by_fields(layers, from_vectors([x], [u], source=""), fields, sigma)
    # piecewise linear: without a kink in between the central difference is exact
    assert found[1] == pytest.approx((z(h) - z(-h)) / (2 * h), rel=1e-10)
    assert found[0] == z(0)
