"""Statistics of the outputs of very narrow networks, drawn by the dense sampler, weights and all.

Hundreds of joint cumulants in one run: the draws are compiled, once for all networks of one activation
and depth, and their products are summed by NumPy, because a compiler takes a minute over as many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from netsim.estimators import BLOCKS, MomentSums, State, TargetResult, result
from netsim.experiment.columns import Output, Overlap
from netsim.experiment.experiment import Experiment

__all__ = ["CHUNK", "Outputs", "outputs", "outputs_of"]

NEURONS, CHUNK = 3, 4096


@dataclass(frozen=True, eq=False)
class Outputs:
    """What one run says of the output layer; `places`: text -> which of the sums' targets it is."""

    places: Mapping[str, int]
    sums: MomentSums
    state: State
    draws: int

    @cached_property
    def results(self) -> dict[str, TargetResult]:
        """Text -> estimate with its error; arrays have one row."""
        found = result(self.sums, self.state)
        return {text: found[place] for text, place in self.places.items()}


_RUNS: dict[tuple[str, int], Outputs] = {}


def outputs(made: Experiment, draws: int, widest: int) -> Outputs:
    """Draw networks and estimate the quantities of `made` at its output layer.

    **Arguments:** `made`: sampler dense, one estimator, quantities "...@out"; `draws`: rounded up to
    64 blocks of whole chunks; `widest`: room for a layer, at least its width: networks with the same
    room share a program.
    """
    key = made.id, draws
    if key not in _RUNS:
        _RUNS[key] = _drawn(made, draws, widest)
    return _RUNS[key]


def _drawn(made: Experiment, draws: int, widest: int) -> Outputs:
    measurement = made.measurement
    draw = _draw(made, NEURONS, widest)
    sums = MomentSums(measurement.targets, made.sums().pivot[-1:])
    state, chunks = sums.init(), BLOCKS * -(-draws // (BLOCKS * CHUNK))
    for chunk in range(chunks):
        z, S = _last_layer(draw, chunk * CHUNK)
        columns = [_column(column, z, S) for column in measurement.columns]
        state = sums.add(state, sums.unit(np.stack(columns, -1)[:, None]), chunk % BLOCKS)
    places = {
        measured.named.quantity.text: measured.target
        for measured in measurement.measured
        if measured.target is not None
    }
    return Outputs(places, sums, state, chunks * CHUNK)


def outputs_of(made: Experiment, chunk: int) -> np.ndarray:
    """(CHUNK, n_{L+1}) outputs at the one input of `made`, float64; `chunk` counts from 0."""
    outputs = made.network.outputs
    return _last_layer(_draw(made, outputs, max(made.network.widths)), chunk * CHUNK)[0][:, :, 0]


def _draw(made: Experiment, neurons: int, widest: int):
    from netsim.samplers.dense import dense

    draw = dense(
        made.network, made.inputs, made.measurement.fields, seed=made.seed, dtype=made.dtype,
        neurons=neurons,
    )  # fmt: skip
    return replace(draw, widest=widest)


def _column(column, z: np.ndarray, S: np.ndarray) -> np.ndarray:
    if isinstance(column, Output):
        return z[:, column.neuron, column.field]
    assert isinstance(column, Overlap)
    return S[:, column.pair]


def _last_layer(draw, start: int) -> tuple[np.ndarray, np.ndarray]:
    """(CHUNK, N, F) outputs and (CHUNK, P) collective variables, float64."""
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(True):
        z, S = _program()(draw, jnp.uint32(start))
        return np.asarray(z, float), np.asarray(S)


@cache
def _program():
    import jax
    import jax.numpy as jnp

    def last_layer(draw, start):
        index = start + jnp.arange(CHUNK, dtype=jnp.uint32)
        layers = jax.vmap(draw)(index)
        return layers["z"][:, -1], layers["S"][:, -1]

    return jax.jit(last_layer)
