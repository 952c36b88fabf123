"""The built-in activations: each with its derivatives to third order, or as many as exist."""

from __future__ import annotations

import math
from collections.abc import Callable

from netsim.networks.activation import Activation, Function

__all__ = ["FAMILIES", "SIMPLE"]

_SQRT_2 = math.sqrt(2.0)
_PHI_0 = 1.0 / math.sqrt(2.0 * math.pi)  # normal density at 0


def _normal_density(x, xp):
    return _PHI_0 * xp.exp(-0.5 * x * x)


def _normal_cdf(x, xp):
    return 0.5 * (1.0 + xp.erf(x / _SQRT_2))


def _slopes(a_plus: float, a_minus: float, name: str) -> Activation:
    if not (math.isfinite(a_plus) and math.isfinite(a_minus)):
        raise ValueError(f"slopes({a_plus}, {a_minus}): both slopes must be finite numbers")
    if a_plus == a_minus == 0:
        raise ValueError("slopes(0, 0) is the zero function; give at least one non-zero slope")
    # sigma'(0) = a_-: for ReLU this is the convention ReLU'(0) = 0
    f0 = lambda x, xp: xp.where(x > 0, a_plus * x, a_minus * x)
    f1 = lambda x, xp: xp.where(x > 0, a_plus * xp.ones_like(x), a_minus * xp.ones_like(x))
    if a_plus == a_minus:
        f0 = lambda x, xp: a_plus * x
        f1 = lambda x, xp: a_plus * xp.ones_like(x)
        f2 = lambda x, xp: xp.zeros_like(x)
        return Activation(name, (f0, f1, f2, f2), math.inf, 1.0, (), (a_plus, a_plus))
    return Activation(name, (f0, f1), 1, 1.0, (0.0,), (a_plus, a_minus))


def _relu() -> Activation:
    f0 = lambda x, xp: xp.where(x > 0, x, xp.zeros_like(x))
    f1 = lambda x, xp: xp.where(x > 0, xp.ones_like(x), xp.zeros_like(x))
    return Activation("relu", (f0, f1), 1, 1.0, (0.0,), (1.0, 0.0))


def _tanh() -> Activation:
    def f1(x, xp):
        t = xp.tanh(x)
        return 1.0 - t * t

    def f2(x, xp):
        t = xp.tanh(x)
        return -2.0 * t * (1.0 - t * t)

    def f3(x, xp):
        t = xp.tanh(x)
        return (1.0 - t * t) * (6.0 * t * t - 2.0)

    f0 = lambda x, xp: xp.tanh(x)
    return Activation("tanh", (f0, f1, f2, f3), growth=0.0, pole=math.pi / 2)


def _erf() -> Activation:
    c = 2.0 / math.sqrt(math.pi)
    f0 = lambda x, xp: xp.erf(x)
    f1 = lambda x, xp: c * xp.exp(-x * x)
    f2 = lambda x, xp: -2.0 * c * x * xp.exp(-x * x)
    f3 = lambda x, xp: c * (4.0 * x * x - 2.0) * xp.exp(-x * x)
    return Activation("erf", (f0, f1, f2, f3), growth=0.0)


def _sin() -> Activation:
    f0 = lambda x, xp: xp.sin(x)
    f1 = lambda x, xp: xp.cos(x)
    f2 = lambda x, xp: -xp.sin(x)
    f3 = lambda x, xp: -xp.cos(x)
    return Activation("sin", (f0, f1, f2, f3), growth=0.0)


def _gelu() -> Activation:
    f0 = lambda x, xp: x * _normal_cdf(x, xp)
    f1 = lambda x, xp: _normal_cdf(x, xp) + x * _normal_density(x, xp)
    f2 = lambda x, xp: (2.0 - x * x) * _normal_density(x, xp)
    f3 = lambda x, xp: (x * x * x - 4.0 * x) * _normal_density(x, xp)
    return Activation("gelu", (f0, f1, f2, f3))


def _swish() -> Activation:
    def f1(x, xp):
        s = xp.expit(x)
        return s + x * s * (1.0 - s)

    def f2(x, xp):
        s = xp.expit(x)
        d = s * (1.0 - s)
        return 2.0 * d + x * d * (1.0 - 2.0 * s)

    def f3(x, xp):
        s = xp.expit(x)
        d = s * (1.0 - s)
        return 3.0 * d * (1.0 - 2.0 * s) + x * d * (1.0 - 6.0 * s + 6.0 * s * s)

    f0 = lambda x, xp: x * xp.expit(x)
    return Activation("swish", (f0, f1, f2, f3), pole=math.pi)


def _softplus() -> Activation:
    def f2(x, xp):
        s = xp.expit(x)
        return s * (1.0 - s)

    def f3(x, xp):
        s = xp.expit(x)
        return s * (1.0 - s) * (1.0 - 2.0 * s)

    f0 = lambda x, xp: xp.logaddexp(x, xp.zeros_like(x))
    f1 = lambda x, xp: xp.expit(x)
    return Activation("softplus", (f0, f1, f2, f3), pole=math.pi)


def _polynomial(*coefficients: float) -> Activation:
    c = [float(v) for v in coefficients]
    while len(c) > 1 and c[-1] == 0.0:
        c.pop()
    if len(c) < 2 or not all(math.isfinite(v) for v in c):
        raise ValueError(
            f"polynomial({coefficients}): give finite coefficients [c0, c1, ...] of degree >= 1"
        )

    def derivative(order: int) -> Function:
        d = c
        for _ in range(order):
            d = [k * v for k, v in enumerate(d)][1:] or [0.0]

        def f(x, xp):
            y = d[-1] * xp.ones_like(x)
            for v in reversed(d[:-1]):
                y = y * x + v
            return y

        return f

    name = "polynomial([" + ", ".join(repr(v) for v in c) + "])"
    return Activation(name, tuple(derivative(k) for k in range(4)), growth=float(len(c) - 1))


SIMPLE: dict[str, Callable[[], Activation]] = {
    "relu": _relu,
    "linear": lambda: _slopes(1.0, 1.0, "linear"),
    "tanh": _tanh,
    "erf": _erf,
    "sin": _sin,
    "gelu": _gelu,
    "swish": _swish,
    "softplus": _softplus,
}
FAMILIES: dict[str, Callable[..., Activation]] = {
    "leaky_relu": lambda a=0.01: _slopes(1.0, a, f"leaky_relu({a!r})"),
    "slopes": lambda a_plus, a_minus: _slopes(a_plus, a_minus, f"slopes({a_plus!r}, {a_minus!r})"),
    "polynomial": _polynomial,
}
