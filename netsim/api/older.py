"""Stored points of an older netsim: their draws are of another kind, so nothing goes on from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from netsim.experiment.experiment import SCHEMA, id_of
from netsim.samplers.names import MIXTURE, RNG
from netsim.store.points import StoreError, read_record

__all__ = ["is_older", "older_points"]

_DECIDES = ("network", "quantities", "sampler", "mixture", "estimators", "seed", "dtype", "rng")
_WHERE_GIVEN = ("layers", "observables")


def is_older(record: Mapping[str, Any]) -> bool:
    """Whether a record is of another kind of draws, or its id not the one given to that today."""
    if any(key not in record for key in (*_DECIDES, "inputs")):
        return True
    if record["rng"] != RNG or record["mixture"] not in (False, MIXTURE):
        return True
    identity: dict[str, Any] = {"schema": SCHEMA}
    identity |= {key: record[key] for key in (*_DECIDES, *_WHERE_GIVEN) if key in record}
    inputs = record["inputs"]  # with words for people beside its identity
    identity["inputs"] = {key: inputs.get(key) for key in ("inputs", "dimension", "sha256")}
    identity["inputs"]["directions"] = len(inputs.get("directions") or ())
    return id_of(identity) != record["id"]


def older_points(folder: Path, leaving_out: Collection[str] = ()) -> list[str]:
    """Ids of the points in `folder` that an older netsim made; unreadable ones are not judged."""
    found = []
    for path in sorted((folder / "points").glob("*.json")):
        if path.stem in leaving_out:
            continue
        try:
            record = read_record(path)
        except StoreError:
            continue
        found += [path.stem] if is_older(record) else []
    return found
