"""Points on disk: writes that fail leave the old file, files that are not ours are refused in words."""

from __future__ import annotations

import errno
import io
import json
import os
import zipfile

import numpy as np
import pytest

from command import netsim
from netsim.store.points import (
    SCHEMA,
    PointFiles,
    StoreError,
    check_writable,
    read_record,
    read_records,
    write_file,
)

RECORD = {
    "schema": SCHEMA, "id": "abc", "title": "t", "run": {}, "estimates": [], "predictions": [],
    "command": "netsim",
}  # fmt: skip
STATE = {"count": np.arange(64), "sums": np.linspace(0, 1, 64 * 3).reshape(64, 3)}
TEMPLATE = {name: np.zeros_like(array) for name, array in STATE.items()}
TINY = "network.width=4 network.depth=1 quantities=[kappa4] out=mine"


@pytest.fixture
def files(tmp_path):
    return PointFiles(tmp_path, "abc", "stream/1")


def test_what_is_stored_comes_back_bit_for_bit(files):
    assert files.load_state(TEMPLATE) is None and files.load_record() is None
    assert files.stored_draws() == 0
    files.save_state(STATE)
    files.save_record(RECORD)
    stored = files.load_state(TEMPLATE)
    assert all(stored[name].tobytes() == array.tobytes() for name, array in STATE.items())
    assert files.load_record() == RECORD and files.stored_draws() == STATE["count"].sum()
    assert read_records(files.folder) == [RECORD] == read_records(files.folder, ["none", "abc"])


class Failing:
    """A file whose method `name` fails as a full disk does."""

    def __init__(self, file, name: str):
        self.file, self.name = file, name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def __getattr__(self, name: str):
        if name == self.name:
            return full
        return getattr(self.file, name)


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def break_writes(monkeypatch, step: str) -> None:
    if step in ("write", "flush"):
        monkeypatch.setattr(
            "netsim.store.atomic.open", lambda *a: Failing(open(*a), step), raising=False
        )
    else:
        monkeypatch.setattr(f"os.{step}", full)


