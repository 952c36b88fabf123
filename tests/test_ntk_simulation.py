"""The NTK of one input against automatic differentiation of small dense networks."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from netsim.networks.network import network
from netsim.theory.ntk.exact import ntk_exact
from netsim.theory.ntk.first_order import ntk_first_order


def _net(name, widths, C_W, C_b):
    return network(name, widths=widths, weight_variance=C_W, bias_variance=C_b)


def _simulate(net, x, rates, draws, seed):
    """z, H, (dH_011, dH_001) of two outputs of a dense network by automatic differentiation."""
    rng = np.random.default_rng(seed)
    sizes = [len(x), *net.widths, 2]
    parameters = []
    for l, (fan_in, fan_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        scale, bias = math.sqrt(net.weight_variance[l] / fan_in), math.sqrt(net.bias_variance[l])
        W = scale * rng.standard_normal((draws, fan_out, fan_in))
        b = bias * rng.standard_normal((draws, fan_out))
        parameters.append((W, b))
    rate = [(rates[0][l] / sizes[l], rates[1][l]) for l in range(len(net.widths) + 1)]

    def output(p):
        z = p[0][0] @ x + p[0][1]
        for W, b in p[1:]:
            z = W @ net.activation.jax(z) + b
        return z

    def along(f, p, u):
        return jax.jvp(f, (p,), (u,))[1]

    def one(p):
        gradients = [jax.grad(lambda q, i=i: output(q)[i])(p) for i in (0, 1)]
        u, v = (jax.tree.map(lambda r, g: r * g, rate, g) for g in gradients)
        bend = lambda a, b: along(lambda q: along(output, q, a)[0], p, b)
        H = jnp.stack([along(output, p, u), along(output, p, v)])
        return output(p), H, (bend(v, v), bend(u, v))

    with jax.enable_x64(True):
        x = jnp.asarray(x)
        draw = jax.jit(jax.vmap(one))
        return jax.tree.map(np.asarray, draw(jax.tree.map(jnp.asarray, parameters)))


def _z_scores(found, z, H, bends):
    """Of every quantity that `found` has."""
    K, mean = found.K[-1], found.H[-1]
    h = H - mean * np.eye(2)
    sample = {
        "K": z[:, 0] ** 2, "H": H[:, 0, 0], "V": (z[:, 0] * z[:, 1]) ** 2 - K**2,
        "D": (z[:, 0] ** 2 - K) * h[:, 1, 1], "A": h[:, 0, 0] * h[:, 1, 1], "B": H[:, 0, 1] ** 2,
        "F": z[:, 0] * z[:, 1] * H[:, 0, 1], "variance": h[:, 0, 0] ** 2,
        "P": bends[0] * z[:, 0], "Q": bends[1] * z[:, 1],
    }  # fmt: skip
    scores = {}
    for key in [key for key in sample if hasattr(found, key)]:
        error = sample[key].std() / math.sqrt(len(z))
        scores[key] = (sample[key].mean() - getattr(found, key)[-1]) / error
    return scores


@pytest.mark.parametrize("name", ["tanh", "softplus"])
def test_one_hidden_layer_is_exact_at_first_order(name):
    """The first layer does not fluctuate, so nothing of order 1/n^2 is left out."""
    net = _net(name, [5], [1.2, 1.6], [0.2, 0.3])
    x, rates = np.array([1.0, -0.4, 0.7]), ([0.5, 0.8], [0.4, 0.6])
    found = ntk_first_order(net, float(np.mean(x**2)), *rates)
    scores = _z_scores(found, *_simulate(net, x, rates, 40_000, seed=7))
    assert len(scores) == 10
    assert all(abs(score) < 5 for score in scores.values()), scores


@pytest.mark.parametrize(
    ("name", "widths", "C_b", "bias"),
    [
        ("relu", [8, 12], 0.3, 0.4),
        ("linear", [12, 8], 0.2, 0.4),
        ("slopes(1.3, -0.5)", [8, 8], 0.0, 0.0),
        ("relu", [2, 2, 2], 0.0, 0.8),  # often silent, with biases that learn
    ],
)
def test_simulation(name, widths, C_b, bias):
    net = _net(name, widths, 1.1, C_b)
    x, L = np.array([1.0, -0.4, 0.7]), len(widths)
    rates = [0.5 + 0.3 * l for l in range(L + 1)], [bias] * (L + 1)
    found = ntk_exact(net, float(np.mean(x**2)), *rates)
    scores = _z_scores(found, *_simulate(net, x, rates, 20_000, seed=sum(widths)))
    assert len(scores) == 8
    assert all(abs(score) < 5 for score in scores.values()), scores
