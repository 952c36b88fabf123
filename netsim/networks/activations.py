"""Activations sigma: what they are, how often they may be differentiated, how fast they grow.

One activation is written once, for any array module: ``functions[k](x, xp)`` is the k-th derivative
with respect to x, where ``xp`` is a `Namespace` holding NumPy's or JAX's version of the few functions
used here. Theory evaluates it with NumPy, samplers with JAX; neither can drift from the other.
"""

from __future__ import annotations

import difflib
import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

__all__ = ["Activation", "activation", "activation_names", "register_activation"]

Function = Callable[[Any, Any], Any]


@cache
def _numpy_namespace() -> SimpleNamespace:
    import numpy as np
    from scipy import special

    return SimpleNamespace(
        exp=np.exp, log1p=np.log1p, tanh=np.tanh, sin=np.sin, cos=np.cos, sqrt=np.sqrt,
        abs=np.abs, where=np.where, erf=special.erf, expit=special.expit, logaddexp=np.logaddexp,
        zeros_like=np.zeros_like, ones_like=np.ones_like,
    )  # fmt: skip


@cache
def _jax_namespace() -> SimpleNamespace:
    import jax
    import jax.numpy as jnp

    return SimpleNamespace(
        exp=jnp.exp, log1p=jnp.log1p, tanh=jnp.tanh, sin=jnp.sin, cos=jnp.cos, sqrt=jnp.sqrt,
        abs=jnp.abs, where=jnp.where, erf=jax.scipy.special.erf, expit=jax.nn.sigmoid,
        logaddexp=jnp.logaddexp, zeros_like=jnp.zeros_like, ones_like=jnp.ones_like,
    )  # fmt: skip


@dataclass(frozen=True)
class Activation:
    """An activation sigma, its derivatives and the facts that samplers and theory need.

    **Fields:**

    - `name`: canonical text, e.g. `"leaky_relu(0.01)"`.
    - `version`: empty for built-in ones; else a digest of the function's values, so that your own
      activation, changed under the same name, is another one. Equal name and version are equal.
    - `functions`: `functions[k](x, xp)` is sigma^(k)(x); as many as are available in closed form.
    - `derivatives`: how many input derivatives a network with it has (ReLU: 1; smooth: `math.inf`).
    - `growth`: the power p such that |sigma(x)| = O(|x|^p) at infinity (0: bounded).
    - `kinks`: points where sigma or a listed derivative is not smooth; quadratures split there.
    - `slopes`: (a_+, a_-) if sigma(x) = a_+ x for x > 0 and a_- x for x < 0, else None.
    - `pole`: distance of the nearest complex singularity from the real axis (quadrature steps).
    """

    name: str
    functions: tuple[Function, ...]
    derivatives: float = math.inf
    growth: float = 1.0
    kinks: tuple[float, ...] = ()
    slopes: tuple[float, float] | None = None
    pole: float = math.inf
    version: str = ""

    @property
    def identity(self) -> str:
        """Name and version in one text."""
        return f"{self.name}#{self.version}" if self.version else self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Activation) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        return self.name

    def numpy(self, x: Any, order: int = 0) -> Any:
        """sigma^(order)(x) for a NumPy array, same shape, float64 in = float64 out."""
        return self._function(order)(x, _numpy_namespace())

    def jax(self, x: Any, order: int = 0) -> Any:
        """sigma^(order)(x) for a JAX array, same shape and dtype."""
        return self._function(order)(x, _jax_namespace())

    def _function(self, order: int) -> Function:
        if order >= len(self.functions):
            raise ValueError(
                f"activation {self.name} has its derivatives up to order {len(self.functions) - 1}; "
                f"order {order} was asked for. Ask for fewer input derivatives, or register the "
                "activation with more."
            )
        return self.functions[order]


# --- the built-in ones ------------------------------------------------------------------------

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


_SIMPLE: dict[str, Callable[[], Activation]] = {
    "relu": _relu,
    "linear": lambda: _slopes(1.0, 1.0, "linear"),
    "tanh": _tanh,
    "erf": _erf,
    "sin": _sin,
    "gelu": _gelu,
    "swish": _swish,
    "softplus": _softplus,
}
_FAMILIES: dict[str, Callable[..., Activation]] = {
    "leaky_relu": lambda a=0.01: _slopes(1.0, a, f"leaky_relu({a!r})"),
    "slopes": lambda a_plus, a_minus: _slopes(a_plus, a_minus, f"slopes({a_plus!r}, {a_minus!r})"),
    "polynomial": _polynomial,
}
_REGISTERED: dict[str, Activation] = {}


def activation_names() -> list[str]:
    """All names that `activation` knows, families with their parameters."""
    families = ["leaky_relu(a)", "slopes(a_plus, a_minus)", "polynomial([c0, c1, ...])"]
    return sorted(_SIMPLE) + families + sorted(_REGISTERED)


