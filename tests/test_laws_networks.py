"""Weight laws in networks: fourth moments, and what heavy-tailed and complex weights refuse."""

from __future__ import annotations

import numpy as np
import pytest

import netsim
from helpers import SAMPLERS, layers_of_draws, z_scores
from netsim.api.point import run_point
from netsim.experiment.aliases import named_quantities
from netsim.experiment.experiment import experiment
from netsim.experiment.rows import estimate_rows
from netsim.experiment.weight_checks import exists
from netsim.networks.input_sets import build
from netsim.networks.inputs import from_vectors
from netsim.networks.network import network
from netsim.quantities import Slot


def moments_of_outputs(net, x: np.ndarray) -> np.ndarray:
    """(L+1, 3): E z^2, E z^4, E z_1^2 z_2^2 of each layer; linear and ReLU, C_b = 0, symmetric law.

    With A = E h^4, B = E h_1^2 h_2^2 of the layer before, m_4 = E w^4 and c = C_W^2/n,
    E z^4 = c (m_4 A + 3 (n-1) B) and E z_1^2 z_2^2 = c (A + (n-1) B): expand (sum_j w_j h_j)^4 and
    pair equal weights. For ReLU E h^2k = E z^2k/2, and the signs of two neurons are independent
    (flip the signs of a row), so B = E z_1^2 z_2^2/4. Hence kappa_4(z) = c m_4 A + ... - 3 (E z^2)^2
    contains the law's fourth cumulant.
    """
    m_4, half = float(net.weights.moment(4)), 1.0 if net.activation.name == "linear" else 0.5
    C_W, n = net.weight_variance, (len(x), *net.widths)
    K = C_W[0] * np.mean(x**2)
    A = C_W[0] ** 2 * (m_4 - 3) * np.sum(x**4) / n[0] ** 2 + 3 * K**2
    rows = [(K, A, K**2)]
    for l in range(1, len(n)):
        K, A, B = rows[-1]
        K, A, B, c = half * K, half * A, half**2 * B, C_W[l] ** 2 / n[l]
        rows.append((C_W[l] * K, c * (m_4 * A + 3 * (n[l] - 1) * B), c * (A + (n[l] - 1) * B)))
    return np.array(rows)


@pytest.mark.parametrize(
    ("activation", "text"),
    [("linear", "rademacher"), ("relu", "sparse(0.5)"), ("relu", "student_t(14)")],
)
def test_fourth_moments_of_deep_networks_contain_the_fourth_cumulant(activation, text):
    x = np.array([1.0, -0.5, 2.0])
    net = network(
        activation, widths=[3, 2], weight_variance=[1.1, 1.5, 0.9], bias_variance=0.0, weights=text
    )
    draw = SAMPLERS["dense"](net, from_vectors([x], source="one"), [Slot("a")], seed=4)
    z = layers_of_draws(draw, 40_000)["z"][..., 0]
    sample = np.stack([z[..., 0] ** 2, z[..., 0] ** 4, z[..., 0] ** 2 * z[..., 1] ** 2], axis=-1)
    expected = moments_of_outputs(net, x)
    assert np.abs(z_scores(sample, expected)).max() < 5
    # with the fourth cumulant left out the same data refuse
    kappa = float(net.weights.cumulant(4))
    wrong = expected[0, 1] - 1.1**2 * kappa * np.sum(x**4) / 9
    assert np.isclose(wrong, 3 * expected[0, 0] ** 2)
    assert abs(z_scores(sample[:, 0, 1], wrong)) > 5


