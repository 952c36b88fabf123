"""The tidy table: effective depth, lines, CSV round trip bit for bit, atomic writes."""

from __future__ import annotations

import importlib.util
import math
import os
import struct

import numpy as np
import pytest

import report_fixture
from netsim.rows import COLUMNS
from netsim.store import atomic
from netsim.store.table import (
    TABLE_COLUMNS,
    effective_depth,
    read_csv,
    tidy,
    write_csv,
    write_parquet,
)


@pytest.fixture(scope="module")
def record():
    return report_fixture.record(32, 8, 0)


def same(a, b) -> bool:
    """Equal in type and, for floats, in every bit."""
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return type(a) is type(b) and a == b


def test_effective_depth_sums_the_layers_before():
    widths = [64, 32, 16]
    assert effective_depth(widths, 1) == 0.0
    assert effective_depth(widths, 3, "cum[z1a^2]@3") == 1 / 64 + 1 / 32
    assert effective_depth(widths, 4) == 1 / 64 + 1 / 32 + 1 / 16
    assert effective_depth(widths, None) is None


def test_collective_variables_include_their_own_layer():
    # cum[z1a z1b z2a z2b]@9 = cum[Sab Sab]@8: the same number, hence the same depth
    widths = [8] * 8
    assert effective_depth(widths, 8, "logcum[Saa]@8") == effective_depth(widths, 9, "cum[z1a]@9")


def test_one_line_per_row_and_none_dropped(record):
    lines = tidy([record, record | {"id": "other"}])
    assert all(set(line) == set(TABLE_COLUMNS) for line in lines)
    first = [line for line in lines if line["id"] == record["id"]]
    estimated = [line for line in first if line["verdict"] != "no estimate"]
    assert len(estimated) == len(record["estimates"])
    names = {(line["quantity"], line["alias"]) for line in first}
    rows = record["estimates"] + record["predictions"]
    assert names == {(row["quantity"], row["alias"]) for row in rows}
    assert {line["verdict"] for line in first if line["quantity"].startswith("logcum")} == {
        "no prediction"
    }


def test_columns_of_rows_are_kept(record):
    by_key = {(row["quantity"], row["alias"]): row for row in record["estimates"]}
    for line in tidy([record]):
        if line["verdict"] != "no estimate":
            row = by_key[line["quantity"], line["alias"]]
            assert all(line[name] == row[name] for name in COLUMNS if name != "flags")
            assert line["flags"] == ";".join(row["flags"])
            assert line["width"] == 32 and line["depth"] == 8


def test_unequal_widths_are_listed(record):
    changed = record | {"network": record["network"] | {"widths": [4, 2]}}
    assert tidy([changed])[0]["width"] == "[4, 2]"


def test_csv_gives_back_every_bit_and_every_type(tmp_path, record):
    lines = tidy([record | {"title": 'comma, "quote", line\nbreak, ü'}])
    extreme = [0.1, 1 / 3, 5e-324, -1.7976931348623157e308, 1e-25, math.inf, -0.0, math.nan]
    for line, value in zip(lines, extreme, strict=False):
        line["value"] = value
    lines[0]["width"], lines[1]["truncation"] = "[4, 2]", 3
    path = write_csv(tmp_path / "deep" / "t.csv", lines)
    again = read_csv(path)
    assert len(again) == len(lines)
    for old, new in zip(lines, again, strict=True):
        for name in TABLE_COLUMNS:
            value = float(old[name]) if isinstance(old[name], float) else old[name]  # no NumPy
            assert same(value, new[name]), (name, old[name], new[name])


def test_numpy_scalars_are_written_as_numbers(tmp_path, record):
    lines = tidy([record])[:1]
    lines[0] |= {"value": np.float32(0.1), "error": np.float64(0.1), "draws": np.int64(7)}
    (again,) = read_csv(write_csv(tmp_path / "t.csv", lines))
    assert again["value"] == float(np.float32(0.1)) and again["error"] == 0.1
    assert again["draws"] == 7


def test_an_empty_table_has_a_header(tmp_path):
    assert read_csv(write_csv(tmp_path / "t.csv", tidy([]))) == []


def test_foreign_and_torn_files_are_refused(tmp_path, record):
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="not the header of a netsim table"):
        read_csv(foreign)
    wrong = write_csv(tmp_path / "wrong.csv", tidy([record]))
    wrong.write_text(wrong.read_text().replace(",8192,", ",many,", 1))
    with pytest.raises(ValueError, match=r"line 2: .*'many'"):
        read_csv(wrong)
    torn = write_csv(tmp_path / "torn.csv", tidy([record]))
    torn.write_text(torn.read_text()[:-60])
    with pytest.raises(ValueError, match=r"line \d+ has \d+ of \d+ cells"):
        read_csv(torn)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failing_write_keeps_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "t.txt"
    atomic.write_atomic(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, step, fail)
    with pytest.raises(OSError, match="No space"):
        atomic.write_atomic(path, b"new")
    monkeypatch.undo()
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["t.txt"]


def test_parquet_needs_polars_and_says_so(tmp_path, record):
    path = tmp_path / "t.parquet"
    if importlib.util.find_spec("polars") is None:
        with pytest.raises(ValueError, match=r"netsim\[parquet\]"):
            write_parquet(path, tidy([record]))
        assert not path.exists()
        return
    import polars

    lines = tidy([record])
    frame = polars.read_parquet(write_parquet(path, lines))
    assert frame.columns == list(TABLE_COLUMNS)
    assert frame["value"].to_list() == [line["value"] for line in lines]
