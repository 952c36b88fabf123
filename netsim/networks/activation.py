"""What an activation sigma is: its derivatives, how often they exist, how fast it grows.

One activation is written once, for any array module: ``functions[k](x, xp)`` is the k-th derivative
with respect to x, where ``xp`` holds NumPy's or JAX's version of the few functions used
here. Theory evaluates it with NumPy, samplers with JAX; neither can drift from the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

__all__ = ["Activation", "Function"]

Function = Callable[[Any, Any], Any]


@cache
def _numpy_namespace() -> SimpleNamespace:
    import numpy as np
    from scipy import special

    return SimpleNamespace(
        exp=np.exp, log1p=np.log1p, tanh=np.tanh, sin=np.sin, cos=np.cos, sqrt=np.sqrt,
        abs=np.abs, where=np.where, erf=special.erf, expit=special.expit, logaddexp=np.logaddexp,
        zeros_like=np.zeros_like, ones_like=np.ones_like, minimum=np.minimum, maximum=np.maximum,
        clip=np.clip, log=np.log, expm1=np.expm1, sign=np.sign,
    )  # fmt: skip


@cache
def _jax_namespace() -> SimpleNamespace:
    import jax
    import jax.numpy as jnp

    return SimpleNamespace(
        exp=jnp.exp, log1p=jnp.log1p, tanh=jnp.tanh, sin=jnp.sin, cos=jnp.cos, sqrt=jnp.sqrt,
        abs=jnp.abs, where=jnp.where, erf=jax.scipy.special.erf, expit=jax.nn.sigmoid,
        logaddexp=jnp.logaddexp, zeros_like=jnp.zeros_like, ones_like=jnp.ones_like,
        minimum=jnp.minimum, maximum=jnp.maximum, clip=jnp.clip, log=jnp.log, expm1=jnp.expm1,
        sign=jnp.sign,
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
