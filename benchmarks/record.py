"""What a benchmark found, as JSON, with the machine and the versions that it found it on."""

from __future__ import annotations

import json
import platform

from netsim.store.provenance import device, versions

__all__ = ["write"]


def write(path: str, benchmark: str, rows: list[dict]) -> None:
    """Write `rows` of the script called `benchmark` to `path`."""
    record = {
        "benchmark": benchmark,
        "machine": platform.processor() or platform.machine(),
        "device": device(),
        "versions": versions(),
        "rows": rows,
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
