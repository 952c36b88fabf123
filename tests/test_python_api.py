"""The Python interface: five lines in a notebook, and what interrupts or spoils them."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import warnings
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import netsim
from netsim.api.compared import Compared
from netsim.api.frame import Frame, data_frame
from netsim.api.run import Run
from netsim.rows import COLUMNS, Row
from netsim.run.plan import Layout
from netsim.samplers.names import RNG
from netsim.store.points import PointFiles, StoreError, read_record

NET = netsim.network("relu", width=8, depth=3)
INPUTS = netsim.inputs("pair", angle=60, norm2=1)
QUANTITIES = ["cum[z1a^4]", "kappa4/kappa2^2", "cum[z1a^2 z1b^2]"]
LEAST = 65536


def simulate(**options) -> Run:
    return netsim.simulate(NET, INPUTS, QUANTITIES, **{"progress": False, **options})


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate()


@pytest.fixture(autouse=True)
def no_frames(monkeypatch):
    """Neither polars nor pandas, whether or not they are installed."""
    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.setitem(sys.modules, "pandas", None)


def same_state(first: Run, second: Run) -> None:
    for name, array in first.state.items():
        assert_array_equal(array, second.state[name])


def stop(number: int):
    """Progress that sends a signal to this process after the first launch."""
    return lambda progress: signal.raise_signal(number)


# --- a user's process ---------------------------------------------------------------------------

_NOTEBOOK = """
import signal, sys
import netsim
net = netsim.network("relu", width=4, depth=1)
inputs = netsim.inputs("digits", classes=[3, 8], norm2=1)
assert len(netsim.predict(net, inputs, ["cum[z1a^4]"])) >= 2
net.describe("pdlt")
assert "jax" not in sys.modules, "describing and predicting need no JAX"
assert "matplotlib" not in sys.modules

