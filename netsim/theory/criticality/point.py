"""A critical point: its couplings, its kernel, and how the kernel map behaves around it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from netsim.networks.activation import Activation
from netsim.theory.criticality.origin import Term

__all__ = ["KINDS", "CriticalPoint"]

SCALE_INVARIANT = "scale invariant"
STABLE, UNSTABLE, DEGENERATE = "K*=0 stable", "K*=0 unstable", "K*=0 degenerate"
HALF_STABLE, DEGENERATE_POSITIVE = "half-stable", "K*>0 degenerate"
KINDS = (SCALE_INVARIANT, STABLE, UNSTABLE, DEGENERATE, HALF_STABLE, DEGENERATE_POSITIVE)


@dataclass(frozen=True)
class CriticalPoint:
    """F(K*) = K*, chi_parallel(K*) = chi_perp(K*) = 1.

    With delta = K - K*, F(K) - K = a delta^{1+p} + ..., chi_perp(K) - 1 = b delta^q + ... (delta > 0
    where powers are not whole).

    **Fields:**

    - `activation`; `kind`: one of `KINDS`;
    - `weight_variance`, `bias_variance`: C_W and C_b; `K`: K*, None if every K is K*; `errors`: those
      of the three, numerical (0 for a None);
    - `attracts`: from where K flows to K*: "above", "below", "both sides", "nothing", or "stays"
      where every K is K*;
    - `kernel`: a with 1+p as its power, `perp`: b and q; None where no such term is found;
    - `noise`: v = n Var(S_l | layer l-1 at K*)/K*^2, what one layer adds to kappa_4/kappa_2^2.
    """

    activation: Activation
    kind: str
    weight_variance: float
    bias_variance: float
    K: float | None
    errors: tuple[float, float, float]
    attracts: str
    kernel: Term | None
    perp: Term | None
    noise: float

    @property
    def p(self) -> float | None:
        """The power p: at K* = 0 the kernel falls like L^{-1/p}."""
        return None if self.kernel is None else self.kernel.power - 1

    @property
    def overrides(self) -> str:
        """The words that give a network these couplings on the command line."""
        name = shlex.quote(f"network.activation={self.activation.name}")
        C_W, C_b = self.weight_variance, self.bias_variance
        return f"{name} network.weight_variance={C_W!r} network.bias_variance={C_b!r}"
