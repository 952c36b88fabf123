"""Arguments of the Python interface, checked and put into the form that the inside knows."""

from __future__ import annotations

from numbers import Real
from typing import Any

from netsim.api.point import Target
from netsim.experiment.experiment import Experiment

__all__ = ["a_number", "target_of"]


def a_number(value: Any, name: str) -> float:
    """A real number, also NumPy's, as a float.

    **Raises:** `ValueError`.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{name}={value!r}: must be a number")
    return float(value)


def target_of(experiment: Experiment, relative: float | None) -> Target | None:
    """Every row of the experiment to that relative error.

    **Raises:** `ValueError`.
    """
    if relative is None:
        return None
    number = a_number(relative, "target")
    if not 0 < number < 1:
        raise ValueError(f"target={relative!r}: a relative error between 0 and 1, e.g. 0.01")
    keys = {
        (measured.named.quantity.at(layer).text, measured.named.alias)
        for measured in experiment.measurement.measured
        for layer, _ in measured.rows
    }
    return Target(number, frozenset(keys))
