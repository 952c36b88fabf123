"""How many layers the laws of large depth need: the leading-order recursion beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netsim.networks.network import network
from netsim.theory.criticality.laws import Asymptotics, Law
from netsim.theory.criticality.point import CriticalPoint
from netsim.theory.leading_order import LeadingOrder, leading

__all__ = ["Need", "layers_needed"]

_FIRST = 64  # depth tried first
_HOLDS = 4  # a law must hold from L to 4 L before it counts: deviations may cross zero


@dataclass(frozen=True)
class Need:
    """The depth from which on a law holds.

    **Fields:** `law`; `layers`: the least L such that it holds from L to at least 4 L, or None if
    there is none with 4 L <= `searched`; `deviation`: relative, at depth `searched`.
    """

    law: Law
    layers: int | None
    deviation: float
    searched: int

    @property
    def text(self) -> str:
        """E.g. "12", "not within 256 (searched to 1024)"."""
        if self.layers is not None:
            return str(self.layers)
        return f"not within {self.searched // _HOLDS} (searched to {self.searched})"


def layers_needed(
    point: CriticalPoint,
    laws: Asymptotics,
    kernel: float,
    *,
    tolerance: float = 0.05,
    most: int = 1024,
    show: Callable[[int, int], None] | None = None,
) -> tuple[Need, ...]:
    """From which depth on each law of `laws` holds to `tolerance`, to leading order in 1/n.

    **Arguments:** `kernel`: the first kernel K1 = C_b + C_W |x|^2/n_0; `tolerance`, relative; `most`:
    the deepest network computed (about 1 ms a layer); `show`: called after every layer with (layers
    done, layers of the network tried).

    **Returns:** one `Need` per law with a coefficient, except that of derivatives.

    **Raises:** `ValueError` for a K1 below C_b, and for a tolerance or depth that makes no sense.
    """
    if not 0 < tolerance < 1:
        raise ValueError(
            f"tolerance={tolerance!r}: a relative deviation between 0 and 1, e.g. 0.05"
        )
    if most < _HOLDS:
        raise ValueError(f"layers={most!r}: at least {_HOLDS}")
    C_W, C_b = point.weight_variance, point.bias_variance
    if not (np.isfinite(kernel) and kernel > 0 and kernel >= C_b):
        raise ValueError(f"kernel={kernel!r}: the first kernel must be > 0 and >= C_b = {C_b:.6g}")
    norm2 = (kernel - C_b) / C_W
    chosen = [
        law for law in laws.laws if law.coefficient is not None and "perp" not in law.quantity
    ]
    needs: tuple[Need, ...] = ()
    for depth in dict.fromkeys((min(_FIRST, most), most)):
        net = network(
            point.activation, width=1, depth=depth, weight_variance=C_W, bias_variance=C_b
        )
        found = leading(net, norm2, show=show)
        needs = tuple(_need(law, _series(point, law, found), tolerance) for law in chosen)
        if all(need.layers is not None for need in needs):
            break
    return needs


def _series(point: CriticalPoint, law: Law, found: LeadingOrder) -> np.ndarray:
    """The law's quantity of z^(L+1), L = 1.., at width 1."""
    K = found.K[1:]
    return {
        "K": K,
        "K/K1": K / found.K[0],
        "K - K*": K - (point.K or 0.0),
        "kappa2/K - 1": found.D[1:] / K,
        "kappa4/kappa2^2": found.V[1:] / K**2,
        "kappa6/kappa2^3": found.T[1:] / K**3,
        "kappa8/kappa2^4": found.Q[1:] / K**4,
    }[law.quantity]


def _need(law: Law, values: np.ndarray, tolerance: float) -> Need:
    L = np.arange(1, len(values) + 1)
    expected = np.array([law.value(l) for l in L.tolist()])
    off = np.abs(values - expected)
    allowed = np.where(expected == 0, 1e-10, tolerance * np.abs(expected))
    outside = np.flatnonzero(~(off <= allowed))
    first = 1 if not len(outside) else int(outside[-1]) + 2
    holds = _HOLDS * first <= len(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = float(off[-1] / np.abs(expected[-1])) if expected[-1] else float(off[-1])
    return Need(law, first if holds else None, deviation, len(values))
