"""The NTK under its names: predictions against oracles, closed forms and simulation."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import netsim
from helpers import vectors
from netsim.api.predict import predict
from netsim.experiment.aliases import named_quantities
from netsim.networks.parameter_blocks import block_rates
from netsim.quantities import parse
from netsim.theory.ntk.mean import mean_kernel

ORACLES = {
    entry["id"]: entry
    for entry in json.loads(
        (Path(__file__).parent / "oracles" / "hanin.json").read_text()
    )["entries"]
}  # fmt: skip


def rows(net, inputs, texts) -> dict[tuple[str, str], netsim.rows.Row]:
    """(canonical text with layer, theory) -> row."""
    found = predict(net, inputs, named_quantities(texts, inputs.names)).rows
    return {(row.quantity, row.source.removeprefix("theory:")): row for row in found}


def at(found, text: str, theory: str, layer: int):
    return found[parse(text).at(layer).text, theory]


def reasons(net, inputs, text) -> dict[str, str]:
    refused = predict(net, inputs, named_quantities([text], inputs.names)).refusals
    return {theory: reason for _, theory, reason in refused}


NAMES = {
    "EH": "cum[H1_1aa]", "CovH11H22": "cum[H1_1aa H2_2aa]", "EH12sq": "cum[H1_2aa^2]",
    "VarH11": "cum[H1_1aa^2]", "Ez1z2H12": "cum[z1a z2a H1_2aa]", "CovSH": "cum[z1a^2 H2_2aa]",
}  # fmt: skip


def test_exact_oracle():
    """ReLU, ten layers of 32, rates of the NTK parametrisation."""
    oracle = ORACLES["O21"]
    net = netsim.network("relu", widths=oracle["widths"], weight_variance=2, bias_variance=0)
    found = rows(net, netsim.inputs("single", norm2=0.5), NAMES.values())
    for key, text in NAMES.items():
        row = at(found, text, "ntk_exact", 11)
        assert row.value == pytest.approx(oracle[key], rel=1e-12)
        assert row.truncation == "exact" and row.error <= 1e-14 * abs(row.value)


def test_first_order_oracle():
    """tanh, C_b = 0, C_W = 1: every tensor as the coefficient of 1/n of a name."""
    oracle, n = ORACLES["O17"], 40
    net = netsim.network("tanh", width=n, depth=4)
    texts = {
        "T": "cum[H1_1aa]~1", "H": "cum[H1_1aa]~0", "A": "cum[H1_1aa H2_2aa]~1",
        "B": "cum[H1_2aa^2]~1", "F": "cum[z1a z2a H1_2aa]~1", "D": "cum[z1a^2 H2_2aa]~1",
        "P": "cum[dH1_2_2aaa z1a]~1", "Q": "cum[dH1_1_2aaa z2a]~1",
    }  # fmt: skip
    found = rows(net, netsim.inputs("single", norm2=1), [*texts.values(), "cum[H1_1aa^2]"])
    for key, text in texts.items():
        row = at(found, text, "ntk", 5)
        assert row.value == pytest.approx(oracle[key], rel=1e-9) and row.truncation == "exact"
    variance = at(found, "cum[H1_1aa^2]", "ntk", 5)
    assert variance.value == pytest.approx((oracle["A"] + 2 * oracle["B"]) / n, rel=1e-9)
    assert variance.truncation == 1


def test_one_hidden_layer_leaves_nothing_out():
    net = netsim.network("gelu", width=6, depth=2)
    texts = [*NAMES.values(), "cum[g1a^2]", "cum[g1a g2a]"]
    found = rows(net, netsim.inputs("single"), texts)
    for text in texts:
        assert at(found, text, "ntk", 2).truncation_error == 0
        assert at(found, text, "ntk", 3).truncation_error > 0


@pytest.mark.parametrize(("name", "C_W", "C_b"), [("relu", 2, 0.2), ("linear", 0.9, 0.1)])
def test_truncation_error_covers_what_exact_values_show(name, C_W, C_b):
    inputs = netsim.inputs("single", norm2=0.8)
    texts = [text for text in NAMES.values() if text != "cum[H1_1aa]"]
    for width, depth in ((8, 3), (32, 3), (32, 8), (256, 8)):
        net = netsim.network(name, width=width, depth=depth, weight_variance=C_W, bias_variance=C_b)
        found = rows(net, inputs, texts)
        for text in texts:
            exact, first = (at(found, text, t, depth + 1) for t in ("ntk_exact", "ntk"))
            gap = abs(first.value - exact.value)
            assert 0.05 * first.truncation_error < gap < first.truncation_error


def test_first_order_is_the_limit_of_exact():
    """The gap falls as n^-2: by 4 at twice the width, up to 1/n."""
    inputs, gaps = netsim.inputs("single", norm2=0.8), []
    for width in (512, 1024):
        net = netsim.network("relu", width=width, depth=3, weight_variance=1.8, bias_variance=0.1)
        found = rows(net, inputs, NAMES.values())
        gaps.append(
            [
                at(found, text, "ntk_exact", 4).value - at(found, text, "ntk", 4).value
                for text in NAMES.values()
                if text != "cum[H1_1aa]"
            ]
        )
    np.testing.assert_allclose(np.divide(*gaps), 4, rtol=0.02)


# --- the mean at infinite width -------------------------------------------------------------------


def _relu_mean(net, K, H):
    """ReLU in closed form (Cho and Saul 2009): (K, H_ab) of the next layer, C_W = 2, C_b = 0.1."""
    r = math.sqrt(K[0, 0] * K[1, 1])
    angle = math.acos(K[0, 1] / r)
    slope = (math.pi - angle) / (2 * math.pi)
    average = r * math.sin(angle) / (2 * math.pi) + K[0, 1] * slope
    new = 0.1 + 2 * np.array([[K[0, 0] / 2, average], [average, K[1, 1] / 2]])
    return new, 0.1 + 2 * average + 2 * slope * H


def test_mean_of_two_inputs_relu():
    net = netsim.network("relu", width=7, depth=4, weight_variance=2, bias_variance=0.1)
    inputs = vectors(2, 5, seed=2)
    found = rows(net, inputs, ["cum[H1_1ab]"])
    gram = inputs.overlaps
    K, H = 0.1 + 2 * gram, 0.1 + 2 * gram[0, 1]
    for layer in range(2, 6):
        K, H = _relu_mean(net, K, H)
        row = at(found, "cum[H1_1ab]", "ntk_infinite_width", layer)
        assert row.value == pytest.approx(H, rel=1e-12) and row.truncation == "infinite_width"
        assert row.error < 1e-11


def test_mean_of_two_inputs_erf():
    """<erf erf> = (2/pi) asin(2 K12/r), <erf' erf'> = (4/pi)/sqrt(r^2 - 4 K12^2)."""
    net = netsim.network("erf", width=7, depth=3, weight_variance=1.3, bias_variance=0.2)
    inputs = vectors(2, 5, seed=3)
    value, error = mean_kernel(net, inputs.overlaps, block_rates(net, 5, None))
    K = 0.2 + 1.3 * inputs.overlaps
    H = K[0, 1]
    assert value[0] == pytest.approx(H, rel=1e-15)
    for layer in range(1, 4):
        r = np.sqrt(np.outer(1 + 2 * np.diag(K), 1 + 2 * np.diag(K)))
        slope = 4 / math.pi / math.sqrt(r[0, 1] ** 2 - 4 * K[0, 1] ** 2)
        K = 0.2 + 1.3 * 2 / math.pi * np.arcsin(2 * K / r)
        H = K[0, 1] + 1.3 * slope * H
        assert abs(value[layer] - H) <= max(error[layer], 1e-14)
    assert np.all(error < 1e-12)


def test_equal_inputs_are_one_input():
    net = netsim.network("swish", width=7, depth=3, weight_variance=1.3, bias_variance=0.2)
    rates = block_rates(net, 4, None)
    two, _ = mean_kernel(net, np.full((2, 2), 0.8), rates)
    found = rows(net, netsim.inputs("single", norm2=0.8), ["cum[H1_1aa]~0"])
    one = [at(found, "cum[H1_1aa]~0", "ntk", layer).value for layer in range(2, 5)]
    np.testing.assert_allclose(two[1:], one, rtol=1e-13)


# --- refusals and simulation ----------------------------------------------------------------------


def test_refusals_say_why():
    pair = netsim.inputs("pair", angle=60)
    tanh, relu = (netsim.network(name, width=8, depth=2) for name in ("tanh", "relu"))
    assert "one undifferentiated input" in reasons(tanh, pair, "cum[H1_1ab^2]")["ntk"]
    assert "linear, relu and two-slope" in reasons(tanh, pair, "cum[H1_1aa^2]")["ntk_exact"]
    assert "joint cumulants of two" in reasons(relu, pair, "cum[H1_1aa^3]")["ntk_exact"]
    assert "log-moments" in reasons(relu, pair, "logcum[H1_1aa]")["ntk"]
    assert "n^0 and n^-1" in reasons(relu, pair, "cum[H1_1aa]~2")["ntk"]
    assert "first order" in reasons(relu, pair, "cum[dH1_1_1aaa z1a]")["ntk_exact"]
    uniform = netsim.network("tanh", width=8, depth=2, weights="uniform")
    told = reasons(uniform, pair, "cum[H1_1aa]")
    assert "gaussian" in told["ntk"] and "not Gaussian" in told["ntk_infinite_width"]
    # no other theory speaks of gradients, and these of nothing else
    assert set(told) == {"ntk_exact", "ntk", "ntk_infinite_width"}
    assert not any(name.startswith("ntk") for name in reasons(tanh, pair, "cum[z1a^4]"))


def test_symmetry_gives_exact_zeros():
    found = rows(
        netsim.network("tanh", width=8, depth=2), netsim.inputs("single"),
        ["cum[H1_2aa]", "cum[z1a H1_1aa]", "cum[H1_1aa H1_2aa]"],
    )  # fmt: skip
    for text in ("cum[H1_2aa]", "cum[z1a H1_1aa]", "cum[H1_1aa H1_2aa]"):
        row = at(found, text, "ntk", 3)
        assert row.value == 0 and row.truncation == "exact"


def test_moments_from_cumulants():
    net, inputs = netsim.network("relu", width=8, depth=2), netsim.inputs("single", norm2=0.5)
    texts = ["mom[H1_1aa^2]", "mom[z1a^2 H1_1aa]", "cum[H1_1aa^2]", "cum[H1_1aa]"]
    found = rows(net, inputs, [*texts, "cum[z1a^2 H1_1aa]", "cum[z1a^2]", "ncum[H1_1aa H2_2aa]"])
    value = lambda text, theory="ntk_exact": at(found, text, theory, 3).value
    mean = value("cum[H1_1aa]")
    assert value("mom[H1_1aa^2]") == pytest.approx(value("cum[H1_1aa^2]") + mean**2, rel=1e-14)
    both = value("cum[z1a^2 H1_1aa]") + value("cum[z1a^2]", "exact") * mean
    assert value("mom[z1a^2 H1_1aa]") == pytest.approx(both, rel=1e-14)
    assert 0 < value("ncum[H1_1aa H2_2aa]") < 1


@pytest.mark.parametrize("name", ["relu", "gelu"])
def test_simulation(name):
    """Estimates against exact values, or first order within its truncation error."""
    net = netsim.network(name, widths=[6, 9], weight_variance=1.7, bias_variance=0.1)
    inputs = netsim.inputs("single", norm2=0.8, dimension=3)
    texts = [*NAMES.values(), "cum[z1a^2 H1_1aa]", "cum[g2a^2]", "cum[g1a g3a]"]
    if name == "gelu":
        texts += ["cum[dH1_2_2aaa z1a]", "cum[dH1_1_2aaa z2a]"]
    run = netsim.simulate(net, inputs, texts, draws=65536, sampler="dense", progress=False)
    theory = "ntk_exact" if name == "relu" else "ntk"
    found = {row.quantity: row for row in run.predictions if row.source == f"theory:{theory}"}
    count = 0
    for row in run.rows:
        told = found[row.quantity]
        allowed = told.truncation_error or 0.0
        assert abs(row.value - told.value) < 5 * row.error + allowed, (row, told)
        count += allowed == 0
    assert count >= 2 * len(texts) - 1 if name == "relu" else count >= len(texts) - 1
