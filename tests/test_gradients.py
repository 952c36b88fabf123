"""Gradients: squared norms by weight block (g), and by inputs (exploding and vanishing gradients)."""

from __future__ import annotations

import math

import numpy as np
import pytest

import netsim
from netsim.experiment.experiment import experiment
from netsim.networks.activations import activation
from netsim.networks.inputs import from_vectors
from netsim.quantities import parse
from test_ntk_predictions import ORACLES, at, rows


@pytest.mark.parametrize(("name", "C_W", "rise"), [("relu", 2.0, 5), ("linear", 1.0, 2)])
def test_blocks_of_homogeneous_networks(name, C_W, rise):
    """g_k = (n_{k-1} C_W A2 |x|^2/(C_W A2 n_0)) prod_l X_l with E X_l = 1, E X_l^2 = 1 + rise/n_l."""
    widths, norm2, n_0 = [4, 9, 6], 0.7, 5
    net = netsim.network(name, widths=widths, weight_variance=C_W, bias_variance=0)
    inputs = netsim.inputs("single", norm2=norm2, dimension=n_0)
    texts = [f"cum[g{k}a^{power}]" for k in (1, 2, 3, 4) for power in (1, 2)]
    found = rows(net, inputs, texts)
    for k, fan_in in enumerate((n_0, *widths), 1):
        for layer in range(max(2, k), 5):
            growth = math.prod(1 + rise / n for n in widths[: layer - 1])
            mean = fan_in * norm2
            assert at(found, f"cum[g{k}a]", "ntk_exact", layer).value == pytest.approx(
                mean, rel=1e-14
            )
            variance = at(found, f"cum[g{k}a^2]", "ntk_exact", layer).value
            assert variance == pytest.approx(mean**2 * (growth - 1), rel=1e-13)


@pytest.mark.parametrize("name", ["tanh", "gelu", "slopes(1.3, -0.5)"])
def test_mean_at_infinite_width(name):
    """E g_k = n_{k-1} <sigma^2> prod of chi_perp over the layers k..l-1."""
    net = netsim.network(
        name, widths=[4, 9, 6], weight_variance=[1.1, 1.2, 1.3, 1.4], bias_variance=0.2
    )
    inputs = netsim.inputs("single", norm2=0.7, dimension=5)
    found = rows(net, inputs, ["cum[g1a]", "cum[g2a]", "cum[g3a]"])
    sigma, g = activation(name), np.linspace(-12, 12, 96_000)  # 0, a kink, lies between two points
    weight = np.exp(-(g**2) / 2) * (g[1] - g[0]) / math.sqrt(2 * math.pi)
    K, chi, squares = [0.2 + 1.1 * 0.7], [], []
    for C_W in (1.2, 1.3, 1.4):
        z = math.sqrt(K[-1]) * g
        squares.append(float(weight @ sigma.numpy(z) ** 2))
        chi.append(C_W * float(weight @ sigma.numpy(z, 1) ** 2))
        K.append(0.2 + C_W * squares[-1])
    own = {1: 5 * 0.7, 2: 4 * squares[0], 3: 9 * squares[1]}
    for k, source in own.items():
        for layer in range(max(2, k), 5):
            row = at(found, f"cum[g{k}a]", "ntk_infinite_width", layer)
            expected = source * math.prod(chi[k - 1 : layer - 1])
            assert row.value == pytest.approx(expected, rel=1e-7 if "slopes" in name else 1e-11)


def test_blocks_and_kernel_agree():
    """Without biases H_11 = sum_k (C_W/n_{k-1}) g_k, in means, variances and with outputs."""
    widths, C_W = [4, 9, 6], 1.7
    net = netsim.network("relu", widths=widths, weight_variance=C_W, bias_variance=0)
    inputs = netsim.inputs("single", norm2=0.7, dimension=5)
    rate = {k: C_W / n for k, n in enumerate((5, *widths), 1)}
    singles = [f"cum[g{k}a]" for k in rate] + [f"cum[g{k}a z2a^2]" for k in rate]
    doubles = [f"cum[g{k}a g{j}a]" for k in rate for j in rate]
    whole = ["cum[H1_1aa]", "cum[H1_1aa^2]", "cum[H1_1aa z2a^2]"]
    found = rows(net, inputs, [*singles, *doubles, *whole])
    for theory, accuracy in (("ntk_exact", 1e-13), ("ntk", 1e-11)):
        value = lambda text, theory=theory: at(found, text, theory, 4).value
        for text in ("", " z2a^2"):
            total = sum(r * value(f"cum[g{k}a{text}]") for k, r in rate.items())
            assert total == pytest.approx(value(f"cum[H1_1aa{text}]"), rel=accuracy)
        total = sum(
            r * s * value(f"cum[g{k}a g{j}a]") for k, r in rate.items() for j, s in rate.items()
        )
        assert total == pytest.approx(value("cum[H1_1aa^2]"), rel=accuracy)


