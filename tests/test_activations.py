"""Activations: both array modules, derivatives, names, your own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from netsim.networks.activation import Activation
from netsim.networks.activations import activation, activation_names
from netsim.networks.critical import critical_couplings
from netsim.networks.network import network
from netsim.networks.own_activations import register_activation

NAMES = [
    "relu", "linear", "leaky_relu(0.1)", "slopes(1.5, -0.5)", "tanh", "erf", "sin", "gelu",
    "swish", "softplus", "polynomial([0.5, 1, -0.3, 0.2])",
]  # fmt: skip
EXACT = {
    "tanh": mpmath.tanh,
    "erf": mpmath.erf,
    "sin": mpmath.sin,
    "gelu": lambda x: x * mpmath.ncdf(x),
    "swish": lambda x: x / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}


@pytest.mark.parametrize("name", NAMES)
def test_numpy_and_jax_are_one_function(name):
    sigma = activation(name)
    x = np.linspace(-4.0, 4.0, 41) + 0.01
    with jax.enable_x64(True):
        for order in range(len(sigma.functions)):
            ours = np.asarray(sigma.jax(jnp.asarray(x), order))
            assert np.allclose(ours, sigma.numpy(x, order), rtol=1e-13, atol=1e-13)
            assert sigma.jax(jnp.asarray(x, jnp.float32), order).dtype == jnp.float32


@pytest.mark.parametrize("name", EXACT)
def test_values_and_derivatives_against_mpmath(name):
    sigma = activation(name)
    with mpmath.workdps(40):
        for x in (-3.3, -0.7, 0.2, 2.9):
            for order in range(4):
                exact = float(mpmath.diff(EXACT[name], mpmath.mpf(x), order))
                value = float(sigma.numpy(np.array(x), order))
                assert value == pytest.approx(exact, rel=1e-12, abs=1e-13)


def test_kinks_and_slopes():
    relu = activation("relu")
    assert relu.derivatives == 1 and relu.kinks == (0.0,) and relu.slopes == (1.0, 0.0)
    assert float(relu.numpy(np.array(0.0), 1)) == 0.0  # the convention ReLU'(0) = 0
    assert activation("leaky_relu").name == "leaky_relu(0.01)"
    assert activation("leaky_relu(.10)") == activation("leaky_relu(0.1)") != activation("relu")
    assert activation("linear").derivatives == float("inf")
    with pytest.raises(ValueError, match="order 2"):
        relu.numpy(np.zeros(1), 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rellu", "did you mean 'relu'"),
        ("relu(3)", "takes no parameters"),
        ("leaky_relu(x)", "numbers"),
        ("slopes(1)", "write it like"),
        ("slopes(0, 0)", "zero function"),
        ("slopes(1, nan)", "finite"),
        ("polynomial([1])", "degree >= 1"),
        ("__import__('os')", "not a name|unknown"),
        ("", "not a name"),
    ],
)
def test_bad_names(text, words):
    with pytest.raises(ValueError, match=words):
        activation(text)


def test_your_own():
    mish = register_activation(
        "test_mish", lambda x, xp: x * xp.tanh(xp.logaddexp(x, xp.zeros_like(x)))
    )
    assert "test_mish" in activation_names() and activation("test_mish") == mish
    assert mish.derivatives == 0
    # the same function again is the same activation; another function under its name is not
    again = register_activation("test_mish", lambda x, xp: x * xp.tanh(xp.log1p(xp.exp(x))))
    assert again == mish
    other = register_activation("test_mish", lambda x, xp: x * xp.tanh(x))
    assert other != mish and hash(other) != hash(mish)
    made = [
        network(sigma, width=2, depth=1, weight_variance=1, bias_variance=0).identity()
        for sigma in (mish, other)
    ]
    assert made[0]["activation"] != made[1]["activation"]


@pytest.mark.parametrize(
    ("functions", "options", "words"),
    [
        ((lambda x, xp: x * xp.exp(x * x * x),), {}, "grows faster|not finite|disagree"),
        ((lambda x, xp: x * x,), {}, "grows faster"),
        ((lambda x, xp: xp.sin(x), lambda x, xp: xp.sin(x)), {}, "not the derivative"),
        ((lambda x, xp: xp.sqrt(x),), {}, "not finite"),
        ((), {}, "at least the function"),
        ((lambda x, xp: xp.abs(x), lambda x, xp: xp.where(x > 0, 1.0, -1.0)), {}, None),
    ],
)
def test_what_you_say_of_your_own_is_checked(functions, options, words):
    with np.errstate(all="ignore"):
        if words is None:
            register_activation("test_own", *functions, kinks=(0.0,), **options)
        else:
            with pytest.raises(ValueError, match=words):
                register_activation("test_own", *functions, **options)
    with pytest.raises(ValueError, match="built in"):
        register_activation("relu", lambda x, xp: x)


def test_critical_couplings():
    assert critical_couplings(activation("relu")) == (0.0, 2.0, None)
    assert critical_couplings(activation("slopes(1, -1)")) == (0.0, 1.0, None)
    assert critical_couplings(activation("sin")) == (0.0, 1.0, 0.0)
    with pytest.raises(ValueError, match="no critical point is known for softplus"):
        critical_couplings(activation("softplus"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": 0, "depth": 1}, "width=0"),
        ({"width": -3, "depth": 1}, "width=-3"),
        ({"width": 2.5, "depth": 1}, "whole number"),
        ({"width": 3, "depth": 0}, "depth=0"),
        ({"width": 3}, "give width and depth"),
        ({"width": 3, "depth": 1, "widths": [3]}, "give either"),
        ({"widths": []}, "at least one"),
        ({"widths": [3, 0]}, "width in widths=0"),
        ({"width": 3, "depth": 1, "weight_variance": -1}, "weight_variance=-1"),
        ({"width": 3, "depth": 1, "weight_variance": 0}, "> 0"),
        ({"width": 3, "depth": 1, "bias_variance": float("nan")}, "finite"),
        ({"width": 3, "depth": 2, "bias_variance": [0, 1]}, "depth\\+1 = 3"),
        ({"width": 3, "depth": 1, "weights": "cauchy"}, "unknown weight law"),
        ({"width": 3, "depth": 1, "outputs": 0}, "outputs=0"),
    ],
)
def test_bad_networks(options, words):
    with pytest.raises(ValueError, match=words):
        network("relu", **options)


def test_functions_that_an_activation_may_use_agree_everywhere():
    """relu6 by its limits: one formula for NumPy, JAX and high precision."""

    def relu6(x, xp):
        return xp.minimum(xp.maximum(x, 0.0), 6.0) + 0 * xp.clip(x, 0.0, 6.0) * xp.sign(x)

    sigma = Activation("relu6_of_these_tests", (relu6,), 0, 0.0, (0.0, 6.0))
    x = np.linspace(-2, 8, 41)
    with jax.enable_x64(True):
        found = np.asarray(sigma.jax(jnp.asarray(x)))
    assert np.allclose(sigma.numpy(x), np.clip(x, 0, 6)) and np.allclose(found, np.clip(x, 0, 6))
