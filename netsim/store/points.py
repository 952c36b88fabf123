"""Points on disk: one JSON record and one .npz state per point, written by atomic rename.

    <folder>/points/<id>.json   config, rows, provenance
    <folder>/points/<id>.npz    estimator state, no pickle

A file is judged by its content: schema, id and random stream; never by its time stamp.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netsim.store.atomic import write_atomic

__all__ = [
    "SCHEMA", "PointFiles", "StoreError", "check_writable", "has_points", "read_record",
    "read_records",
    "write_file",
]  # fmt: skip

SCHEMA = 1  # another one whenever a stored state or record would mean something else
_HEADER = "header"
_KEYS = ("title", "run", "estimates", "predictions", "command")  # that readers rely on


class StoreError(Exception):
    """Results could not be read or written; says which file, what is wrong and what to do."""


def write_file(path: Path, content: bytes) -> None:
    """`write_atomic`, with an error that says what to do.

    **Raises:** `StoreError`; the old file is then untouched and nothing new lies beside it.
    """
    try:
        write_atomic(path, content)
    except OSError as error:
        raise StoreError(
            f"{path} could not be written ({error.strerror or error}); what it held before is "
            "untouched. Free space or choose another folder with out=..., then run the same command: "
            "it goes on from the last checkpoint."
        ) from error


def check_writable(folder: Path) -> None:
    """Try it with a small file, before hours of work depend on it.

    **Raises:** `StoreError`.
    """
    probe = folder / "points" / ".probe"
    write_file(probe, b"netsim")
    probe.unlink(missing_ok=True)


@dataclass(frozen=True)
class PointFiles:
    """The files of one point.

    **Fields:** `folder`: of the sweep; `id`: the experiment's; `rng`: the random stream's name.
    """

    folder: Path
    id: str
    rng: str

    @property
    def record(self) -> Path:
        return self.folder / "points" / f"{self.id}.json"

    @property
    def state(self) -> Path:
        return self.folder / "points" / f"{self.id}.npz"

    def save_state(self, state: dict[str, np.ndarray]) -> None:
        """**Raises:** `StoreError`."""
        header = json.dumps({"schema": SCHEMA, "id": self.id, "rng": self.rng})
        buffer = io.BytesIO()
        np.savez(buffer, **{_HEADER: np.array(header)}, **state)  # pyright: ignore
        write_file(self.state, buffer.getvalue())

    def load_state(self, template: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
        """The stored state, or None if there is none.

        **Raises:** `StoreError` if the file is truncated, foreign, or does not fit `template`.
        """
        if not self.state.exists():
            return None
        header, stored = self._arrays()
        expected = {"schema": SCHEMA, "id": self.id, "rng": self.rng}
        for name, value in expected.items():
            if header.get(name) != value:
                found = header.get(name)
                raise self._refused(
                    f"belongs to another run: its {name} is {found!r}, this one's is {value!r}"
                )
        for name, array in template.items():
            if name not in stored or (stored[name].shape, stored[name].dtype) != (
                array.shape,
                array.dtype,
            ):
                raise self._refused(f"does not fit: array {name!r} is missing or misshapen")
        return {name: stored[name] for name in template}

    def _arrays(self) -> tuple[dict, dict[str, np.ndarray]]:
        try:
            with open(self.state, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                header = json.loads(str(file[_HEADER]))
                stored = {name: file[name] for name in file.files if name != _HEADER}
            if not isinstance(header, dict):
                raise ValueError(f"its header is {header!r}")
        except Exception as error:  # zip, NumPy and JSON each let their own kinds through
            raise self._refused(
                f"is not a readable checkpoint, perhaps truncated ({type(error).__name__}: {error})"
            ) from error
        return header, stored

    def _refused(self, what: str) -> StoreError:
        return StoreError(f"{self.state} {what}. Move it away to start this point afresh.")

    def stored_draws(self) -> int:
        """Draws in the checkpoint, which may be ahead of the record; 0 if there is none.

        **Raises:** `StoreError`.
        """
        if not self.state.exists():
            return 0
        count = self._arrays()[1].get("count", np.zeros(1))
        return int(count.sum())

    def save_record(self, record: dict) -> None:
        """**Raises:** `StoreError`."""
        text = json.dumps(record, indent=1, allow_nan=True)
        write_file(self.record, text.encode())

    def load_record(self) -> dict | None:
        """The stored record, or None if there is none.

        **Raises:** `StoreError` if it is not a record of this schema.
        """
        return read_record(self.record) if self.record.exists() else None


def read_record(path: Path) -> dict:
    """One record.

    **Raises:** `StoreError` if the file is not the record of the point that its name says.
    """
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(
            f"{path} is not a readable record ({error}). Move it away; the point's .npz file is "
            "enough to make it again by the command that made it."
        ) from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else type(record).__name__
        raise StoreError(
            f"{path} has schema {found!r}; this netsim reads schema {SCHEMA}. Use the version that "
            "wrote it, or move it away."
        )
    missing = [key for key in _KEYS if key not in record]
    if record.get("id") != path.stem or missing:
        what = (
            f"lacks {', '.join(missing)}" if missing else f"is the record of {record.get('id')!r}"
        )
        raise StoreError(f"{path} {what}. Move it away.")
    return record


def has_points(folder: Path) -> bool:
    """Whether the folder holds a record of any point."""
    return any((folder / "points").glob("*.json"))


def read_records(folder: Path, ids: Sequence[str] = ()) -> list[dict]:
    """The records of a sweep: those of `ids` that exist, in that order, or all, in the order of ids.

    **Raises:** `StoreError` if there is none or one cannot be read.
    """
    points = folder / "points"
    paths = [points / f"{id}.json" for id in ids] or sorted(points.glob("*.json"))
    paths = [path for path in paths if path.exists()]
    if not paths:
        raise StoreError(
            f"{folder} holds no results (no {points}/*.json); out=FOLDER names another folder"
        )
    return [read_record(path) for path in paths]
