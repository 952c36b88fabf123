"""Networks by the names of their initialisation, and networks described in each convention."""

from __future__ import annotations

import math
import re

import pytest

import netsim
from netsim.networks import conventions
from netsim.networks.critical import critical_couplings

GELU = netsim.network("gelu", width=64, depth=3)
UNEQUAL = netsim.network(
    "tanh",
    widths=[16, 4],
    weight_variance=[1.5, 2.0, 0.25],
    bias_variance=[0.0, 0.04, 0.09],
    outputs=3,
)


def numbers(text: str, layer: str) -> list[str]:
    """The cells of the line that starts with `layer`."""
    (line,) = [line.split() for line in text.split("\n") if line.split()[:1] == [layer]]
    return line[1:]


def test_he_and_lecun_set_one_variance_in_every_layer():
    assert netsim.he(width=8, depth=3).weight_variance == (2.0,) * 4
    assert netsim.lecun("tanh", widths=[5, 7]).weight_variance == (1.0,) * 3
    assert netsim.he(width=8, depth=3) == netsim.network("relu", width=8, depth=3)
    assert netsim.he("gelu", width=8, depth=3).bias_variance == (0.0,) * 4
    assert netsim.lecun(width=4, depth=1, bias_variance=0.3).bias_variance == (0.3, 0.3)


def test_glorot_gives_every_weight_the_variance_two_over_both_fans():
    net = netsim.glorot("tanh", dimension=10, widths=[64, 32], outputs=5)
    n = (10, 64, 32, 5)
    for l, C_W in enumerate(net.weight_variance):
        assert C_W / n[l] == pytest.approx(2 / (n[l] + n[l + 1]), rel=1e-15)


def test_standard_takes_what_frameworks_take():
    net = conventions.standard(
        "relu", weight_std=[0.1, 0.2, 0.3], bias_std=0.05, dimension=10, widths=[64, 32]
    )
    assert net.weight_variance == pytest.approx((0.1, 64 * 0.04, 32 * 0.09), rel=1e-15)
    assert net.bias_variance == pytest.approx((0.0025,) * 3, rel=1e-15)
    text = net.describe(dimension=10)
    assert [numbers(text, str(l))[2:4] for l in (1, 2, 3)] == [
        [std, "0.05"] for std in ("0.1", "0.2", "0.3")
    ]


def test_ntk_squares_the_factors():
    net = conventions.ntk("erf", weight_std=1.5, bias_std=[0.0, 0.1], width=6, depth=1)
    assert net.weight_variance == pytest.approx((2.25, 2.25), rel=1e-15)
    assert net.bias_variance == pytest.approx((0.0, 0.01), rel=1e-15)
    assert conventions.ntk(width=6, depth=1).weight_variance == (1.0, 1.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: netsim.he(width=4, depth=1, weight_variance=1.0), "he sets C_W = 2"),
        (lambda: netsim.glorot(dimension=0, width=4, depth=1), "dimension=0"),
        (
            lambda: conventions.ntk(weight_std=1, bias_variance=1, width=4, depth=1),
            "leave bias_variance",
        ),
        (lambda: conventions.ntk(weight_std=-1, width=4, depth=1), "weight_std=-1"),
        (
            lambda: conventions.standard(weight_std="x", dimension=3, width=4, depth=1),
            "weight_std='x'",
        ),
        (
            lambda: conventions.standard(weight_std=[1, 1, 1], dimension=3, width=4, depth=1),
            r"depth\+1 = 2",
        ),
        (lambda: GELU.describe("pdtl"), "Did you mean 'pdlt'.*standard, ntk, pdlt, lattice"),
        (lambda: GELU.describe("pdlt", norm2=-1), "norm2"),
        (lambda: GELU.describe("pdlt", dimension=0), "dimension=0"),
    ],
)
def test_bad_values_are_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("convention", conventions.CONVENTIONS)
def test_every_layer_occurs_once_and_alike_layers_share_a_line(convention):
    first = [line.split()[0] for line in GELU.describe(convention).split("\n") if line[:2] == "  "]
    assert first[1:] == ["1", "2..3", "4"]
    one = netsim.network("gelu", width=64, depth=3, outputs=64).describe(convention, dimension=64)
    assert [line.split()[0] for line in one.split("\n") if line[:2] == "  "][1:] == ["1..4"]


def test_numbers_in_every_convention():
    """Layer 2 of `UNEQUAL`: fan_in 16, C_W = 2, C_b = 0.04."""
    std = math.sqrt(2 / 16)
    cells = {
        "standard": ["16", "4", f"{std:.6g}", "0.2", "He"],
        "ntk": ["16", "4", f"{std:.6g}", f"{math.sqrt(2):.6g}", "0.2", "2", "0.04"],
        "pdlt": ["16", "4", "2", "0.04", f"{2 / 16:.6g}"],
        "lattice": ["16", "4", "2", "0.04", f"{math.sqrt(2):.6g}", "0.2"],
    }
    for convention, expected in cells.items():
        assert numbers(UNEQUAL.describe(convention), "2") == expected


def test_the_input_layer_needs_the_dimension():
    assert numbers(UNEQUAL.describe(), "1")[:3] == ["n_0", "16", "1.22474/sqrt(n_0)"]
    assert numbers(UNEQUAL.describe(dimension=6), "1")[:3] == ["6", "16", "0.5"]


def test_initialisers_are_named_where_their_variance_is_met():
    net = netsim.glorot("tanh", dimension=10, widths=[64, 64], outputs=2)
    assert numbers(net.describe(dimension=10), "2")[-3:] == ["LeCun", "=", "Glorot"]
    assert numbers(net.describe(dimension=10), "1")[-1] == "Glorot"
    assert numbers(net.describe(), "1")[-1] == "-"  # without n_0 nobody can tell
    assert numbers(UNEQUAL.describe(), "3")[-1] == "-"


@pytest.mark.parametrize("convention", conventions.CONVENTIONS)
def test_first_variance_is_that_of_the_kernel(convention):
    C_b, C_W, _ = critical_couplings(GELU.activation)
    (value,) = re.findall(
        r"At \|x\|\^2/n_0 = 2: .* = ([\d.]+),", GELU.describe(convention, norm2=2)
    )
    assert float(value) == pytest.approx(C_b + 2 * C_W, rel=1e-5)
    assert "At |x|^2" not in GELU.describe(convention)


def test_pdlt_says_whether_the_network_is_critical_and_shifts_the_depth():
    assert "this network is at it" in GELU.describe("pdlt")
    assert "K* = 3.56155" in GELU.describe("pdlt")
    assert "this network is not at it" in UNEQUAL.describe("pdlt")
    assert "its L is 4, ours counts the 3 hidden" in GELU.describe("pdlt")
    off = netsim.network("softplus", width=4, depth=1, weight_variance=1.0, bias_variance=0.0)
    assert "No critical point is known" in off.describe("pdlt")


@pytest.mark.parametrize(
    "law", ["uniform", "rademacher", "sparse(0.1)", "student_t(5)", "orthogonal"]
)
def test_other_weight_laws_are_said(law):
    net = netsim.network("relu", width=4, depth=1, weights=law)
    for convention in conventions.CONVENTIONS:
        assert law.partition("(")[0] in net.describe(convention)
    assert "is not the law" in net.describe("lattice")
