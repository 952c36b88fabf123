"""Haar orthogonal weight matrices: exact orthogonality, Haar moments, conserved norms, refusals."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import netsim
from helpers import layers_of_draws, vectors, z_scores
from netsim.experiment.experiment import experiment
from netsim.networks.inputs import from_vectors
from netsim.networks.network import network
from netsim.networks.weights import weight_law
from netsim.quantities import Slot
from netsim.samplers.dense import dense
from netsim.samplers.orthogonal import orthogonal_product
from netsim.samplers.rng import normal_pair, seed_words

A, B = Slot("a"), Slot("b")
KEY = tuple(jnp.uint32(w) for w in seed_words(3))
SIZE = 9
TRACES: list[str] = []


@jax.jit
def _apply(index, h, columns, rows):
    TRACES.append(str(h.dtype))
    product = lambda i: orthogonal_product(KEY, i, h, columns, rows)
    return jax.vmap(product)(index)


def matrices(rows: int, columns: int, count: int = 1, dtype: str = "float64") -> np.ndarray:
    """(count, rows, columns): Q of `count` draws; sizes are padded to SIZE."""
    with jax.enable_x64(True):
        h = jnp.eye(SIZE, dtype=dtype) * (jnp.arange(SIZE) < columns)[:, None].astype(dtype)
        index = jnp.arange(count, dtype=jnp.uint32)
        w = np.asarray(_apply(index, h, jnp.int32(columns), jnp.int32(rows)), float)
    assert not np.any(w[:, rows:]) and not np.any(w[:, :, columns:])
    return w[:, :rows, :columns] / np.sqrt(max(rows, columns))


SHAPES = [(1, 1), (2, 2), (6, 6), (9, 9), (4, 6), (6, 4), (1, 5), (5, 1), (3, 9), (8, 7)]


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_rows_or_columns_are_orthonormal(rows, columns):
    before = len(TRACES)
    for dtype, tolerance in (("float64", 3e-15), ("float32", 2e-6)):
        Q = matrices(rows, columns, 3, dtype)
        flat = Q if rows <= columns else Q.transpose(0, 2, 1)
        short = min(rows, columns)
        assert np.abs(flat @ flat.transpose(0, 2, 1) - np.eye(short)).max() < tolerance
        square = matrices(max(rows, columns), max(rows, columns), 3, dtype)
        assert np.abs(flat - square[:, :short]).max() < tolerance
    assert len(TRACES) <= before + 2  # one compilation a precision serves every shape


def normals(m: int) -> np.ndarray:
    """(m, m): v_k in column k, its entries k..m-1, of draw 0 in float64."""
    with jax.enable_x64(True):
        half = (m + 1) // 2
        place = np.arange(m)[:, None] * half + np.arange(half)[None, :]
        pair = normal_pair(KEY, jnp.uint32(0), jnp.asarray(place, jnp.uint32), "float64")
        return np.stack([np.asarray(g) for g in pair], -1).reshape(m, 2 * half)[:, :m]


@pytest.mark.parametrize("m", [1, 2, 5, 8])
def test_it_is_the_q_of_a_gaussian_matrix(m):
    # full matrices G_k without masks; column k of A is G_0 ... G_{k-1} (c_k, v_k), c_k what R has
    # above its diagonal: the QR of A with a positive diagonal of R then has Q = G_0 ... G_{m-1}
    v, Q = normals(m), np.eye(m)
    A = np.empty((m, m))
    c = np.random.default_rng(0).standard_normal((m, m))
    for k in range(m):
        A[:, k] = Q @ np.append(c[:k, k], v[k:, k])
        x, e = v[k:, k] / np.linalg.norm(v[k:, k]), np.eye(m - k)[0]
        s = -1.0 if x[0] < 0 else 1.0
        u = (x + s * e) / np.linalg.norm(x + s * e)
        G = np.eye(m)
        G[k:, k:] = -s * (np.eye(m - k) - 2 * np.outer(u, u))
        assert np.allclose(G[k:, k], x, atol=1e-14)  # it takes e_k to v_k/|v_k|
        Q = Q @ G
    q, r = np.linalg.qr(A)
    assert np.abs(q * np.sign(np.diag(r)) - Q).max() < 1e-12
    assert np.abs(matrices(m, m)[0].T - Q).max() < 1e-14


def test_haar_moments():
    # E Q_11^2k of the Beta law; the pair moments of O(m); traces (Diaconis, Shahshahani 1994):
    # E (tr Q)^2 = 1, E (tr Q)^4 = 3 for m >= 4, E tr Q^2 = 1; both determinants
    m = 4
    Q = matrices(m, m, 40_000, "float32")
    i, j = (0, 1, 3, 2), (2, 0, 3, 1)
    for k in (1, 2, 3):
        expected = float(weight_law("orthogonal").moment(2 * k, size=m)) / m**k
        assert np.abs(z_scores(Q ** (2 * k), expected)).max() < 5
        assert np.abs(z_scores(Q ** (2 * k - 1), 0.0)).max() < 5
    one, two = Q[:, i, j], Q[:, np.roll(i, 1), np.roll(j, 1)]  # other row and other column
    row = Q[:, i, np.roll(j, 1)]
    assert np.abs(z_scores(one**2 * row**2, 1 / (m * (m + 2)))).max() < 5
    expected = (m + 1) / (m * (m - 1) * (m + 2))
    assert np.abs(z_scores(one**2 * two**2, expected)).max() < 5
    loop = Q[:, 0, 0] * Q[:, 0, 1] * Q[:, 1, 0] * Q[:, 1, 1]
    assert abs(z_scores(loop, -1 / (m * (m - 1) * (m + 2)))) < 5
    trace, square = np.trace(Q, axis1=1, axis2=2), np.trace(Q @ Q, axis1=1, axis2=2)
    for sample, value in ((trace, 0), (trace**2, 1), (trace**4, 3), (square, 1)):
        assert abs(z_scores(sample, value)) < 5
    sign = np.linalg.det(Q)
    assert np.allclose(np.abs(sign), 1, atol=1e-5) and abs(z_scores(sign, 0.0)) < 5
    # uniform matrices of the same second moments are refused
    assert abs(z_scores(loop, 0.0)) > 5 and abs(z_scores(Q[:, 0, 0] ** 4, 3 / m**2)) > 5


def test_one_by_one_is_a_sign():
    Q = matrices(1, 1, 4000, "float32")[:, 0, 0]
    assert np.abs(np.abs(Q) - 1).max() < 5e-7 and abs(np.sum(np.sign(Q))) < 5 * np.sqrt(len(Q))


# --- networks ------------------------------------------------------------------------------------


def linear(widths, weight_variance=1.0, outputs=2):
    return network("linear", widths=widths, weight_variance=weight_variance, bias_variance=0.0,
                   outputs=outputs, weights="orthogonal")  # fmt: skip


def test_deep_linear_networks_keep_norms_and_angles():
    # square layers; wider ones keep |z|^2/n too, with columns orthonormal; overlaps with C_W^l
    inputs = vectors(2, 8, seed=1)
    for widths, C_W in (([8] * 16, 1.0), ([8, 9, 9, 12] + [12] * 12, 1.3)):
        draw = dense(linear(widths, C_W), inputs, [A, B], seed=2, norms=True)
        layers = layers_of_draws(draw, 50)
        G = inputs.gram([A, B])[np.tril_indices(2)]
        power = C_W ** np.arange(1, len(widths) + 2)[:, None]
        assert np.abs(layers["S"] / power / G - 1).max() < 1e-5
        assert np.abs(layers["q"][:, :-1] / power[:-1] - 1).max() < 3e-6
        assert layers["z"].std(axis=0).min() > 0.1


def test_narrowing_and_widening_layers_have_their_exact_moments():
    # |z|^2 of the first r of c coordinates: q = C_W K (c/r) Beta(r/2, (c-r)/2), then kept; outputs
    # wider than the last layer are a corner of O(outputs)
    r, c, out = 3, 7, 5
    x = np.arange(1.0, c + 1)
    K = np.mean(x**2)
    draw = dense(linear([r], outputs=out), from_vectors([x], source="x"), [A], seed=5, norms=True)
    layers = layers_of_draws(draw, 40_000)
    q, z = layers["q"][:, 0, 0] / K, layers["z"][..., 0] / np.sqrt(K)
    second = c * (r + 2) / (r * (c + 2))
    assert abs(z_scores(q, 1.0)) < 5 and abs(z_scores(q**2, second)) < 5
    assert np.allclose(layers["S"][:, 1, 0], q * K, rtol=1e-5)
    # z = sqrt(m/fan_in) |h| e with e a uniform direction in R^m, and |h|^2 = fan_in q of before
    for row, m, fourth in ((0, c, 1.0), (1, out, second)):
        scale = fourth * m**2 / (m * (m + 2))  # E q^2 m^2 E e_1^2 e_2^2
        assert np.abs(z_scores(z[:, row] ** 2, 1.0)).max() < 5
        assert np.abs(z_scores(z[:, row] ** 4, 3 * scale)).max() < 5
        assert abs(z_scores(z[:, row, 0] ** 2 * z[:, row, 1] ** 2, scale)) < 5


def test_a_matrix_depends_on_its_draw_layer_and_shape_alone():
    # not on depth, other widths (padding) or the inputs; an output layer is the first rows
    inputs = vectors(2, 3, seed=1)
    make = lambda widths, fields: dense(
        network("tanh", widths=widths, weights="orthogonal"), inputs, fields, seed=9
    )
    short = layers_of_draws(make([5, 6], [A, B]), 12)
    deep = layers_of_draws(make([5, 6, 4, 9], [A]), 7, first=5)
    assert np.allclose(short["z"][5:, ..., :1], deep["z"][:, :3], rtol=1e-5, atol=1e-6)
    assert np.allclose(short["S"][5:, :, :1], deep["S"][:, :3], rtol=1e-5, atol=1e-6)


def test_derivatives_and_twins_go_through_the_same_matrix():
    x = np.array([1.0, -2.0, 0.5])
    twins = from_vectors([x, x, 0 * x], [[0.0, 1.0, 0.0]], source="twins")
    fields = [A, Slot("a", ("u",)), B, Slot("c")]
    z = layers_of_draws(dense(linear([4, 3]), twins, fields, seed=1), 20)["z"]
    assert np.array_equal(z[..., 0], z[..., 2]) and not np.any(z[..., 3])
    moved = from_vectors([x + [0.0, 1.0, 0.0], 0 * x, x], [[0.0, 1.0, 0.0]], source="moved")
    other = layers_of_draws(dense(linear([4, 3]), moved, fields, seed=1), 20)["z"]
    assert np.allclose(other[..., 0], z[..., 0] + z[..., 1], atol=1e-5)  # linear in x


def test_only_the_infinite_width_limit_is_predicted():
    net = network("relu", width=8, depth=2, weights="orthogonal")
    frame = netsim.predict(net, netsim.inputs("single", norm2=1), ["kappa2", "cum[qa]"])
    assert set(frame["source"]) == {"theory:infinite_width"}


def test_neurons_that_a_layer_does_not_have_are_refused():
    netsim.observable("both_neurons", neurons=2, inputs=1)(lambda z: z[0, 0] * z[1, 0])
    inputs = netsim.inputs("single", norm2=1)
    make = lambda width, outputs: network(
        "relu", width=width, depth=1, outputs=outputs, weights="orthogonal"
    )
    for width, outputs, layer in ((1, 2, 1), (2, 3, 1)):
        with pytest.raises(ValueError, match=f"but layer {layer} has {width}"):
            texts = ["cum[z1a^2 z2a^2]@1" if width == 1 else "cum[z1a z2a z3a^2]@1"]
            experiment(make(width, outputs), inputs, texts, sampler="dense")
    experiment(make(1, 2), inputs, ["kappa4"], sampler="dense")
    # the layers asked for count: of widths 1 and 8 layer 2 and the output have neuron 2
    net = network("relu", widths=[1, 8], outputs=2, weights="orthogonal")
    ask = lambda text: experiment(net, inputs, [text], sampler="dense")
    ask("cum[z1a^2 z2a^2]@out")
    ask("cum[z1a^2 z2a^2]")  # layers 2 and 3
    for text in ("mom[z1a^2 z2a^2]@1", "mom[{both_neurons}a]@1"):
        with pytest.raises(ValueError, match="looks at neuron 2, but layer 1 has 1"):
            ask(text)
    ask("mom[{both_neurons}a]@2")
    with pytest.raises(ValueError, match="conditional sampler needs gaussian weights"):
        experiment(make(4, 2), inputs, ["kappa4"])
