"""The command under signals: answered within 3 s, nothing lost, the same final state bit for bit."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from command import netsim
from netsim.run.plan import units_in

COMMAND = [sys.executable, "-c", "import sys; from netsim.cli.main import main; sys.exit(main())"]


def words(draws: int, seconds: float, width: int = 16) -> str:
    """A point whose draws cost little and whose checkpoints come often."""
    return (
        f"simulate network.width={width} network.depth=2 quantities=[kappa4] run.draws={draws} "
        f"run.checkpoint_seconds={seconds} out=mine"
    )


def start(line: str) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def state_in(folder: Path) -> dict[str, np.ndarray] | None:
    paths = list((folder / "mine" / "points").glob("*.npz"))
    if not paths:
        return None
    with np.load(paths[0]) as file:
        return {name: file[name] for name in file.files}


def wait_for_a_checkpoint(folder: Path, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while state_in(folder) is None and time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)


def ended_state(capsys, folder: Path, line: str, monkeypatch) -> dict[str, np.ndarray]:
    """The final state after running `line` in this process in `folder`."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    ended = netsim(capsys, line)
    assert ended.code == 0, ended.err
    return state_in(folder)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle(tmp_path, monkeypatch, capsys, number, code):
    monkeypatch.chdir(tmp_path)
    process = start(words(2**32, 0))  # hours
    wait_for_a_checkpoint(tmp_path, process)
    process.send_signal(number)
    begin = time.monotonic()
    out, err = process.communicate(timeout=30)
    seconds = time.monotonic() - begin
    assert process.returncode == code and seconds < 3
    assert "everything drawn so far saved; the same command goes on" in err
    assert out == "" and "Traceback" not in err
    stopped = state_in(tmp_path)
    units = units_in(stopped["count"])
    assert units > 0
    status = netsim(capsys, "status out=mine").out
    assert "interrupted" in status and f"{units * 1024:,}" in status
    # the same point goes on and ends as an unbroken run does
    goal = (units + 5) * 1024 if units >= 64 else 70 * 1024
    line = words(goal, 10)
    continued = ended_state(capsys, tmp_path, line, monkeypatch)
    direct = ended_state(capsys, tmp_path / "direct", line, monkeypatch)
    assert units_in(continued["count"]) * 1024 == goal
    assert all(continued[name].tobytes() == direct[name].tobytes() for name in direct)


def test_a_signal_in_this_process(tmp_path, monkeypatch, capsys):
    """Within a sweep: what is finished stays, and the report can be had."""
    monkeypatch.chdir(tmp_path)
    lines = []

    def stop(self, progress):
        lines.append(progress.title)
        if progress.title.startswith("[2/3]"):
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("netsim.run.progress.LogProgress.__call__", stop)
    grid = words(65536, 10).replace("simulate", "sweep").replace("width=16", "width=4,5,6")
    ended = netsim(capsys, grid)
    assert ended.code == 143 and "1 of 3 points are finished; `netsim report out=mine`" in ended.err
    assert netsim(capsys, "report out=mine").code == 0
    assert "interrupted" in (tmp_path / "mine" / "index.html").read_text()
    states = [line.split()[1] for line in netsim(capsys, f"status{grid[5:]}").out.splitlines()[1:]]
    assert states == ["done", "interrupted", "missing"]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert netsim(capsys, grid).code == 0
    assert not list(tmp_path.rglob("*.tmp"))


def test_sigterm_outside_of_drawing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # a shell's background jobs ignore SIGINT; this test is about a job that does not
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):

        def stopped(*_, number=number):
            signal.raise_signal(number)

        with monkeypatch.context() as patched:
            patched.setattr("netsim.api.sweep.predict", stopped)
            ended = netsim(capsys, words(65536, 10) + " --quiet")
        assert ended.code == code and "what was saved before stays" in ended.err
        assert units_in(state_in(tmp_path)["count"]) == 64  # written before the predictions
    before = signal.getsignal(signal.SIGTERM)
    assert netsim(capsys, words(65536, 10)).code == 0
    assert signal.getsignal(signal.SIGTERM) == before
    signal.signal(signal.SIGINT, inherited)


@pytest.mark.slow
def test_kill_9_at_random_moments(tmp_path, monkeypatch, capsys):
    """Twenty times; then the final state, per block, is that of an unbroken run, bit for bit."""
    monkeypatch.chdir(tmp_path)
    line = words(2**24, 0.05, width=64)
    generator = np.random.default_rng(0)
    progress = []
    for _ in range(20):
        process = start(line)
        try:
            process.wait(generator.uniform(0.5, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()  # SIGKILL
        process.communicate()
        state = state_in(tmp_path)
        progress.append(0 if state is None else units_in(state["count"]))
    assert progress == sorted(progress)  # nothing saved is ever lost
    assert len(set(progress)) >= 5, progress
    continued = ended_state(capsys, tmp_path, line, monkeypatch)
    direct = ended_state(capsys, tmp_path / "direct", line, monkeypatch)
    assert all(continued[name].tobytes() == direct[name].tobytes() for name in direct)


@pytest.mark.slow
@pytest.mark.parametrize("delay", range(1, 10))
def test_a_signal_at_any_moment_of_a_start_is_answered_in_time(tmp_path, monkeypatch, delay):
    """While importing, tracing, compiling (several seconds for six fields) or drawing."""
    monkeypatch.chdir(tmp_path)
    process = subprocess.Popen(
        [
            *COMMAND, "simulate", "inputs=pair", "inputs.directions=1", "network.activation=tanh",
            "network.width=32", "run.draws=1e9", "out=mine",
            "quantities=[kappa2,kappa4,kappa6,kappa8,cum[z1a'uu^4],cum[z1b'uu^2 z2a'uu^2]]",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(delay)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - begin < 3
    assert process.returncode == 130 and "stopped by SIGINT" in err and "Traceback" not in err
