"""Draws per second of the dense and the conditional sampler, in one run on one machine.

    python benchmarks/samplers.py [--json FILE]

For each (n, L) = (64, 8), (256, 16), (1024, 32), one input, ReLU: warm draws/s (median of repeats,
`block_until_ready`) of both samplers, and their ratio, with the dense sampler as the baseline.
Compilation is timed apart. Draws are not folded into an estimator: this is the samplers' own rate.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import jax
import jax.numpy as jnp
from record import write

from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.quantities import Slot
from netsim.run.plan import layout_for
from netsim.samplers.conditional import conditional
from netsim.samplers.dense import dense

SIZES = ((64, 8), (256, 16), (1024, 32))
SECONDS = 2.0  # per measurement
REPEATS = 3


@jax.jit
def _last_overlap(draw, index):
    return jax.vmap(lambda i: draw(i)["S"][-1])(index)


def measure(draw) -> dict[str, float]:
    """Warm draws per second and the seconds of the first call, at the layout that `run` would use."""
    count = layout_for(draw.numbers_per_draw(), draw.bytes_per_draw()).draws

    def launch(first: int) -> float:
        index = jnp.arange(first, first + count, dtype=jnp.uint32)
        start = time.perf_counter()
        jax.block_until_ready(_last_overlap(draw, index))
        return time.perf_counter() - start

    with jax.enable_x64(True):
        cold, warm = launch(0), launch(count)
        times = max(1, min(50, int(SECONDS / warm)))
        rates = []
        for repeat in range(REPEATS):
            total = sum(launch((2 + repeat * times + i) * count) for i in range(times))
            rates.append(times * count / total)
    return {
        "draws_per_second": statistics.median(rates),
        "first_call_seconds": cold,
        "batch": count,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file as well")
    path = parser.parse_args().json
    inputs, rows = build("single"), []
    print(f"{'n':>5} {'L':>3} {'dense /s':>12} {'conditional /s':>15} {'ratio':>8}")
    for n, L in SIZES:
        net = network("relu", width=n, depth=L)
        slow, fast = (measure(make(net, inputs, [Slot("a")])) for make in (dense, conditional))
        ratio = fast["draws_per_second"] / slow["draws_per_second"]
        rows.append({"n": n, "L": L, "dense": slow, "conditional": fast, "ratio": ratio})
        print(
            f"{n:>5} {L:>3} {slow['draws_per_second']:>12,.1f} "
            f"{fast['draws_per_second']:>15,.0f} {ratio:>8,.0f}",
            flush=True,
        )
    if path:
        write(path, "samplers", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
