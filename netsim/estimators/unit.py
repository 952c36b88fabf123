"""Sums over one unit of draws: the only part of an estimator that runs on the device.

Written against the array-API namespace of its argument, so it is one function for NumPy arrays and,
inside `jax.jit` or `jax.vmap` under `jax.enable_x64`, for JAX arrays; nothing here imports JAX.
"""

from __future__ import annotations

from typing import Any

from netsim.estimators.plan import Monomial, Plan

__all__ = ["unit_sums"]


def unit_sums(plan: Plan, x: Any, pivot: Any, weights: Any = None, controls: Any = None) -> dict:
    """Sums over draws of weight w times products m of deviations d = x - pivot.

    **Arguments:** `plan`, static; `x`: (draws, layers, C) float64; `pivot`: (layers, C), data, so
    one compilation serves a sweep; `weights`: (draws,) or (draws, layers); `controls`: (draws,
    layers, Q) or (draws, Q), columns of mean zero.

    **Returns:** `count`: a scalar; `weight` = sum w, `weight2` = sum w^2: (layers,); `sums` = sum w m:
    (layers, M); `squares`, `largest` = sum and maximum of w^2 m^2: (layers, T). Where targets are
    conditional also `present`: (layers, P), draws with presence, not weighted. With controls y also
    `controls` = sum w y, `control_products` = sum w y y^T, `cross` = sum w m y: (layers, Q),
    (layers, Q, Q), (layers, M, Q).

    **Raises:** `ValueError` on wrong shapes or precision.
    """
    _check(plan, x, pivot, weights, controls)
    xp = x.__array_namespace__()
    w = xp.ones((1, 1), dtype=x.dtype) if weights is None else weights
    w = xp.broadcast_to(w[:, None] if w.ndim == 1 else w, x.shape[:2])
    m = _monomials(plan, x, pivot)
    tops = [(w * m[top]) ** 2 for top in plan.tops]
    weighted = {monomial: w * m[monomial] for monomial in plan.monomials}
    unit = {
        "count": xp.asarray(x.shape[0], dtype=xp.int64),
        "weight": xp.sum(w, axis=0),
        "weight2": xp.sum(w * w, axis=0),
        "sums": xp.stack([xp.sum(value, axis=0) for value in weighted.values()], axis=-1),
        "squares": xp.stack([xp.sum(top, axis=0) for top in tops], axis=-1),
        "largest": xp.stack([xp.max(top, axis=0) for top in tops], axis=-1),
    }
    if plan.presents:
        alive = [xp.sum(x[..., on] > 0, axis=0, dtype=xp.int64) for on in plan.presents]
        unit["present"] = xp.stack(alive, axis=-1)
    if controls is None:
        return unit
    y = controls if controls.ndim == 3 else xp.broadcast_to(
        controls[:, None, :], (*x.shape[:2], controls.shape[-1])
    )  # fmt: skip
    wy = w[..., None] * y
    return unit | {
        "controls": xp.sum(wy, axis=0),
        "control_products": xp.einsum("dlp,dlq->lpq", wy, y),
        "cross": xp.einsum("dlm,dlq->lmq", xp.stack(list(weighted.values()), axis=-1), y),
    }


def _monomials(plan: Plan, x: Any, pivot: Any) -> dict[Monomial, Any]:
    """Every product of deviations, each made from the one it extends: (draws, layers) arrays."""
    xp = x.__array_namespace__()
    d = x - pivot[None]
    products: dict[Monomial, Any] = {}
    for present, columns in plan.monomials:
        if not columns:
            products[present, ()] = x[..., present]
        elif present is None:
            rest = columns[:-1]
            last = d[..., columns[-1]]
            products[None, columns] = products[None, rest] * last if rest else last
        else:  # where, not a product: the log of a dead network is not a number
            alive = x[..., present] > 0
            last = xp.where(alive, d[..., columns[-1]], xp.zeros_like(d[..., 0]))
            products[present, columns] = products[present, columns[:-1]] * last
    return products


def _check(plan: Plan, x: Any, pivot: Any, weights: Any, controls: Any) -> None:
    if x.ndim != 3 or x.shape[1:] != pivot.shape or x.shape[-1] < plan.width or x.shape[0] < 1:
        raise ValueError(
            f"x has shape {x.shape}: must be (draws >= 1, layers, C) with (layers, C) = "
            f"{pivot.shape}, the shape of the pivot, and C >= {plan.width}"
        )
    if weights is not None and weights.shape not in (x.shape[:1], x.shape[:2]):
        raise ValueError(
            f"weights have shape {weights.shape}: must be (draws,) = {x.shape[:1]} or (draws, "
            f"layers) = {x.shape[:2]}"
        )
    if controls is not None and controls.shape[:-1] not in (x.shape[:1], x.shape[:2]):
        raise ValueError(
            f"controls have shape {controls.shape}: must be (draws, Q) or (draws, layers, Q) with "
            f"(draws, layers) = {x.shape[:2]}"
        )
    for name, array in (("x", x), ("weights", weights), ("controls", controls)):
        if array is not None and str(array.dtype) != "float64":
            raise ValueError(
                f"{name} has dtype {array.dtype}: sums are kept in float64; convert it, for JAX "
                "arrays inside jax.enable_x64(True)"
            )
