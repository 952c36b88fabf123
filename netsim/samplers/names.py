"""Names of samplers and of the random stream; no JAX, so that configs can be checked without it."""

from __future__ import annotations

__all__ = ["FEW", "MIXTURE", "RNG", "SAMPLERS"]

SAMPLERS = ("conditional", "dense")
# fields that the conditional sampler writes out as scalars; its program grows like their square
FEW = 8
# name/version; a stored state is continued only by the same stream
RNG = "threefry2x32-boxmuller/1"
# name/version of the wider noise (`netsim.samplers.mixture`): SHIFT, the grid of directions and which
# draws are wider decide the numbers; change them and this together
MIXTURE = "wider/1"
