"""The run loop: exact continuation, launches that do not matter, stopping, compilation, progress."""

from __future__ import annotations

import os
import select
import signal
import time

import numpy as np
import pytest

import netsim
from netsim.api.point import Target, run_point
from netsim.experiment.experiment import experiment
from netsim.experiment.rows import estimate_rows
from netsim.networks.input_sets import single
from netsim.run import interrupt, loop
from netsim.run.interrupt import attended, listening
from netsim.run.launch import trace_count
from netsim.run.plan import BLOCKS, MAX_DRAWS, UNIT, Layout, layout_for, units_for, units_in
from netsim.run.progress import (
    LogProgress,
    Progress,
    SilentProgress,
    TerminalProgress,
    progress_for,
)


def made(activation="relu", width=4, depth=2, inputs=None, seed=0, **options):
    couplings = {k: options.pop(k) for k in ("weight_variance", "bias_variance") if k in options}
    net = netsim.network(activation, width=width, depth=depth, **couplings)
    quantities = ["kappa4", "cum[z1a^2 z2a^2]"]
    return experiment(net, inputs or single(), quantities, seed=seed, **options)


def run(what, units, state=None, show=lambda progress: None, **options):
    saved = []
    outcome = run_point(what, units * UNIT, state=state, show=show, save=saved.append, **options)
    assert saved and same(saved[-1], outcome.state)
    return outcome


def same(a, b) -> bool:
    return all(a[name].tobytes() == b[name].tobytes() for name in a) and a.keys() == b.keys()


def close(a, b, relative) -> bool:
    """Equal sums, up to `relative` of the typical size of what is summed."""
    sizes = {name: np.abs(array).max() for name, array in b.items()}
    return all(np.allclose(a[k], b[k], rtol=relative, atol=relative * sizes[k]) for k in b)


# --- continuation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["conditional", "dense"])
def test_an_extended_run_is_the_direct_one_bit_for_bit(sampler):
    what = made(sampler=sampler)
    direct = run(what, 128).state
    assert same(run(what, 128, run(what, 64).state).state, direct)
    state = None
    for units in (65, 67, 70, 128):
        state = run(what, units, state).state
    assert same(state, direct)
    assert same(run(what, 64, direct).state, direct)  # nothing is ever taken away


@pytest.mark.parametrize("size", [256, 1024])
def test_an_interrupted_run_continues_bit_for_bit(monkeypatch, size):
    monkeypatch.setattr("netsim.api.point.layout_for", lambda *_: Layout(1, size))
    what = made()
    direct = run(what, 64).state
    number = iter(range(10**6))

    def stop(progress):
        if next(number) in (5, 17):
            signal.raise_signal(signal.SIGTERM)

    state, signals = None, []
    while not signals or signals[-1]:
        outcome = run(what, 64, state, stop)
        state = outcome.state
        signals.append(outcome.signal)
    assert signals == [signal.SIGTERM] * 2 + [None] and same(state, direct)


def test_a_unit_broken_off_is_dropped(monkeypatch):
    monkeypatch.setattr("netsim.api.point.layout_for", lambda *_: Layout(1, 256))
    what = made()
    real, launches = loop.launch, []

    def launch(*words, **options):
        launches.append(words[1])
        if len(launches) == 10:  # the second of four launches of the third unit
            signal.raise_signal(signal.SIGINT)
        return real(*words, **options)

    with monkeypatch.context() as patched:
        # the signal must come in the main thread, as signals do
        patched.setattr(loop, "attended", lambda work, signals: work())
        patched.setattr(loop, "launch", launch)
        stopped = run(what, 64)
    assert stopped.signal == signal.SIGINT and stopped.draws == 2 * UNIT
    assert same(run(what, 64, stopped.state).state, run(what, 64).state)


def test_after_an_error_everything_folded_so_far_is_saved():
    saved = []

    def fail(progress):
        if progress.done >= 8 * UNIT:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        run_point(made(), 65536, show=fail, save=saved.append)
    assert units_in(saved[-1]["count"]) == 8


def test_states_that_no_unit_follows_are_refused():
    state = run(made(), 64).state
    for count in (state["count"] + 1, np.roll(run(made(), 65).state["count"], 1)):
        with pytest.raises(ValueError, match="cannot be extended"):
            run(made(), 128, state | {"count": count})


# --- addresses and launches -----------------------------------------------------------------------


def test_a_unit_belongs_to_its_block():
    before, after = run(made(), 64).state, run(made(), 66).state
    changed = [
        b for b in range(BLOCKS) if before["sums"][b].tobytes() != after["sums"][b].tobytes()
    ]
    assert changed == [0, 1]
    assert list(after["count"]) == [2 * UNIT] * 2 + [UNIT] * 62
    assert not same(run(made(seed=1), 64).state, before)


@pytest.mark.parametrize(
    ("sampler", "layout"),
    [
        ("conditional", Layout(1, 1024)),
        ("conditional", Layout(1, 64)),
        ("dense", Layout(1, 256)),
    ],
)
def test_results_do_not_depend_on_launches(monkeypatch, sampler, layout):
    what = made(sampler=sampler)
    usual = run(what, 64).state
    monkeypatch.setattr("netsim.api.point.layout_for", lambda *_: layout)
    assert close(run(what, 64).state, usual, 1e-6)


