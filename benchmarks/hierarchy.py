"""Seconds of the hierarchy's largest tasks, as ratios to the smallest one in the same run.

    python benchmarks/hierarchy.py [out.json]

The baseline is one input to n^-5 through 1000 layers; the others are 16 inputs to n^-1 through 100
layers and two inputs to n^-2 through 32. Each is timed after one call that imports and compiles.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import record

from netsim.networks.network import network
from netsim.quantities import Slot
from netsim.theory.hierarchy.one_input import cumulant_series
from netsim.theory.hierarchy_fields.fields import hierarchy_fields


def gram_of(count: int) -> np.ndarray:
    x = np.random.default_rng(1).standard_normal((count, 20))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T


def many(name: str, inputs: int, depth: int, order: int, width: int) -> None:
    fields = [Slot(f"a{i}") for i in range(inputs)]
    hierarchy_fields(network(name, width=width, depth=depth), gram_of(inputs), fields, order)


def tasks():
    """(what, task, depth of the task): the depth is varied, for results are cached."""
    for name in ("tanh", "gelu"):
        yield (
            f"one input, n^-5, L = 1000, {name}",
            lambda L, name=name: cumulant_series(network(name, width=1000, depth=L), 1.0, 5),
            1000,
        )
    for name in ("tanh", "relu", "gelu"):
        yield f"16 inputs, n^-1, L = 100, {name}", lambda L, n=name: many(n, 16, L, 1, 1000), 100
    yield "2 inputs, n^-2, L = 32, tanh", lambda L: many("tanh", 2, L, 2, 100), 32


def main() -> None:
    rows = []
    for what, task, depth in tasks():
        task(depth // 16)  # imports, rules
        start = time.perf_counter()
        task(depth)
        seconds = time.perf_counter() - start
        baseline = rows[0]["seconds"] if rows else seconds
        rows.append({"task": what, "seconds": seconds, "ratio": seconds / baseline})
        print(f"{what:<36} {seconds:8.2f} s {seconds / baseline:8.1f} x", flush=True)
    if len(sys.argv) > 1:
        record.write(sys.argv[1], "hierarchy", rows)


if __name__ == "__main__":
    main()
