"""Expectations under Gaussians, each with its error: closed forms, panels, grids."""

from __future__ import annotations

from netsim.gaussian.many_fields import pair_products, products
from netsim.gaussian.neuron import neuron_cumulants, neuron_moments
from netsim.gaussian.one_field import derivative, expectation, taylor

__all__ = [
    "derivative",
    "expectation",
    "neuron_cumulants",
    "neuron_moments",
    "pair_products",
    "products",
    "taylor",
]
