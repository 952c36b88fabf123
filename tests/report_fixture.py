"""Records of a small ReLU sweep, drawn here with NumPy from the layer law, for the report's tests.

For ReLU at C_W = 2, C_b = 0 and |x|^2/n_0 = 1 the collective variable is a product of independent
factors, S^(l) = prod_i X_i with X = (2/n) sum_j max(g_j, 0)^2: a binomial number of terms, so X is
(2/n) times a chi^2 with Binomial(n, 1/2) degrees of freedom. Its moments are finite sums, hence the
predictions are exact and the estimates are those of a real simulation.
"""

from __future__ import annotations

import math

import numpy as np

from netsim.rows import Row

DRAWS, BLOCKS = 8192, 64


def factor_moment(n: int, k: int) -> float:
    """E X^k: sum_m Bin(m; n, 1/2) (2/n)^k m (m + 2) ... (m + 2k - 2)."""
    total = 0.0
    for m in range(n + 1):
        total += math.comb(n, m) / 2.0**n * math.prod(m + 2 * i for i in range(k))
    return total * (2.0 / n) ** k


def cumulants(m1, m2, m3, m4):
    """kappa2, kappa4, kappa6, kappa8 = cumulants 1..4 of S from its raw moments."""
    c2, c3 = m2 - m1**2, m3 - 3 * m1 * m2 + 2 * m1**3
    c4 = m4 - 4 * m1 * m3 - 3 * m2**2 + 12 * m1**2 * m2 - 6 * m1**4
    return m1, c2, c3, c4


def statistics(moments) -> dict[str, float]:
    """What the fixture reports, by alias, from raw moments 1..4 of S."""
    k2, k4, k6, k8 = cumulants(*moments)
    return {
        "kappa2[a]": k2,
        "kappa4[a]": k4,
        "kappa4/kappa2^2[a]": k4 / k2**2,
        "kappa6/kappa2^3[a]": k6 / k2**3,
        "kappa8/kappa2^4[a]": k8 / k2**4,
    }


QUANTITY = {
    "kappa2[a]": "cum[z1a^2]",
    "kappa4[a]": "cum[z1a^4]",
    "kappa4/kappa2^2[a]": "ncum[z1a^4]",
    "kappa6/kappa2^3[a]": "ncum[z1a^6]",
    "kappa8/kappa2^4[a]": "ncum[z1a^8]",
}


def jackknife(columns: np.ndarray, function) -> tuple[np.ndarray, np.ndarray]:
    """Estimate and error of function(column means) from 64 blocks; columns (draws, c)."""
    blocks = columns.reshape(BLOCKS, -1, columns.shape[1]).mean(axis=1)
    total = blocks.mean(axis=0)
    left_out = np.array([function((BLOCKS * total - b) / (BLOCKS - 1)) for b in blocks])
    error = np.sqrt((BLOCKS - 1) * left_out.var(axis=0))
    return np.array(function(total)), error


def _one_input(S: np.ndarray, n: int, layer: int) -> tuple[list[Row], list[Row]]:
    powers = np.stack([S**k for k in range(1, 5)], axis=1)
    values, errors = jackknife(powers, lambda m: list(statistics(m).values()))
    share = [((S - 1) ** (2 * k)).max() / ((S - 1) ** (2 * k)).sum() for k in (1, 2, 2, 3, 4)]
    truth = statistics([factor_moment(n, k) ** (layer - 1) for k in range(1, 5)])
    estimates, predictions = [], []
    for i, (alias, exact) in enumerate(truth.items()):
        name = f"{QUANTITY[alias]}@{layer}"
        flags = ("unreliable",) if share[i] > 0.25 else ()
        common = (layer, "a")
        estimates.append(
            Row(name, alias, *common, "estimator:kstatistic", float(values[i]), float(errors[i]),
                draws=DRAWS, flags=flags)
        )  # fmt: skip
        predictions.append(
            Row(name, alias, *common, "theory:homogeneous", exact, 1e-13 * abs(exact), "exact")
        )
    return estimates, predictions