def test_one_hidden_layer_from_quantities_to_rows():
    # kappa_4 = c (m_4 A + 3 (n-1) B) - 3 K^2, and kappa_2 is the Gaussian one exactly
    def made(text):
        net = network(
            "linear", width=4, depth=1, weight_variance=1.0, bias_variance=0.0, weights=text
        )
        return experiment(net, inputs, ["kappa2", "kappa4"], sampler="dense", seed=1)

    inputs = netsim.inputs("single", norm2=1, dimension=4)
    outcome = run_point(made("student_t(12)"), 65536, show=lambda _: None, save=lambda _: None)
    K, A, _ = moments_of_outputs(made("student_t(12)").network, inputs.vectors[0])[-1]
    assert K == pytest.approx(1.0, rel=1e-14)
    rows, heavy = (
        {row.alias: row for row in estimate_rows(made(text), outcome.state) if row.alias}
        for text in ("student_t(12)", "student_t(6)")
    )
    for alias, expected in (("kappa2[a]", K), ("kappa4[a]", (A - 3 * K**2) / 3)):
        assert abs(rows[alias].value - expected) < 5 * rows[alias].error
        assert rows[alias].flags == ()
    assert rows["kappa4[a]"].value > 10 * rows["kappa4[a]"].error
    # the same state, were it of a law with E z^8 = infinity: no error bar of kappa_4 would hold
    assert heavy["kappa4[a]"].flags == ("unreliable",) and heavy["kappa2[a]"].flags == ()


# --- refused -------------------------------------------------------------------------------------


def quantity(text: str):
    (named,) = named_quantities([text], ["a"])
    return named.quantity


@pytest.mark.parametrize(
    ("activation", "text", "layer", "nu"),  # exists for more than nu degrees of freedom only
    [
        ("relu", "cum[z1a^4]", 2, 4),
        ("tanh", "cum[z1a^4]", 2, 4),
        ("tanh", "cum[z1a^2 z2a^2]", 2, 2),
        ("relu", "cum[z1a^2 z2a^2]", 1, 2),
        ("relu", "cum[z1a^2 z2a^2]", 2, 4),
        ("relu", "cum[Saa^2]", 1, 4),
        ("tanh", "cum[Saa^2]", 1, 0),
        ("tanh", "cum[qa^3]", 1, 6),
        ("polynomial([0, 1, 0, 1])", "cum[z1a^2]", 1, 2),
        ("polynomial([0, 1, 0, 1])", "cum[z1a^2]", 2, 6),
        ("polynomial([0, 1, 0, 1])", "cum[z1a^2]", 3, 18),
        ("relu", "logcum[Saa]", 2, 0),
    ],
)
def test_which_moments_exist(activation, text, layer, nu):
    make = lambda nu: network(activation, width=3, depth=3, weight_variance=1.0, bias_variance=0.0,
                              weights=f"student_t({nu})")  # fmt: skip
    if nu > 2:
        assert not exists(make(nu), quantity(text), layer)
    assert exists(make(max(nu, 2) + 0.01), quantity(text), layer)
    if nu:
        assert not exists(make(2 * nu), quantity(text), layer, power=2)
    assert exists(network("relu", width=3, depth=3), quantity("cum[z1a^8]"), layer, power=2)


def test_quantities_that_do_not_exist_are_refused():
    inputs = netsim.inputs("single", norm2=1)
    net = network("relu", width=3, depth=2, weights="student_t(5)")
    with pytest.raises(ValueError, match=r"cum\[z1a\^6\]@2 does not exist with student_t\(5\)"):
        experiment(net, inputs, ["kappa2", "kappa6"], sampler="dense")
    assert experiment(net, inputs, ["kappa2", "kappa4"], sampler="dense").network is net


def test_networks_refuse_complex_weights():
    with pytest.raises(ValueError, match="neurons would be complex"):
        network("linear", width=3, depth=1, weights="complex")


def test_derivative_moments_that_do_not_exist_are_refused():
    # D z of a piecewise linear network is linear in the weights of every layer, like z
    net = network("linear", width=8, depth=3, weights="student_t(4)")
    inputs = build("single", directions=1)
    for text in ("cum[z1a^2 z2a^2]@out", "cum[z1a'u^2 z2a'u^2]@out"):
        with pytest.raises(ValueError, match="does not exist with student_t"):
            experiment(net, inputs, [text], sampler="dense")
