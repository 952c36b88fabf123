"""Fields: an input's pre-activation and its input derivatives, and the chain rule between layers.

A field is a `Slot`: ("a", ()) is z(x_a), ("a", ("u",)) is D_u z(x_a), ("a", ("u", "v")) is
D_u D_v z(x_a). Given layer l the fields of layer l+1 are jointly Gaussian, iid over neurons, with
covariance S_ab = C_b 1[neither differentiated] + (C_W/n_l) sum_j h_a h_b, where h_a is the feature
of field a: sigma(z), sigma'(z) u, sigma''(z) u v + sigma'(z) w (section 2 of the docs' hierarchy
page; the same statement for every list that is closed under the chain rule).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from netsim.networks.activation import Activation
from netsim.quantities import Slot

__all__ = ["bias_mask", "check_order", "closure", "features"]


def closure(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """The smallest sorted list of fields that contains `slots` and is closed under the chain rule.

    D_u D_v z needs z, D_u z and D_v z of the same input. Sorted by input, then by order, so that
    z comes before its derivatives.
    """
    needed: set[Slot] = set()
    for slot in slots:
        needed |= {slot, Slot(slot.input)}
        needed |= {Slot(slot.input, (d,)) for d in slot.directions}
    return tuple(
        sorted(needed, key=lambda s: (len(s.input), s.input, len(s.directions), s.directions))
    )


def check_order(sigma: Activation, slots: Sequence[Slot]) -> None:
    """Refuse derivatives that the activation does not have.

    **Raises:** `ValueError` if some slot has more than 2 directions or more than `sigma` allows.
    """
    order = max((len(s.directions) for s in slots), default=0)
    if order > sigma.derivatives:
        raise ValueError(
            f"a derivative of order {order} was asked for, but networks with activation "
            f"{sigma.name} have {sigma.derivatives:g}: ask for a lower order or a smoother activation"
        )
    if order > 2:
        raise ValueError(f"input derivatives of order {order} were asked for; orders 0, 1, 2 exist")


def bias_mask(fields: Sequence[Slot]) -> list[list[float]]:
    """(F, F) list: 1 where C_b enters the covariance (neither field differentiated), else 0."""
    plain = [not s.directions for s in fields]
    return [[float(p and q) for q in plain] for p in plain]


def features(fields: Sequence[Slot], y: Sequence[Any], sigma: Callable[..., Any]) -> list[Any]:
    """h_a(y) for every field: what the next layer sums.

    **Arguments:** `fields`, closed under the chain rule; `y[a]`, the value(s) of field a, arrays of
    one common shape; `sigma(x, order)`, e.g. `activation.numpy` or `activation.jax`.
    """
    at = {slot: value for slot, value in zip(fields, y, strict=True)}
    derivative: dict[tuple[str, int], Any] = {}

    def d(name: str, order: int) -> Any:
        if (name, order) not in derivative:
            derivative[name, order] = sigma(at[Slot(name)], order)
        return derivative[name, order]

    h = []
    for slot in fields:
        name, directions = slot.input, slot.directions
        if not directions:
            h.append(d(name, 0))
        elif len(directions) == 1:
            h.append(d(name, 1) * at[slot])
        else:
            u, v = (at[Slot(name, (p,))] for p in directions)
            h.append(d(name, 2) * u * v + d(name, 1) * at[slot])
    return h