def _others(S: np.ndarray, n: int, layer: int) -> tuple[list[Row], list[Row]]:
    """A pair with infinite width only, one with a next order, a derivative, a log-moment."""
    mean, error = S.mean(), S.std() / math.sqrt(DRAWS)
    depth = (layer - 1) / n
    given = {"source": "estimator:mean", "draws": DRAWS}
    estimates = [
        Row(f"cum[z1a z1b]@{layer}", None, layer, "a,b", value=0.9 * mean, error=0.9 * error,
            **given),
        Row(f"cum[z1a^2 z2b^2]@{layer}", None, layer, "a,b", value=3 * depth * mean,
            error=error / 4, **given),
        Row(f"cum[z1a'u^2]@{layer}", None, layer, "a", value=mean, error=error, **given),
        Row(f"logcum[Saa]@{layer - 1}", None, layer - 1, "a", value=np.log(S).mean(),
            error=np.log(S).std() / math.sqrt(DRAWS), **given),
    ]  # fmt: skip
    predictions = [
        Row(f"cum[z1a z1b]@{layer}", None, layer, "a,b", "theory:infinite_width", 0.9, 0.0,
            "infinite_width"),
        Row(f"cum[z1a^2 z2b^2]@{layer}", None, layer, "a,b", "theory:hierarchy", 3 * depth, 0.0, 1,
            (3 * depth) ** 2),
        Row(f"cum[z1a'u^2]@{layer}", None, layer, "a", "theory:homogeneous", 1.0, 0.0, "exact"),
        Row(f"cum[z1b^6]@{layer}", None, layer, "b", "theory:homogeneous", 1.0, 0.0, "exact"),
    ]  # fmt: skip
    return estimates, predictions[:3] if layer % 8 else predictions


def limit_curves() -> dict:
    """Limits n -> infinity at fixed x = L/n: E S^k -> exp(5 k (k-1)/2 x), since Var X = 5/n."""
    x = np.geomspace(0.005, 1.0, 60)
    raw = [np.exp(5 * k * (k - 1) / 2 * x) for k in range(1, 5)]
    curves = statistics(raw)
    return {
        alias: {"x": list(x), "y": list(map(float, curves[alias])), "name": "n → ∞ at fixed L/n"}
        for alias in curves
        if "/" in alias
    }


def record(n: int, depth: int, seed: int, complete: bool = True) -> dict:
    """One point of the sweep."""
    rng = np.random.default_rng(seed)
    S = np.ones(DRAWS)
    estimates, predictions = [], []
    for layer in range(1, depth + 2):
        if layer > 1:
            S = S * (2 / n) * 2 * rng.standard_gamma(rng.binomial(n, 0.5, DRAWS) / 2)
        one, exact = _one_input(S, n, layer) if layer > 1 else ([], [])
        two, known = _others(S, n, layer) if layer > 1 else ([], [])
        estimates += one + two
        predictions += exact + known
    return {
        "schema": 1,
        "id": f"{seed:02d}c{n:05x}d4e5f6",
        "title": f"ReLU, two digits, n={n}",
        "group": "relu / digits",
        "network": {
            "widths": [n] * depth,
            "activation": "relu",
            "weight_variance": [2.0] * (depth + 1),
            "bias_variance": [0.0] * (depth + 1),
            "outputs": 2,
            "weights": "gaussian",
        },
        "inputs": {
            "source": "digits(3, 8)",
            "names": ["a", "b"],
            "directions": ["u"],
            "facts": ["|x|²/n₀ = 1 for both", "angle between a and b: 41.3°"],
        },
        "sampler": "conditional",
        "seed": seed,
        "dtype": "float32",
        "rng": "threefry-lattice/1",
        "quantities": ["cum[z1a^2]", "cum[z1a^4]", "cum[z1a z1b]", "cum[z1a'u^2]"],
        "estimates": [row.json() for row in estimates],
        "predictions": [row.json() for row in predictions],
        "limit": limit_curves(),
        "run": {
            "draws": DRAWS,
            "wall_seconds": 12.5,
            "draws_per_second": DRAWS / 12.5,
            "device": "cpu",
            "versions": {"jax": "0.10.2", "netsim": "0.1.0", "python": "3.11.2", "numpy": "2.4.6"},
            "complete": complete,
        },
        "command": f"netsim sweep network.width={n} network.depth={depth}",
        "notes": ["A ReLU network with zero bias is dead with probability about L 2^-n."],
    }


def records(depth: int = 16) -> list[dict]:
    """Three widths at one depth; the last point was interrupted."""
    return [record(32, depth, 0), record(64, depth, 1), record(128, depth, 2, complete=False)]