import jax
before, handler = dict(jax.config.values), signal.getsignal(signal.SIGINT)
run = netsim.simulate(net, inputs, ["cum[z1a^4]", "kappa4/kappa2^2"], draws=1e5)
changed = {k for k, v in jax.config.values.items() if before.get(k, v) != v}
assert not changed, changed
assert not jax.config.jax_enable_x64 and jax.numpy.ones(1).dtype == "float32"
assert signal.getsignal(signal.SIGINT) is handler
assert run.draws == 98 * 1024
assert all(type(row.value) is float and type(row.error) is float for row in run.rows)
assert all(a.dtype in ("float64", "int64") for a in run.state.values())
print(repr(run))
"""


def test_five_lines_without_touching_jax():
    done = subprocess.run(
        [sys.executable, "-c", _NOTEBOOK], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "kappa4/kappa2^2[a]@2" in done.stdout
    assert "100,352 of 100,352 draws" in done.stderr  # progress goes to stderr


# --- numbers ------------------------------------------------------------------------------------


def test_estimates_agree_with_exact_values(run):
    matches = [m for m in run.compare("exact").matches if m.estimate.layer == 2]
    assert len(matches) == 5  # cum[z1a^4], the ratio of two inputs, each ratio with its alias
    assert all(m.kind == "pull" and abs(m.pull) < 5 for m in matches)


def test_more_continues_the_same_draws(run):
    longer = simulate()
    assert longer.more(np.int64(LEAST), progress=False) is longer
    assert longer.draws == 2 * LEAST and longer.complete
    same_state(longer, simulate(draws=2 * LEAST))
    assert longer.rows != run.rows
    assert longer.more(1, progress=False).draws == 2 * LEAST + 1024  # whole units
    assert longer.more(progress=False).draws == 2 * LEAST + 1024  # nothing is missing


def test_jax_settings_stay_as_they_are():
    before = dict(jax.config.values)
    simulate()
    assert dict(jax.config.values) == before


def test_target_stops_early():
    most = 8 * LEAST
    assert simulate(draws=most, target=0.9).draws == LEAST
    assert simulate(draws=2 * LEAST, target=1e-6).draws == 2 * LEAST


def test_seed_sampler_and_estimators_decide_the_numbers(run):
    other = simulate(seed=np.int64(1), estimators=["rao_blackwell", "raw"])
    assert other.experiment.id != run.experiment.id
    assert {row.source for row in other.rows} == {"estimator:rao_blackwell", "estimator:raw"}
    assert other.rows[0].value != run.rows[0].value


# --- tables -------------------------------------------------------------------------------------


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


# --- comparing ----------------------------------------------------------------------------------


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


# --- figures and how a run shows itself ---------------------------------------------------------


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
    assert lines[1].startswith("65,536 draws in ")
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


# --- interruption -------------------------------------------------------------------------------


def test_interrupting_keeps_what_was_drawn(run):
    stopped = simulate(progress=stop(signal.SIGINT))
    assert not stopped.complete and stopped.draws == 4096
    assert "interrupted, 65,536 were asked for: run.more() draws the rest" in repr(stopped)
    assert all("few_blocks" in row.flags for row in stopped.rows)
    assert "few_blocks" in repr(stopped)
    stopped.more(progress=False)
    assert stopped.complete and "interrupted" not in repr(stopped)
    same_state(stopped, run)


def test_interrupting_more_keeps_both():
    longer = simulate()
    longer.more(LEAST, progress=stop(signal.SIGINT))
    assert not longer.complete and LEAST < longer.draws < 2 * LEAST
    longer.more(progress=False)
    same_state(longer, simulate(draws=2 * LEAST))


def test_a_run_of_one_unit_has_no_numbers_and_says_so(monkeypatch):
    monkeypatch.setattr("netsim.api.point.layout_for", lambda *sizes: Layout(1, 1024))
    stopped = simulate(progress=stop(signal.SIGINT))
    assert stopped.draws == 1024
    for look in (lambda: stopped.rows, lambda: stopped.table, stopped.compare, stopped.plot):
        with pytest.raises(ValueError, match="stopped after 1,024 draws.*at least 2 units"):
            look()
    assert "at least 2 units" in repr(stopped) and "at least 2 units" in stopped._repr_html_()


def test_a_second_interrupt_ends_at_once_and_keeps_the_last_checkpoint(monkeypatch):
    monkeypatch.setattr("netsim.run.loop.CHECKPOINT_SECONDS", 0.0)
    longer = simulate()

    def twice(progress):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        longer.more(LEAST, progress=twice)
    assert longer.draws > LEAST and not longer.complete
    same_state(longer.more(progress=False), simulate(draws=2 * LEAST))


def test_sigterm_is_passed_on(tmp_path):
    received = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        stopped = simulate(progress=stop(signal.SIGTERM), folder=tmp_path)
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert received == [signal.SIGTERM] and not stopped.complete
    assert list((tmp_path / "points").glob("*.npz"))


# --- folders ------------------------------------------------------------------------------------


def test_a_folder_resumes_and_extends(run, tmp_path):
    stopped = simulate(progress=stop(signal.SIGINT), folder=tmp_path)
    assert stopped.draws == 4096
    resumed = simulate(folder=tmp_path)
    same_state(resumed, run)
    record = read_record(next((tmp_path / "points").glob("*.json")))
    assert record["id"] == run.experiment.id and record["run"]["complete"]
    assert record["command"].startswith("netsim.simulate(netsim.network('relu'")
    assert len(record["estimates"]) == len(run.rows) and record["predictions"]
    launches = []
    again = simulate(folder=tmp_path, progress=launches.append)
    assert not launches and again.rows == run.rows
    simulate(folder=tmp_path, draws=2 * LEAST)
    assert simulate(folder=tmp_path).draws == 2 * LEAST


def test_a_foreign_checkpoint_is_refused(run, tmp_path):
    mine = PointFiles(tmp_path, run.experiment.id, RNG)
    other = PointFiles(tmp_path, "0" * 16, RNG)
    other.save_state(run.state)
    other.state.rename(mine.state)
    with pytest.raises(StoreError, match="belongs to another run: its id is '0000"):
        simulate(folder=tmp_path)


def test_a_write_that_fails_loses_nothing(run, tmp_path, monkeypatch):
    def full(self, state):
        raise StoreError("x.npz could not be written (No space left on device)")

    monkeypatch.setattr(PointFiles, "save_state", full)
    with pytest.warns(UserWarning, match="goes on in memory only.*No space left"):
        kept = simulate(folder=tmp_path)
    same_state(kept, run)
    assert "not stored: x.npz could not be written" in repr(kept)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept.more(1024, progress=False)  # said once


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"draws": LEAST - 1}, "at least 64 x 1024 = 65536"),
        ({"draws": "1e5"}, "draws='1e5': must be a number"),
        ({"draws": True}, "must be a number"),
        ({"draws": float("nan")}, "must be a number"),
        ({"draws": float("inf")}, r"at most 2\^32"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 0.5}, "seed=0.5"),
        ({"sampler": "metropolis"}, "conditional, dense"),
        ({"dtype": "float16"}, "float32, float64"),
        ({"estimators": ["best"]}, "rao_blackwell, raw"),
        ({"target": 1.5}, "between 0 and 1"),
        ({"target": "1%"}, "target='1%'"),
    ],
)
def test_bad_options_are_refused_before_anything_is_drawn(options, words):
    with pytest.raises(ValueError, match=words):
        simulate(**options)


@pytest.mark.parametrize(
    ("net", "inputs", "quantities", "words"),
    [
        ("relu", INPUTS, "kappa4", r"give netsim.network\(...\)"),
        (NET, np.ones((2, 4)), "kappa4", r"give netsim.inputs\(...\)"),
        (NET, INPUTS, [], "name at least one"),
        (NET, INPUTS, "kapa4", "Did you mean .kappa4"),
        (NET, INPUTS, ["kappa4", "cum[z1c^4]"], "there is no 'c'"),
    ],
)
def test_bad_arguments_are_refused(net, inputs, quantities, words):
    with pytest.raises(ValueError, match=words):
        netsim.simulate(net, inputs, quantities)
    with pytest.raises(ValueError, match=words):
        netsim.predict(net, inputs, quantities)


@pytest.mark.parametrize("draws", [0, -5, "many"])
def test_bad_numbers_of_more_draws_are_refused(run, draws):
    with pytest.raises(ValueError, match="draws="):
        run.more(draws)
    assert run.complete and run.draws == LEAST


def test_critical_norm_needs_the_network():
    gelu = netsim.network("gelu", width=4, depth=1)
    x = netsim.inputs("pair", angle=60, norm2="critical", network=gelu)
    K = gelu.bias_variance[0] + gelu.weight_variance[0] * x.overlaps[0, 0]
    assert K == pytest.approx((3 + 17**0.5) / 2, rel=1e-12)
    with pytest.raises(ValueError, match="give network=net"):
        netsim.inputs("pair", angle=60, norm2="critical")
    with pytest.raises(ValueError, match="no single critical kernel"):
        netsim.inputs("pair", angle=60, norm2="critical", network=NET)
