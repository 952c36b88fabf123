"""One launch: a batch of draws through the Draw and the estimator, compiled once per shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from netsim.run.plan import Layout

__all__ = ["Observable", "default_device", "launch", "trace_count"]

# what a job does with one draw, in two hashable halves: layers -> columns and weights -> sums
Observable = Callable[[Any], Any]
_traces = 0


def trace_count() -> int:
    """How often a launch was traced (compiled) in this process."""
    return _traces


@partial(jax.jit, static_argnames=("observe", "sums", "layout"))
def _compiled(draw, start, pivot, *, observe: Observable, sums, layout: Layout):
    global _traces
    _traces += 1
    index = start + jnp.arange(layout.groups * layout.size, dtype=jnp.uint32)
    seen = jax.vmap(lambda i: observe(draw(i)))(index)
    grouped = jax.tree.map(lambda x: x.reshape(layout.groups, layout.size, *x.shape[1:]), seen)
    return jax.vmap(lambda x, weights: sums(x, pivot, weights))(*grouped)


def default_device() -> Any:
    """What `jax.default_device` holds in this thread, for `launch` in another one."""
    return jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue]


def launch(draw, start: int, pivot, *, observe, sums, layout: Layout, device: Any = None) -> dict:
    """Sums over `layout.groups` groups of `layout.size` consecutive draws from index `start`.

    **Arguments:** `draw`: a Draw; `pivot`: (rows, C); `observe`: layers -> (rows, C) columns and
    (rows,) weights or None; `sums`: (draws, rows, C), pivot, weights -> dict of sums. Both must be
    hashable and equal when equal in content, or every call compiles again; `device`: see
    `default_device`.

    **Returns:** NumPy arrays with leading axis groups.
    """
    with jax.enable_x64(True), jax.default_device(device):
        result = _compiled(
            draw, jnp.uint32(start), jnp.asarray(pivot), observe=observe, sums=sums, layout=layout
        )
        return {name: np.asarray(value) for name, value in result.items()}
