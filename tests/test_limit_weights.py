"""The infinite-width theory of other weight laws at fixed n_0: what it answers, what it refuses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from helpers import z_scores
from netsim.api.predict import predict
from netsim.experiment.aliases import named_quantities
from netsim.networks.inputs import from_vectors
from netsim.networks.network import network
from netsim.quantities import Slot, parse
from netsim.theory.base import OutsideDomain
from netsim.theory.limits import InfiniteWidth

X = np.array([1.0, -1.0])  # w_1 x_1 + w_2 x_2 is 0 for half of all signs
V = np.array([0.3, 0.5])
A, AU, B = Slot("a"), Slot("a", ("u",)), Slot("b")
C_W = [1.3, 1.7, 0.8]


def theory(activation, weights, vectors=(X,), bias_variance=0.0, depth=2, directions=True):
    net = network(activation, width=8, depth=depth, weight_variance=C_W[: depth + 1],
                  bias_variance=bias_variance, weights=weights)  # fmt: skip
    return InfiniteWidth(net, from_vectors(vectors, [V] if directions else None, source="test"))


def signs(vectors) -> np.ndarray:
    """W v of every vector, (2^n_0, vectors), for every row of signs; all rows are as probable."""
    w = np.array(list(itertools.product((-1.0, 1.0), repeat=len(vectors[0]))))
    return np.sqrt(C_W[0] / len(vectors[0])) * w @ np.array(vectors).T


def test_piecewise_linear_kernels_equal_the_enumeration_of_all_signs():
    z, dz = signs([X, V]).T
    true = C_W[1] * np.mean(np.maximum(z, 0) ** 2)
    found = theory("relu", "rademacher").overlap_cumulant(((A, A),)).value
    np.testing.assert_allclose(found[1:], [true, C_W[2] * true / 2], rtol=1e-14)
    # ReLU' is 0 at z = 0, which half of the neurons have: K of the derivative is not the Gaussian one
    derivative = C_W[1] * np.mean((z > 0) * dz**2)
    gaussian = theory("relu", "gaussian").overlap_cumulant(((AU, AU),)).value[1]
    assert derivative < 0.9 * gaussian
    found = theory("relu", "rademacher").overlap_cumulant(((AU, AU),)).value
    assert np.isfinite(found[0]) and np.all(np.isnan(found[1:]))
    # with a Gaussian bias z = 0 has probability 0: P(z > 0) = Phi(W x/sqrt C_b)
    derivative = C_W[1] * np.mean(stats.norm.cdf(z / np.sqrt(0.2)) * dz**2)
    found = theory("relu", "rademacher", bias_variance=0.2).overlap_cumulant(((AU, AU),)).value
    assert found[1] == pytest.approx(derivative, rel=1e-14)


def test_linear_kernels_equal_the_enumeration_of_all_signs():
    z = signs([X, V, [0.2, -2.0]])
    known = theory("linear", "rademacher", [X, [0.2, -2.0]])
    for pair, (i, j) in {(A, B): (0, 2), (AU, B): (1, 2), (AU, AU): (1, 1)}.items():
        true = C_W[1] * np.mean(z[:, i] * z[:, j])
        assert known.overlap_cumulant((pair,)).value[1] == pytest.approx(true, rel=1e-14)


@pytest.mark.parametrize("weights", ["rademacher", "uniform", "sparse(0.5)", "student_t(5)"])
@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
def test_kernels_beyond_second_moments_are_refused(activation, weights):
    known, known_too = theory(activation, weights, [X, V]), []
    refused = ["cum[z1a z1b]@out", "cum[Sab]"]
    (known_too if activation == "relu" else refused).extend(["mom[z1a^2 z2b^2]", "cum[z1a^2]@2"])
    for text in refused:
        with pytest.raises(OutsideDomain, match="n_0 = 2 layer 1 is not Gaussian with"):
            known.statistic(parse(text))
    for text in known_too:
        assert np.all(np.isfinite(known.statistic(parse(text)).value))
    K = C_W[0] * X @ V / 2
    assert known.statistic(parse("cum[z1a z1b]@1")).value[0] == pytest.approx(K, rel=1e-14)
    assert known.statistic(parse("cum[qa]@1")).value[0] == pytest.approx(C_W[0], rel=1e-14)
    with pytest.raises(OutsideDomain, match="only its second moments"):
        known.statistic(parse("mom[z1a^4]@1"))
    assert known.statistic(parse("mom[z1a^2 z2a^2]@1")).value[0] == pytest.approx(C_W[0] ** 2)
    assert not np.any(known.statistic(parse("mom[z1a^5]@1")).value)


def test_what_was_refused_is_wrong_with_gaussian_layers():
    """One input coordinate, signs: z^(1) = +-sqrt C_W x, so K^(2) = C_W sigma(sqrt C_W x)^2."""
    x = [[2.0]]
    true = C_W[1] * np.tanh(np.sqrt(C_W[0]) * 2.0) ** 2
    gaussian = theory("tanh", "gaussian", x, depth=1, directions=False)
    assert abs(gaussian.overlap_cumulant(((A, A),)).value[1] - true) > 0.2 * true
    refused = theory("tanh", "rademacher", x, depth=1, directions=False)
    texts = ["kappa2", "mom[z1a^4]@1", "mom[z1a^4]@2", "cum[z1a^4]@2", "cum[z1a^2]@1"]
    found = predict(refused.network, refused.inputs, named_quantities(texts, ["a"]))
    assert [(row.quantity, row.value) for row in found.rows if row.alias is None] == [
        ("cum[z1a^2]@1", pytest.approx(4 * C_W[0], rel=1e-14))
    ]
    reasons = {text: why for text, name, why in found.refusals if name == "infinite_width"}
    assert "more than its second moments" in reasons["cum[z1a^2]"]
    assert "only its second moments" in reasons["mom[z1a^4]@1"]
    assert "is 0 in the infinite-width limit" in reasons["cum[z1a^4]@2"]


@pytest.mark.parametrize("weights", ["uniform", "student_t(9)"])
def test_relu_of_continuous_laws_by_simulation(weights):
    rng = np.random.default_rng(4)
    w = rng.uniform(-np.sqrt(3), np.sqrt(3), (400_000, 2))
    if weights != "uniform":
        w = np.sqrt(7 / 9) * rng.standard_t(9, w.shape)
    z, dz = np.sqrt(C_W[0] / 2) * np.array([w @ X, w @ V])
    sample = C_W[1] * np.stack([np.maximum(z, 0) ** 2, z * (z > 0) * dz, (z > 0) * dz**2], -1)
    known = theory("relu", weights)
    found = [known.overlap_cumulant((pair,)).value[1] for pair in ((A, A), (A, AU), (AU, AU))]
    assert np.abs(z_scores(sample, np.array(found))).max() < 5
    assert np.abs(z_scores(sample, 1.02 * np.array(found))).max() > 5


def test_orthogonal_weights_are_gaussian_at_any_number_of_inputs():
    """S_1 of 8192 neurons: n_0 = 2 orthonormal columns, whose O(1/n_1) bias is 0.2 of an error."""
    rng, n = np.random.default_rng(5), 8192
    Q, _ = np.linalg.qr(rng.standard_normal((60, n, 2)))  # signs of columns: sigma is odd
    z = np.sqrt(C_W[0] * n / 2) * Q @ np.stack([X, V]).T
    h = np.tanh(z)
    sample = C_W[1] * np.einsum("dji,djk->dik", h, h)[:, [0, 0, 1], [0, 1, 1]] / n
    known = theory("tanh", "orthogonal", [X, V])
    found = [known.overlap_cumulant((pair,)).value[1] for pair in ((A, A), (A, B), (B, B))]
    assert np.abs(z_scores(sample, np.array(found))).max() < 5
    assert np.abs(z_scores(sample, 1.01 * np.array(found))).max() > 5
