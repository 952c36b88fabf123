"""What the Python interface shows: tables, comparisons, figures, the run itself."""

from __future__ import annotations

import csv
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import netsim
from netsim.api.compared import Compared
from netsim.api.frame import Frame, data_frame
from netsim.api.run import Run
from netsim.rows import COLUMNS, Row
from python_api import INPUTS, NET, QUANTITIES, hide_frames, simulate


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate()


@pytest.fixture(autouse=True)
def no_frames(monkeypatch):
    hide_frames(monkeypatch)


# --- tables ----------------------------------------------------------------------------------------


def test_table_is_a_frame_of_rows(run, tmp_path):
    table = run.table
    assert isinstance(table, Frame) and len(table) == len(run.rows) == 15 + 3
    assert list(table.columns) == [*COLUMNS, "effective_depth"]
    assert_array_equal(table["value"], [row.value for row in run.rows])
    assert table["layer"].dtype == np.int64 and table["error"].dtype == np.float64
    assert np.isnan(table["truncation_error"].astype(float)).all()
    assert table["effective_depth"][table["layer"] == 4] == pytest.approx(3 / 8)
    assert next(iter(table))["quantity"] == "cum[z1a^4]@2"
    with pytest.raises(KeyError, match="the columns are quantity"):
        table["values"]
    with open(table.to_csv(tmp_path / "t.csv"), newline="") as file:
        read = list(csv.DictReader(file))
    assert [float(line["value"]) for line in read] == [row.value for row in run.rows]
    assert repr(table).split("\n")[1].startswith("cum[z1a^4]@2")
    assert table._repr_html_().count("<tr>") == len(table) + 1


def test_long_frames_say_how_long_they_are():
    frame = Frame({"a": list(range(50)), "b": ["<x>"] * 50})
    assert repr(frame).endswith("... and 10 more rows; 50 in all")
    assert "&lt;x&gt;" in frame._repr_html_() and "<x>" not in frame._repr_html_()


def test_polars_then_pandas_then_our_own(monkeypatch):
    lines = [{"a": 1, "b": (), "c": 1}, {"a": np.float64(2.5), "b": ("x", "y"), "c": "exact"}]
    expected = {"a": [1, 2.5], "b": ["", "x;y"], "c": ["1", "exact"]}
    names = ["a", "b", "c"]
    assert data_frame(lines, names).columns == expected
    for module in ("pandas", "polars"):  # polars wins over pandas
        fake = SimpleNamespace(DataFrame=lambda columns, module=module: (module, columns))
        monkeypatch.setitem(sys.modules, module, fake)
        assert data_frame(lines, names) == (module, expected)


def test_predict_gives_one_line_per_layer_and_theory():
    table = netsim.predict(NET, INPUTS, "kappa4[a]")
    exact = table["value"][(table["source"] == "theory:exact") & (table["alias"] == "kappa4[a]")]
    run = netsim.predict(netsim.network("relu", width=8, depth=1), INPUTS, "kappa4[a]@2")
    assert len(exact) == 3 and exact[0] == run["value"][1] == 5 * 2**2 / 8  # 5 K^2/n
    assert {"theory:exact", "theory:leading_order"} <= set(table["source"])


# --- comparing -------------------------------------------------------------------------------------


def test_compare_shows_the_best_or_the_named_theory(run):
    best = run.compare()
    assert isinstance(best, Compared)
    sources = {m.prediction.source for m in best.matches}
    assert "theory:exact" in sources and "theory:leading_order" not in sources
    named = run.compare("leading_order")
    assert {m.prediction.source for m in named.matches} == {"theory:leading_order"}
    assert len(best.table) == len(run.rows)
    assert "pull" in set(best.table["kind"])
    text = repr(best)
    assert text.split("\n")[0].split() == [
        "quantity",
        "estimate",
        "prediction",
        "source",
        "comparison",
    ]
    assert "pulls, largest" in text.split("\n")[-1]
    assert best._repr_html_().count("<tr>") == len(text.split("\n")) - 1


def test_compare_with_predictions_of_ones_own(run):
    row = next(r for r in run.rows if r.alias == "kappa4/kappa2^2[b]" and r.layer == 3)
    own = [
        {"quantity": "kappa4/kappa2^2[b]@3", "value": row.value + 2 * row.error},
        {"quantity": "cum[z9a^4]@out", "value": 1.0, "error": 1e9, "truncation": 1},
        Row("cum[z1a^4]@2", None, 2, "a", "theory:mine", 7.0, 0.0, "exact"),
    ]
    found = {m.prediction.source: m for m in run.compare(own[:1] + own[2:]).matches}
    assert found["theory:own"].t == pytest.approx(-2, rel=1e-6)
    assert found["theory:mine"].estimate.quantity == "cum[z1a^4]@2"
    (last,) = run.compare(own[1:2]).matches
    assert last.estimate.layer == 4 and last.kind == "difference"
    # a table of predictions may come back line by line
    again = run.compare(netsim.predict(NET, INPUTS, QUANTITIES))
    assert again.matches == run.compare().matches


