"""A user's observable: a function of a few neurons at a few inputs, measured like a built-in.

```python
import jax.numpy as jnp
import netsim

@netsim.observable("overlap", neurons=2, inputs=2)
def overlap(z):  # z[i, k]: neuron i at the k-th input named after {overlap}
    return jnp.tanh(z[0, 0]) * jnp.tanh(z[1, 1])

netsim.simulate(net, inputs, ["mom[{overlap}ab]", "cum[{overlap}ab^2]@out"])
```
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from netsim.quantities import register_field

__all__ = ["OBSERVABLES", "Observable", "batched", "observable", "pilot_mean"]

MOST = 4  # neurons and inputs that one observable may look at
PILOT = 2048  # draws of the pilot: its mean is off by 2% of a standard deviation


@dataclass(frozen=True)
class Observable:
    """A registered function z -> real number, z (neurons, inputs) float64.

    **Fields:** `digest`: of what it computes, see `observable`; equal observables compute the same.
    """

    name: str
    neurons: int
    inputs: int
    digest: str
    function: Callable[[Any], Any] = field(compare=False, repr=False)


OBSERVABLES: dict[str, Observable] = {}


def observable(name: str, *, neurons: int, inputs: int) -> Callable[[Callable], Callable]:
    """Register the decorated function as the field {name} of quantities.

    The function gets `z`, (neurons, inputs) float64, the pre-activations of one network at one
    layer: row i is neuron i+1, column k the k-th input (or derivative) named after {name}. It
    returns one real number, by jax.numpy. The name may be given again, with a changed function.

    The identity of what is simulated holds a SHA-256 of the function's source (without comments and
    decorators, where it can be found) and of its values at fixed points to 10 digits, which see what
    the source only refers to: a changed function is another point, never mixed with the old one.

    **Arguments:** `name`: letters, digits, underscores; `neurons`, `inputs`: 1 to 4 each.

    **Returns:** a decorator that returns the function unchanged.

    **Raises:** `ValueError` for a bad name or count, and for a function that JAX cannot trace, that
    does not return one finite real number, or that gives two numbers for one z.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"observable {name!r}: a name is made of letters, digits, underscores")
    for what, count in (("neurons", neurons), ("inputs", inputs)):
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
            raise ValueError(f"observable {name!r}: {what}={count!r}: must be 1 to {MOST}")

    def register(function: Callable) -> Callable:
        values = _checked_values(name, function, (neurons, inputs))
        digest = _digest(function, (neurons, inputs), values)
        OBSERVABLES[name] = Observable(name, neurons, inputs, digest, function)
        register_field(name, inputs, f"observable of {neurons} neuron(s), registered by the user")
        return function

    return register


def _checked_values(name: str, function: Callable, shape: tuple[int, int]) -> list[float]:
    """Values of the function at fixed points."""
    import jax
    import jax.numpy as jnp

    def fail(what: str) -> ValueError:
        return ValueError(
            f"observable {name!r}: {what}; it must return one finite real number, computed by "
            f"jax.numpy from z of shape {shape} (neurons, inputs) alone"
        )

    if not callable(function):
        raise fail(f"{function!r} is not a function")
    # multiples of an irrational number spread evenly over the period of the sine
    angles = np.arange(8 * shape[0] * shape[1]) * np.sqrt(2.0)
    points = 2 * np.sin(angles).reshape(8, *shape)
    with jax.enable_x64(True):
        try:
            found = jax.eval_shape(function, jax.ShapeDtypeStruct(shape, jnp.float64))
        except Exception as error:  # whatever the user's code raises
            words = str(error).strip().split("\n")[0] or type(error).__name__
            raise fail(f"JAX cannot trace it ({words})") from error
        if getattr(found, "shape", None) != () or jnp.issubdtype(found.dtype, jnp.complexfloating):
            raise fail(f"it returns {found}")
        first, again = (
            [float(function(z)) for z in jnp.asarray(points, jnp.float64)] for _ in range(2)
        )
        together = np.asarray(jax.jit(jax.vmap(function))(jnp.asarray(points)), np.float64)
    if not np.all(np.isfinite(first)):
        raise fail("it is not finite everywhere on [-2, 2]")
    if first != again or not np.allclose(first, together, rtol=1e-9, atol=1e-9):
        raise fail("it gives different numbers for one z")
    return first


def _digest(function: Callable, shape: tuple[int, int], values: Sequence[float]) -> str:
    numbers = ",".join(f"{value:.9e}" for value in values)
    return hashlib.sha256(f"{shape}\n{numbers}\n{_source(function)}".encode()).hexdigest()[:16]


def _source(function: Callable) -> str:
    """The source without comments, layout and decorators; "" where there is none (e.g. `exec`)."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a lambda inside a longer statement
        return text
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []
    return ast.unparse(tree)


@lru_cache(maxsize=4096)
def pilot_mean(of: Observable, covariance: tuple[tuple[float, ...], ...]) -> float:
    """The observable's mean at infinite width to 2% of a standard deviation; 0 if not finite.

    For pivots: it enters states, so the same numbers are drawn every time (`RandomState`, whose
    stream is frozen).

    **Arguments:** `covariance`: (inputs, inputs), of one neuron's fields.
    """
    import jax
    import jax.numpy as jnp

    K = np.array(covariance)
    scale = np.sqrt(np.diagonal(K))
    unit = np.where(scale > 0, scale, 1.0)
    # a pilot may be off by 1e-9, and Cholesky needs a positive matrix
    root = np.linalg.cholesky(K / np.outer(unit, unit) + 1e-9 * np.eye(len(K)))
    g = np.random.RandomState(0).standard_normal((PILOT, of.neurons, of.inputs))
    with jax.enable_x64(True):
        z = jnp.asarray(np.einsum("dik,ak->dia", g, root) * scale)
        values = np.asarray(batched(of)(z), np.float64)
    mean = float(np.mean(values))
    return mean if np.isfinite(mean) else 0.0


@lru_cache(maxsize=64)
def batched(of: Observable) -> Callable:
    """The compiled function of many z at once, (N, neurons, inputs) -> (N,)."""
    import jax

    return jax.jit(jax.vmap(of.function))
