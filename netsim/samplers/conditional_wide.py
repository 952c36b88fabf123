"""The conditional sampler for many fields: whole arrays per layer instead of scalars.

The same law, counters and keys as `netsim.samplers.conditional`: both give the same networks up to
rounding (tested). It is that sampler's slow, obvious twin, and the one that compiles in seconds for
any number of fields: the program's size does not depend on F.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int32, UInt32

from netsim.networks.activation import Activation
from netsim.networks.fields import bias_mask
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.samplers.base import AbstractDraw, Layers, pairs
from netsim.samplers.conditional_facts import conditional_facts
from netsim.samplers.factor import square_root_array
from netsim.samplers.rng import layer_key, normal_pair

__all__ = ["ConditionalWideDraw", "conditional_wide"]

PANEL = 128  # neurons at a time: (128, F) arrays of one draw fit into a core's own cache


class ConditionalWideDraw(AbstractDraw):
    """One network by its conditional law, many fields. Build it with `conditional_wide`.

    Couplings are traced, and widths up to their padding to whole panels.

    Only distinct fields are drawn; `place[a]` counts among these the one that field a equals, so
    that duplicates stay identical bit for bit whatever the order of summation in a matrix product.
    """

    fields: tuple[Slot, ...] = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)
    neurons: int = eqx.field(static=True)  # how many are looked at
    dtype: str = eqx.field(static=True)
    norms: bool = eqx.field(static=True)
    panel: int = eqx.field(static=True)
    place: tuple[int, ...] = eqx.field(static=True)
    seed: UInt32[Array, "2"] | np.ndarray
    widths: Int32[Array, " L"] | np.ndarray
    first: Float[Array, " P"] | np.ndarray  # S_0
    weight_variance: Float[Array, " L"] | np.ndarray  # into layers 2..L+1
    bias_variance: Float[Array, " L"] | np.ndarray

    def numbers_per_draw(self) -> float:
        F = 1 + max(self.place)
        padded = np.ceil(np.asarray(self.widths) / self.panel) * self.panel
        # in units of one normal: its 2 F products, and the square root (measured on a CPU)
        return float(np.sum(padded) * F * (1 + F / 8) + len(padded) * F**3)

    def bytes_per_draw(self) -> int:
        F, rows = len(self.fields), len(self.widths) + 1
        layers = 8 * rows * (F * (F + 1) // 2 + (self.neurons + 1) * F)
        return layers + 64 * self.panel * F + 48 * F * F

    def __call__(self, index: UInt32[Array, ""]) -> Layers:
        seed = (self.seed[0], self.seed[1])
        place = np.array(self.place)
        a, b = np.array(pairs(len(place))).T
        # the lower triangle of distinct fields holds every pair
        lower = (np.maximum(place[a], place[b]), np.minimum(place[a], place[b]))
        S_0 = jnp.zeros((1 + max(self.place),) * 2, jnp.float64).at[lower].set(self.first)
        kept = [self.place.index(i) for i in range(1 + max(self.place))]
        mask = jnp.asarray(bias_mask([self.fields[i] for i in kept]), jnp.float64)

        def layer(S, couplings):
            l, n, C_W, C_b = couplings
            neurons = _Panels(self, kept, seed, index, l, S)
            total, squares = neurons.sums(n)
            count = jnp.maximum(n, 1).astype(jnp.float64)
            row = {"S": S[lower], "z": neurons.look()[:, place]}
            if self.norms:
                row["q"] = (squares / count)[place]
            return C_b * mask + C_W / count * total, row

        # the output layer is one more layer, of which nothing is summed
        extended = lambda values, dtype: jnp.append(jnp.asarray(values, dtype), 0).astype(dtype)
        couplings = (
            jnp.arange(1, len(self.widths) + 2, dtype=jnp.uint32),
            extended(self.widths, jnp.int32),
            extended(self.weight_variance, jnp.float64),
            extended(self.bias_variance, jnp.float64),
        )
        _, rows = jax.lax.scan(layer, S_0, couplings)
        return rows


class _Panels:
    """The neurons of one layer of one draw, a panel at a time; columns are distinct fields."""

    def __init__(self, draw: ConditionalWideDraw, kept: list[int], seed, index, layer, S):
        self.draw, self.index = draw, index
        self.slots = [draw.fields[i] for i in kept]
        self.T = square_root_array(S).astype(draw.dtype)
        # a field's stream is its number in the list of all fields, as in the scalar body
        key = layer_key(seed, layer, stream=jnp.array(kept, jnp.uint32))
        self.key = (key[0][None, :], key[1][None, :])

    def values(self, first, count: int):
        """(2 count, K): fields T g of neurons 2 first, 2 first + 1, ..."""
        pair = (first + jnp.arange(count, dtype=jnp.int32)).astype(jnp.uint32)
        both = normal_pair(self.key, self.index, pair[:, None], self.draw.dtype)
        g = jnp.stack(both, 1).reshape(2 * count, len(self.slots))
        return jnp.matmul(g, self.T.T, precision="highest")

    def look(self):
        """(N, K): the fields of the first N neurons."""
        N = self.draw.neurons
        return self.values(jnp.int32(0), math.ceil(N / 2))[:N]

    def sums(self, n) -> tuple[Float64[Array, "K K"], Float64[Array, " K"]]:
        """Sums over the n neurons of h_a h_b and of z_a^2."""
        draw, K = self.draw, len(self.slots)

        def panel(p, carry):
            total, squares = carry
            start = p * draw.panel
            exists = (start + jnp.arange(draw.panel, dtype=jnp.int32) < n)[:, None]
            z = self.values(start // 2, draw.panel // 2)
            # float64: what is summed is then a Gram matrix to the tolerance of its square root
            h = jnp.where(exists, self.features(z), 0).astype(jnp.float64)
            total = total + jnp.matmul(h.T, h, precision="highest")
            if draw.norms:
                squares = squares + jnp.sum(jnp.where(exists, z, 0).astype(jnp.float64) ** 2, 0)
            return total, squares

        panels = (n + draw.panel - 1) // draw.panel
        none = (jnp.zeros((K, K), jnp.float64), jnp.zeros(K, jnp.float64))
        return jax.lax.fori_loop(0, panels, panel, none)

    def features(self, z):
        """(m, K) fields to (m, K) features: `netsim.networks.fields.features` for whole arrays."""
        draw = self.draw
        at = {slot: draw.place[i] for i, slot in enumerate(draw.fields)}
        plain = [i for i, slot in enumerate(self.slots) if not slot.directions]
        x = z[:, np.array(plain)]
        orders = [len(slot.directions) for slot in self.slots]
        sigma = [draw.activation.jax(x, k) for k in range(1 + max(orders))]
        # columns of sigma[k] that belong to each field
        own = np.array([plain.index(at[Slot(slot.input)]) for slot in self.slots])
        parts, order = [sigma[0]], list(plain)
        for k in (1, 2):
            chosen = [i for i, o in enumerate(orders) if o == k]
            if not chosen:
                continue
            part = sigma[1][:, own[chosen]] * z[:, np.array(chosen)]
            if k == 2:
                u, v = (
                    np.array([at[Slot(s.input, (s.directions[d],))] for s in self._of(chosen)])
                    for d in (0, 1)
                )
                part = sigma[2][:, own[chosen]] * z[:, u] * z[:, v] + part
            parts.append(part)
            order += chosen
        return jnp.concatenate(parts, axis=1)[:, np.argsort(order)]

    def _of(self, chosen: list[int]) -> list[Slot]:
        return [self.slots[i] for i in chosen]


def _places(inputs: Inputs, fields: Sequence[Slot]) -> tuple[int, ...]:
    """For every field the number, among distinct fields, of the one that it equals.

    Equal inputs (and equal directions) have equal rows of inner products, bit for bit.
    """
    G = inputs.gram(fields)
    row = {slot: G[i].tobytes() for i, slot in enumerate(fields)}
    numbers: dict[tuple, int] = {}
    place = []
    for slot in fields:
        along = sorted(row[Slot(slot.input, (d,))] for d in slot.directions)
        place.append(numbers.setdefault((row[Slot(slot.input)], *along), len(numbers)))
    return tuple(place)


def conditional_wide(
    network: Network,
    inputs: Inputs,
    fields: Sequence[Slot],
    *,
    seed: int = 0,
    dtype: str = "float32",
    neurons: int = 2,
    norms: bool = False,
) -> ConditionalWideDraw:
    """The conditional sampler of `network` at `fields` (closed under the chain rule), many of them.

    **Raises:** `ValueError` for weights that are not Gaussian, or derivatives that the activation
    does not have.
    """
    widest = max(network.widths)
    return ConditionalWideDraw(
        **conditional_facts(network, inputs, fields, seed),
        neurons=neurons,
        dtype=dtype,
        norms=norms,
        panel=min(PANEL, widest + widest % 2),
        place=_places(inputs, fields),
    )
