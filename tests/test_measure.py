"""From names to columns, targets and rows; what they estimate against exact values."""

from __future__ import annotations

import math

import pytest
from scipy import special

from netsim.api.point import run_point
from netsim.api.predict import predict
from netsim.experiment.aliases import named_quantities
from netsim.experiment.columns import LogAbs, Norm, Output, Overlap, pair_of, pivot_of
from netsim.experiment.experiment import experiment
from netsim.experiment.measure import measurement
from netsim.experiment.rows import estimate_rows
from netsim.networks.inputs import from_vectors
from netsim.networks.network import network

BOTH = ("rao_blackwell", "raw")
# correlations of 0.6 between the inputs, and of 0.7 with the direction
INPUTS = from_vectors(
    [[1.2, 0.9, 0.8, 1.0], [1.0, -0.6, 1.1, 1.3]], [[1.0, 0.5, -0.2, 0.8]], source="test"
)
SINGLE = from_vectors([[1.0, 1.0, -1.0]], source="test")


def planned(*texts, depth=3, estimators=("rao_blackwell",), gaussian=True):
    named = named_quantities(texts, ("a", "b"))
    return measurement(named, depth, estimators=estimators, gaussian=gaussian)


def terms_of(text: str) -> dict[tuple, float]:
    """Overlap pairs -> coefficient, of the Rao-Blackwellised estimate."""
    made = planned(text)
    (target,) = made.targets
    return {tuple(made.columns[c].pair for c in columns): x for x, columns in target.terms}


def simulated(made, draws=65_536) -> dict[tuple[str, str], object]:
    outcome = run_point(made, draws, show=lambda progress: None, save=lambda state: None)
    return {(r.quantity, r.source.split(":")[1]): r for r in estimate_rows(made, outcome.state)}


def exact_values(net, inputs, texts) -> dict[str, float]:
    rows = predict(net, inputs, named_quantities(texts, inputs.names)).rows
    return {row.quantity: row.value for row in rows if row.truncation == "exact"}


# --- planning: no draws -----------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_one_neuron_has_all_pairings(k):
    assert terms_of(f"cum[z1a^{2 * k}]") == {(0,) * k: math.prod(range(1, 2 * k, 2))}


def test_pairings_join_legs_of_one_neuron_only():
    # fields (a, b): pairs aa = 0, ba = 1, bb = 2
    assert terms_of("cum[z1a^2 z2a^2]") == {(0, 0): 1}
    assert terms_of("cum[z1a z1b z2a z2b]") == {(1, 1): 1}
    assert terms_of("cum[z1a^2 z1b^2]") == {(0, 2): 1, (1, 1): 2}
    assert terms_of("cum[z1a^2 z1b^2 z2a z2b]") == {(0, 1, 2): 1, (1, 1, 1): 2}


def test_odd_legs_are_exactly_zero():
    made = planned("cum[z1a^3]", "cum[z1a^3 z2b]", "mom[z1a z2b]", estimators=BOTH)
    assert [m.target is None for m in made.measured] == [True, False] * 3
    assert {m.estimator for m in made.measured} == set(BOTH)


def test_layers_and_rows():
    made = planned(
        "cum[z1a^2]", "cum[Saa]", "cum[qa]", "cum[z1a^2]@1", "cum[Saa]@out", "cum[z1a]@out"
    )
    assert [m.rows for m in made.measured] == [
        ((2, 1), (3, 2), (4, 3)), ((1, 1), (2, 2), (3, 3)), ((1, 0), (2, 1), (3, 2)),
        ((1, 0),), ((3, 3),), ((4, 3),),
    ]  # fmt: skip


def test_columns_are_shared_and_norms_only_summed_where_asked_for():
    made = planned(
        "cum[z1a^4]", "cum[Saa]", "mom[qb]", "logcum[qb]", "cum[z1a z2a z3a^2]", estimators=BOTH
    )
    assert made.norms and made.neurons == 3
    assert set(made.columns) >= {Overlap(0), Norm(1), LogAbs(Norm(1)), Output(2, 0)}
    assert len(set(made.columns)) == len(made.columns)
    assert not planned("cum[z1a^4]").norms