def activation(text: str | Activation) -> Activation:
    """The activation called `text`, e.g. `"gelu"`, `"leaky_relu(0.1)"`, `"polynomial([0, 1, 0.3])"`.

    Raises `ValueError` for an unknown name (with the nearest known one) or wrong parameters.
    """
    if isinstance(text, Activation):
        return text
    match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", str(text))
    if match is None:
        raise ValueError(
            f"activation {text!r} is not a name; known: {', '.join(activation_names())}"
        )
    name, arguments = match.group(1), match.group(2)
    if name in _SIMPLE or name in _REGISTERED:
        if arguments:
            raise ValueError(f"activation {name} takes no parameters, got ({arguments})")
        return _SIMPLE[name]() if name in _SIMPLE else _REGISTERED[name]
    if name not in _FAMILIES:
        near = difflib.get_close_matches(name, [*_SIMPLE, *_FAMILIES, *_REGISTERED], 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"unknown activation {text!r}{hint} Known: {', '.join(activation_names())}"
        )
    parts = [p for p in re.split(r"[,\s]+", (arguments or "").strip().strip("[]")) if p]
    try:
        values = [float(p) for p in parts]
    except ValueError:
        raise ValueError(f"activation {text!r}: its parameters must be numbers") from None
    signature = inspect.signature(_FAMILIES[name])
    try:
        signature.bind(*values)
    except TypeError:
        raise ValueError(
            f"activation {text!r}: write it like one of {', '.join(activation_names())}"
        ) from None
    return _FAMILIES[name](*values)


def register_activation(
    name: str,
    *functions: Function,
    derivatives: float | None = None,
    growth: float = 1.0,
    kinks: tuple[float, ...] = (),
    pole: float = math.inf,
) -> Activation:
    """Add your own activation under `name`, after checking numerically what you say of it.

    **Arguments:**

    - `functions`: sigma, sigma', sigma'', ... each called as `f(x, xp)`, where `xp` has `exp`,
      `tanh`, `erf`, `where`, ... for NumPy or JAX arrays; as many as you need input derivatives,
      and one at least.
    - `derivatives`: how many input derivatives the network has (default: those given).
    - `growth`, `kinks`, `pole`: see `Activation`.

    **Raises:** `ValueError` if a function is not finite, if NumPy and JAX versions differ, if a
    derivative is not the slope of the function before it, or if it grows faster than |x|^growth.

    ```python
    import netsim
    mish = netsim.register_activation("mish", lambda x, xp: x * xp.tanh(xp.logaddexp(x, 0 * x)))
    ```
    """
    import numpy as np

    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError(f"activation name {name!r} must be letters, digits and underscores")
    if name in _SIMPLE or name in _FAMILIES:
        raise ValueError(f"activation {name!r} is built in; choose another name")
    if not functions:
        raise ValueError(f"activation {name!r}: give at least the function itself")
    count = len(functions) - 1 if derivatives is None else derivatives
    new = Activation(name, tuple(functions), count, growth, tuple(kinks), None, pole)
    # irrational spacing keeps the check points off integer kinks
    x = np.linspace(-6.0, 6.0, 241) * (1 + 1e-3 * math.sqrt(2))
    x = x[np.all([np.abs(x - k) > 1e-3 for k in kinks], axis=0)] if kinks else x
    step = 1e-5
    for order in range(len(functions)):
        y = np.asarray(new.numpy(x, order))
        if y.shape != x.shape or not np.all(np.isfinite(y)):
            raise ValueError(f"activation {name!r}: derivative {order} is not finite on [-6, 6]")
        from_jax = np.asarray(new.jax(x.astype(np.float32), order), dtype=np.float64)
        if not np.allclose(from_jax, y, rtol=1e-3, atol=1e-4):
            raise ValueError(f"activation {name!r}: NumPy and JAX disagree on derivative {order}")
        if order:
            slope = (new.numpy(x + step, order - 1) - new.numpy(x - step, order - 1)) / (2 * step)
            worst = float(np.max(np.abs(slope - y) / (1 + np.abs(y))))
            if worst > 1e-5:
                raise ValueError(
                    f"activation {name!r}: function {order} is not the derivative of function "
                    f"{order - 1} (largest relative difference {worst:.1e} on [-6, 6]); if it has "
                    "kinks, name them in kinks=(...)"
                )
    # far = 8 times near: a power p raises |sigma| by at most 8^p; the factor 2 allows offsets
    near, far = (
        np.abs(new.numpy(np.array([-32.0, 32.0]))),
        np.abs(new.numpy(np.array([-256.0, 256.0]))),
    )
    if np.any(far > 2.0 * 8.0**growth * np.maximum(near, 1.0)):
        raise ValueError(f"activation {name!r} grows faster than |x|^{growth:g}; give growth=...")
    new = replace(new, version=_digest(new))
    _REGISTERED[name] = new
    return new


def _digest(sigma: Activation) -> str:
    """12 hex digits of the values of all functions at fixed points, to 10 digits, and of the facts."""
    import hashlib

    import numpy as np

    x = 7.0 * np.sin(np.arange(64) * math.sqrt(2))  # anywhere in (-7, 7), on no kink
    rows = [
        [f"{v:.10g}" for v in np.asarray(sigma.numpy(x, k))] for k in range(len(sigma.functions))
    ]
    facts = [sigma.derivatives, sigma.growth, sigma.kinks, sigma.pole]
    return hashlib.sha256(repr([rows, facts]).encode()).hexdigest()[:12]
