"""Laws of large depth at a critical point, to leading order in 1/n at equal widths n.

From the recursion of `netsim.theory.leading_order` with delta = K - K*, F(K) - K = a delta^{1+p}, and
v K^2/n the variance that one layer adds:

K* = 0, a < 0: K = (p|a|L)^{-1/p}, and with l layers behind F' = 1 - (1+p)/(pl), K F'' = -(1+p)/l,
    kappa_4/kappa_2^2 = (v/3) L/n,   kappa_6/kappa_2^3 = w (L/n)^2,   w = v^2 (5-p)/15,
    kappa_8/kappa_2^4 = [12 v w + 4 v^3/3 - 4(1+p) v w - 4(1+p)(p-1) v^3/27]/7 (L/n)^3,
    kappa_2/K - 1 = -(1+p) v/12 L/n
half-stable, c = v K*^2: from K* itself, where F' = 1 and F'' is fixed,
    V = c L/n,  D = F'' c L^2/(4n),  T = F'' c^2 L^3/n^2,  Q = (12/5) F''^2 c^3 L^5/n^3;
  from the attracting side, where K - K* = -2/(F'' L),
    V = c L/(5n),  D = F'' c L^2/(40n),  T = F'' c^2 L^3/(75 n^2),  Q = (4/1625) F''^2 c^3 L^5/n^3
scale invariant: v, 3 v^2, 16 v^3 (kappa_2 = K exactly).

The variance of a derivative orthogonal to the input is K_perp = prod chi_perp. (K* = 0 with p = 1 and
the classes: Roberts-Yaida-Hanin, arXiv 2106.10165, ch. 5; orders 6 and 8, other p and the half-stable
fluctuations follow from the recursion.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from netsim.theory.criticality.point import HALF_STABLE, SCALE_INVARIANT, CriticalPoint

__all__ = ["Asymptotics", "Law", "asymptotics"]

_RATIOS = ("kappa4/kappa2^2", "kappa6/kappa2^3", "kappa8/kappa2^4")


@dataclass(frozen=True)
class Law:
    """quantity -> coefficient L^depth_power n^width_power.

    `coefficient` is None where it depends on the first kernel and only the power is known.
    """

    quantity: str
    coefficient: float | None
    depth_power: float
    width_power: int = 0

    def value(self, L: float, n: float = 1.0) -> float:
        """The law at depth L and width n; NaN where the coefficient is not known."""
        factor = math.nan if self.coefficient is None else self.coefficient
        return factor * L**self.depth_power * float(n) ** self.width_power

    @property
    def text(self) -> str:
        """E.g. "0.667 L/n", "L^-1" where the coefficient is not known."""
        known = self.coefficient is not None
        number = f"{self.coefficient:.6g}" if known else ""
        if self.coefficient == 0 or not (self.depth_power or self.width_power):
            return number or "constant"
        depth = "L" if self.depth_power == 1 else f"L^{self.depth_power:.6g}"
        depth = depth if self.depth_power else ""
        width = "" if not self.width_power else "/n" if self.width_power == -1 else "/n^"
        width += str(-self.width_power) if self.width_power < -1 else ""
        return f"{number} {depth}{width}".strip()


@dataclass(frozen=True)
class Asymptotics:
    """The laws for one kind of start.

    **Fields:** `start`: the condition on the first kernel K1; `laws`; `remark`, or "".
    """

    start: str
    laws: tuple[Law, ...]
    remark: str = ""


def asymptotics(point: CriticalPoint) -> tuple[Asymptotics, ...]:
    """The laws of `point`, one set per kind of start; none where K leaves K*."""
    if point.kind == SCALE_INVARIANT:
        ratios = [3 * point.noise**2, 16 * point.noise**3]
        laws = [Law("K/K1", 1.0, 0), Law("kappa2/K - 1", 0.0, 1, -1)]
        return (Asymptotics("any K1 > 0", (*laws, *_ratios(point.noise, *ratios))),)
    if point.K == 0:
        return _at_zero(point)
    if point.kind == HALF_STABLE:
        return _half_stable(point)
    law = Law(_RATIOS[0], point.noise, 1, -1)
    remark = "F''(K*) = 0: higher cumulants are not worked out"
    return (Asymptotics("K1 = K*", (law,), remark),)


def _ratios(second: float, third: float, fourth: float) -> tuple[Law, ...]:
    rows = zip(_RATIOS, (second, third, fourth), strict=True)
    return tuple(Law(name, value, k, -k) for k, (name, value) in enumerate(rows, 1))


def _at_zero(point: CriticalPoint) -> tuple[Asymptotics, ...]:
    kernel, v, p = point.kernel, point.noise, point.p
    if point.attracts != "above":
        return ()
    if kernel is None or p is None:
        remark = "F(K) - K vanishes faster than any power at 0: K falls more slowly than any power"
        return (Asymptotics("K1 > 0", (), remark),)
    scale = p * abs(kernel.coefficient)
    w = v**2 * (5 - p) / 15
    u = 12 * v * w + 4 * v**3 / 3 - 4 * (1 + p) * v * w - 4 * (1 + p) * (p - 1) * v**3 / 27
    laws = [
        Law("K", scale ** (-1 / p), -1 / p),
        Law("kappa2/K - 1", -(1 + p) * v / 12, 1, -1),
        *_ratios(v / 3, w, u / 7),
        _orthogonal(point, p, scale),
    ]
    return (Asymptotics("K1 > 0", tuple(laws)),)


def _orthogonal(point: CriticalPoint, p: float, scale: float) -> Law:
    """K_perp = prod chi_perp with chi_perp = 1 + b K^q, K^p = 1/(scale l)."""
    if point.perp is None or point.perp.power > p:
        return Law("K_perp", None, 0)
    b, q = point.perp.coefficient, point.perp.power
    if q == p:
        return Law("K_perp", None, b / scale)
    return Law("log K_perp", b * scale ** (-q / p) / (1 - q / p), 1 - q / p)


def _half_stable(point: CriticalPoint) -> tuple[Asymptotics, ...]:
    assert point.kernel is not None and point.perp is not None and point.K
    K, v, F2 = point.K, point.noise, 2 * point.kernel.coefficient
    c = v * K**2

    def laws(mean: float, second: float, third: float, fourth: float) -> tuple[Law, ...]:
        return (
            Law("kappa2/K - 1", mean * F2 * c / K, 2, -1),
            Law(_RATIOS[0], second * c / K**2, 1, -1),
            Law(_RATIOS[1], third * F2 * c**2 / K**3, 3, -2),
            Law(_RATIOS[2], fourth * F2**2 * c**3 / K**4, 5, -3),
        )

    side = ">" if point.attracts == "above" else "<"
    depth = 1 / abs(F2 * K)
    crossover = f"L >> 1/|F'' K*| = {depth:.3g}"
    if depth > 10:
        crossover += f"; far below it, near K*, like a scale invariant activation with v = {v:.4g}"
    at = (Law("K", K, 0), *laws(1 / 4, 1, 1, 12 / 5), Law("K_perp", None, 0))
    beside = (
        Law("K - K*", -2 / F2, -1),
        *laws(1 / 40, 1 / 5, 1 / 75, 4 / 1625),
        Law("K_perp", None, -2 * point.perp.coefficient / F2),
    )
    return (
        Asymptotics("K1 = K*", at, f"orders 6 and 8 need {crossover}"),
        Asymptotics(f"K1 {side} K*", beside, f"all need {crossover}"),
    )