def test_pivots_are_infinite_width_values():
    S = [2.0, 0.5, 3.0]  # aa, ba, bb
    assert pair_of(0, 1) == pair_of(1, 0) == 1 and pair_of(1, 1) == 2
    assert pivot_of(Overlap(1), S) == 0.5
    assert pivot_of(Norm(1), S) == 3.0
    assert pivot_of(LogAbs(Norm(0)), S) == pivot_of(LogAbs(Overlap(0)), S) == math.log(2)
    assert pivot_of(LogAbs(Overlap(0)), [0.0, 0.0, 3.0]) == pivot_of(Output(0, 0), S) == 0.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cum[qa@3 qa@7]", "legs with layers of their own are not measured yet"),
        ("cum[qa]@4", "the norm of the output layer is not measured"),
        ("cum[qa]@out", "name a hidden layer, 1..3"),
        ("cum[qa]@9", "layers are 1..3"),
        ("cum[Saa]@4", "layers are 1..3"),
        ("cum[z1a^2]@0", "layers are 1..4"),
        ("cum[qa^5]", "joint orders of q up to 4"),
        ("cum[Saa^5]", "joint orders of S up to 4"),
        ("cum[z1a^2 qa]", "legs of q and of z together are not measured"),
        ("cum[z1a^2 Saa]", "together are not measured"),
        ("cum[M2a]", "'M' is not measured yet"),
        ("cum[z1a^2]~1", "drop ~"),
        ("cum[z1a z2a z3a z4a z5a]", "up to 4 neurons"),
        ("cum[z1a^10]", "orders of z up to 8"),
    ],
)
def test_refusals(text, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        planned(text, estimators=BOTH)


def test_other_weights_are_measured_from_outputs():
    made = planned("cum[z1a^4]", gaussian=False)
    assert [m.estimator for m in made.measured] == ["raw"]


# --- estimates --------------------------------------------------------------------------------

JOINT = [
    "cum[z1a z1b]", "cum[z1a^4]", "cum[z1a^2 z2b^2]", "cum[z1a z1b z2a z2b]", "cum[z1a^3 z1b]",
    "cum[z1a'u^2]", "cum[z1a^2 z2a'u^2]", "cum[z1a'u z1b z2a'u z2b]", "ncum[z1a^2 z2a^2]",
    "mom[z1a^2 z2b^2]", "cum[z1a^3 z2b]", "cum[z1a^2 z1b]",
]  # fmt: skip


def test_both_estimators_agree_and_odd_legs_are_exactly_zero():
    inputs, net = INPUTS, network("tanh", widths=[3, 4], weight_variance=2.0, bias_variance=0.1)
    texts = [f"{text}@3" for text in JOINT]
    # two seeds, so that the two estimates are independent
    raw, better = (
        simulated(experiment(net, inputs, texts, estimators=BOTH, seed=seed)) for seed in (0, 1)
    )
    for text in texts:
        r, b = raw[text, "raw"], better[text, "rao_blackwell"]
        assert abs(r.value - b.value) < 5 * math.hypot(r.error, b.error), text
        if text in ("cum[z1a^3 z2b]@3", "cum[z1a^2 z1b]@3"):
            assert b.value == b.error == 0 < r.error
        else:
            assert 0 < b.error < r.error and b.error < 0.05 * abs(b.value), text
    # the comparison sees forgotten pairings
    r, b = raw["cum[z1a^4]@3", "raw"], better["cum[z1a^4]@3", "rao_blackwell"]
    assert abs(r.value - b.value / 3) > 5 * math.hypot(r.error, b.error)


NORMS = ["mom[qa]", "mom[qa^2]", "cum[qa^2]", "cum[qa^3]", "cum[qa^4]", "mom[qa^3]", "ncum[qa^3]"]


def test_norms_of_one_input_have_their_exact_moments():
    inputs, net = SINGLE, network("relu", widths=[16, 12], weight_variance=1.7, bias_variance=0.2)
    texts = [*NORMS, "logcum[qa]@1", "logcum[qa^2]@1"]
    found = simulated(experiment(net, inputs, texts))
    exact = exact_values(net, inputs, NORMS)
    assert len(exact) == 2 * len(NORMS)
    # layer 1 is S_0 chi^2_n / n
    exact["logcum[qa]@1"] = math.log(2 / 16 * 1.9) + special.digamma(8)
    exact["logcum[qa^2]@1"] = special.polygamma(1, 8)
    for text, value in exact.items():
        row = found[text, "direct"]
        assert abs(row.value - value) < 5 * row.error, text
        assert row.error < 0.15 * abs(value), text


def test_norms_of_two_inputs_have_their_exact_covariance():
    inputs, net = INPUTS, network("linear", widths=[5, 7], weight_variance=1.1, bias_variance=0.2)
    texts = ["cum[qa qb]", "cum[qa qa'u]", "mom[qa qb]", "cum[qa'u^2]", "cum[qa qb^2]@1"]
    found = simulated(experiment(net, inputs, texts, sampler="dense"))
    exact = exact_values(net, inputs, texts[:-1])
    assert len(exact) == 8
    # layer 1: the cumulants of a Wishart matrix, 8 S_ab^2 S_bb / n^2
    _, (S_ab, S_bb) = 0.2 + 1.1 * (inputs.vectors @ inputs.vectors.T) / 4
    exact["cum[qa qb^2]@1"] = 8 * S_ab**2 * S_bb / 25
    for text, value in exact.items():
        row = found[text, "direct"]
        assert abs(row.value - value) < 5 * row.error, text
        assert row.error < 0.2 * abs(value), text


def test_predictions_of_norms_say_what_they_do_not_cover():
    net, inputs = network("tanh", width=8, depth=2), INPUTS
    texts = ["cum[qa^2]", "cum[qa qb]", "mom[qb]"]
    found = predict(net, inputs, named_quantities(texts, inputs.names))
    reasons = {(text, theory): reason for text, theory, reason in found.refusals}
    assert "order 1/n" in reasons["cum[qa^2]", "infinite_width"]
    assert ("cum[qa qb]", "transfer") in reasons
    sources = {row.source for row in found.rows if row.quantity == "mom[qb]@2"}
    assert {"theory:transfer", "theory:infinite_width"} <= sources
    with pytest.raises(ValueError, match="name a hidden layer"):
        predict(net, inputs, named_quantities(["cum[qa]@out"], inputs.names))
