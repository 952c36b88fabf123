"""netsim: Monte Carlo simulation of random neural networks, with theory beside it."""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

# public name -> module that defines it; resolved on first use, so that `netsim --help` loads no JAX
_PUBLIC: dict[str, str] = {
    "network": "netsim.networks.network",
    "Network": "netsim.networks.network",
    "register_activation": "netsim.networks.own_activations",
    "observable": "netsim.experiment.observables",
    "inputs": "netsim.api.simulate",
    "simulate": "netsim.api.simulate",
    "predict": "netsim.api.simulate",
    "tune": "netsim.api.tune",
    "advise": "netsim.api.advise",
    "verify": "netsim.claims.verify",
    "he": "netsim.networks.conventions",
    "lecun": "netsim.networks.conventions",
    "glorot": "netsim.networks.conventions",
    "parse": "netsim.quantities",
}
__all__ = [*_PUBLIC, "__version__"]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'netsim' has no attribute {name!r}; it has {', '.join(_PUBLIC)}")


def __dir__() -> list[str]:
    return sorted(__all__)
