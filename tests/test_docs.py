"""The docs are true: code runs, links resolve, names are explained, figures show the numbers."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import sys
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from netsim.estimators import SHARE_LIMIT, TAIL_LIMIT
from netsim.experiment.aliases import ALIASES
from netsim.experiment.exact_errors import LIMIT, WIDER_LIMIT
from netsim.experiment.experiment import experiment
from netsim.quantities import FIELDS, STATS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md"))
    if "results" not in path.relative_to(ROOT).parts
)
EXECUTED = ("docs/hierarchy.md", "docs/errors.md", "docs/criticality.md", "docs/claims.md")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.M | re.S)


@cache
def figures():
    """docs/make_figures.py as a module; it is a script, not part of the package."""
    sys.path.append(str(ROOT / "docs"))  # where Python looks when the script is run
    spec = importlib.util.spec_from_file_location("make_figures", ROOT / "docs" / "make_figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(text: str) -> list[tuple[int, str, str]]:
    """(line of the first line of code, language, code) of every fenced block."""
    return [(text.count("\n", 0, m.start(2)) + 1, m[1], m[2]) for m in FENCE.finditer(text)]


def run_block(language: str, code: str, namespace: dict, name: str, line: int) -> None:
    """Python runs in `namespace`, lines that start with `netsim ` through the command's `main`."""
    if language == "python":
        # newlines in front: a traceback shows the line of the page
        exec(compile("\n" * (line - 1) + code, name, "exec"), namespace)
    elif language in ("sh", "console"):
        from netsim.cli.main import main

        for command in code.replace("\\\n", " ").splitlines():
            if command.removeprefix("$ ").startswith("netsim "):
                words = shlex.split(command.removeprefix("$ "), comments=True)
                assert main(words[1:]) == 0, f"{name}: {command}"


@pytest.mark.parametrize("page", EXECUTED)
def test_code_blocks_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = blocks((ROOT / page).read_text())
    assert sum(language == "python" for _, language, _ in found) >= 2
    namespace: dict = {"__name__": "docs"}
    for line, language, code in found:
        run_block(language, code, namespace, page, line)
    capsys.readouterr()


def test_a_wrong_block_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = "a\n\n```python\nx = 1\nassert x == 2\n```\n```sh\nnetsim unknown\n```\n"
    (line, language, code), (_, shell, command) = blocks(text)
    with pytest.raises(AssertionError) as error:
        run_block(language, code, {}, "page", line)
    assert error.traceback[-1].lineno + 1 == 5
    with pytest.raises(AssertionError):
        run_block(shell, command, {}, "page", 1)
    capsys.readouterr()


@pytest.mark.parametrize("page", ("NOTATION.md", *EXECUTED))
def test_formulas_survive_markdown(page):
    r"""Markdown takes \, for a comma and \\\\ for one backslash before it looks for formulas."""
    text = FENCE.sub("", (ROOT / page).read_text())
    assert re.findall(r".{0,20}\\[^\sA-Za-z].{0,20}", text) == []
    assert len(re.findall(r"(?<!\$)\$(?!\$)", text)) % 2 == 0


