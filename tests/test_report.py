"""The report: numbers with errors, LaTeX, curves, figures and the page."""

from __future__ import annotations

import copy
import html.parser
import math
import re
import shutil
import subprocess
import sys
from decimal import Decimal
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
from netsim.report.format import plural, ranges, value_error
from netsim.report.latex import escape, latex_number, latex_table
from netsim.report.page import write_page
from netsim.report.series import MOST_POINTS, series, thinned
from netsim.report.style import MARKERS, svg
from netsim.report.tables import selected_layers
from netsim.store.table import read_csv, tidy

TESTS = str(Path(__file__).parent)
COMMAND = "netsim sweep experiment=depth_to_width"


@pytest.fixture(scope="module")
def records():
    return report_fixture.records(8)


@pytest.fixture(scope="module")
def table(records):
    return tidy(records)


@pytest.fixture(scope="module")
def page(records, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    return write_page(records, path, "Depth <to> width", COMMAND).read_text(encoding="utf-8")


# numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.43212, 0.0012, "0.4321(12)"),
        (1.234e-5, 4.5e-7, "1.234(45)e-05"),
        (-1234.5, 12.0, "-1234(12)"),
        (123456.0, 1200.0, "1.235(12)e+05"),
        (1.0, 0.0996, "1.00(10)"),
        (9.9999, 0.1, "10.00(10)"),
        (0.0, 0.012, "0.000(12)"),
        (0.001, 0.5, "0.00(50)"),
        (3.0, 120.0, "0.0(12)e+02"),
        (2.0, None, "2"),
        (0.5, 0.0, "0.5(0)"),
        (1.5, math.nan, "1.5(nan)"),
        (1.5, math.inf, "1.5(inf)"),
        (math.nan, 0.1, "nan"),
        (-math.inf, 0.1, "-inf"),
        (None, None, "–"),
        (1.0, 1e-20, "1.000000000000000(10)"),
        (5e-324, 5e-324, "4.9(49)e-324"),
        (1.5e308, 1.2e307, "1.50(12)e+308"),
    ],
)
def test_value_with_error(value, error, text):
    assert value_error(value, error) == text


def test_value_with_error_can_be_read_back():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        value = float(rng.standard_normal() * 10 ** rng.uniform(-30, 30))
        error = float(abs(value) * 10 ** rng.uniform(-12, 3))
        match = re.fullmatch(r"(-?[\d.]+)\((\d\d)\)(?:e([+-]\d+))?", value_error(value, error))
        unit = Decimal(1).scaleb(Decimal(match[1]).as_tuple().exponent + int(match[3] or 0))
        assert abs(Decimal(match[1]).scaleb(int(match[3] or 0)) - Decimal(value)) <= unit * 51 / 100
        assert abs(int(match[2]) * unit - Decimal(error)) <= unit * 51 / 100


def test_words():
    assert ranges([3, 1, 2, 7, 9, 10, 10]) == "1–3, 7, 9–10" and ranges([]) == ""
    assert plural(1, "row") == "1 row" and plural(2048, "row") == "2,048 rows"
    assert selected_layers(range(1, 41)) == [2, 3, 5, 9, 17, 33, 40] and selected_layers([1]) == [1]


# LaTeX ---------------------------------------------------------------------------------------


def test_latex_numbers_and_escapes():
    assert latex_number("1.23(45)e-05") == r"$1.23(45)\times 10^{-5}$"
    assert latex_number("0.4321(12)") == "$0.4321(12)$"
    assert latex_number("1.5(nan)") == "$1.5(nan)$" and latex_number("nan") == "nan"
    assert escape(r"50% of {a_b} & \x^2~$") == (
        r"50\% of \{a\_b\} \& \textbackslash{}x\textasciicircum{}2\textasciitilde{}\$"
    )


def test_latex_table_has_six_cells_a_line_and_marks_unreliable(table):
    text = latex_table(table)
    body = text.split(r"\hline")[2].strip().splitlines()
    assert len(body) == len(table)
    assert all(len(re.findall(r"(?<!\\)&", line)) == 5 for line in body)
    assert all(line.endswith(r"\\") for line in body)
    unreliable = sum(line["kind"] == "unreliable" for line in table)
    assert text.count(r"\emph{") == unreliable > 0
    assert text.count("{") == text.count("}")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_table_compiles(table, tmp_path):
    hostile = [line | {"title": "100% _{x}^2 \\ # $ & ~ < > | \" ' ü"} for line in table[:20]]
    source = latex_table(hostile)
    document = rf"\documentclass{{article}}\begin{{document}}{source}\end{{document}}"
    (tmp_path / "t.tex").write_text(document)
    subprocess.run(
        ["pdflatex", "-halt-on-error", "t.tex"], cwd=tmp_path, check=True, capture_output=True
    )
    assert (tmp_path / "t.pdf").stat().st_size > 0


# curves and figures --------------------------------------------------------------------------


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


# the page ------------------------------------------------------------------------------------

