"""Critical couplings (C_b, C_W, K*) of the built-in activations.

At criticality a kernel K* exists with F(K*) = K*, chi_parallel(K*) = chi_perp(K*) = 1, where
F(K) = C_b + C_W <sigma^2>_K, chi_parallel = F', chi_perp = C_W <sigma'^2>_K (Roberts-Yaida-Hanin,
arXiv 2106.10165, ch. 5). Slopes (a_+, a_-): every K is K*, C_W = 2/(a_+^2 + a_-^2). tanh, sin, erf:
K* = 0, C_W = 1/sigma'(0)^2. gelu, swish: K* > 0, solved to 1e-13; a test solves them again.
"""

from __future__ import annotations

import math

from netsim.networks.activation import Activation

__all__ = ["critical_couplings"]

# name -> (C_b, C_W, K*)
_CONSTANTS: dict[str, tuple[float, float, float]] = {
    "tanh": (0.0, 1.0, 0.0),
    "sin": (0.0, 1.0, 0.0),
    "erf": (0.0, math.pi / 4, 0.0),
    "gelu": (0.17292239075606775, 1.9830582574375466, (3 + math.sqrt(17)) / 2),
    "swish": (0.5551431707215304, 1.9880046782694918, 14.320173618025809),
}


def critical_couplings(sigma: Activation) -> tuple[float, float, float | None]:
    """(C_b, C_W, K*) at the critical point of `sigma`; K* is None where every K is critical.

    **Raises:** `ValueError` where no critical point is known.
    """
    if sigma.slopes is not None:
        a_plus, a_minus = sigma.slopes
        return 0.0, 2.0 / (a_plus**2 + a_minus**2), None
    if sigma.name not in _CONSTANTS:
        known = ", ".join(sorted(_CONSTANTS))
        raise ValueError(
            f"no critical point is known for {sigma.name}: give weight_variance and bias_variance "
            f"as numbers (known: {known}, and the piecewise linear ones)"
        )
    return _CONSTANTS[sigma.name]