# --- links --------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors GitHub gives the headings of a page."""
    text = FENCE.sub("", path.read_text())
    heads = re.findall(r"^#+ +(.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def broken_links(path: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text()))
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue  # the live web is not tested
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    return broken


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_resolve(path):
    assert broken_links(path) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](#one-two) [b](#three) [c](nowhere.md) [d](https://x.org)\n")
    assert broken_links(page) == ["#three", "nowhere.md"]


# --- names --------------------------------------------------------------------------------------


def table_of_names() -> dict[str, list[str]]:
    """First cell, a name in backticks -> the other cells of its line in NOTATION.md."""
    lines = [re.split(r" *\| *", line) for line in (ROOT / "NOTATION.md").read_text().splitlines()]
    return {cells[1].strip("`"): cells[2:-1] for cells in lines if cells[1:2] and "`" in cells[1]}


def built_in() -> list[str]:
    return [field for field in FIELDS if not field.startswith("{")]  # tests may register others


def test_every_name_is_in_the_notation():
    assert set(table_of_names()) >= {*STATS, *built_in(), *ALIASES, "{name}"}


@pytest.mark.parametrize("field", built_in())
def test_notation_says_what_is_measured(field):
    import netsim

    leg, _, measured = table_of_names()[field]
    net, inputs = (
        netsim.network("linear", width=2, depth=2),
        netsim.inputs("pair", angle=60, directions=1),
    )
    text = f"cum[{leg.strip('`')}]"
    try:
        experiment(net, inputs, [text], sampler="dense").measurement  # noqa: B018
    except ValueError as error:
        assert measured == "reserved" and "not measured" in str(error)
    else:
        assert measured == "yes"


def test_notation_of_aliases_and_texts_is_canonical():
    from netsim.quantities import parse

    text = (ROOT / "NOTATION.md").read_text()
    names = re.findall(r"`(?:\d )?((?:cum|ncum|mom|logcum)\[[^`]*)`", text)
    assert len(names) >= 15
    assert [name for name in names if parse(name).text != name] == []
    for alias, (stat, legs, divisor) in ALIASES.items():
        wanted = f"| `{alias}` | `{stat}[z1a^{legs}]`" + (
            f" / {divisor} |" if divisor > 1 else " |"
        )
        assert wanted in text


def test_every_theory_and_estimator_is_in_the_notation():
    import netsim
    from netsim.api.theories import theories
    from netsim.experiment.measure import ESTIMATORS
    from netsim.quantities import parse

    text = (ROOT / "NOTATION.md").read_text()
    net = netsim.network("relu", width=2, depth=1)
    inputs = netsim.inputs("single")
    asked = [parse(text) for text in ("cum[z1a^2]", "cum[H1_1aa]")]
    names = [f"theory:{t.name}" for quantity in asked for t in theories(quantity, net, inputs)]
    names += [f"estimator:{name}" for name in (*ESTIMATORS, "direct")]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_claim_is_on_its_page():
    from netsim.claims.bodies import claims_named

    text = (ROOT / "docs" / "claims.md").read_text()
    assert [c.name for _, c in claims_named(["all"]) if f"| `{c.name}` |" not in text] == []


def test_errors_page_quotes_the_limits_in_force():
    text = (ROOT / "docs" / "errors.md").read_text()
    for name, value in (
        ("SHARE_LIMIT", SHARE_LIMIT), ("TAIL_LIMIT", TAIL_LIMIT), ("LIMIT", LIMIT),
        ("WIDER_LIMIT", WIDER_LIMIT),
    ):  # fmt: skip
        assert f"`{name}` = {value:g}" in text, f"docs/errors.md must say `{name}` = {value:g}"


def test_citation_file():
    from omegaconf import OmegaConf

    import netsim

    data = OmegaConf.to_container(OmegaConf.load(ROOT / "CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= set(data)
    assert data["cff-version"] == "1.2.0" and data["type"] == "software"
    assert data["authors"] == [{"name": "The netsim developers"}]
    assert str(data["version"]) == netsim.__version__ and data["license"] == "Apache-2.0"


# --- figures ------------------------------------------------------------------------------------


def stored(name: str) -> dict:
    return json.loads((ROOT / "docs" / "figures" / f"{name}.json").read_text())


def cases() -> list:
    found = []
    for name, (makers, _) in figures().FIGURES.items():
        for series in makers:
            slow = name == "depth_over_width" and series == "tanh n=128"  # 5 s of matrices
            found.append(pytest.param(name, series, marks=pytest.mark.slow if slow else ()))
    return found


@pytest.mark.parametrize(("name", "series"), cases())
def test_figure_shows_the_numbers_of_today(name, series):
    now, then = figures().FIGURES[name][0][series](), stored(name)[series]
    for axis in ("x", "y"):
        np.testing.assert_allclose(then[axis], now[axis], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", list(figures().FIGURES))
def test_figure_files_belong_together(name):
    makers, draw = figures().FIGURES[name]
    data = stored(name)
    assert list(data) == list(makers)
    svg = ElementTree.parse(ROOT / "docs" / "figures" / f"{name}.svg").getroot()
    assert svg.tag.endswith("svg")
    assert any(f"figures/{name}.svg" in (ROOT / page).read_text() for page in EXECUTED)
    assert draw(data).axes  # the stored numbers suffice to draw it again


def test_fitted_leading_constants_agree_with_the_limit():
    """The dashed lines: c (L/n)^{k-1} is the limit curve at small L/n."""
    import netsim
    from netsim.theory.limit_curves import limit_ratios

    tau = 1e-5
    for (name, k), c in figures().LEADING.items():
        ratios = limit_ratios(netsim.network(name, width=1, depth=1), [tau])
        value = ratios[f"kappa{2 * k}/kappa2^{k}"][0] / tau ** (k - 1)
        assert value == pytest.approx(c, rel=1e-3)
