"""Curves and figures of the report."""

from __future__ import annotations

import copy
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import report_fixture
from netsim.report.figures import (
    label_of,
    limit_figure,
    limit_residual,
    prediction_figure,
    pull_histogram,
    raw_figure,
)
from netsim.report.series import MOST_POINTS, series, thinned
from netsim.report.style import MARKERS, svg
from netsim.store.table import tidy

TESTS = str(Path(__file__).parent)


@pytest.fixture(scope="module")
def records():
    return report_fixture.records(8)


@pytest.fixture(scope="module")
def table(records):
    return tidy(records)


def test_one_curve_per_width_narrowest_first(table):
    curves = series(table, "kappa4/kappa2^2[a]")
    assert [c.label for c in curves] == ["n = 32", "n = 64", "n = 128"]
    assert [c.colour for c in curves] == [0, 1, 2]
    for curve, n in zip(curves, (32, 64, 128), strict=True):
        assert curve.x == pytest.approx(np.arange(1, 9) / n, rel=1e-12)
        exact = (1 + 5 / n) ** np.arange(1, 9) - 1  # Var X = 5/n for the ReLU factor
        assert curve.prediction == pytest.approx(exact, rel=1e-9)


def test_equal_widths_get_labels_that_differ(records):
    twin = copy.deepcopy(records[0]) | {"id": "twin", "title": "other seed"}
    labels = [c.label for c in series(tidy([records[0], twin]), "kappa2[a]")]
    assert labels == ["n = 32", "n = 32 (other seed)"]


def test_thinning_keeps_the_ends(table):
    curve = series(table, "kappa2[a]")[0]
    long = curve.at(np.arange(400) % len(curve.x))
    long.x[:] = np.arange(400)
    short = thinned(long)
    assert 15 <= len(short.x) <= MOST_POINTS and short.x[0] == 0 and short.x[-1] == 399
    assert thinned(curve) is curve


def _drawn(ax) -> tuple[int, int]:
    """Numbers of points drawn (with error bars, open without)."""
    with_bars = sum(len(c.lines[0].get_xdata()) for c in ax.containers)
    open_ = [x for x in ax.lines if x.get_markerfacecolor() == "none" and len(x.get_xdata())]
    return with_bars, sum(len(x.get_xdata()) for x in open_)


def test_unreliable_rows_are_open_and_without_error_bars(table):
    curves = series(table, "kappa8/kappa2^4[a]")
    good = sum(int((c.good & (c.value > 0)).sum()) for c in curves)
    bad = sum(int((c.unreliable & (c.value > 0)).sum()) for c in curves)
    assert good > 0 and bad > 0
    for figure in (raw_figure(curves, "k"), prediction_figure(curves, "k")):
        assert _drawn(figure.axes[0]) == (good, bad)
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert "unreliable" in labels


def test_pull_panel_shows_every_pull_with_bands(table):
    curves = series(table, "kappa4/kappa2^2[a]")
    figure = prediction_figure(curves, "k")
    upper, lower = figure.axes
    pulls = np.concatenate([c.pull for c in curves])
    shown = np.concatenate([x.get_ydata() for x in lower.lines if x.get_marker() in MARKERS])
    assert sorted(shown) == pytest.approx(sorted(pulls[~np.isnan(pulls)]))
    assert len(lower.patches) == 2 and lower.get_ylim()[1] >= 3.5
    lines = [x for x in upper.lines if x.get_linestyle() == "-" and len(x.get_xdata()) > 2]
    assert len(lines) == 3  # one theory curve for each width


def test_without_pulls_there_is_no_pull_panel(table):
    assert len(prediction_figure(series(table, "logcum[Saa]"), "log").axes) == 1
    assert len(prediction_figure(series(table, "cum[z1a z1b]"), "pair").axes) == 1


def test_residual_against_the_limit(records, table):
    name = "kappa4/kappa2^2[a]"
    curve = series(table, name)[1]
    limit = records[0]["limit"][name]
    residual, error = limit_residual(curve, limit)
    expected = 100 * (curve.value / np.expm1(5 * curve.x) - 1)
    assert residual == pytest.approx(expected, abs=0.1)  # interpolation between 60 points
    assert error == pytest.approx(100 * curve.error / np.expm1(5 * curve.x), rel=2e-3)
    short = {"x": [1.0, 2.0], "y": [1.0, 2.0]}
    assert np.isnan(limit_residual(curve, short)[0]).all()  # no extrapolation
    straight = {"x": [0.0, 1.0], "y": [0.0, 2.0]}
    assert limit_residual(curve, straight)[0] == pytest.approx(
        100 * (curve.value / (2 * curve.x) - 1)
    )


