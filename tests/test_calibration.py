"""Error bars are right: pulls against exact values have mean 0 and standard deviation 1."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import ORDERS, Case, all_rows, exact, pulls, verdict

# (network, quantities that must be calibrated at a layer)
CASES = [
    (Case("relu", 32, 4), {5: ("kappa2", "kappa4", "kappa6", "kappa8")}),
    (Case("relu", 64, 8), {9: ("kappa2", "kappa4", "kappa6"), 3: ("kappa6", "kappa8")}),
    (Case("linear", 32, 4), {5: ("kappa2", "kappa4", "kappa6", "kappa8")}),
    (Case("linear", 64, 8), {9: ("kappa2", "kappa4", "kappa6", "kappa8")}),
]


def test_error_bars_of_a_small_network():
    case, runs = Case("linear", 16, 2), 200
    rows = all_rows(case, runs, ("kappa2", "kappa4"))
    # three standard deviations of a mean and of a spread of so many pulls
    limits = 3 / np.sqrt(runs), (1 - 3 / np.sqrt(2 * runs), 1 + 3 / np.sqrt(2 * runs))
    for name in ("kappa2", "kappa4"):
        assert verdict(pulls(case, rows, name, 3), *limits)
        assert not verdict(pulls(case, rows, name, 3, scale=0.75), *limits)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "judged"), CASES, ids=str)
def test_error_bars_over_400_runs(case, judged):
    rows = all_rows(case, 400)
    for layer, names in judged.items():
        for name in names:
            p = pulls(case, rows, name, layer)
            assert verdict(p, 0.15, (0.9, 1.1)), (name, layer, p.mean(), p.std(ddof=1))
            wrong = pulls(case, rows, name, layer, scale=0.75)
            assert not verdict(wrong, 0.15, (0.9, 1.1))


@pytest.mark.slow
def test_reliability_flags():
    runs = 200
    far, unmarked = 0, 0
    for width, depth in ((64, 4), (32, 64)):
        case = Case("relu", width, depth)
        rows, values = all_rows(case, runs), exact(case)
        marked: dict[tuple[str, int], list[bool]] = {}
        for run in rows:
            for r in run:
                if r.alias is None or r.alias.removesuffix("[a]") not in ORDERS:
                    continue
                flagged = "unreliable" in r.flags
                marked.setdefault((r.alias, r.layer), []).append(flagged)
                if not flagged:
                    unmarked += 1
                    far += abs(r.value - values[r.alias, r.layer]) > 5 * r.error
        if (width, depth) == (64, 4):
            assert np.mean(marked["kappa2[a]", 5]) <= 0.02
            assert np.mean(marked["kappa4[a]", 5]) <= 0.02
        else:
            assert np.mean(marked["kappa4[a]", 65]) >= 0.95
    assert unmarked > 1000 and far < 0.01 * unmarked
