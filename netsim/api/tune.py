"""`netsim.tune`: every critical point of an activation, its class, laws and depths."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from netsim.api.arguments import a_number
from netsim.networks.activation import Activation
from netsim.networks.activations import activation as activation_of
from netsim.run.progress import Progress, progress_for
from netsim.theory.base import OutsideDomain
from netsim.theory.criticality.curve import curve_name, limit_curve
from netsim.theory.criticality.depth import Need, layers_needed
from netsim.theory.criticality.fixed import FixedPoint, fixed_points
from netsim.theory.criticality.laws import Asymptotics, asymptotics
from netsim.theory.criticality.point import CriticalPoint
from netsim.theory.criticality.solve import Criticality, criticality

__all__ = ["Start", "Tuned", "Tuning", "tune"]


LEAST_KERNEL, MOST_KERNEL, MOST_LAYERS = 1e-12, 1e12, 10_000


@dataclass(frozen=True)
class Start:
    """The laws for one kind of first kernel, and how many layers they need.

    **Fields:** `asymptotics`; `kernel`: the K1 that the depths are for; `needs`, one per law that has
    a coefficient.
    """

    asymptotics: Asymptotics
    kernel: float
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Tuned:
    """One critical point with all that follows from it.

    **Fields:** `point`: couplings, K*, class; `starts`, none where K does not flow to K*;
    `fixed_points` of the kernel map at these couplings, K* among them; `curve`: the name of the limit
    at fixed L/n, or "none: ..." with why.
    """

    point: CriticalPoint
    starts: tuple[Start, ...]
    fixed_points: tuple[FixedPoint, ...]
    curve: str

    def flows_to(self, kernel: float) -> float:
        """Where K goes from the first kernel `kernel` at these couplings: a fixed point or inf."""
        known = [(f.K, f.stability) for f in self.fixed_points if f.K is not None]
        if len(known) < len(self.fixed_points):
            return kernel  # every K is one
        lower, stability = max((f for f in known if f[0] <= kernel), default=(0.0, ""))
        if lower == kernel or stability in ("stable", "attracts from above"):
            return lower
        return min((K for K, _ in known if K > kernel), default=math.inf)

    def limit(self, tau: Sequence[float] | np.ndarray) -> dict[str, np.ndarray]:
        """kappa_2/K and kappa_{2k}/kappa_2^k for L, n -> infinity at fixed tau = L/n.

        **Raises:** `netsim.theory.base.OutsideDomain` where there is no such limit.
        """
        return limit_curve(self.point, np.asarray(tau))


@dataclass(frozen=True, eq=False, repr=False)
class Tuning:
    """What `netsim.tune` found; shows itself as text.

    **Fields:** `criticality`: range searched, rejected solutions, remarks; `points`; `kernel`, the
    first kernel asked for, or None; `tolerance`.
    """

    criticality: Criticality
    points: tuple[Tuned, ...]
    kernel: float | None
    tolerance: float

    def __repr__(self) -> str:
        from netsim.api.tune_text import text

        return text(self)


def tune(
    activation: str | Activation,
    *,
    kernel: float | None = None,
    tolerance: float = 0.05,
    layers: int = 1024,
    progress: bool | Callable[[Progress], None] = True,
) -> Tuning:
    """Every (C_W, C_b, K*) at which `activation` is critical, with class, stability and laws.

    ```python
    import netsim
    netsim.tune("gelu")
    mish = netsim.register_activation("mish", lambda x, xp: x * xp.tanh(xp.logaddexp(x, 0 * x)))
    netsim.tune(mish).points[1].point.overrides
    ```

    **Arguments:**

    - `kernel`: the first kernel K1 = C_b + C_W |x|^2/n_0 from which the depths are counted (default:
      |x|^2/n_0 = 1 where every K1 leads to K*, else a K1 on the side that K* attracts);
    - `tolerance`: relative, to which a law must hold;
    - `layers`: the deepest network that the laws are compared with (some ms a layer), 4 to 10000; a
      law must hold from L to 4 L, so that this finds depths up to a quarter of it;
    - `progress`: True (a bar that goes again, lines elsewhere, on stderr), False, or a function called
      after every layer.

    **Returns:** a `Tuning`, without points where nothing is critical.

    **Raises:** `ValueError`.
    """
    first = None if kernel is None else a_number(kernel, "kernel")
    if first is not None and not LEAST_KERNEL <= first <= MOST_KERNEL:
        raise ValueError(
            f"kernel={kernel!r}: the first kernel must lie in {LEAST_KERNEL:g}..{MOST_KERNEL:g}"
        )
    relative, depth = a_number(tolerance, "tolerance"), a_number(layers, "layers")
    if not 0 < relative < 1:
        raise ValueError(
            f"tolerance={tolerance!r}: a relative deviation between 0 and 1, e.g. 0.05"
        )
    if not (depth.is_integer() and 4 <= depth <= MOST_LAYERS):
        raise ValueError(f"layers={layers!r}: a whole number of layers, 4 to {MOST_LAYERS}")
    found = criticality(activation_of(activation))
    if isinstance(progress, bool):
        show = shown = progress_for(not progress, passing=True)
    else:
        show, shown = progress, None
    try:
        points = tuple(_tuned(point, first, relative, int(depth), show) for point in found.points)
    finally:
        if shown is not None:
            shown.close()
    return Tuning(found, points, first, relative)


def _tuned(
    point: CriticalPoint,
    kernel: float | None,
    tolerance: float,
    most: int,
    show: Callable[[Progress], None],
) -> Tuned:
    fixed = fixed_points(point.activation, point.weight_variance, point.bias_variance)
    starts = []
    for laws in asymptotics(point):
        first = _first_kernel(point, laws, kernel, fixed)
        if first is not None:
            title = f"{point.activation.name}, {point.kind}, {laws.start}"
            needs = layers_needed(
                point, laws, first, tolerance=tolerance, most=most, show=_counted(title, show)
            )
            starts.append(Start(laws, first, needs))
    try:
        curve = curve_name(point)
    except OutsideDomain as reason:
        curve = f"none: {reason}"
    return Tuned(point, tuple(starts), fixed, curve)


def _counted(title: str, show: Callable[[Progress], None]) -> Callable[[int, int], None]:
    """Tells `show` of layers done."""
    begin = time.monotonic()

    def counted(done: int, total: int) -> None:
        nonlocal begin
        if done == 1:  # another, deeper network
            begin = time.monotonic()
        rate = done / max(time.monotonic() - begin, 1e-9)
        show(Progress(title, done, total, rate, unit="layers"))

    return counted


def _first_kernel(
    point: CriticalPoint, laws: Asymptotics, kernel: float | None, fixed: Sequence[FixedPoint]
) -> float | None:
    """A K1 of the kind that `laws` are for, the given one if it is; None if the given one is not."""
    K = point.K
    others = [f.K for f in fixed if f.K and not (K and math.isclose(f.K, K, rel_tol=1e-3))]
    if laws.start == "K1 = K*":
        return K if kernel is None or (K and math.isclose(kernel, K, rel_tol=1e-6)) else None
    if K is None:
        return point.weight_variance if kernel is None else kernel
    if laws.start == "K1 < K*":
        low, high = max((k for k in others if k < K), default=point.bias_variance), K
        inside = kernel is not None and low <= kernel < K * (1 - 1e-6)
    else:
        low, high = K, min((k for k in others if k > K), default=math.inf)
        inside = kernel is not None and K * (1 + 1e-6) < kernel < high
    if kernel is not None:
        return kernel if inside else None
    if K == 0:
        return min(point.weight_variance, high / 2)  # |x|^2/n_0 = 1
    return (low + min(high, 2 * K)) / 2