def test_layers_and_names():
    """g of block k starts at layer k, looks at neuron 1 and leaves that name to it."""
    net, inputs = netsim.network("relu", width=4, depth=3), netsim.inputs("single")
    made = experiment(net, inputs, ["cum[g3a]", "cum[g1a z2a^2]"], sampler="dense")
    layers = {m.named.quantity.text: [l for l, _ in m.rows] for m in made.measurement.measured}
    assert layers == {"cum[g3a]": [3, 4], "cum[g1a z2a^2]": [2, 3, 4]}
    assert parse("cum[z3a^2 g1a]").text == "cum[g1a z2a^2]"
    assert parse("cum[z1a^2 g1a]").text == "cum[g1a z1a^2]"
    assert parse("cum[H2_1ba]") == parse("cum[H1_2ab]") != parse("cum[H1_1ab]")
    assert parse("cum[z1a dH1_3_2aaa]") == parse("cum[z1a dH1_2_3aaa]")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("cum[H1_1aa]", {"sampler": "conditional"}, "use sampler=dense"),
        ("cum[g9a]", {}, "there is no weight block 9"),
        ("cum[g3a]@2", {}, "do not depend on weight block 3; name a layer 3..4"),
        ("cum[H1_1aa]@5", {}, "layers are 1..4"),
        ("cum[H1_1aa H2_2aa H3_3aa]", {}, "looks at neuron 3, but the network has 2 output"),
        ("cum[H1_1a'ua]", {}, "of input derivatives is not measured"),
        ("cum[H1_1aa Saa]", {}, "together are not measured"),
        ("cum[H1_1aa qa]", {}, "z, H, dH and g may be mixed"),
        ("cum[H1_1aa^5]", {}, "joint orders of H up to 4"),
        ("cum[z1a^6 H1_1aa^3]", {}, "joint orders up to 8"),
        ("cum[H1_1aa]~1", {}, "drop ~"),
        ("cum[dH1_1_1aaa z1a]", {"width": 65}, "widths up to 64, not 65"),
    ],
)
def test_bad_input(text, options, words):
    options = dict(options)
    net = netsim.network("tanh", width=options.pop("width", 4), depth=3)
    inputs = netsim.inputs("single", directions=1)
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        experiment(net, inputs, [text], **({"sampler": "dense"} | options)).measurement  # noqa: B018


def test_moments_that_heavy_tails_do_not_have():
    net = netsim.network("tanh", width=4, depth=2, weights="student_t(3)")
    inputs = netsim.inputs("single")
    experiment(net, inputs, ["cum[H1_1aa]", "logcum[H1_1aa^2]"], sampler="dense")
    with pytest.raises(ValueError, match="does not exist with student_t"):
        experiment(net, inputs, ["cum[H1_1aa^2]"], sampler="dense")


@pytest.mark.parametrize("key", ["O28", "O29"])
def test_gradients_by_inputs(key):
    """R = E Z^4/(3 (E Z^2)^2) of Z = dz/dx_p is 1 + ncum[z1a'u^4]/3."""
    oracle = ORACLES[key]
    n_0 = oracle["n0"]
    net = netsim.network(
        oracle["activation"], widths=oracle["widths"], weight_variance=oracle["C_W"],
        bias_variance=0.3,
    )  # fmt: skip
    x = np.random.default_rng(8).standard_normal((1, n_0))
    inputs = from_vectors(x, np.eye(n_0)[:2], source="test")
    texts = {
        "E_Z2": "mom[z1a'u^2]", "E_Z4": "mom[z1a'u^4]", "E_Zp2Zq2": "mom[z1a'u^2 z1a'v^2]",
        "E_Spp_Sqq": "mom[z1a'u^2 z2a'v^2]", "E_Spq_sq": "mom[z1a'u z1a'v z2a'u z2a'v]",
    }  # fmt: skip
    found = rows(net, inputs, [*texts.values(), "ncum[z1a'u^4]"])
    out = net.depth + 1
    for name, text in texts.items():
        row = at(found, text, "exact_fields", out)
        assert row.value == pytest.approx(oracle[name], rel=1e-12), name
    R = oracle["E_Z4"] / (3 * oracle["E_Z2"] ** 2)
    excess = at(found, "ncum[z1a'u^4]", "exact_fields", out)
    assert 1 + excess.value / 3 == pytest.approx(R, rel=1e-12)