@pytest.mark.parametrize("step", ["write", "flush", "fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path, monkeypatch, step):
    path = tmp_path / "a.json"
    write_file(path, b"old")
    break_writes(monkeypatch, step)
    with pytest.raises(StoreError, match="a.json could not be written .No space left.*untouched"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file_alone(tmp_path, monkeypatch, step):
    def interrupt(*_):
        raise KeyboardInterrupt

    path = tmp_path / "a.json"
    write_file(path, b"old")
    monkeypatch.setattr(f"os.{step}", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.json"]


def test_a_folder_that_cannot_be_written_is_found_at_once(tmp_path, monkeypatch, capsys):
    check_writable(tmp_path / "new" / "folder")
    assert os.listdir(tmp_path / "new" / "folder" / "points") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="could not be written"):
        check_writable(tmp_path / "file")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("netsim.api.sweep.run_point", None)  # nothing is drawn
    ended = netsim(capsys, f"simulate {TINY[:-4]}file")
    assert ended.code == 3 and ended.out == "" and "choose another folder" in ended.err


def archive(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def header(**changes) -> np.ndarray:
    return np.array(json.dumps({"schema": SCHEMA, "id": "abc", "rng": "stream/1"} | changes))


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(name, content)
    return buffer.getvalue()


def npy(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


GOOD = archive(header=header(), **STATE)
FOREIGN = {
    "empty": (b"", "not a readable checkpoint"),
    "text": (b"hello", "not a readable checkpoint"),
    "truncated": (GOOD[:-100], "not a readable checkpoint"),
    "cut in the middle": (GOOD[: len(GOOD) // 2], "not a readable checkpoint"),
    "damaged": (
        GOOD.replace(STATE["sums"].tobytes()[64:72], b"\0" * 8),
        "not a readable checkpoint",
    ),
    "an array": (npy(np.ones(3)), "not a readable checkpoint"),
    "a zip": (zipped("a.txt", b"hello"), "not a readable checkpoint"),
    "a bad member": (
        zipped("header.npy", b"\x93NUMPY\x01\x00\xff\xff{"),
        "not a readable checkpoint",
    ),
    "no header": (archive(**STATE), "not a readable checkpoint"),
    "JSON garbage": (archive(header=np.array("{"), **STATE), "not a readable checkpoint"),
    "a list": (archive(header=np.array("[]"), **STATE), "not a readable checkpoint"),
    "objects": (
        archive(header=header(), count=STATE["count"], sums=np.array([{}], dtype=object)),
        "not a readable checkpoint",
    ),
    "another id": (
        archive(header=header(id="xyz"), **STATE),
        "its id is 'xyz', this one's is 'abc'",
    ),
    "another stream": (archive(header=header(rng="stream/2"), **STATE), "its rng is 'stream/2'"),
    "another schema": (archive(header=header(schema=99), **STATE), "its schema is 99"),
    "an array missing": (archive(header=header(), count=STATE["count"]), "'sums' is missing"),
    "another shape": (
        archive(header=header(), count=STATE["count"], sums=STATE["sums"][:, :2]),
        "'sums' is missing or misshapen",
    ),
    "another type": (
        archive(header=header(), count=STATE["count"], sums=STATE["sums"].astype(complex)),
        "'sums' is missing or misshapen",
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_checkpoints_that_are_not_ours_are_refused(files, kind):
    content, said = FOREIGN[kind]
    write_file(files.state, content)
    with pytest.raises(StoreError) as caught:
        files.load_state(TEMPLATE)
    assert said in str(caught.value) and str(files.state) in str(caught.value)
    assert "Move it away to start this point afresh." in str(caught.value)
    assert files.state.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a readable record"),
        (b"{", "not a readable record"),
        (b"\xff\xfe\x00", "not a readable record"),
        (b"[" * 100_000, "not a readable record"),
        (b"[]", "schema 'list'"),
        (b"{}", "schema None"),
        (json.dumps(RECORD | {"schema": 99}).encode(), "schema 99"),
        (json.dumps(RECORD | {"id": "xyz"}).encode(), "is the record of 'xyz'"),
        (json.dumps({"schema": SCHEMA, "id": "abc", "title": "t"}).encode(), "lacks run"),
    ],
)
def test_records_that_are_not_ours_are_refused(files, content, said):
    write_file(files.record, content)
    with pytest.raises(StoreError) as caught:
        read_record(files.record)
    assert said in str(caught.value) and str(files.record) in str(caught.value)


def points(folder):
    (record,) = (folder / "mine" / "points").glob("*.json")
    return record, record.with_suffix(".npz")


def test_the_command_refuses_foreign_files_and_loses_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert netsim(capsys, f"simulate {TINY}").code == 0
    record, state = points(tmp_path)
    good = state.read_bytes()
    state.write_bytes(good[:-50])
    for line in (f"simulate {TINY}", f"sweep {TINY} network.width=5,4"):
        ended = netsim(capsys, line)  # the sweep: before its first point runs
        assert ended.code == 3 and "Move it away" in ended.err and ended.out == ""
    assert len(list((tmp_path / "mine" / "points").iterdir())) == 2
    ended = netsim(capsys, "status out=mine")
    assert ended.code == 3 and "unreadable" in ended.out and "Move it away" in ended.err
    state.write_bytes(good)
    record.write_text("garbage")
    assert netsim(capsys, "report out=mine").code == 3
    # a damaged record of another point does not stop a new one
    assert netsim(capsys, f"simulate {TINY} network.width=5").code == 0
    record.unlink()
    again = netsim(capsys, f"simulate {TINY}")
    assert again.code == 0 and state.read_bytes() == good and record.exists()


@pytest.mark.parametrize("step", ["write", "flush", "fsync", "replace"])
def test_a_disk_that_fills_up_stops_with_3_and_keeps_the_last_checkpoint(
    capsys, tmp_path, monkeypatch, step
):
    monkeypatch.chdir(tmp_path)
    assert netsim(capsys, f"simulate {TINY}").code == 0
    record, state = points(tmp_path)
    before = record.read_bytes(), state.read_bytes()
    monkeypatch.setattr("netsim.api.sweep.check_writable", lambda folder: None)
    with monkeypatch.context() as broken:
        break_writes(broken, step)
        ended = netsim(capsys, f"simulate {TINY} run.draws=131072 run.checkpoint_seconds=0")
    assert ended.code == 3 and "No space left on device" in ended.err
    assert "The run goes on and tries again" in ended.err and "Traceback" not in ended.err
    assert (record.read_bytes(), state.read_bytes()) == before
    assert netsim(capsys, f"simulate {TINY} run.draws=131072").code == 0


def test_a_checkpoint_that_fails_once_is_tried_again(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("netsim.api.sweep.check_writable", lambda folder: None)
    real, failed = os.replace, []

    def once(*names):
        if not failed:
            failed.append(names)
            full()
        real(*names)

    monkeypatch.setattr("os.replace", once)
    ended = netsim(capsys, f"simulate {TINY} run.checkpoint_seconds=0")
    assert ended.code == 0 and failed and "The run goes on and tries again" in ended.err


def test_a_page_that_cannot_be_written_does_not_hide_the_rows(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "index.html").mkdir(parents=True)
    ended = netsim(capsys, f"simulate {TINY}")
    assert ended.code == 3 and "kappa4[a]@2" in ended.out
    assert "are safe" in ended.err and "netsim report out=mine" in ended.err
