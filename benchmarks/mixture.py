"""What wider noise in half of the draws buys: seconds to a given error, against plain draws.

    python benchmarks/mixture.py [--json FILE]

For each network, one input, the same number of draws both ways in one process, interleaved: the
ratio of draws/s, and for kappa_2..kappa_8 of the output the ratio of squared errors (plain over
mixture, mean over repeats) and their product, the factor in time to a given error. Plain errors
marked unreliable are too small, so that the factor is a lower bound there ("> ").
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from record import write

from netsim.api.point import run_point
from netsim.experiment.experiment import experiment
from netsim.experiment.rows import estimate_rows
from netsim.networks.input_sets import build
from netsim.networks.network import network
from netsim.run.progress import SilentProgress

CASES = (
    ("linear", 64, 8), ("relu", 64, 8), ("relu", 128, 32), ("gelu", 64, 8), ("tanh", 64, 8),
)  # fmt: skip
ALIASES = ("kappa2", "kappa4", "kappa6", "kappa8")
DRAWS = 131072
REPEATS = 5


def run(case: tuple[str, int, int], seed: int, mixture: bool) -> tuple[list, list, float]:
    """Errors and flags of the output's cumulants, and warm draws per second."""
    activation, n, L = case
    made = experiment(
        network(activation, width=n, depth=L), build("single"), list(ALIASES), seed=seed,
        mixture=mixture,
    )  # fmt: skip
    outcome = run_point(made, DRAWS, show=SilentProgress(), save=lambda state: None)
    rows = [r for r in estimate_rows(made, outcome.state) if r.alias and r.layer == L + 1]
    return [r.error for r in rows], ["unreliable" in r.flags for r in rows], outcome.rate or 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file as well")
    path = parser.parse_args().json
    rows = []
    print(f"{'network':>14} {'draws/s':>8} " + " ".join(f"{name:>8}" for name in ALIASES))
    for case in CASES:
        runs = [(run(case, seed, False), run(case, seed, True)) for seed in range(REPEATS)]
        plain, mixed = (np.array([pair[i][0] for pair in runs]) for i in (0, 1))
        marked = np.any([pair[0][1] for pair in runs], axis=0)
        speed = float(np.median([b[2] / a[2] for a, b in runs]))
        variance = np.mean(plain**2, axis=0) / np.mean(mixed**2, axis=0)
        rows.append(
            {"case": case, "draws": DRAWS, "speed": speed, "variance": variance.tolist(),
             "time": (speed * variance).tolist(), "plain_marked": marked.tolist()}
        )  # fmt: skip
        texts = [
            f"{'> ' if m else ''}{v:.1f}" for m, v in zip(marked, speed * variance, strict=True)
        ]
        name = f"{case[0]} {case[1]},{case[2]}"
        print(f"{name:>14} {speed:>8.2f} " + " ".join(f"{t:>8}" for t in texts), flush=True)
    if path:
        write(path, "mixture", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