def test_predictions_are_joined_under_either_name(run):
    """Of kappa4/kappa2^2 alone plain rows are shown nowhere: its prediction is that of ncum[z^4]/3."""
    shown = {m.estimate.key: m for m in run.compare().matches}
    plain = netsim.predict(NET, INPUTS, ["ncum[z1a^4]", "ncum[z1b^4]"])
    assert set(plain["alias"]) == {None}
    matches = [m for m in run.compare(plain).matches if m.estimate.alias]
    assert len(matches) == 6
    for match in matches:
        expected = shown[match.estimate.key]
        assert match.pull == pytest.approx(expected.pull, rel=1e-9)
        assert match.prediction.value == pytest.approx(expected.prediction.value, rel=1e-14)
    # and back, once each
    (one, other) = run.compare(
        [{"quantity": "kappa4/kappa2^2[a]@3", "value": 0.5, "error": 0.1}]
    ).matches
    assert {one.prediction.key, other.prediction.key} == {
        ("ncum[z1a^4]@3", None), ("ncum[z1a^4]@3", "kappa4/kappa2^2[a]"),
    }  # fmt: skip
    values = {m.prediction.alias: (m.prediction.value, m.prediction.error) for m in (one, other)}
    assert values == {None: pytest.approx((1.5, 0.3)), "kappa4/kappa2^2[a]": (0.5, 0.1)}


def test_frames_of_polars_and_pandas_are_read_by_lines(run):
    lines = [{"quantity": "cum[z1a^4]@2", "value": 1.0}]
    frames = (
        SimpleNamespace(iter_rows=lambda named: lines if named else None),
        SimpleNamespace(to_dict=lambda kind: lines if kind == "records" else None),
    )
    for frame in frames:
        assert run.compare(frame).matches == run.compare(lines).matches != ()


def test_a_prediction_of_ones_own_of_a_coefficient(run):
    line = {"quantity": "", "alias": "kappa4[a]~1", "layer": 3, "value": 1.0}
    (row,) = run.compare([line]).predictions
    assert (row.quantity, row.alias) == ("cum[z1a^4]@3~1", "kappa4[a]~1")


def test_what_is_not_predicted_is_warned_of():
    with pytest.warns(
        UserWarning, match=r"(?s)no prediction of cum\[z1a\^4\]~7:\n .* up to n\^-6"
    ) as told:
        table = netsim.predict(NET, INPUTS, ["kappa2[a]@out", "cum[z1a^4]~7"])
    assert set(table["alias"]) == {None, "kappa2[a]"} and len(told) == 1
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("theory", "words"),
    [
        ("exakt", "unknown theory 'exakt'; known: exact, "),
        ([{"value": 1.0}], "give a row, or a dict"),
        ([3.0], "give a row, or a dict"),
        ({"quantity": "kappa4[a]@2", "value": 1.0}, "give a list"),
        ([{"quantity": "kappa4@2", "value": 1.0}], r"name the input, e.g. kappa4\[a\]"),
        ([{"quantity": "kappa4[a]", "value": 1.0}], r"name the layer, e.g. kappa4\[a\]@4"),
        ([{"quantity": "kuppa4", "value": 1.0}], "Did you mean .kappa4"),
    ],
)
def test_bad_theories_are_refused(run, theory, words):
    with pytest.raises(ValueError, match=words):
        run.compare(theory)


# --- figures and how a run shows itself ------------------------------------------------------------


def test_plot_is_a_figure_that_notebooks_show(run):
    figure = run.plot(x="L/n")
    assert figure.axes[0].get_ylabel() == "cum[z1a^4]"
    assert "L/n" in figure.axes[-1].get_xlabel() and len(figure.axes) == 2
    assert figure._repr_svg_().lstrip().startswith("<?xml")
    layers = run.plot("kappa4/kappa2^2", x="layer")
    assert "layer" in layers.axes[-1].get_xlabel()
    assert {t.get_text() for t in layers.legends[0].get_texts()} >= {"input a", "input b"}
    line = layers.axes[0].lines[0]
    assert_array_equal(line.get_xdata(), [2, 3, 4])


@pytest.mark.parametrize(
    ("options", "words"),
    [({"x": "n"}, "'L/n', 'layer'"), ({"quantity": "kappa6"}, "was not measured; measured: cum")],
)
def test_bad_plots_are_refused(run, options, words):
    with pytest.raises(ValueError, match=words):
        run.plot(**options)


def test_a_run_shows_a_small_table(run):
    lines = repr(run).split("\n")
    assert "relu" in lines[0] and "n=8, L=3" in lines[0]
    assert lines[1].startswith("65,536 draws in ") and lines[1].endswith("(weighted)")
    assert lines[2].split() == ["quantity", "estimate", "prediction", "source", "comparison"]
    body = lines[3:]
    assert len(body) <= 12 and any("(" in line and "exact" in line for line in body)
    assert any(line.startswith("kappa4/kappa2^2[b]@4 ") for line in body)
    assert run._repr_html_().count("<tr>") == len(lines) - 2


def test_at_most_twelve_rows_the_last_layers_first():
    deep = netsim.network("relu", width=8, depth=20)
    made = simulate_nothing(deep, ["kappa2", "kappa4", "kappa6"])
    from netsim.api.run_text import _few

    rows = [
        Row(f"cum[z1{a}^{k}]@{l}", None, l, a, "estimator:raw", 1.0, 0.1)
        for a in "ab"
        for k in (2, 4, 6)
        for l in range(2, 22)
    ]
    chosen = _few(rows)
    assert len(chosen) == 12 and {row.layer for row in chosen} == {21, 17}
    assert "0 draws" in repr(made) and "at least 2 units" in repr(made)


def simulate_nothing(net, quantities) -> Run:
    from netsim.experiment.experiment import experiment

    return Run(experiment(net, INPUTS, quantities))
