"""The hierarchy as a theory: rows, their truncation, single coefficients, ratios, comparison."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from command import netsim
from netsim.api.predict import predict
from netsim.api.simulate import predict as predict_in_python
from netsim.compare import best_prediction
from netsim.experiment.aliases import named_quantities
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.quantities import parse
from netsim.theory.base import OutsideDomain
from netsim.theory.finite_width import HomogeneousExact, TransferExact
from netsim.theory.hierarchy.expansion import Expansion
from netsim.theory.hierarchy.one_input import cumulant_series
from netsim.theory.hierarchy.theory import Hierarchy
from netsim.theory.statistics import statistic

INPUTS = build("single", norm2=0.75)
TEXTS = [
    "cum[z1a^2]", "cum[z1a^8]", "cum[z1a^4 z2a^2]", "cum[Saa^3]", "mom[z1a^4]", "mom[Saa^3]",
    "mom[z1a^2 z2a^2 z3a^2]", "cum[qa]", "cum[qa^2]", "cum[qa^3]", "mom[qa^2]",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_statistics_of_series_that_end_are_exact(text):
    """relu, L = 2: every cumulant of S is a polynomial of degree at most 6 in 1/n."""
    net = network("relu", widths=(3, 5), weight_variance=1.75, bias_variance=0.125)
    found = Hierarchy(net, INPUTS, 6).statistic(parse(text))
    exact = statistic(HomogeneousExact(net, INPUTS), parse(text))
    missing = np.abs(found.value - exact.value)
    assert found.truncation == 6
    # products of several factors may go beyond n^-6: then the next term tells
    assert found.truncation_error is not None
    rows = np.isfinite(exact.value)
    assert np.all(missing[rows] <= 3 * found.truncation_error[rows] + 1e-12 * exact.value[rows])
    if text in ("cum[z1a^2]", "cum[z1a^8]", "cum[z1a^4 z2a^2]", "cum[Saa^3]", "cum[qa]"):
        assert np.all(found.truncation_error[rows] == 0)


@pytest.mark.parametrize("text", [*TEXTS, "ncum[z1a^4]", "ncum[z1a^8]"])
@pytest.mark.parametrize("order", [3, 5])
def test_statistics_are_within_the_next_term_of_the_exact_law(text, order):
    net = network("tanh", width=64, depth=3, weight_variance=1.1, bias_variance=0.05)
    found = Hierarchy(net, INPUTS, order).statistic(parse(text))
    higher = Hierarchy(net, INPUTS, order + 1).statistic(parse(text))
    exact = statistic(TransferExact(net, INPUTS), parse(text))
    rows = np.isfinite(exact.value) & np.isfinite(found.value)
    assert rows.sum() >= 2 and found.truncation == order
    missing = np.abs(found.value - exact.value)[rows]
    allowed = found.truncation_error + 2 * higher.truncation_error + exact.error + found.error
    assert np.all(missing <= allowed[rows])
    # the term left out is there: with it the sum is nearer, unless numbers end first
    assert (
        missing[-1] > 0.3 * found.truncation_error[rows][-1]
        or missing[-1] < 10 * exact.error[rows][-1]
    )


def test_ratios_with_half_powers_are_ratios_of_sums():
    net = network("tanh", width=64, depth=3, weight_variance=1.1, bias_variance=0.05)
    found = Hierarchy(net, INPUTS, 5).statistic(parse("ncum[Saa^3]"))
    exact = statistic(TransferExact(net, INPUTS), parse("ncum[Saa^3]"))
    assert np.all(np.abs(found.value - exact.value)[1:] < 1e-6 * exact.value[1:])
    assert found.truncation == 5
    with pytest.raises(OutsideDomain, match="no series in 1/n"):
        Hierarchy(net, INPUTS).statistic(parse("ncum[Saa^3]~1"))


@pytest.mark.parametrize(
    "text", ["cum[z1a^2]", "cum[z1a^8]", "ncum[z1a^4]", "mom[z1a^4]", "cum[qa^2]"]
)
def test_single_coefficients_sum_to_the_series(text):
    net = network("tanh", widths=(64, 32, 128), weight_variance=1.1, bias_variance=0.05)
    theory = Hierarchy(net, INPUTS, 4)
    whole = theory.statistic(parse(text))
    terms = [theory.statistic(parse(f"{text}~{k}")) for k in range(7)]
    assert all(term.truncation == "exact" for term in terms)
    total = sum(term.value * 64.0**-k for k, term in enumerate(terms[:5]))
    np.testing.assert_allclose(total, whole.value, rtol=1e-13)
    np.testing.assert_allclose(abs(terms[5].value) * 64.0**-5, whole.truncation_error, rtol=1e-13)
    with pytest.raises(OutsideDomain, match="up to n\\^-6"):
        theory.statistic(parse(f"{text}~7"))


def test_coefficients_are_those_of_the_oracle():
    """n kappa_4 = 5 K^2 L and the 1/n^2 term of relu, L = 2: Var S = K^2 ((1 + 5/n)^2 - 1)."""
    theory = Hierarchy(network("relu", width=8, depth=2), INPUTS)
    K = 1.5
    for k, value in ((1, 10 * K**2), (2, 25 * K**2), (3, 0.0)):
        assert theory.statistic(parse(f"cum[Saa^2]~{k}")).value[-1] == pytest.approx(
            value, abs=1e-13
        )


def test_inverse_root_of_a_series():
    s = np.array([[2.0, 0.3, -0.7, 0.2], [0.0, 1.0, 0.0, 0.0]])
    root = Expansion(s, np.full_like(s, 1e-12)).inverse_root()
    eps = 1e-2
    direct = np.polyval(s[0, ::-1], eps) ** -0.5
    assert np.polyval(root.terms[0, ::-1], eps) == pytest.approx(direct, abs=5 * eps**4)
    one = Expansion(s, 0 * s) * root * root
    np.testing.assert_allclose(one.terms[0], [1, 0, 0, 0], atol=1e-15)
    assert np.all(np.isnan(root.terms[1]))
    assert np.all(root.errors[0] > 0) and np.all(root.errors[0] < 1e-11)


def test_rows_of_predict_and_what_compare_takes():
    cubic = "polynomial([0, 1, 0, -0.1])"  # grows too fast for the transfer operator
    for name, best in (("tanh", "theory:transfer"), ("relu", "theory:exact"), (cubic, None)):
        net = network(name, width=64, depth=3, weight_variance=0.8, bias_variance=0.1)
        named = named_quantities(["kappa4[a]@4", "cum[z1a^2]@4~1"], INPUTS.names)
        rows = predict(net, INPUTS, named).rows
        alias = [row for row in rows if row.alias == "kappa4[a]"]
        row = next(row for row in alias if row.source == "theory:hierarchy")
        series = cumulant_series(net, 0.75, 3)
        assert row.truncation == 3 and row.value == pytest.approx(series.value()[-1, 1], rel=1e-14)
        assert row.truncation_error == pytest.approx(series.truncation_error()[-1, 1], rel=1e-12)
        assert best_prediction(alias).source == (best or "theory:hierarchy")
        (single,) = [row for row in rows if row.quantity == "cum[z1a^2]@4~1"]
        assert single.source == "theory:hierarchy" and single.truncation == "exact"
        assert single.value == pytest.approx(series.coefficients[-1, 0, 1], rel=1e-13, abs=1e-17)
        more = predict(net, INPUTS, named, order=5).rows
        assert {row.truncation for row in more if row.source == "theory:hierarchy"} == {5, "exact"}


def test_what_is_not_covered_says_why():
    net = network("tanh", width=8, depth=2)
    pair = build("pair", angle=30)
    for inputs, text, words in (
        (pair, "cum[z1a z1b]", "one undifferentiated input"),
        (INPUTS, "cum[Saa^5]", "up to order 4"),
        (INPUTS, "logcum[Saa]", "log-moments"),
        (INPUTS, "cum[qa@1 qa@2]", "layers of their own"),
    ):
        with pytest.raises(OutsideDomain, match=words):
            Hierarchy(net, inputs, 5).statistic(parse(text))
    with pytest.raises(OutsideDomain, match="begin at n\\^-3; powers up to n\\^-2"):
        Hierarchy(net, INPUTS, 2).statistic(parse("cum[z1a^8]"))
    raw = network("tanh", width=8, depth=2, weights="rademacher")
    with pytest.raises(OutsideDomain, match="gaussian"):
        Hierarchy(raw, INPUTS).statistic(parse("cum[z1a^2]"))
    with pytest.raises(ValueError, match="order=7.*1 to 6"):
        Hierarchy(net, INPUTS, 7)
    odd = Hierarchy(net, INPUTS).statistic(parse("cum[z1a^3]"))
    assert odd.truncation == "exact" and not np.any(odd.value)


def test_the_command_predicts_single_coefficients(capsys):
    words = "network.activation=relu network.width=8 network.depth=2 inputs.norm2=0.5"
    ended = netsim(capsys, f"predict {words} 'quantities=[cum[Saa^2]@2~1,kappa2]' --json")
    assert ended.code == 0, ended.err
    rows = json.loads(ended.out)
    (row,) = [row for row in rows if row["quantity"] == "cum[Saa^2]@2~1"]
    assert row["source"] == "theory:hierarchy" and math.isclose(row["value"], 10, rel_tol=1e-13)
    assert {row["alias"] for row in rows} >= {"kappa2[a]"}
    assert "no prediction" not in netsim(capsys, f"predict {words} 'quantities=[cum[Saa]~2]'").out
    refused = netsim(capsys, f"predict {words} quantities=7")
    assert refused.code == 2 and "quantities=7" in refused.err


def test_order_is_chosen_on_the_command_line_and_in_python(capsys):
    words = "network.activation=tanh network.width=16 network.depth=2 quantities=[kappa2@out]"
    rows = json.loads(netsim(capsys, f"predict {words} order=5 --json").out)
    assert {row["truncation"] for row in rows if row["source"] == "theory:hierarchy"} == {5}
    found = predict_in_python(network("tanh", width=16, depth=2), INPUTS, "kappa2@out", order=4)
    truncation = dict(zip(found["source"], found["truncation"], strict=True))
    assert truncation["theory:hierarchy"] == "4"


def test_several_inputs_are_predicted_by_the_hierarchy_of_fields():
    net, inputs = network("tanh", width=16, depth=2), build("pair", angle=60)
    named = named_quantities(["kappa4", "cum[z1a^2 z2b^2]"], inputs.names)
    rows = predict(net, inputs, named).rows
    pair = [row for row in rows if "b" in row.inputs and "a" in row.inputs]
    assert {row.source for row in pair} == {"theory:hierarchy_fields"}
    assert {row.truncation for row in pair} == {2} and all(row.truncation_error for row in pair[1:])
    # one input alone has the same series to a higher order
    alone = {row.source for row in rows if row.inputs == "a"}
    assert "theory:hierarchy" in alone and "theory:hierarchy_fields" not in alone
    more = predict(net, inputs, named, order=3).rows
    assert {row.truncation for row in more if row.source == "theory:hierarchy_fields"} == {3}
