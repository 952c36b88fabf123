"""Names of samplers and of the random stream; no JAX, so that configs can be checked without it."""

from __future__ import annotations

__all__ = ["FEW", "RNG", "SAMPLERS"]

SAMPLERS = ("conditional", "dense")
# fields that the conditional sampler writes out as scalars; its program grows like their square
FEW = 8
# name/version; a stored state is continued only by the same stream
RNG = "threefry2x32-boxmuller/1"
