"""What an experiment must have where gradients with respect to parameters (H, dH, g) are looked at."""

from __future__ import annotations

from netsim.experiment.measure import Measurement
from netsim.networks.network import Network
from netsim.samplers.tangent_plan import MOST_BENT

__all__ = ["check_gradients"]


def check_gradients(network: Network, measurement: Measurement, sampler: str) -> None:
    """**Raises:** `ValueError` for the conditional sampler, an activation without the derivatives, and
    dH of wide layers, saying what to do."""
    if not measurement.tangents:
        return
    sigma = network.activation
    if sampler != "dense":
        raise ValueError(
            "H, dH and g are gradients with respect to weights, which the conditional sampler does "
            "not draw: use sampler=dense"
        )
    if sigma.derivatives < 1:
        raise ValueError(f"H, dH and g need sigma', which activation {sigma.name} does not have")
    if not measurement.bends:
        return
    if sigma.slopes is None and sigma.derivatives < 2:
        raise ValueError(f"dH needs sigma'', which activation {sigma.name} does not have")
    widest = max(*network.widths, measurement.neurons)
    if widest > MOST_BENT:
        raise ValueError(
            f"dH has n^3 numbers for every network and layer: it is measured for widths up to "
            f"{MOST_BENT}, not {widest}; use narrower layers, or H and g, which cost n^2"
        )
