"""One-sided Taylor coefficients of an activation at 0, from its own function in 200 digits.

An activation is written for any array module, so it runs on mpmath numbers as well. The polynomial
through sigma(j h), j = 0..M, h = 1e-10, has the Taylor coefficients up to O(h^{M+1-k}); on one side of
0 a kink there does no harm.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from mpmath import MPContext

from netsim.networks.activation import Activation

__all__ = ["one_sided"]

_MP = MPContext()  # our own: the global precision of mpmath is the user's
_MP.dps = 200
_ORDER = 10
_SPACING = "1e-10"
_ROUNDING = 1e-40  # what is left of 200 digits after ten divisions by the spacing, with room
_AGREE = 1e-12  # two spacings must give the same coefficients, relative


def _namespace() -> SimpleNamespace:
    """The functions that an activation may use, on mpmath numbers."""
    return SimpleNamespace(
        exp=_MP.exp, log1p=_MP.log1p, tanh=_MP.tanh, sin=_MP.sin, cos=_MP.cos, sqrt=_MP.sqrt,
        abs=abs, where=lambda condition, a, b: a if condition else b, erf=_MP.erf,
        expit=lambda x: 1 / (1 + _MP.exp(-x)),
        logaddexp=lambda a, b: _MP.log(_MP.exp(a) + _MP.exp(b)),
        zeros_like=lambda x: _MP.mpf(0), ones_like=lambda x: _MP.mpf(1), minimum=min, maximum=max,
        clip=lambda x, low, high: min(max(x, low), high), log=_MP.log, expm1=_MP.expm1, sign=_MP.sign,
    )  # fmt: skip


def one_sided(sigma: Activation) -> tuple[list[float], list[float]]:
    """Taylor coefficients 0..10 of sigma on the right and on the left of 0.

    **Returns:** two lists, sigma(z) = sum_k t_k z^k for small z > 0 and for small z < 0.

    **Raises:** `ValueError` for a sigma without a Taylor series on a side, and for one that cannot
    be evaluated with more than 16 digits.
    """
    xp, h = _namespace(), _MP.mpf(_SPACING)
    try:
        fine, coarse = (
            [_coefficients(sigma, xp, sign * step) for sign in (1, -1)] for step in (h, 7 * h)
        )
    except (TypeError, AttributeError) as error:
        raise ValueError(
            f"{sigma.name} cannot be evaluated in high precision near 0 ({error}): write it with "
            "the functions of its argument xp"
        ) from error
    half = _ORDER // 2 + 1
    scale = max(abs(c) for side in fine for c in side[:half])
    sides = []
    for side, other in zip(fine, coarse, strict=True):
        gaps = [abs(a - b) for a, b in zip(side, other, strict=True)]
        if any(gap > _AGREE * scale for gap in gaps[:half]):
            raise ValueError(f"{sigma.name} has no Taylor series on a side of 0")
        # where two spacings do not agree, or at rounding, the coefficient is 0
        least = [max(2 * gap, _ROUNDING * scale) for gap in gaps]
        sides.append(
            [float(c) if abs(c) > limit else 0.0 for c, limit in zip(side, least, strict=True)]
        )
    return sides[0], sides[1]


def _coefficients(sigma: Activation, xp: Any, h: Any) -> list:
    """Coefficients of the interpolating polynomial: Newton's form, expanded."""
    nodes = [j * h for j in range(_ORDER + 4)]
    column = [_MP.mpf(1) * sigma.functions[0](x, xp) for x in nodes]
    newton = [column[0]]
    for level in range(1, len(nodes)):
        column = [(b - a) / (level * h) for a, b in zip(column, column[1:], strict=False)]
        newton.append(column[0])
    result = [_MP.mpf(0)] * len(nodes)
    for k in reversed(range(len(nodes))):  # result <- result (x - x_k) + newton_k
        result = [(result[i - 1] if i else 0) - nodes[k] * result[i] for i in range(len(nodes))]
        result[0] += newton[k]
    return result[: _ORDER + 1]
