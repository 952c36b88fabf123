"""`netsim status`, and folders with points that an older netsim made."""

from __future__ import annotations

import json

import numpy as np
import pytest

from command import netsim
from netsim.api.older import is_older, older_points
from netsim.samplers.names import RNG
from netsim.store.points import PointFiles, read_records

TINY = "network.width=4 network.depth=1 quantities=[kappa4] out=mine --quiet"


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    """One finished point."""
    monkeypatch.chdir(tmp_path)
    assert netsim(capsys, f"sweep {TINY}").code == 0
    return tmp_path / "mine"


def rewritten(folder, change) -> dict:
    """The point's record after `change`."""
    (record,) = read_records(folder)
    change(record)
    (folder / "points" / f"{record['id']}.json").write_text(json.dumps(record))
    return record


def line_of(capsys, words: str) -> tuple[dict, str]:
    (line,) = json.loads(netsim(capsys, f"status {words} --json").out)
    return line, netsim(capsys, f"status {words}").out.splitlines()[1]


def test_a_finished_point(capsys, folder):
    line, text = line_of(capsys, "out=mine")
    assert (line["state"], line["draws"], line["goal"]) == ("done", 65536, 65536)
    assert " of " not in text and "1 row, 1 pull" in text
    line, text = line_of(capsys, f"{TINY} run.draws=1e5")
    assert line["state"] == "to extend" and "65,536 of 100,352" in text


def test_an_interrupted_point(capsys, folder):
    def interrupt(record):
        record["run"] |= {"complete": False, "wanted": 10**6}
        record["predictions"] = []

    rewritten(folder, interrupt)
    line, text = line_of(capsys, "out=mine")
    assert (line["state"], line["goal"]) == ("interrupted", 10**6)
    assert "interrupted  65,536 of 1,000,000" in text and text.endswith("not compared yet")


@pytest.mark.parametrize("with_record", [True, False])
def test_a_checkpoint_ahead_of_its_record(capsys, folder, with_record):
    (record,) = read_records(folder)
    files = PointFiles(folder, record["id"], RNG)
    files.save_state({"count": np.full(64, 2048)})
    if not with_record:
        files.record.unlink()
    line, text = line_of(capsys, f"{TINY} run.draws=2e5")
    assert (line["state"], line["draws"]) == ("interrupted, or running", 2 * 65536)
    assert "131,072 of 200,704" in text


def test_points_of_today_are_not_older(folder):
    (record,) = read_records(folder)
    assert not is_older(record) and older_points(folder) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.pop("mixture"),
        lambda record: record.update(mixture=True),
        lambda record: record.update(rng="threefry/0"),
        lambda record: record["network"].update(outputs=3),
    ],
)
def test_points_of_an_older_netsim_are_told_of(capsys, folder, change):
    record = rewritten(folder, change)
    assert older_points(folder) == [record["id"]]
    assert older_points(folder, leaving_out=[record["id"]]) == []
    line, _ = line_of(capsys, "out=mine")
    assert line["state"] == "of an older netsim"
    (folder / "points" / "unreadable.json").write_text("{")  # not judged here
    before = (folder / "points" / f"{record['id']}.json").read_bytes()
    ended = netsim(capsys, f"sweep {TINY} run.seed=1")
    assert ended.code == 0
    assert "mine holds 1 point of an older netsim, whose draws cannot be continued" in ended.err
    assert (folder / "points" / f"{record['id']}.json").read_bytes() == before
    (folder / "points" / "unreadable.json").unlink()
    ended = netsim(capsys, "report out=mine")
    assert "1 point here came from an older netsim" in ended.err


def test_other_inputs_keep_their_identity(tmp_path, monkeypatch, capsys):
    """Directions stand in a record by name, in an identity by number."""
    monkeypatch.chdir(tmp_path)
    words = TINY.replace("quantities=[kappa4]", '"quantities=[cum[z1a\'u^2],cum[z1a z1b]]"')
    line = f"sweep {words} inputs=pair inputs.directions=1 layers=[1,2]"
    assert netsim(capsys, line).code == 0
    assert older_points(tmp_path / "mine") == []
