"""Activations by name: the built-in ones, families with parameters, and your own."""

from __future__ import annotations

import difflib
import inspect
import re

from netsim.networks.activation import Activation
from netsim.networks.builtin_activations import FAMILIES, SIMPLE
from netsim.networks.own_activations import REGISTERED

__all__ = ["activation", "activation_names"]


def activation_names() -> list[str]:
    """All names that `activation` knows, families with their parameters."""
    families = ["leaky_relu(a)", "slopes(a_plus, a_minus)", "polynomial([c0, c1, ...])"]
    return sorted(SIMPLE) + families + sorted(REGISTERED)


def activation(text: str | Activation) -> Activation:
    """The activation called `text`, e.g. `"gelu"`, `"leaky_relu(0.1)"`, `"polynomial([0, 1, 0.3])"`.

    Raises `ValueError` for an unknown name (with the nearest known one) or wrong parameters.
    """
    if isinstance(text, Activation):
        return text
    if callable(text):
        raise ValueError(
            f"an activation is a name, not the function {text!r}: first sigma = "
            'netsim.register_activation("mine", lambda x, xp: x * xp.tanh(x)), then sigma or "mine"'
        )
    match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", str(text))
    if match is None:
        raise ValueError(
            f"activation {text!r} is not a name; known: {', '.join(activation_names())}"
        )
    name, arguments = match.group(1), match.group(2)
    if name in SIMPLE or name in REGISTERED:
        if arguments:
            raise ValueError(f"activation {name} takes no parameters, got ({arguments})")
        return SIMPLE[name]() if name in SIMPLE else REGISTERED[name]
    if name not in FAMILIES:
        lower = {"silu": "swish"}.get(name.lower(), name.lower())
        near = difflib.get_close_matches(lower, [*SIMPLE, *FAMILIES, *REGISTERED], 1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(
            f"unknown activation {text!r}{hint} Known: {', '.join(activation_names())}"
        )
    parts = [p for p in re.split(r"[,\s]+", (arguments or "").strip().strip("[]")) if p]
    try:
        values = [float(p) for p in parts]
    except ValueError:
        raise ValueError(f"activation {text!r}: its parameters must be numbers") from None
    signature = inspect.signature(FAMILIES[name])
    try:
        signature.bind(*values)
    except TypeError:
        raise ValueError(
            f"activation {text!r}: write it like one of {', '.join(activation_names())}"
        ) from None
    return FAMILIES[name](*values)
