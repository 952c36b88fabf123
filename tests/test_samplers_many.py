"""Many fields: the whole-array body against the scalar one and the dense sampler; layer norms."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import SAMPLERS, _batch, layers_of_draws, two_sample_z, vectors, z_scores
from netsim.networks.fields import bias_mask, closure, features
from netsim.networks.inputs import from_vectors
from netsim.networks.network import network
from netsim.quantities import Slot
from netsim.samplers.base import pairs
from netsim.samplers.conditional import FEW, ConditionalDraw, conditional, conditional_few
from netsim.samplers.conditional_wide import ConditionalWideDraw, conditional_wide
from netsim.samplers.factor import TOLERANCE, square_root, square_root_array

A, B, C = Slot("a"), Slot("b"), Slot("c")
FIELDS = {
    1: (A,),
    2: (A, B),
    3: closure([Slot("a", ("u",)), B]),
    4: closure([Slot("a", ("u", "v"))]),
}


QUADRATIC = "polynomial([0, 1, 0.2])"  # smooth, not odd, and quick to compile


def plain(count: int) -> tuple[Slot, ...]:
    return closure([Slot(name) for name in vectors(count, 2, seed=0).names])


@pytest.mark.parametrize("F", FIELDS)
def test_both_bodies_draw_the_same_networks(F):
    # widths: odd, and more than one panel of either body
    inputs = vectors(2, 5, seed=1, directions=2)
    net = network(QUADRATIC, widths=[5, 9, 600, 17], weight_variance=0.8, bias_variance=0.1)
    few, wide = (
        layers_of_draws(make(net, inputs, FIELDS[F], seed=3, norms=True), 30)
        for make in (conditional_few, conditional_wide)
    )
    assert set(few) == set(wide) == {"S", "z", "q"}
    for name in few:
        assert few[name].shape == wide[name].shape
        scale = np.maximum(1, np.abs(few[name]).max())
        assert np.abs(few[name] - wide[name]).max() < 1e-5 * scale, name


@pytest.mark.parametrize(("dtype", "typical"), [("float32", 1e-6), ("float64", 1e-12)])
def test_both_bodies_agree_where_covariances_are_singular(dtype, typical):
    # 2 neurons and 3 fields: S has rank 2, and no rounding enters as a field
    net = network(QUADRATIC, widths=[2, 2], weight_variance=0.8, bias_variance=0.0)
    few, wide = (
        layers_of_draws(make(net, vectors(3, 5, seed=1), plain(3), seed=3, dtype=dtype), 300)
        for make in (conditional_few, conditional_wide)
    )
    for name in ("S", "z"):
        # not of every draw: where rows of S are nearly parallel, rounding decides which are kept
        assert np.quantile(np.abs(few[name] - wide[name]), 0.9) < typical


def test_the_number_of_fields_decides_which_body_is_used():
    net, inputs = network("relu", width=4, depth=1), vectors(FEW + 1, 3, seed=0)
    assert type(conditional(net, inputs, plain(FEW))) is ConditionalDraw
    assert type(conditional(net, inputs, plain(FEW + 1))) is ConditionalWideDraw


def test_64_inputs_of_rank_20_have_exact_moments_and_stay_in_their_span():
    x = np.random.default_rng(0).standard_normal((64, 20))
    x[40], x[50], x[51] = x[3], 0, x[1] + x[2]
    inputs, n = from_vectors(x, source="many"), 32
    fields = tuple(Slot(name) for name in inputs.names)
    net = network("linear", widths=[n, n], weight_variance=1.0, bias_variance=0.0)
    layers = layers_of_draws(conditional(net, inputs, fields, seed=1), 1024)
    G, S, z = inputs.gram(fields), layers["S"], layers["z"]
    a, b = np.array(pairs(64)).T
    assert np.allclose(S[:, 0], G[a, b], rtol=1e-12)
    # E S = G and, one layer on, Var S_ab = (G_aa G_bb + G_ab^2)/n
    assert np.abs(z_scores(S[:, 1:], G[a, b])).max() < 5.5  # of 4160 numbers
    variance = (G[a, a] * G[b, b] + G[a, b] ** 2) / n
    assert np.abs(z_scores((S[:, 1] - G[a, b]) ** 2, variance)).max() < 6  # skewed squares
    # duplicates to the last bit, zero exactly, and every linear relation of the inputs
    assert np.array_equal(z[..., 40], z[..., 3]) and not np.any(z[..., 50])
    assert np.abs(z[..., 51] - z[..., 1] - z[..., 2]).max() < 2e-5 * np.abs(z).max()
    neurons = z[:, -1].reshape(-1, 64)
    assert np.linalg.matrix_rank(neurons, tol=1e-4 * np.linalg.norm(neurons)) == 20


def test_duplicates_and_their_derivatives_stay_identical():
    x = vectors(5, 6, seed=2, directions=1)
    inputs = from_vectors(x.vectors[[0, 1, 1, 2, 3, 0]], x.direction_vectors, source="twins")
    fields = closure([Slot(name, ("u",)) for name in inputs.names])
    net = network("gelu", widths=[5, 4], weight_variance=1.5, bias_variance=0.2)
    draw = conditional(net, inputs, fields)
    assert len(fields) == 12 and max(draw.place) + 1 == 8
    layers = layers_of_draws(draw, 100)
    at = {slot: i for i, slot in enumerate(fields)}
    place = {pair: p for p, pair in enumerate(pairs(12))}
    S = lambda p, q: layers["S"][:, :, place[max(at[p], at[q]), min(at[p], at[q])]]
    for one, two in (("a", "f"), ("b", "c")):
        for d in ((), ("u",)):
            p, q = Slot(one, d), Slot(two, d)
            assert np.array_equal(layers["z"][..., at[p]], layers["z"][..., at[q]])
            assert np.array_equal(S(p, p), S(p, q)) and np.array_equal(S(p, p), S(q, q))
            assert np.array_equal(S(p, Slot("d")), S(q, Slot("d")))
        # z differs from its derivative, and inputs from one another
        assert not np.any(S(Slot(one), Slot(one)) == S(Slot(one), Slot(one, ("u",))))
    assert not np.any(layers["z"][:, 1:, :, at[A]] == layers["z"][:, 1:, :, at[B]])


def everything_seen(make):
    """(network, fields, layers) of a network all of whose hidden neurons are looked at."""
    inputs = vectors(4, 5, seed=4, directions=2)
    fields = closure([Slot("a", ("u", "v")), Slot("b", ("u", "u")), C, Slot("d", ("v",))])
    net = network("gelu", widths=[4, 4], weight_variance=1.7, bias_variance=0.2)
    draw = make(net, inputs, fields, seed=3, neurons=4, norms=True)
    return net, fields, layers_of_draws(draw, 50)


@pytest.mark.parametrize("make", [conditional_wide, SAMPLERS["dense"]], ids=["wide", "dense"])
def test_rows_are_sums_over_the_neurons_of_a_layer(make):
    net, fields, layers = everything_seen(make)
    z = layers["z"][:, :-1]  # hidden layers: (draws, L, n, F)
    assert len(fields) == 10
    assert np.allclose(layers["q"][:, :-1], np.mean(z**2, axis=2), rtol=1e-5)
    assert not np.any(layers["q"][:, -1])
    h = np.stack(features(fields, list(np.moveaxis(z, -1, 0)), net.activation.numpy), -1)
    S = 0.2 * np.array(bias_mask(fields)) + 1.7 / 4 * np.einsum("dlna,dlnb->dlab", h, h)
    a, b = np.array(pairs(len(fields))).T
    assert np.allclose(layers["S"][:, 1:], S[..., a, b], rtol=1e-4, atol=1e-5)


def test_norms_are_absent_unless_asked_for():
    net, inputs = network("relu", width=3, depth=1), vectors(1, 3, seed=1)
    for make in (*SAMPLERS.values(), conditional_wide):
        assert set(layers_of_draws(make(net, inputs, [A]), 2)) == {"S", "z"}


def test_norms_of_both_samplers_agree_in_law():
    inputs = vectors(2, 3, seed=2)
    net = network("relu", widths=[3, 2], weight_variance=1.7, bias_variance=0.2)
    first, second = (
        layers_of_draws(make(net, inputs, [A, B], seed=3, norms=True), 30_000)
        for make in SAMPLERS.values()
    )
    for power in (1, 2, 3):
        assert np.abs(two_sample_z(first["q"] ** power, second["q"] ** power)).max() < 5
    mixed = [x["q"][:, :, 0] * x["q"][:, :, 1] * x["S"][:, 1:2, 0] for x in (first, second)]
    assert np.abs(two_sample_z(*mixed)).max() < 5


def test_a_sweep_of_couplings_and_of_padded_widths_compiles_once():
    inputs = vectors(1, 3, seed=1)
    draws = [
        conditional_wide(network("relu", widths=w, weight_variance=c), inputs, [A], seed=s)
        for w, c, s in (([300, 200], 2.0, 0), ([129, 500], 1.0, 7))
    ]
    layers_of_draws(draws[0], 3)
    size = _batch._cache_size()
    layers_of_draws(draws[1], 3)
    assert _batch._cache_size() == size


def test_memory_of_64_inputs_is_bounded_as_said():
    draw = conditional_wide(network("relu", width=512, depth=8), vectors(64, 70, seed=1), plain(64))
    with jax.enable_x64(True):
        index = jnp.arange(16, dtype=jnp.uint32)
        used = _batch.lower(draw, index).compile().memory_analysis()
    # temporaries and results of 16 draws
    assert used.temp_size_in_bytes + used.output_size_in_bytes < 16 * draw.bytes_per_draw()


def test_square_roots_agree():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((4, 16))
    x = np.stack([x[0], x[1], x[0], 0 * x[0], x[2], x[0] + x[1], x[3], x[1] + 1e-4 * x[2]])
    S = x @ x.T / 16
    with jax.enable_x64(True):
        rows, rank = square_root([[jnp.float64(v) for v in row] for row in S])
        T = np.array(square_root_array(jnp.asarray(S)))
    expected = np.array(
        [[float(r[b]) if b <= a else 0.0 for b in range(8)] for a, r in enumerate(rows)]
    )
    assert int(rank) == 4
    assert np.abs(T - expected).max() < 1e-10
    assert np.array_equal(np.any(T, axis=0), np.any(expected, axis=0))
    assert np.abs(T @ T.T - S).max() <= 8 * TOLERANCE * np.abs(S).max()


@pytest.mark.parametrize("array", [False, True], ids=["scalars", "array"])
def test_square_roots_of_singular_sums_reproduce_them(array):
    # 2 neurons and 6 fields: four pivots are rounding, and must not divide rounding
    h = np.random.default_rng(0).standard_normal((100_000, 2, 6)).astype(np.float32)
    h = h.astype(np.float64)
    S = sum(h[:, j, :, None] * h[:, j, None, :] for j in (0, 1))
    with jax.enable_x64(True):
        if array:
            T = np.array(jax.jit(jax.vmap(square_root_array))(jnp.asarray(S)))
        else:
            rows = [[jnp.asarray(S[:, a, b]) for b in range(a + 1)] for a in range(6)]
            T = np.zeros_like(S)
            for a, row in enumerate(square_root(rows)[0]):
                T[:, a, : a + 1] = np.stack(row, -1)
    size = np.sqrt(np.einsum("daa,dbb->dab", S, S))
    error = np.abs(np.einsum("dac,dbc->dab", T, T) - S) / size
    assert error.max() < 1e-6 and error.mean() < 1e-12


def test_refusals():
    inputs = vectors(1, 3, seed=1, directions=2)
    with pytest.raises(ValueError, match="use sampler=dense"):
        conditional_wide(network("relu", width=3, depth=1, weights="uniform"), inputs, [A])
    with pytest.raises(ValueError, match="relu"):
        fields = closure([Slot("a", ("u", "v"))])
        conditional_wide(network("relu", width=3, depth=1), inputs, fields)
