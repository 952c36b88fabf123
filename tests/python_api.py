"""A small run through the Python interface, and what its tests do with it."""

from __future__ import annotations

import signal
import sys

from numpy.testing import assert_array_equal

import netsim
from netsim.api.run import Run

NET = netsim.network("relu", width=8, depth=3)
INPUTS = netsim.inputs("pair", angle=60, norm2=1)
QUANTITIES = ["cum[z1a^4]", "kappa4/kappa2^2", "cum[z1a^2 z1b^2]"]
LEAST = 65536


def simulate(**options) -> Run:
    return netsim.simulate(NET, INPUTS, QUANTITIES, **{"progress": False, **options})


def same_state(first: Run, second: Run) -> None:
    for name, array in first.state.items():
        assert_array_equal(array, second.state[name])


def stop(number: int):
    """Progress that sends a signal to this process after the first launch."""
    return lambda progress: signal.raise_signal(number)


def hide_frames(monkeypatch) -> None:
    """Neither polars nor pandas, whether or not they are installed."""
    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.setitem(sys.modules, "pandas", None)
