"""Kernels of gradients carried by the dense sampler: against autodiff, and in what they leave alone."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import layers_of_draws, two_sample_z, vectors, z_scores
from netsim.networks.network import network
from netsim.networks.parameter_blocks import block_rates
from netsim.quantities import Slot
from netsim.samplers.dense import BIASES, WEIGHTS, dense
from netsim.samplers.rng import layer_key
from netsim.samplers.tangent import Step, gradients
from netsim.samplers.tangent_plan import Bend, Tangent

FIELDS = (Slot("a"), Slot("b"), Slot("c"))
WIDTHS, DRAW, N_0 = (3, 5, 4), 5, 6
INPUTS = vectors(3, N_0, seed=11, directions=1)
TANGENTS = (
    Tangent(0, 0), Tangent(0, 1), Tangent(1, 2), Tangent(2, 2), Tangent(0, 0, 1), Tangent(1, 1, 2),
    Tangent(0, 2, 4),
)  # fmt: skip
BENDS = (Bend((1, 0, 2)), Bend((2, 1, 1)))


def _net(name, weights="gaussian", widths=WIDTHS):
    return network(name, widths=widths, weight_variance=1.3, bias_variance=0.2, weights=weights)


@cache
def _parameters(weights):
    """[(W, b)] of draw `DRAW`, float64, from the sampler's own products with unit vectors."""
    net = _net("linear", weights)
    with jax.enable_x64(True):
        draw = dense(net, INPUTS, FIELDS, seed=3, dtype="float64")
        seed = tuple(jnp.asarray(word) for word in draw.seed)
        index, found = jnp.uint32(DRAW), []
        sizes = [N_0, *WIDTHS, 2]

        @jax.jit
        def layer(l, n, n_out):
            unit = jnp.diag((jnp.arange(8, dtype=jnp.int32) < n).astype(jnp.float64))
            W = draw._product(layer_key(seed, l, WEIGHTS), index, unit, (n_out, n))
            return W, draw._biases(layer_key(seed, l, BIASES), index, draw._rows)

        for l, (n, n_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), 1):
            W, b = layer(jnp.uint32(l), jnp.int32(n), jnp.int32(n_out))
            W, b = np.array(W[:n_out, :n]), np.array(b[:n_out])
            found.append((np.sqrt(1.3 / n) * W, np.sqrt(0.2) * b))
    return found


def _output(sigma, parameters, x):
    z = parameters[0][0] @ x + parameters[0][1]
    for W, b in parameters[1:]:
        z = W @ sigma.jax(z) + b
    return z


def _jacobians(sigma, parameters):
    """Per input: (z, [(dz/dW, dz/db)]) of the two outputs, by reverse mode."""

    @jax.jit
    def one(parameters, x):
        z, back = jax.vjp(lambda p: _output(sigma, p, x), parameters)
        return z, jax.vmap(lambda unit: back(unit)[0])(jnp.eye(2))

    return [jax.tree.map(np.asarray, one(parameters, x)) for x in np.array(INPUTS.vectors)]


def _kernel(first, second, rates):
    """sum_mu rate_mu dz_i dz_j, (2, 2)."""
    H = np.zeros((2, 2))
    sizes = (N_0, *WIDTHS)
    for l, ((W, b), (V, c)) in enumerate(zip(first, second, strict=True)):
        H += float(rates[0][l]) / sizes[l] * np.einsum("imn,jmn->ij", W, V)
        H += float(rates[1][l]) * np.einsum("im,jm->ij", b, c)
    return H


def _drawn(net, **options):
    draw = dense(net, INPUTS, FIELDS, seed=3, dtype="float64", **options)
    return {k: v[0] for k, v in layers_of_draws(draw, 1, DRAW).items()}


def _check_kernels(net, weights, H):
    """H (tangents, 2, 2) of the outputs against reverse mode."""
    jacobians = _jacobians(net.activation, _parameters(weights))
    for place, t in enumerate(TANGENTS):
        rates = block_rates(net, N_0, t.block)
        expected = _kernel(jacobians[t.first][1], jacobians[t.second][1], rates)
        np.testing.assert_allclose(H[place], expected, rtol=1e-10, atol=1e-12)
    return jacobians


