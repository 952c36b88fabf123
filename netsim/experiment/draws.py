"""From an experiment to its Draw: the only part that needs JAX."""

from __future__ import annotations

from typing import Any

from netsim.experiment.experiment import Experiment
from netsim.samplers.base import AbstractDraw
from netsim.samplers.conditional import conditional
from netsim.samplers.dense import dense
from netsim.samplers.mixture import wider_noise

__all__ = ["draw_of"]

_SAMPLERS = {"conditional": conditional, "dense": dense}


def draw_of(experiment: Experiment) -> AbstractDraw:
    """One network of the experiment as a function of its index."""
    measurement = experiment.measurement
    options: dict[str, Any] = {}
    if experiment.mixture:
        first = experiment.infinite_width[: experiment.network.depth, 0, 0]
        options["wider"] = wider_noise(experiment.network, first)
    if experiment.sampler == "dense":
        options |= {"tangents": measurement.tangents, "bends": measurement.bends}
    return _SAMPLERS[experiment.sampler](
        experiment.network,
        experiment.inputs,
        measurement.fields,
        seed=experiment.seed,
        dtype=experiment.dtype,
        neurons=measurement.neurons,
        norms=measurement.norms,
        **options,
    )
