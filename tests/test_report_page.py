"""The report's page: one file, well formed, with every number, nothing unescaped."""

from __future__ import annotations

import copy
import html.parser
import math
import re

import pytest

import report_fixture
from netsim.report.format import value_error
from netsim.report.page import write_page
from netsim.store.table import read_csv, tidy

COMMAND = "netsim sweep experiment=depth_to_width"
_VOID = {"meta", "link", "br", "hr", "img", "input"}


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
