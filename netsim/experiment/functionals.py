"""Registered observables as functions of NumPy arrays, for theory, which knows no JAX."""

from __future__ import annotations

import numpy as np

from netsim.experiment.observables import Observable, batched
from netsim.theory.observables.functional import Functional

__all__ = ["functional_of"]


def functional_of(of: Observable) -> Functional:
    """The observable for many z at once, float64 in and out; nothing is left set in JAX."""

    def function(z: np.ndarray) -> np.ndarray:
        import jax
        import jax.numpy as jnp

        with jax.enable_x64(True):
            return np.asarray(batched(of)(jnp.asarray(z, jnp.float64)), np.float64)

    return Functional(of.name, of.neurons, of.digest, function)
