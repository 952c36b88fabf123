"""The harness that judges error bars: many runs, pulls against exact values, their mean and spread.

Run as a script it prints the table of docs/errors.md:  python tests/calibration.py [runs]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from netsim.api.point import run_point
from netsim.compare import as_row, to_normal
from netsim.estimators import State
from netsim.experiment.experiment import Experiment, experiment
from netsim.experiment.rows import estimate_rows
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.rows import Row
from netsim.run.progress import SilentProgress
from netsim.theory.exact import cumulants

DRAWS = 65536
ORDERS = {"kappa2": 1, "kappa4": 2, "kappa6": 3, "kappa8": 4}


@dataclass(frozen=True)
class Case:
    """`runs` runs of one network, seeds 0..runs-1, judged at output depth `depth`."""

    activation: str
    width: int
    depth: int


def point(case: Case, seed: int, quantities=tuple(ORDERS)) -> Experiment:
    net = network(case.activation, width=case.width, depth=case.depth)
    return experiment(net, build("single"), list(quantities), seed=seed)


def ignore(state: State) -> None:
    """Checkpoints are not wanted here."""


def all_rows(case: Case, runs: int, quantities=tuple(ORDERS)) -> list[list[Row]]:
    """The rows of every run, one list per seed."""
    found = []
    for seed in range(runs):
        made = point(case, seed, quantities)
        outcome = run_point(made, DRAWS, show=SilentProgress(), save=ignore)
        found.append(estimate_rows(made, outcome.state))
    return found


def exact(case: Case) -> dict[tuple[str, int], float]:
    """(alias, layer) -> exact value."""
    net = network(case.activation, width=case.width, depth=case.depth)
    values = cumulants(net, 1.0, 4)
    return {
        (f"{name}[a]", l + 1): float(values[l, k - 1])
        for name, k in ORDERS.items()
        for l in range(net.depth + 1)
    }


def pulls(case: Case, rows: list[list[Row]], name: str, layer: int, scale=1.0) -> np.ndarray:
    """Pulls of one quantity as normal deviates; every error multiplied by `scale`."""
    value = exact(case)[f"{name}[a]", layer]
    chosen = [r for run in rows for r in run if r.alias == f"{name}[a]" and r.layer == layer]
    assert len(chosen) == len(rows)
    return np.array([to_normal((r.value - value) / (scale * r.error)) for r in map(as_row, chosen)])


def verdict(p: np.ndarray, mean_limit: float, sd_limits: tuple[float, float]) -> bool:
    """Are the error bars right?"""
    return abs(p.mean()) <= mean_limit and sd_limits[0] <= p.std(ddof=1) <= sd_limits[1]


def main(runs: int) -> None:
    print("| network | n, L | quantity | mean pull | sd | beyond 2 | beyond 3 | marked |")
    print("|---|---|---|---|---|---|---|---|")
    for activation in ("relu", "linear"):
        for width, depth in ((32, 4), (64, 8)):
            case = Case(activation, width, depth)
            rows = all_rows(case, runs)
            for layer in sorted({3, depth + 1}):
                for name in ORDERS:
                    p = pulls(case, rows, name, layer)
                    marked = np.mean(
                        [
                            "unreliable" in r.flags
                            for run in rows
                            for r in run
                            if r.alias == f"{name}[a]" and r.layer == layer
                        ]
                    )
                    print(
                        f"| {activation} | {width}, {layer - 1} | {name} | {p.mean():+.2f} "
                        f"| {p.std(ddof=1):.2f} | {np.mean(abs(p) > 2):.1%} "
                        f"| {np.mean(abs(p) > 3):.1%} | {marked:.1%} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
