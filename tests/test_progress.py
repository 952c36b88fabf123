"""The rate without compilation, in the record too; the bar under a notebook's cell."""

from __future__ import annotations

import builtins
import io
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

import netsim
from netsim.api.config import Point
from netsim.api.point import PointOutcome, run_point
from netsim.api.record import make_record
from netsim.experiment.experiment import experiment
from netsim.networks.input_sets import single
from netsim.report.sections import provenance
from netsim.run import loop
from netsim.run.plan import UNIT
from netsim.run.progress import (
    LogProgress,
    NotebookProgress,
    Progress,
    SilentProgress,
    TerminalProgress,
    progress_for,
)

UNITS = 64


def made():
    return experiment(netsim.network("relu", width=4, depth=1), single(), ["kappa4"])


# --- the rate -------------------------------------------------------------------------------------


@pytest.fixture
def slow_start(monkeypatch):
    """The first launch takes at least 0.7 s, as if it compiled."""
    real, launches = loop.launch, []

    def launch(*words, **options):
        launches.append(words)
        if len(launches) == 1:
            time.sleep(0.7)
        return real(*words, **options)

    monkeypatch.setattr(loop, "launch", launch)


def test_the_rate_leaves_out_the_first_launch(slow_start):
    told: list[Progress] = []
    outcome = run_point(made(), UNITS * UNIT, show=told.append, save=lambda state: None)
    assert len(told) > 1 and outcome.rate == told[-1].rate
    later = outcome.draws - told[0].done
    assert later / outcome.rate <= outcome.seconds - 0.7
    assert told[0].rate < told[0].done / 0.7  # the first line has no other rate to tell


def test_one_launch_alone_measures_no_rate():
    what = made()
    state = run_point(what, UNITS * UNIT, show=SilentProgress(), save=lambda state: None).state
    told: list[Progress] = []
    more = (UNITS + 1) * UNIT
    outcome = run_point(what, more, state=state, show=told.append, save=lambda state: None)
    assert len(told) == 1 and outcome.rate is None and outcome.seconds > 0
    again = run_point(what, more, state=outcome.state, show=told.append, save=lambda state: None)
    assert len(told) == 1 and again.rate is None


def test_the_record_keeps_the_last_rate_that_was_measured():
    what = made()
    point = Point(what, UNITS * UNIT, None, "t", "g")
    outcome = PointOutcome(what.sums().init(), UNITS * UNIT, 3.0, 5e4, None)
    first = make_record(point, [], [], outcome, earlier=None, command="c")
    assert (first["run"]["draws_per_second"], first["run"]["wall_seconds"]) == (5e4, 3.0)
    assert "(50,000 draws/s)" in provenance(first)
    silent = replace(outcome, rate=None)
    second = make_record(point, [], [], silent, earlier=first, command="c")
    assert (second["run"]["draws_per_second"], second["run"]["wall_seconds"]) == (5e4, 6.0)
    never = make_record(point, [], [], silent, earlier=None, command="c")
    assert never["run"]["draws_per_second"] is None and "draws/s" not in provenance(never)


# --- notebooks ------------------------------------------------------------------------------------


class ZMQInteractiveShell:
    """Named as the shell of a notebook's kernel is."""


class TerminalInteractiveShell:
    """Named as IPython's shell on a terminal is."""


@pytest.fixture
def displayed(monkeypatch):
    """What a notebook would show: one list of versions for each display."""
    displays: list[list[dict]] = []

    def display(data, *, raw, display_id):
        assert raw and display_id
        versions = [data]
        displays.append(versions)
        return SimpleNamespace(update=lambda data, *, raw: versions.append(data))

    module = SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=module))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    return displays


def test_a_notebook_gets_one_bar_that_is_redrawn(displayed, capsys):
    show = progress_for()
    assert isinstance(show, NotebookProgress) and not displayed
    run_point(made(), UNITS * UNIT, title="a <title>", show=show, save=lambda state: None)
    show.close()
    (versions,) = displayed
    assert len(versions) >= 3  # the first launch, the last, the end
    assert versions[0]["text/html"].startswith("<div>a &lt;title&gt; <progress value=")
    assert f'value="{UNITS * UNIT}" max="{UNITS * UNIT}"' in versions[-1]["text/html"]
    assert versions[-1]["text/plain"].startswith("a <title>: 65,536 of 65,536 draws, ")
    assert capsys.readouterr() == ("", "")


def test_a_bar_in_a_notebook_is_not_redrawn_too_often(displayed):
    show = NotebookProgress(every=3600.0)
    for done in (10, 20, 30):
        show(Progress("one", done, 40, 1.0))
    assert len(displayed[0]) == 1 and 'value="10"' in displayed[0][0]["text/html"]
    show(Progress("two", 40, 40, 1.0))
    assert len(displayed) == 1 and len(displayed[0]) == 2
    assert [displayed[0][1]["text/html"].count(part) for part in ("<div>", 'value="30"')] == [2, 1]
    show.close()
    assert len(displayed[0]) == 3
    NotebookProgress().close()  # nothing was run: nothing is shown
    assert len(displayed) == 1


def test_only_a_notebook_gets_the_notebooks_bar(displayed, monkeypatch):
    assert isinstance(progress_for(quiet=True), SilentProgress)
    monkeypatch.setattr(builtins, "get_ipython", TerminalInteractiveShell)
    assert isinstance(progress_for(), LogProgress)
    monkeypatch.delattr(builtins, "get_ipython")
    assert isinstance(progress_for(), LogProgress)
    assert not displayed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_names_of_inputs_are_no_markup(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    show = TerminalProgress()
    show(Progress("t[b]", 10, 20, 1.0, "kappa4[a]@9 +-2%"))
    show.close()
    shown = sys.stderr.getvalue()
    assert "kappa4[a]@9 +-2%" in shown and "t[b]" in shown


# --- passing work ---------------------------------------------------------------------------------


def test_passing_bars_go(displayed):
    show = progress_for(passing=True)
    show(Progress("layers", 1, 4, 2.0, unit="layers"))
    show.close()
    (versions,) = displayed
    assert versions[0]["text/plain"] == "layers: 1 of 4 layers, 2/s, 2 s left"
    assert versions[-1] == {"text/plain": "", "text/html": ""}


def test_passing_work_in_a_log_is_told_of_while_it_lasts(capsys):
    for passing, lines in ((True, 0), (False, 1)):
        show = LogProgress(passing=passing)
        show(Progress("a", 4, 4, 2.0))
        assert capsys.readouterr().err.count("\n") == lines
    LogProgress(0.0, passing=True)(Progress("a", 1, 4, 2.0))
    assert capsys.readouterr().err == "a: 1 of 4 draws, 2/s, 2 s left\n"


@pytest.mark.parametrize("passing", [True, False])
def test_a_passing_bar_on_a_terminal(passing):
    show = TerminalProgress(passing=passing)
    show.close()
    assert show.bar.live.transient is passing