def test_the_first_layers_are_those_of_a_deeper_run():
    shallow, deep = run(made(), 64).state, run(made(depth=3), 64).state
    for name in ("sums", "squares", "largest"):
        assert np.allclose(deep[name][:, :3], shallow[name], rtol=1e-5, atol=1e-5)


def test_one_compilation_serves_widths_couplings_inputs_seeds_and_draws():
    run(made(), 64)
    before = trace_count()
    for width in (5, 7, 64):
        run(made(width=width), 64)
    run(made(weight_variance=1.3, bias_variance=0.2), 64)
    run(made(inputs=single(norm2=2.0)), 66)
    run(made(seed=5), 64)
    assert trace_count() == before
    run(made(depth=4), 64)
    assert trace_count() == before + 1


def test_layouts_divide_the_unit_and_bound_a_launch():
    assert layout_for(10, 100) == Layout(4, UNIT)
    for numbers in (1e3, 1e5, 1e6, 1e8, 1e12):
        layout = layout_for(numbers, 8)
        assert UNIT % layout.size == 0 and (layout.draws == 1 or layout.draws * numbers <= 1e8)
    assert layout_for(1, 2**29) == Layout(1, 1)


def test_draws_come_in_whole_units():
    assert units_for(65536) == 64 and units_for(65537) == 65 and units_for(1e6) == 977
    assert units_for(MAX_DRAWS) == 2**22
    for bad in (65535, 0, -1, float("nan"), True, "many", MAX_DRAWS + 1):
        with pytest.raises(ValueError, match="draws="):
            units_for(bad)


# --- stopping -------------------------------------------------------------------------------------


def goal(what, fraction):
    """A target at `fraction` of the largest relative error at 64 units."""
    rows = estimate_rows(what, run(what, 64).state)
    worst = max(row.error / abs(row.value) for row in rows)
    return Target(fraction * worst, frozenset(row.key for row in rows))


def test_a_target_stops_at_doublings_only():
    what = made(width=32)
    target = goal(what, 0.45)
    asked = []

    class Asked(Target):
        def reached(self, rows):
            asked.append(rows[0].draws // UNIT)
            return super().reached(rows)

    outcome = run(what, 4096, target=Asked(target.relative, target.keys))
    units = outcome.draws // UNIT
    assert asked == [2**k for k in range(6, 6 + len(asked))] and 77 < asked[-1] == units < 4096
    # a run that was broken off before stops where the unbroken one does
    assert same(run(what, 4096, run(what, 77).state, target=target).state, outcome.state)
    assert run(what, units, target=goal(what, 1e-6)).draws == units * UNIT


# --- signals --------------------------------------------------------------------------------------


def test_a_launch_that_hangs_is_given_up_after_a_signal(monkeypatch):
    monkeypatch.setattr(interrupt, "GIVE_UP_SECONDS", 0.2)
    signals = listening()
    assert attended(lambda: 3, signals) == 3
    with pytest.raises(ZeroDivisionError):
        attended(lambda: 1 / 0, signals)
    signals.received = signal.SIGINT
    begin = time.monotonic()
    assert attended(lambda: time.sleep(5), signals) is None
    assert time.monotonic() - begin < 3
    assert attended(lambda: 3, signals) == 3  # what ends in time still counts


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with listening() as signals:
        signal.raise_signal(signal.SIGTERM)
        assert signals.received == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


# --- progress -------------------------------------------------------------------------------------


def test_progress_in_words():
    words = Progress("t", 50_000, 100_000, 1000.0, "kappa4[a] +-2%").text
    assert words == "50,000 of 100,000 draws, 1,000/s, kappa4[a] +-2%, 50 s left"
    assert Progress("t", 10, 10, 5.0).text == "10 of 10 draws, 5/s"
    assert "a long time left" in Progress("t", 0, 10, 0.0).text
    for seconds, told in ((89, "89 s"), (600, "10 min"), (7200, "2.0 h")):
        assert f"{told} left" in Progress("t", 0, seconds, 1.0).text


def test_a_log_gets_plain_lines_on_stderr(capsys):
    assert isinstance(progress_for(quiet=True), SilentProgress)
    show = progress_for()
    assert isinstance(show, LogProgress)
    run(made(), 64, show=show, title="a title")
    printed = capsys.readouterr()
    assert printed.out == "" and "\r" not in printed.err and "\x1b" not in printed.err
    (line,) = printed.err.splitlines()
    assert line.startswith("a title: 65,536 of 65,536 draws, ")
    every = LogProgress(every=0.0)
    for done in (1, 2):
        every(Progress("t", done, 3, 1.0))
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_terminal_gets_a_bar_on_stderr(capsys, monkeypatch):
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        show = progress_for()
        assert isinstance(show, TerminalProgress)
        show(Progress("a title", 10, 20, 1.0))
        show(Progress("a title", 20, 20, 1.0))
        show.close()
        monkeypatch.undo()
        terminal.flush()
        shown = ""
        while select.select([ours], [], [], 0.5)[0]:  # one read may return a part
            shown += os.read(ours, 65536).decode(errors="replace")
    os.close(ours)
    assert "a title" in shown and "20 of 20 draws" in shown and "━" in shown
    assert capsys.readouterr().out == ""
