"""The Python interface draws: in a user's process, on from where it was, interrupted, in folders."""

from __future__ import annotations

import signal
import subprocess
import sys
import warnings
from dataclasses import replace

import jax
import numpy as np
import pytest

from netsim.api.point import Target
from netsim.api.run import Run
from netsim.rows import Row
from netsim.run.plan import Layout
from netsim.samplers.names import RNG
from netsim.store.points import PointFiles, StoreError, read_record
from python_api import LEAST, hide_frames, same_state, simulate, stop


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate()


@pytest.fixture(autouse=True)
def no_frames(monkeypatch):
    hide_frames(monkeypatch)


# --- a user's process ------------------------------------------------------------------------------


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


# --- numbers ---------------------------------------------------------------------------------------


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


# --- interruption ----------------------------------------------------------------------------------


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


# --- folders ---------------------------------------------------------------------------------------


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


def test_a_target_is_not_reached_by_draws_that_are_all_alike():
    # all networks drawn are dead: no error, but marked, because exact moments are known
    common = {"layer": 1, "inputs": "a", "source": "estimator:rao_blackwell", "draws": 65536}
    dead = Row("cum[z1a^2]@1", None, value=0.0, error=0.0, flags=("unreliable",), **common)
    target = Target(0.1, frozenset([dead.key]))
    assert not target.reached([dead])
    assert target.reached([replace(dead, flags=())])  # zero by symmetry