def _check_bends(net, jacobians, dH):
    """dH (bends, 2, 2, 2) of the outputs against second derivatives."""
    weight, bias = block_rates(net, N_0, None)
    sizes = (N_0, *WIDTHS)
    parameters = jax.tree.map(jnp.asarray, _parameters("gaussian"))

    def step(a, i):
        """The gradient of z_i;a times the rates."""
        return [
            (jnp.asarray(weight[l] / sizes[l] * W[i]), jnp.asarray(bias[l] * b[i]))
            for l, (W, b) in enumerate(jacobians[a][1])
        ]

    for place, bend in enumerate(BENDS):
        a, b, c = bend.inputs
        x = jnp.asarray(INPUTS.vectors[a])
        output = lambda p, x=x: _output(net.activation, p, x)
        for j, k in ((0, 0), (0, 1)):
            u = step(b, j)
            along = lambda p, u=u, f=output: jax.jvp(f, (p,), (u,))[1]
            expected = jax.jvp(along, (parameters,), (step(c, k),))[1]
            np.testing.assert_allclose(dH[place][:, j, k], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_sampler(weights):
    """The kernels that a draw returns are those of the network that it draws."""
    net = _net("softplus", weights)
    bends = BENDS if weights == "gaussian" else ()
    found = _drawn(net, tangents=TANGENTS, bends=bends)
    with jax.enable_x64(True):
        jacobians = _check_kernels(net, weights, found["H"][-1])
        if bends:
            _check_bends(net, jacobians, found["dH"][-1])
    for place, (z, _) in enumerate(jacobians):
        np.testing.assert_allclose(found["z"][-1, :, place], z, rtol=1e-11)


@pytest.mark.parametrize(
    "name",
    [
        "erf", "gelu", "linear", "relu", "sin", "softplus", "swish", "tanh", "leaky_relu(0.2)",
        "slopes(1.2, -0.4)", "polynomial([0.1, 1, 0.3])",
    ],
)  # fmt: skip
def test_recursion(name):
    """The recursion alone, layers of unequal width unpadded, for every activation."""
    net = _net(name)
    with jax.enable_x64(True):
        bends = BENDS if name in ("tanh", "relu") else ()
        carrier = gradients(net, N_0, [True] * 3, TANGENTS, bends)
        x, sizes = jnp.asarray(INPUTS.vectors), (*WIDTHS, 2)
        carried = carrier.start(x @ x.T / N_0, sizes[0], "float64")
        parameters = _parameters("gaussian")
        y = jnp.asarray(parameters[0][0]) @ x.T + parameters[0][1][:, None]
        for l, n in enumerate(WIDTHS, 1):
            W, b = (jnp.asarray(part) for part in parameters[l])
            h = net.activation.jax(y)
            slopes = carrier.slopes(y, net.activation, jnp.ones((n, 1), bool))
            given = Step(W, h, *slopes, h.T @ h / n, jnp.asarray(float(n)))
            rates = (carrier.weight_rates[l], carrier.bias_rates[l])
            carried = carrier.step(carried, given, rates)
            y = W @ h + b[:, None]
        jacobians = _check_kernels(net, "gaussian", carried[0])
        if bends:
            _check_bends(net, jacobians, carried[1])


def test_other_columns_are_bit_equal():
    net = _net("tanh", widths=(6, 6))
    fields = (Slot("a"), Slot("a", ("u",)), Slot("b"))
    plain = dense(net, INPUTS, fields, norms=True)
    with_kernels = dense(
        net, INPUTS, fields, norms=True,
        tangents=(Tangent(0, 2), Tangent(0, 0, 2)), bends=(Bend((0, 0, 0)),),
    )  # fmt: skip
    few, more = layers_of_draws(plain, 40), layers_of_draws(with_kernels, 40)
    assert set(few) == {"S", "z", "q"} and set(more) == {"S", "z", "q", "H", "dH"}
    assert all(np.array_equal(few[key], more[key]) for key in few)


def _shapes(jaxpr) -> set[tuple[int, ...]]:
    found = set()
    for equation in jaxpr.eqns:
        found |= {v.aval.shape for v in equation.outvars}
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", None)
            if inner is not None:
                found |= _shapes(getattr(inner, "jaxpr", inner))
    return found


def test_plain_runs_hold_no_matrices():
    """No array over pairs of neurons, drawn or carried, unless kernels are asked for."""
    net = _net("tanh", widths=(7, 7))
    with jax.enable_x64(True):
        trace = jax.make_jaxpr(lambda draw, index: draw(index))
        plain = _shapes(trace(dense(net, INPUTS, FIELDS), jnp.uint32(0)).jaxpr)
        asked = dense(net, INPUTS, FIELDS, tangents=(Tangent(0, 0),))
        carried = _shapes(trace(asked, jnp.uint32(0)).jaxpr)
    pairs = lambda shapes: {shape for shape in shapes if shape.count(7) >= 2}
    assert pairs(carried) and not pairs(plain)


def test_blocks_add_up_to_the_kernel():
    """Without biases H = sum_k (C_W/n_{k-1}) (Gram matrix of the gradients by W^(k)), every layer."""
    net = network("tanh", widths=WIDTHS, weight_variance=1.7, bias_variance=0)
    blocks = tuple(Tangent(0, 1, k) for k in (1, 2, 3, 4))
    draw = dense(net, INPUTS, FIELDS, tangents=(Tangent(0, 1), *blocks), neurons=3)
    H = layers_of_draws(draw, 64)["H"]
    total = np.einsum("dlkij,k->dlij", H[:, :, 1:], 1.7 / np.array([N_0, *WIDTHS]))
    np.testing.assert_allclose(H[:, :, 0], total, rtol=1e-4, atol=1e-5)
    # neurons of layer l do not depend on W^(k), k > l
    assert all(not np.any(H[:, l - 1, k]) for k in (2, 3, 4) for l in range(1, k))


def test_neurons_are_interchangeable():
    net = _net("relu", widths=(6, 6))
    draw = dense(net, INPUTS, FIELDS, tangents=(Tangent(0, 0), Tangent(0, 1)), neurons=3, seed=7)
    H = layers_of_draws(draw, 20_000)["H"]
    np.testing.assert_allclose(H[:, :, 0], np.swapaxes(H[:, :, 0], 2, 3), rtol=1e-4, atol=1e-4)
    for power in (1, 2):
        own, other = H[:10_000, 1:] ** power, H[10_000:, 1:] ** power
        for (i, j), (k, m) in (((0, 0), (2, 2)), ((0, 1), (2, 0)), ((0, 1), (1, 0))):
            assert np.all(np.abs(two_sample_z(own[..., i, j], other[..., k, m])) < 5)
    assert np.all(np.abs(z_scores(H[:, 1:, :, 0, 1], 0.0)) < 5)
    assert not np.any(H[:, 0, :, 0, 1])
