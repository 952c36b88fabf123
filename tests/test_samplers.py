"""The battery over all samplers, and that they agree in law."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import SAMPLERS, layers_of_draws, two_sample_z, vectors, z_scores
from netsim.networks.fields import closure
from netsim.networks.inputs import from_vectors
from netsim.networks.network import network
from netsim.quantities import Slot
from netsim.samplers.base import pairs
from netsim.samplers.factor import TOLERANCE, square_root

A, B = Slot("a"), Slot("b")


@pytest.fixture(params=SAMPLERS, ids=str)
def sampler(request):
    return SAMPLERS[request.param]


def matrices(S: np.ndarray, F: int) -> np.ndarray:
    """(..., P) -> (..., F, F)."""
    full = np.zeros((*S.shape[:-1], F, F))
    for p, (a, b) in enumerate(pairs(F)):
        full[..., a, b] = full[..., b, a] = S[..., p]
    return full


def test_deep_linear_second_moments_are_exact(sampler):
    # E[S'_ab S'_cd] = S_ab S_cd + (S_ac S_bd + S_ad S_bc)/n for C_b = 0, C_W = 1, two inputs
    widths, inputs = [3, 5], vectors(2, 4, seed=1)
    net = network("linear", widths=widths, weight_variance=1.0, bias_variance=0.0)
    S = layers_of_draws(sampler(net, inputs, [A, B], seed=5), 40_000)["S"]
    G = inputs.gram([A, B])
    M = np.einsum("ab,cd->abcd", G, G)
    assert np.allclose(matrices(S[:, 0], 2), G, rtol=1e-12)
    for l, n in enumerate(widths, 1):
        M = M + (M.transpose(0, 2, 1, 3) + M.transpose(0, 3, 2, 1)) / n
        full = matrices(S[:, l], 2)
        products = np.einsum("nab,ncd->nabcd", full, full).reshape(len(S), -1)
        assert np.abs(z_scores(products, M.reshape(-1))).max() < 5
        assert np.abs(z_scores(S[:, l], G[np.tril_indices(2)])).max() < 5


@pytest.mark.parametrize("n", [1, 2, 3, 64])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_conditional_and_dense_agree_in_law(n, activation):
    inputs = vectors(2, 3, seed=2, directions=1)
    fields = closure([Slot("a", ("u",)), B])
    net = network(activation, widths=[n, n], weight_variance=1.7, bias_variance=0.2)
    first, second = (
        layers_of_draws(make(net, inputs, fields, seed=3), 5_000 if n == 64 else 30_000)
        for make in SAMPLERS.values()
    )
    for name in ("S", "z"):
        for power in (1, 2, 3):
            z = two_sample_z(first[name] ** power, second[name] ** power)
            assert np.abs(z).max() < 5, (name, power)
    # joint law: products of the two neurons with S
    mixed = [
        layers["z"][:, :, 0, 0] ** 2 * layers["z"][:, :, 1, 1] ** 2 * layers["S"][:, :, 0]
        for layers in (first, second)
    ]
    assert np.abs(two_sample_z(*mixed)).max() < 5


def test_second_derivatives_agree_in_law():
    inputs = vectors(1, 3, seed=4, directions=2)
    fields = closure([Slot("a", ("u", "v"))])
    net = network("gelu", widths=[3, 2], weight_variance=1.7, bias_variance=0.2)
    first, second = (
        layers_of_draws(make(net, inputs, fields, seed=3), 30_000) for make in SAMPLERS.values()
    )
    for name in ("S", "z"):
        for power in (1, 2):
            assert np.abs(two_sample_z(first[name] ** power, second[name] ** power)).max() < 5


def test_input_derivatives_are_derivatives_of_the_same_dense_network():
    inputs = vectors(1, 3, seed=6, directions=2)
    fields = closure([Slot("a", ("u", "v"))])
    net = network("tanh", widths=[4, 3], weight_variance=1.5, bias_variance=0.1)
    make = SAMPLERS["dense"]
    z = layers_of_draws(make(net, inputs, fields, seed=1, dtype="float64"), 5)["z"]
    x, (u, v), h = inputs.vectors[0], inputs.direction_vectors, 1e-4

    def value(shift):
        moved = from_vectors([x + shift], source="moved")
        return layers_of_draws(make(net, moved, [A], seed=1, dtype="float64"), 5)["z"][..., 0]

    at = {slot: z[..., i] for i, slot in enumerate(fields)}
    first = (value(h * u) - value(-h * u)) / (2 * h)
    mixed = (value(h * (u + v)) - value(h * (u - v)) - value(h * (v - u)) + value(-h * (u + v))) / (
        4 * h * h
    )
    assert np.allclose(at[Slot("a", ("u",))], first, atol=1e-6)
    assert np.allclose(at[Slot("a", ("u", "v"))], mixed, atol=1e-5)


def test_a_draw_depends_on_its_index_alone(sampler):
    # the first layers are the same in a deeper network, whatever the batch
    inputs = vectors(1, 3, seed=1)
    short = sampler(network("tanh", widths=[5, 6]), inputs, [A], seed=9)
    deep = sampler(network("tanh", widths=[5, 6, 4, 2]), inputs, [A], seed=9)
    whole = layers_of_draws(short, 12)
    part = layers_of_draws(short, 5, first=7)
    deeper = layers_of_draws(deep, 12)
    for name in ("S", "z"):
        assert np.allclose(whole[name][7:], part[name], rtol=1e-5, atol=1e-6)
        assert np.allclose(whole[name], deeper[name][:, :3], rtol=1e-5, atol=1e-6)
    other = layers_of_draws(sampler(network("tanh", widths=[5, 6]), inputs, [A], seed=8), 12)
    assert not np.any(np.isclose(other["z"], whole["z"]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_duplicates_stay_identical_and_zero_input_is_exact(sampler, dtype):
    x = np.array([[1.0, -2.0, 0.5]])
    twins = from_vectors(np.concatenate([x, x, 0 * x]), source="twins")
    fields = closure([A, B, Slot("c")])
    net = network("tanh", widths=[4, 3], weight_variance=1.3, bias_variance=0.0)
    layers = layers_of_draws(sampler(net, twins, fields, dtype=dtype), 200)
    assert np.array_equal(layers["z"][..., 0], layers["z"][..., 1])
    S = matrices(layers["S"], 3)
    assert np.array_equal(S[..., 0, 0], S[..., 0, 1])
    assert np.array_equal(S[..., 0, 0], S[..., 1, 1])
    assert not np.any(S[..., 2]) and not np.any(layers["z"][..., 2])


def test_given_a_layer_the_next_is_gaussian_with_covariance_S(sampler):
    inputs = vectors(2, 3, seed=3)
    net = network("relu", widths=[2, 3], weight_variance=1.5, bias_variance=0.3)
    layers = layers_of_draws(sampler(net, inputs, [A, B], seed=2), 40_000)
    S = matrices(layers["S"], 2)
    z = layers["z"]
    for i in (0, 1):
        outer = np.einsum("nla,nlb->nlab", z[:, :, i], z[:, :, i])
        assert np.abs(z_scores((outer - S) * S[..., :1, :1], 0.0)).max() < 5
    cross = np.einsum("nla,nlb->nlab", z[:, :, 0], z[:, :, 1])
    assert np.abs(z_scores(cross * S[..., :1, :1], 0.0)).max() < 5


def test_dense_with_other_laws_has_their_fourth_moment():
    # first layer, one input coordinate: kappa_4(z) = C_W^2 x^4 kappa_4(w)
    inputs = from_vectors([[1.0]], source="one")
    for text in ("rademacher", "uniform", "sparse(0.5)"):
        net = network("linear", widths=[2], weight_variance=1.0, bias_variance=0.5, weights=text)
        z = layers_of_draws(SAMPLERS["dense"](net, inputs, [A], seed=4), 60_000)["z"][:, 0, :, 0]
        expected = float(net.weights.cumulant(4)) + 3 * 1.5**2
        assert np.abs(z_scores(z**4, expected)).max() < 5
        assert np.abs(z_scores(z**2, 1.5)).max() < 5


def test_refusals():
    inputs = vectors(1, 3, seed=1, directions=2)
    net = network("relu", width=3, depth=1, weights="rademacher")
    with pytest.raises(ValueError, match="use sampler=dense"):
        SAMPLERS["conditional"](net, inputs, [A])
    fields = closure([Slot("a", ("u", "v"))])
    with pytest.raises(ValueError, match="relu"):
        SAMPLERS["dense"](net, inputs, fields)


def test_square_root_of_singular_matrices_is_exact():
    x = np.random.default_rng(0).standard_normal((3, 16))
    x = np.stack([x[0], x[1], x[0], x[2], x[0] + x[1], x[0], x[1] + 1e-4 * x[2]])
    S = x @ x.T / 16
    with jax.enable_x64(True):
        T, rank = square_root([[jnp.float64(v) for v in row] for row in S])
        T = np.array([[float(T[a][b]) if b <= a else 0.0 for b in range(7)] for a in range(7)])
    assert int(rank) == 3
    assert np.abs(T @ T.T - S).max() <= 8 * TOLERANCE * np.abs(S).max()
    assert np.array_equal(T[0], T[2]) and np.array_equal(T[0], T[5])


def test_kernels_of_any_size_have_the_same_relative_fluctuations():
    # S_l is proportional to (C_W/2)^l for ReLU: no underflow, no network that only seems dead
    inputs = vectors(1, 3, seed=1)
    make, widths = SAMPLERS["conditional"], [4] * 12
    S = {}
    for scale in (1.0, 1e-3, 1e3):  # kernels to 1e-36 and 1e36
        net = network("relu", widths=widths, weight_variance=2.0 * scale, bias_variance=0.0)
        S[scale] = layers_of_draws(make(net, inputs, [A], seed=3), 2000)["S"][..., 0]
        S[scale] = S[scale] / scale ** np.arange(1, 14)
        assert np.allclose(S[scale], S[1.0], rtol=1e-4, atol=0), scale
    assert np.any(S[1.0][:, -1] == 0)  # some networks of this width are dead, the same ones


def test_nearly_equal_inputs_keep_their_distance():
    # linear, C_W = 1: E (z_a - z_b)^2 is the same in every layer, here 3e-8 of E z^2
    angle = np.radians(0.01)
    x = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    net = network("linear", widths=[8, 8], weight_variance=1.0, bias_variance=0.0)
    fields = [A, B]
    draw = SAMPLERS["conditional"](net, from_vectors(x, source="near"), fields, dtype="float64")
    S = matrices(layers_of_draws(draw, 4000)["S"], 2)
    distance = S[..., 0, 0] - 2 * S[..., 0, 1] + S[..., 1, 1]
    expected = 2.0 * (1 - np.cos(angle)) / 2
    assert np.abs(z_scores(distance[:, 1:] / expected, 1.0)).max() < 5
    # float32 fields resolve it up to their own rounding, 2^-24 of z
    single = SAMPLERS["conditional"](net, from_vectors(x, source="near"), fields)
    S = matrices(layers_of_draws(single, 4000)["S"], 2)
    distance = S[..., 0, 0] - 2 * S[..., 0, 1] + S[..., 1, 1]
    assert np.abs(distance[:, 1:].mean(axis=0) / expected - 1).max() < 0.05
