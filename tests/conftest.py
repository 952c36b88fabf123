"""Tests run with annotations checked and with JAX at its strictest."""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
from jaxtyping import install_import_hook

# the hook must stand before the first import of netsim
install_import_hook(["netsim.samplers", "netsim.experiment.observe"], "beartype.beartype")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
