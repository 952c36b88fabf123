"""Your own activations: checked numerically, then known by name like the built-in ones."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from netsim.networks.activation import Activation, Function
from netsim.networks.builtin_activations import FAMILIES, SIMPLE

__all__ = ["REGISTERED", "register_activation"]

REGISTERED: dict[str, Activation] = {}


def register_activation(
    name: str,
    *functions: Function,
    derivatives: float | None = None,
    growth: float = 1.0,
    kinks: tuple[float, ...] = (),
    pole: float = math.inf,
) -> Activation:
    """Add your own activation under `name`, after checking numerically what you say of it.

    **Arguments:**

    - `functions`: sigma, sigma', sigma'', ... each called as `f(x, xp)`, where `xp` has `exp`,
      `tanh`, `erf`, `where`, ... for NumPy or JAX arrays; as many as you need input derivatives,
      and one at least.
    - `derivatives`: how many input derivatives the network has (default: those given).
    - `growth`, `kinks`, `pole`: see `Activation`.

    **Raises:** `ValueError` if a function is not finite, if NumPy and JAX versions differ, if a
    derivative is not the slope of the function before it, or if it grows faster than |x|^growth.

    ```python
    import netsim
    mish = netsim.register_activation("mish", lambda x, xp: x * xp.tanh(xp.logaddexp(x, 0 * x)))
    ```
    """
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError(f"activation name {name!r} must be letters, digits and underscores")
    if name in SIMPLE or name in FAMILIES:
        raise ValueError(f"activation {name!r} is built in; choose another name")
    if not functions:
        raise ValueError(f"activation {name!r}: give at least the function itself")
    count = len(functions) - 1 if derivatives is None else derivatives
    new = Activation(name, tuple(functions), count, growth, tuple(kinks), None, pole)
    _check_functions(new)
    _check_growth(new)
    new = replace(new, version=_digest(new))
    REGISTERED[name] = new
    return new


def _check_functions(sigma: Activation) -> None:
    """Finite, the same in NumPy and JAX, each the slope of the one before it, on [-6, 6]."""
    import numpy as np

    # irrational spacing keeps the check points off integer kinks
    x = np.linspace(-6.0, 6.0, 241) * (1 + 1e-3 * math.sqrt(2))
    if sigma.kinks:
        x = x[np.all([np.abs(x - k) > 1e-3 for k in sigma.kinks], axis=0)]
    step = 1e-5
    who = f"activation {sigma.name!r}"
    for order in range(len(sigma.functions)):
        y = np.asarray(sigma.numpy(x, order))
        if y.shape != x.shape or not np.all(np.isfinite(y)):
            raise ValueError(f"{who}: derivative {order} is not finite on [-6, 6]")
        from_jax = np.asarray(sigma.jax(x.astype(np.float32), order), dtype=np.float64)
        if not np.allclose(from_jax, y, rtol=1e-3, atol=1e-4):
            raise ValueError(f"{who}: NumPy and JAX disagree on derivative {order}")
        if order:
            rise = sigma.numpy(x + step, order - 1) - sigma.numpy(x - step, order - 1)
            worst = float(np.max(np.abs(rise / (2 * step) - y) / (1 + np.abs(y))))
            if worst > 1e-5:
                raise ValueError(
                    f"{who}: function {order} is not the derivative of function "
                    f"{order - 1} (largest relative difference {worst:.1e} on [-6, 6]); if it has "
                    "kinks, name them in kinks=(...)"
                )


def _check_growth(sigma: Activation) -> None:
    import numpy as np

    near = np.abs(sigma.numpy(np.array([-32.0, 32.0])))
    far = np.abs(sigma.numpy(np.array([-256.0, 256.0])))
    # far = 8 times near: a power p raises |sigma| by at most 8^p; the factor 2 allows offsets
    if np.any(far > 2.0 * 8.0**sigma.growth * np.maximum(near, 1.0)):
        raise ValueError(
            f"activation {sigma.name!r} grows faster than |x|^{sigma.growth:g}; give growth=..."
        )


def _digest(sigma: Activation) -> str:
    """12 hex digits of the values of all functions at fixed points, to 10 digits, and of the facts."""
    import hashlib

    import numpy as np

    x = 7.0 * np.sin(np.arange(64) * math.sqrt(2))  # anywhere in (-7, 7), on no kink
    rows = [
        [f"{v:.10g}" for v in np.asarray(sigma.numpy(x, k))] for k in range(len(sigma.functions))
    ]
    facts = [sigma.derivatives, sigma.growth, sigma.kinks, sigma.pole]
    return hashlib.sha256(repr([rows, facts]).encode()).hexdigest()[:12]
