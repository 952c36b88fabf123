"""What claims came to, in one JSON file: written whole after every claim, so that nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from netsim.store.atomic import write_atomic
from netsim.store.points import StoreError, has_points, read_records

__all__ = ["CLAIMS_FILE", "SCHEMA", "read_all", "read_claims", "write_claims"]

CLAIMS_FILE = "claims.json"
SCHEMA = 1


def read_claims(folder: Path) -> list[dict]:
    """Outcomes of claims stored in `folder`, in the order in which they were run; [] if there are none.

    **Raises:** `StoreError` for a file that cannot be read or is not one of ours.
    """
    path = folder / CLAIMS_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path} cannot be read ({error}); move it away and verify again"
        ) from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or "outcomes" not in data:
        raise StoreError(
            f"{path} is not a file of claims with schema {SCHEMA}; move it away and verify again"
        )
    return list(data["outcomes"])


def read_all(folder: Path, ids: Sequence[str] = ()) -> tuple[list[dict], list[dict]]:
    """Records of points (those of `ids`, or all) and outcomes of claims; a folder may hold only one.

    **Raises:** `StoreError` if there is neither, or one cannot be read.
    """
    claims = read_claims(folder)
    alone = claims and not ids and not has_points(folder)
    return [] if alone else read_records(folder, ids), claims


def write_claims(folder: Path, outcomes: Sequence[Mapping]) -> Path:
    """Store outcomes (`Outcome.json()` each); those of other claims already there stay.

    **Returns:** the file.

    **Raises:** `StoreError`.
    """
    kept = {(old["body"], old["name"]): old for old in read_claims(folder)}
    for outcome in outcomes:
        kept[outcome["body"], outcome["name"]] = dict(outcome)
    text = json.dumps(
        {"schema": SCHEMA, "outcomes": list(kept.values())}, allow_nan=False, indent=1
    )
    try:
        return write_atomic(folder / CLAIMS_FILE, text.encode())
    except OSError as error:
        raise StoreError(
            f"{folder / CLAIMS_FILE} could not be written ({error.strerror or error})"
        ) from error