_VOID = {"meta", "link", "br", "hr", "img", "input"}


class _Checker(html.parser.HTMLParser):
    """Collects ids, addresses and tags; fails on tags that do not nest."""

    def __init__(self):
        html.parser.HTMLParser.__init__(self)
        self.ids, self.links, self.tags, self.stack, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href"):
                self.links.append(value)
        if tag not in _VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def checked(text: str) -> _Checker:
    checker = _Checker()
    checker.feed(text)
    assert checker.stack == []
    return checker


def test_page_is_one_file_without_scripts_or_requests(page):
    found = checked(page)
    assert "script" not in found.tags and "img" not in found.tags and "iframe" not in found.tags
    outside = [x for x in found.links if not x.startswith("#") and x not in ("table.csv", "data:,")]
    assert outside == []
    assert "@import" not in page and not re.search(r"url\((?!#)", page)
    assert len(found.ids) == len(set(found.ids))
    assert {x[1:] for x in found.links if x.startswith("#")} <= set(found.ids)
    sizes = [len(x) for x in re.findall(r"<svg.*?</svg>", page, flags=re.S)]
    assert len(sizes) == 9 + 5 + 1 and max(sizes) < 400_000


def test_page_says_what_it_must(page):
    text = re.sub(r"\s+", " ", "".join(checked(page).text))
    for words in (
        COMMAND,
        "1 point was interrupted",
        "one standard error",
        "averages over networks (annealed)",
        "Student's t with 63",
        "The widths do not collapse exactly",
        "beyond the order kept",
        "unreliable, not judged",
        "8,192 networks, 24,576 in all",
        "threefry-lattice/1",
        "A ReLU network with zero bias is dead",
        "logcum[Saa], layers 1–8 (3 points)",
        "cum[z1b^6], layers 8 (3 points)",
        "Depth <to> width",
    ):
        assert words in text, words
    assert 'name="viewport"' in page and "@media print" in page
    assert "prefers-color-scheme: dark" in page


def test_page_numbers_are_those_of_the_table(page, table):
    text = "".join(checked(page).text)
    for line in table:
        if line["alias"] == "kappa4[a]" and line["layer"] in (2, 3, 5, 9):
            assert value_error(line["value"], line["error"]) in text
            if line["pull"] is not None:
                assert f"pull {line['pull']:+.2f}" in text


def test_the_table_lies_beside_the_page(records, tmp_path):
    path = write_page([records[0]], tmp_path / "a b.html", "t", "c")
    assert 'href="table.csv"' in path.read_text(encoding="utf-8")
    assert len(read_csv(tmp_path / "table.csv")) == len(tidy([records[0]]))


def test_a_page_without_records(tmp_path):
    text = write_page([], tmp_path / "i.html", "empty", COMMAND).read_text(encoding="utf-8")
    checked(text)
    assert "No points yet" in text and COMMAND in text


def test_a_page_with_nearly_empty_records(tmp_path):
    bare = [{"schema": 1}, {"title": "x", "estimates": [], "run": {"complete": False}}]
    text = write_page(bare, tmp_path / "i.html", "t", "c").read_text(encoding="utf-8")
    checked(text)
    assert "interrupted" in text


def test_nan_values_and_missing_errors_show_up_and_break_nothing(records, tmp_path):
    broken = copy.deepcopy(records[:1])
    for i, row in enumerate(broken[0]["estimates"]):
        row["value"], row["error"] = (math.nan, None, math.inf)[i % 3], (None, math.nan)[i % 2]
    text = write_page(broken, tmp_path / "i.html", "t", "c").read_text(encoding="utf-8")
    checked(text)
    assert ">nan<" in text and ">inf<" in text


def test_everything_from_records_is_escaped(records, tmp_path):
    evil = "<img src=x onerror=alert(1)>$&'\""
    hostile = copy.deepcopy(records[0])
    for key in ("id", "title", "group", "sampler", "rng", "command", "dtype"):
        hostile[key] = evil
    hostile["network"]["activation"] = evil
    hostile["inputs"] = {"source": evil, "facts": [evil]}
    hostile["notes"] = [evil]
    hostile["run"]["device"] = evil
    hostile["run"]["versions"] = {evil: evil}
    for row in hostile["estimates"][:6] + hostile["predictions"][-2:]:
        row["alias"] = evil
        row["quantity"] = evil
    hostile["limit"]["kappa6/kappa2^3[a]"]["name"] = evil
    text = write_page([hostile], tmp_path / "i.html", evil, evil).read_text(encoding="utf-8")
    found = checked(text)
    assert "img" not in found.tags and "&lt;img src=x" in text


def test_points_that_share_an_id_stay_apart(records, tmp_path):
    twins = [records[0], records[0] | {"title": "again"}]
    write_page(twins, tmp_path / "i.html", "t", "c")
    lines = read_csv(tmp_path / "table.csv")
    assert len({line["id"] for line in lines}) == 2
    assert len(lines) == 2 * len(tidy([records[0]]))


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
