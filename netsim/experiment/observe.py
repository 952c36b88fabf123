"""Evaluate columns on the layers of one draw."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from netsim.experiment.columns import (
    Alive,
    Bent,
    Column,
    Kernel,
    LogAbs,
    Norm,
    Observed,
    Output,
    Overlap,
    bends_of,
    tangents_of,
)
from netsim.samplers.base import Layers

__all__ = ["Observe"]


@dataclass(frozen=True)
class Observe:
    """layers of one draw -> (rows, C) float64 and (rows,) weights, or None for plain draws.

    Equal for equal columns, so that it compiles once.
    """

    columns: tuple[Column, ...]

    def __call__(
        self, layers: Layers
    ) -> tuple[Float[Array, "rows C"], Float[Array, " rows"] | None]:
        x = jnp.stack([self._one(column, layers) for column in self.columns], -1)
        return x, layers.get("weight")

    def _one(self, column: Column, layers: Layers) -> Float[Array, " rows"]:
        if isinstance(column, LogAbs):
            size = jnp.abs(self._one(column.of, layers))
            return jnp.where(size > 0, jnp.log(jnp.where(size > 0, size, 1.0)), 0.0)
        if isinstance(column, Alive):
            values = jnp.stack([self._one(c, layers) for c in column.of])
            return jnp.all(values != 0, axis=0).astype(jnp.float64)
        if isinstance(column, Kernel):
            place = tangents_of(self.columns).index(column.tangent)
            return layers["H"][:, place, *column.neurons].astype(jnp.float64)
        if isinstance(column, Bent):
            place = bends_of(self.columns).index(column.bend)
            return layers["dH"][:, place, *column.neurons].astype(jnp.float64)
        return _plain(column, layers)


def _plain(column: Overlap | Output | Norm | Observed, layers: Layers) -> Float[Array, " rows"]:
    if isinstance(column, Overlap):
        return layers["S"][:, column.pair].astype(jnp.float64)
    if isinstance(column, Output):
        return layers["z"][:, column.neuron, column.field].astype(jnp.float64)
    if isinstance(column, Norm):
        return layers["q"][:, column.field].astype(jnp.float64)
    seen = layers["z"][:, : column.observable.neurons].astype(jnp.float64)
    z = jnp.stack([seen[:, :, field] for field in column.fields], -1)
    return jax.vmap(column.observable.function)(z).astype(jnp.float64)
