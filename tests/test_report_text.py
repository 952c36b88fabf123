"""Numbers with errors, words and LaTeX of the report."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from decimal import Decimal

import numpy as np
import pytest

import report_fixture
from netsim.report.format import plural, ranges, value_error
from netsim.report.latex import escape, latex_number, latex_table
from netsim.report.sections import provenance, what_was_run
from netsim.report.tables import point_rows, selected_layers, without_twins
from netsim.store.table import tidy


@pytest.fixture(scope="module")
def table():
    return tidy(report_fixture.records(8))


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


def test_long_decimals_of_inputs_are_shortened_in_the_summary():
    record = report_fixture.records(8)[0]
    record = {**record, "inputs": {"source": "digits(indices=[3], norm2=1.7087901524544507)"}}
    assert "digits(indices=[3], norm2=1.709)" in what_was_run([record])


def test_weighted_draws_are_told_of():
    plain, old, new = (
        {"mixture": kind, "sampler": "conditional"} for kind in (False, True, "wider/1")
    )
    assert "weighted" not in what_was_run([plain, {}]) + provenance(plain) + provenance({})
    assert "Draws of 2 of the points were weighted." in what_was_run([plain, old, new])
    assert "Draws were weighted." in what_was_run([new])
    assert "conditional; weighted draws: half" in provenance(old)
    assert "conditional; weighted draws (wider/1): half" in provenance(new)


def test_a_quantity_stands_on_the_page_once(table):
    alias = [line for line in table if line["alias"]]
    plain = [line | {"alias": None} for line in alias]
    kept = without_twins([*table, *plain])
    assert kept == table  # the plain lines of the fixture's aliases go, all others stay
    assert without_twins(plain) == plain
    other = [line | {"id": "another"} for line in plain]
    assert without_twins([*table, *other]) == [*table, *other]
    rows = point_rows(table, aliases=True)
    assert 'title="ncum[z1a^4], normalised">kappa4/kappa2^2[a]</th>' in rows
    assert "title" not in point_rows(table, aliases=False)
