"""The hierarchy of fields: special inputs, truncation, refusals, and the theory that uses it."""

from __future__ import annotations

import numpy as np
import pytest

from fields_twins import (
    AU,
    AUV,
    GRAM,
    A,
    B,
    C,
    gram_of,
    net,
)
from netsim.networks.fields import closure
from netsim.networks.inputs import from_vectors
from netsim.networks.inputs_gram import gram as gram_inputs
from netsim.networks.network import network
from netsim.quantities import Slot, parse
from netsim.theory.base import OutsideDomain
from netsim.theory.finite_width import FieldsExact
from netsim.theory.hierarchy_fields.fields import hierarchy_fields
from netsim.theory.hierarchy_fields.theory import HierarchyFields
from netsim.theory.statistics import statistic


def test_the_next_term_is_that_of_the_next_order():
    ensemble = net("tanh", (8, 6, 7))
    one, two = (hierarchy_fields(ensemble, GRAM, [A, B], order) for order in (1, 2))
    alone = hierarchy_fields(ensemble, GRAM, [A, B], 1, next_term=False)
    for legs in ([(A, B)], [(A, A), (A, B)]):
        x, y, z = (found.cumulant(*legs) for found in (one, two, alone))
        np.testing.assert_allclose(x.beyond, y.coefficients[:, 2], rtol=1e-10)
        np.testing.assert_allclose(x.coefficients, y.coefficients[:, :2], rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(x.truncation_error(), np.abs(y.coefficients[:, 2]) / 64)
        np.testing.assert_allclose(z.truncation_error(), np.abs(z.coefficients[:, 1]) / 8)
        np.testing.assert_allclose(x.value(100), x.coefficients @ [1, 0.01])
        assert (x.truncation, z.truncation) == ("next term", "last term")
    with pytest.raises(ValueError, match="> 0"):
        one.cumulant((A, B)).value(0)


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_equal_inputs_are_one_variable(name):
    """Bitwise equal rows; and a nearly equal input changes nothing abruptly for a smooth sigma."""
    ensemble = net(name)
    gram = np.array([[1.0, 1.0, 0.3], [1.0, 1.0, 0.3], [0.3, 0.3, 0.8]])
    three = hierarchy_fields(ensemble, gram, [A, B, C])
    two = hierarchy_fields(ensemble, gram[1:, 1:], [B, C])
    assert three.number == (0, 0, 1)
    for p, q in (((B, B), (B, C)), ((B, C), (C, C))):
        here = [tuple(A if s == B else s for s in pair) for pair in (p, q)]
        np.testing.assert_array_equal(
            three.cumulant(*here).coefficients, two.cumulant(p, q).coefficients
        )
    if name == "tanh":
        gram[0, 1] = gram[1, 0] = 1 - 1e-12
        near = hierarchy_fields(ensemble, gram, [A, B, C], next_term=False)
        value = near.cumulant((A, B), (A, C)).coefficients
        true = two.cumulant((B, B), (B, C)).coefficients
        np.testing.assert_allclose(value, true, atol=1e-10)


def test_an_input_of_zero_does_not_fluctuate():
    found = hierarchy_fields(net("relu", C_b=0.0), [[0.0, 0.0], [0.0, 1.0]], [A, B])
    assert np.all(found.cumulant((A, A), (A, B)).coefficients == 0)
    alone = hierarchy_fields(net("relu", C_b=0.0), [[1.0]], [B])
    np.testing.assert_allclose(
        found.cumulant((B, B), (B, B)).coefficients, alone.cumulant((B, B), (B, B)).coefficients
    )


def test_singular_first_layers():
    """A second derivative has no variance in layer 1; v along x makes z and D_v z parallel there."""
    fields = closure([AUV])
    gram = gram_of(fields, 6)
    gram[1] = gram[:, 1] = 0.0
    gram[0, 1] = gram[1, 0] = gram[1, 1] = gram[0, 0]  # u = x
    gram[1, 2] = gram[2, 1] = gram[0, 2]
    found = hierarchy_fields(net("tanh", C_b=0.0), gram, fields, 1, next_term=False)
    assert np.all(found.cumulant((A, AU)).coefficients[0] == [1.4 * gram[0, 0], 0])
    assert np.all(np.isfinite(found.coefficients[1]))
    assert np.max(found.errors[1] / (1 + np.abs(found.coefficients[1]))) < 1e-11


def test_what_is_not_covered_is_refused():
    ensemble = net("relu")
    student = network("tanh", width=4, depth=2, weights="rademacher")
    many = [Slot(f"a{i}") for i in range(17)]
    derived = closure([Slot(name, ("u",)) for name in "abcd"])
    for bad, arguments in (
        ("gaussian", (student, [[1.0]], [A])),
        ("last power", (ensemble, [[1.0]], [A], 4)),
        ("at most 16", (ensemble, np.eye(17), many)),
        ("at most 4", (ensemble, np.eye(5), many[:5], 2)),
        ("kinks", (ensemble, np.eye(3), [A, B, C], 2)),
        ("at most 3", (net(), gram_of(derived, 0), derived)),
        ("parallel", (net("relu", C_b=0.0), [[1.0, 2.0], [2.0, 4.0]], [A, B])),
        ("closure", (ensemble, [[1.0]], [AU])),
        ("semidefinite", (ensemble, [[1.0, 2.0], [2.0, 1.0]], [A, B])),
    ):
        with pytest.raises(ValueError, match=bad):
            hierarchy_fields(*arguments)
    found = hierarchy_fields(ensemble, GRAM, [A, B])
    with pytest.raises(ValueError, match="higher order"):
        found.cumulant((A, A), (A, A), (A, A))
    with pytest.raises(ValueError, match="not among"):
        found.cumulant((A, C))


def test_statistics_of_a_linear_network():
    inputs = from_vectors([[1, 0, 0.3], [0.6, 0.8, 0.1], [0.2, 0.3, -1]], [[0, 1, 0.5]], source="t")
    ensemble = net("linear", (20, 30), 1.2, 0.1)
    theory, exact = HierarchyFields(ensemble, inputs, 2), FieldsExact(ensemble, inputs)
    for text in (
        "cum[z1a^2 z2b^2]", "cum[z1a z1b]", "cum[Sab Sbc]", "mom[z1a^2 z1b z1c]", "ncum[z1a^2 z1b^2]",
        "cum[z1a z1a'u z1b z1b]",
    ):  # fmt: skip
        value, true = (statistic(t, parse(text)) for t in (theory, exact))
        np.testing.assert_allclose(value.value, true.value, rtol=1e-10, atol=1e-15)
        assert value.truncation == 2 or text == "cum[z1a z1b]"


def test_the_theory_takes_the_highest_order_that_there_is():
    inputs = gram_inputs(gram_of([A] * 5, 0))
    slots = [Slot(name) for name in inputs.names]
    legs = lambda count: tuple((slots[i], slots[i]) for i in range(2, 2 + count))
    smooth, kinked = (HierarchyFields(net(name), inputs, 3) for name in ("sin", "relu"))
    assert smooth.overlap_cumulant(legs(2)).truncation == 3
    assert smooth.overlap_cumulant(legs(3)).truncation == 3
    assert kinked.overlap_cumulant(((slots[0], slots[1]),) * 2).truncation == 3
    four = ((slots[0], slots[1]), (slots[2], slots[3]))
    assert smooth.overlap_cumulant(four).truncation == 2
    assert kinked.overlap_cumulant(four).truncation == 1
    with pytest.raises(OutsideDomain, match="up to 2 S's are computed for 5"):
        kinked.overlap_cumulant((*four, four[0]))


def test_the_theory_refuses_and_says_its_order():
    inputs = gram_inputs(GRAM)
    theory = HierarchyFields(net("tanh"), inputs)
    values = theory.overlap_cumulant(((A, B), (B, B)))
    assert values.truncation == 1 and values.value.shape == (4,) and values.value[0] == 0
    assert values.truncation_error is not None and np.all(values.truncation_error[2:] > 0)
    assert theory.overlap_cumulant(()).truncation == "exact"
    with pytest.raises(OutsideDomain, match="up to 2"):
        theory.overlap_cumulant(((A, B),) * 3)
    with pytest.raises(OutsideDomain, match="parallel"):
        parallel = gram_inputs([[1.0, 2.0], [2.0, 4.0]])
        HierarchyFields(net("relu", C_b=0.0), parallel).overlap_cumulant(((A, B),))
    with pytest.raises(ValueError, match="1 to 3"):
        HierarchyFields(net("tanh"), inputs, 4)
    student = network("tanh", width=4, depth=2, weights="rademacher")
    with pytest.raises(OutsideDomain, match="gaussian"):
        HierarchyFields(student, inputs).overlap_cumulant(((A, B),))