def test_figures_survive_nan_empty_negative_and_constant_curves(table):
    curve = series(table, "kappa4/kappa2^2[a]")[0]
    nothing = curve.at(np.zeros(len(curve.x), dtype=bool))
    lost = curve.at(slice(None))
    for array in (lost.value, lost.error, lost.prediction, lost.pull):
        array[:] = np.nan
    negative = series(table, "kappa4/kappa2^2[a]")[1]
    negative.value[:] *= -1
    flat = series(table, "kappa4/kappa2^2[a]")[2]
    flat.value[:], flat.error[:] = 1.0, 0.0
    huge = series(table, "kappa4/kappa2^2[a]")[0]
    huge.pull[:], huge.value[:] = 1e9, 10.0 ** np.linspace(-25, 10, len(huge.x))
    limit = {"x": [0.01, 1.0], "y": [0.1, 1.0], "name": "limit"}
    for case in ([nothing], [lost], [negative], [flat], [huge], [lost, negative, huge]):
        for i, figure in enumerate(
            (raw_figure(case, "k"), prediction_figure(case, "k"), limit_figure(case, "k", limit))
        ):
            assert svg(figure, f"p{i}", "what").startswith("<svg")


def test_svg_is_small_themed_and_has_its_own_ids(table):
    figure = raw_figure(series(table, "kappa2[a]"), label_of("kappa2[a]"))
    text = svg(figure, "one", 'a "quoted" <figure>')
    assert len(text) < 400_000
    assert "var(--c0" in text and "var(--ink" in text
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert ids and all(name.startswith("one-") for name in ids)
    used = set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', text))
    assert {a or b for a, b in used} <= set(ids)
    assert "&quot;quoted&quot; &lt;figure&gt;" in text and "<metadata" not in text
    assert svg(figure, "one", 'a "quoted" <figure>') == text  # the same bytes again


def test_figures_leave_pyplot_and_rcparams_alone(tmp_path):
    code = """
import sys
sys.path.insert(0, sys.argv[2])
import matplotlib
matplotlib.rcParams["axes.labelsize"] = 33
def settings():  # reading "backend" itself would import pyplot
    return {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != "backend"}
before = settings()
import report_fixture
from netsim.report.page import write_page
write_page([report_fixture.record(32, 3, 0)], sys.argv[1], "t", "c")
assert settings() == before
print([name for name in ("matplotlib.pyplot", "jax") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path / "i.html"), TESTS],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_histogram_counts_all_pulls():
    figure = pull_histogram([0.0, 0.1, 9.0, -9.0, math.nan])
    values = figure.axes[0].patches[0].get_data()
    assert np.sum(values.values * np.diff(values.edges)) == pytest.approx(1.0)
    assert values.values[0] > 0 and values.values[-1] > 0
    assert pull_histogram([]).axes


def test_axis_labels_are_mathtext_where_names_are_known():
    assert label_of("kappa6/kappa2^3[a]") == r"$\kappa_{6}/\kappa_2^{3}$  [a]"
    assert label_of("kappa2") == r"$\kappa_{2}$"
    assert label_of("cum[{a$b}1a]") == r"cum[{a\$b}1a]"


def test_records_of_one_width_that_cover_different_depths_are_one_curve():
    def line(id, width, depth, value):
        return {
            "id": id, "width": width, "effective_depth": depth, "value": value, "error": 0.1,
            "quantity": "cum[z1a z1b]@3", "title": id,
        }  # fmt: skip

    table = [
        line("deep", 8, 0.5, 3.0), line("deep", 8, 0.75, 4.0), line("wide", 16, 0.25, 9.0),
        line("shallow", 8, 0.25, 2.0), line("again", 8, 0.25, 7.0),
    ]  # fmt: skip
    curves = {curve.label: list(curve.value) for curve in series(table, "cum[z1a z1b]")}
    assert curves == {"n = 8": [2.0, 3.0, 4.0], "n = 8 (again)": [7.0], "n = 16": [9.0]}
