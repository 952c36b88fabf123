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
PROBES = 256  # fixed points at which functions are compared
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
    decorators, where it can be found), of the numbers that it refers to (defaults, closures, global
    variables) and of its values at 256 fixed points to 10 digits, which see what it calls: a changed
    function is another point, never mixed with the old one.

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
    try:  # JAX moves an index that is out of range to the edge, NumPy says so
        function(np.ones(shape))
    except IndexError as error:
        if "out of bounds" not in str(error):  # too many indices: JAX will say so
            raise fail(f"JAX cannot trace it ({error})") from error
        rows, columns = (f"0 to {size - 1}" if size > 1 else "0 alone" for size in shape)
        raise fail(
            f"it looks outside of z, whose rows (neurons) are {rows} and whose columns (inputs) are "
            f"{columns}: {error}"
        ) from error
    except Exception:  # not for NumPy arrays
        pass
    # multiples of an irrational number spread evenly over the period of the sine
    angles = np.arange(PROBES * shape[0] * shape[1]) * np.sqrt(2.0)
    points = 2 * np.sin(angles).reshape(PROBES, *shape)
    with jax.enable_x64(True):
        try:
            found = jax.eval_shape(function, jax.ShapeDtypeStruct(shape, jnp.float64))
        except Exception as error:  # whatever the user's code raises
            words = str(error).strip().split("\n")[0] or type(error).__name__
            raise fail(f"JAX cannot trace it ({words})") from error
        if getattr(found, "shape", None) != () or jnp.issubdtype(found.dtype, jnp.complexfloating):
            raise fail(f"it returns {found}")
        some = jnp.asarray(points[:8], jnp.float64)
        first, again = ([float(function(z)) for z in some] for _ in range(2))
        together = np.asarray(jax.jit(jax.vmap(function))(jnp.asarray(points)), np.float64)
    if not np.all(np.isfinite(together)):
        raise fail("it is not finite everywhere on [-2, 2]")
    if first != again or not np.allclose(first, together[:8], rtol=1e-9, atol=1e-9):
        raise fail("it gives different numbers for one z")
    return [float(value) for value in together]


def _digest(function: Callable, shape: tuple[int, int], values: Sequence[float]) -> str:
    numbers = ",".join(f"{value:.9e}" for value in values)
    text = f"{shape}\n{numbers}\n{_source(function)}\n{_referred(function)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _referred(function: Callable) -> str:
    """Numbers, texts and arrays that the function's code refers to, by name.

    Of other things (modules, functions) only values tell: they have no text that stays the same.
    """
    try:
        known = inspect.getclosurevars(function)
        defaults = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # not written in Python, or a cell that is still empty
        return ""
    given = {p.name: p.default for p in defaults if p.default is not p.empty}
    lines = []
    for name, value in sorted({**known.globals, **known.nonlocals, **given}.items()):
        if _is_plain(value):
            lines.append(f"{name}={value!r}")
        elif hasattr(value, "shape") and hasattr(value, "dtype"):
            array = np.ascontiguousarray(np.asarray(value))
            digest = hashlib.sha256(array.tobytes()).hexdigest()
            lines.append(f"{name}={array.shape} {array.dtype} {digest}")
    return "\n".join(lines)


def _is_plain(value: Any) -> bool:
    """Whether `repr` is all there is to it, in every process."""
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return isinstance(value, (bool, int, float, complex, str))


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


def batched(of: Observable) -> Callable:
    """The compiled function of many z at once, (N, neurons, inputs) -> (N,)."""
    return _compiled(of.function)


@lru_cache(maxsize=64)
def _compiled(function: Callable) -> Callable:
    import jax

    return jax.jit(jax.vmap(function))
