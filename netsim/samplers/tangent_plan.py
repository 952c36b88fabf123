"""Which gradients of a network are looked at, as data. No JAX.

`Tangent` is a matrix over the neurons of a layer, `Bend` an array over triples; both are carried from
layer to layer by `netsim.samplers.tangent`. Inputs are places in the list of fields.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MOST_BENT", "Bend", "Tangent", "needed"]

MOST_BENT = 64  # widest layer for `Bend`: n^3 numbers a draw, n^4 operations a layer


@dataclass(frozen=True, order=True)
class Tangent:
    """H_jk = sum_mu rate_mu (dz_j;a/dtheta_mu) (dz_k;b/dtheta_mu), a = `first`, b = `second`.

    `block`: None for the neural tangent kernel; l for the weights into layer l with unit rates.
    """

    first: int
    second: int
    block: int | None = None


@dataclass(frozen=True, order=True)
class Bend:
    """dH_ijk = sum_{mu nu} rate_mu rate_nu (d^2 z_i;a/dtheta_mu dtheta_nu) (dz_j;b/dtheta_mu)
    (dz_k;c/dtheta_nu), `inputs` = (a, b, c), with the rates of the neural tangent kernel."""

    inputs: tuple[int, int, int]

    @property
    def tangents(self) -> tuple[Tangent, Tangent]:
        """The kernels of (a, b) and (a, c) that its recursion needs, first <= second."""
        a, b, c = self.inputs
        return Tangent(min(a, b), max(a, b)), Tangent(min(a, c), max(a, c))


def needed(tangents: tuple[Tangent, ...], bends: tuple[Bend, ...]) -> tuple[Tangent, ...]:
    """`tangents`, in their order, then those that only `bends` need."""
    more = [tangent for bend in bends for tangent in bend.tangents]
    return tuple(dict.fromkeys([*tangents, *more]))
