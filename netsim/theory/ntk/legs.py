"""Joint cumulants of outputs and entries of the NTK from the kernel's tensors, by Wick's theorem.

Given layer l, z_i = b_i + w_i.sigma and H_ij = delta_ij (...) + w_i.M w_j with independent Gaussian
rows w_i, so that at every width, for one input and with delta's over neurons,

    kappa(H_ij)           = delta_ij E H_11
    kappa(z_k, z_m, H_ij) = delta_ij delta_km D + (delta_ik delta_jm + delta_im delta_jk) F
    kappa(H_ij, H_km)     = delta_ij delta_km A + (delta_ik delta_jm + delta_im delta_jk) B
    kappa(dH_ijk, z_m)    = delta_im delta_jk P + (delta_ij delta_km + delta_ik delta_jm) Q,

with the tensors of `netsim.theory.ntk.first_order`. g of weight block k is H_11 with the rates of
that block alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from netsim.quantities import Leg, Quantity
from netsim.theory.base import OutsideDomain

__all__ = ["Blocks", "check_plain", "tensor_terms"]

Blocks = tuple[int | None, ...]  # rates of the H's of a tensor: the NTK's, or of one weight matrix
Terms = list[tuple[float, str, Blocks]]


def check_plain(quantity: Quantity) -> str:
    """The one input that all legs look at.

    **Raises:** `OutsideDomain` for several inputs, derivatives, or legs with layers of their own.
    """
    slots = {slot for leg in quantity.legs for slot in leg.slots}
    if any(leg.layer is not None for leg in quantity.legs):
        raise OutsideDomain(f"{quantity.text}: legs with layers of their own are not predicted")
    if len(slots) != 1 or any(slot.directions for slot in slots):
        raise OutsideDomain(
            f"{quantity.text}: fluctuations of the NTK are known for one undifferentiated input"
        )
    return slots.pop().input


def tensor_terms(legs: Sequence[Leg]) -> Terms:
    """(coefficient, tensor, blocks) that add up to the joint cumulant of `legs`, zeros left out.

    The tensors are "K" = E z_1^2, "H", "D", "F", "A", "B", "P", "Q".

    **Raises:** `OutsideDomain` for higher orders.
    """
    z = [leg.indices[0] for leg in legs if leg.field == "z"]
    kernels = [leg for leg in legs if leg.field in ("H", "g")]
    bent = [leg for leg in legs if leg.field == "dH"]
    pairs = [(1, 1) if leg.field == "g" else leg.indices for leg in kernels]
    blocks = tuple(leg.indices[0] if leg.field == "g" else None for leg in kernels)
    if len(z) % 2 != len(bent) % 2:
        return []  # the output's weights and biases with the other sign
    kind = (len(z), len(kernels), len(bent))
    if kind == (2, 0, 0):
        return _terms([("K", z[0] == z[1], ())])
    if kind == (0, 1, 0):
        return _terms([("H", pairs[0][0] == pairs[0][1], blocks)])
    if kind in ((2, 1, 0), (0, 2, 0)):
        names = ("D", "F") if z else ("A", "B")
        (i, j), (k, m) = pairs[0], (z if z else pairs[1])
        crossed = (i == k) * (j == m) + (i == m) * (j == k)
        return _terms([(names[0], i == j and k == m, blocks), (names[1], crossed, blocks)])
    if kind == (1, 0, 1):
        (i, j, k), m = bent[0].indices, z[0]
        crossed = (i == j) * (k == m) + (i == k) * (j == m)
        return _terms([("P", i == m and j == k, (None,)), ("Q", crossed, (None,))])
    raise OutsideDomain(
        "of the NTK are predicted: means, joint cumulants of two entries, of one entry with two "
        "outputs, of dH with an output"
    )


def _terms(found: list[tuple[str, int, Blocks]]) -> Terms:
    return [(float(count), name, blocks) for name, count, blocks in found if count]
