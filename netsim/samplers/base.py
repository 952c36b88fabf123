"""What every sampler is: a Draw, one network as a pure function of its index.

A Draw is a frozen pytree; `draw(index)` returns the layers of network `index`. `run` maps it over
indices and knows nothing else. Shapes below: L hidden layers, F fields, P = F(F+1)/2 pairs, N
neurons looked at.

    {"S": (L+1, P) float64    S_l for l = 0..L, pairs (a, b), b <= a, row by row,
     "z": (L+1, N, F)         the fields of the first N neurons of layers 1..L+1,
     "q": (L+1, F) float64    only where norms are asked for: (1/n) sum_j z_j^2 over all n = n_{l+1}
                              neurons of layer l+1; the last row is 0, as only N outputs are drawn,
     "H": (L+1, T, N, N)      only where asked for: kernels of gradients of layers 1..L+1, one for
                              each of T `Tangent`s,
     "dH": (L+1, B, N, N, N)  likewise, for each of B `Bend`s,
     "weight": (L+1,) float64 only where draws are weighted: expectations of row l are averages with
                              this weight, of mean one}

Row l of S is the covariance of row l of z given layer l (Gaussian weights).
"""

from __future__ import annotations

from abc import abstractmethod

import equinox as eqx
from jaxtyping import Array, Float, UInt32

__all__ = ["AbstractDraw", "Layers", "pairs"]

Layers = dict[str, Float[Array, "..."]]


def pairs(count: int) -> list[tuple[int, int]]:
    """(a, b) with b <= a < count, in the order in which S is stored."""
    return [(a, b) for a in range(count) for b in range(a + 1)]


class AbstractDraw(eqx.Module):
    """One random network as a function of its index."""

    @abstractmethod
    def __call__(self, index: UInt32[Array, ""]) -> Layers:
        """The layers of network `index`; equal for equal (draw, index), whatever the batch."""

    @abstractmethod
    def numbers_per_draw(self) -> float:
        """Random numbers that one draw uses: its cost, for choosing how many run side by side."""

    @abstractmethod
    def bytes_per_draw(self) -> int:
        """Working memory of one draw inside a batch, for choosing how many run side by side."""
