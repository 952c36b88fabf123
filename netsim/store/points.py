"""Points on disk: one JSON record and one .npz state per point, written by atomic rename.

    <folder>/points/<id>.json   config, rows, provenance
    <folder>/points/<id>.npz    estimator state, no pickle

A file is judged by its content: schema, id and random stream; never by its time stamp.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["SCHEMA", "PointFiles", "StoreError", "write_atomic"]

SCHEMA = 1
_HEADER = "header"


class StoreError(Exception):
    """Results could not be read or written; says which file, what is wrong and what to do."""


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` so that `path` holds either its old content or all of the new.

    **Raises:** `StoreError`; the old file is then untouched.
    """
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
            name = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        if name is not None and os.path.exists(name):
            os.unlink(name)
        raise StoreError(
            f"{path} could not be written ({error.strerror or error}); what it held before is "
            "untouched. Free space or choose another folder with out=..., then run the same command: "
            "it goes on from the last checkpoint."
        ) from error


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
        write_atomic(self.state, buffer.getvalue())

    def load_state(self, template: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
        """The stored state, or None if there is none.

        **Raises:** `StoreError` if the file is truncated, foreign, or does not fit `template`.
        """
        if not self.state.exists():
            return None
        advice = "Move it away to start this point afresh."
        try:
            with np.load(self.state, allow_pickle=False) as file:
                header = json.loads(str(file[_HEADER]))
                stored = {name: file[name] for name in file.files if name != _HEADER}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise StoreError(
                f"{self.state} is not a readable checkpoint ({type(error).__name__}: {error}); it may "
                f"be truncated. {advice}"
            ) from error
        expected = {"schema": SCHEMA, "id": self.id, "rng": self.rng}
        for name, value in expected.items():
            if not isinstance(header, dict) or header.get(name) != value:
                found = header.get(name) if isinstance(header, dict) else header
                raise StoreError(
                    f"{self.state} belongs to another run: its {name} is {found!r}, this one's is "
                    f"{value!r}. {advice}"
                )
        for name, array in template.items():
            if name not in stored or stored[name].shape != array.shape:
                raise StoreError(f"{self.state}: array {name!r} is missing or misshapen. {advice}")
            if not np.all(np.isfinite(stored[name])) and name == "count":
                raise StoreError(f"{self.state}: array {name!r} is not finite. {advice}")
        return {name: stored[name].astype(array.dtype) for name, array in template.items()}

    def save_record(self, record: dict) -> None:
        """**Raises:** `StoreError`."""
        text = json.dumps(record, indent=1, allow_nan=True)
        write_atomic(self.record, text.encode())

    def load_record(self) -> dict | None:
        """The stored record, or None if there is none.

        **Raises:** `StoreError` if it is not a record of this schema.
        """
        return read_record(self.record) if self.record.exists() else None


def read_record(path: Path) -> dict:
    """One record.

    **Raises:** `StoreError` if the file is not a record of this schema.
    """
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} is not a readable record ({error}). Move it away.") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else type(record).__name__
        raise StoreError(
            f"{path} has schema {found!r}; this netsim reads schema {SCHEMA}. Use the version that "
            "wrote it, or move it away."
        )
    return record


def read_records(folder: Path) -> list[dict]:
    """All records of a sweep, in the order of their ids.

    **Raises:** `StoreError` if the folder holds none or one cannot be read.
    """
    paths = sorted((folder / "points").glob("*.json"))
    if not paths:
        raise StoreError(f"{folder} holds no results (no {folder / 'points'}/*.json)")
    return [read_record(path) for path in paths]
