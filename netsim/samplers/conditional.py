"""The conditional sampler: exact in law, Gaussian weights, no weight matrix.

Given layer l the neurons of layer l+1 are iid Gaussian over fields with covariance
S_l = C_b + (C_W/n_l) sum_j h_j h_j^T, so a layer is n_{l+1} independent F-vectors T g with
T T^T = S_l: O(n F^2) instead of O(n^2 F) (Hanin 2204.01058; law of total cumulance).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, UInt32

from netsim.networks.activations import Activation
from netsim.networks.fields import bias_mask, check_order, features
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.samplers.base import AbstractDraw, Layers, pairs
from netsim.samplers.factor import square_root
from netsim.samplers.rng import layer_key, normal_pair, seed_words

__all__ = ["ConditionalDraw", "conditional"]

# neurons summed in the draws' precision before they are added to the float64 total: float32 sums of
# so few terms are right to 1e-6, and the pipeline below starts afresh in each panel
PANEL = 512


class ConditionalDraw(AbstractDraw):
    """One network by its conditional law. Build it with `conditional`.

    Widths and couplings are traced: sweeps over them compile once.
    """

    fields: tuple[Slot, ...] = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)
    neurons: int = eqx.field(static=True)  # how many are looked at
    dtype: str = eqx.field(static=True)
    seed: UInt32[Array, "2"] | np.ndarray
    widths: Int32[Array, " L"] | np.ndarray
    first: Float[Array, " P"] | np.ndarray  # S_0
    weight_variance: Float[Array, " L"] | np.ndarray  # into layers 2..L+1
    bias_variance: Float[Array, " L"] | np.ndarray

    def numbers_per_draw(self) -> float:
        return float(np.sum(self.widths, dtype=float)) * len(self.fields)

    def bytes_per_draw(self) -> int:
        F = len(self.fields)
        return 8 * (len(self.widths) + 1) * (F * (F + 1) // 2 + self.neurons * F) + 64 * F * F

    def __call__(self, index: UInt32[Array, ""]) -> Layers:
        seed = (self.seed[0], self.seed[1])
        mask = [bias_mask(self.fields)[a][b] for a, b in pairs(len(self.fields))]
        bias = jnp.asarray(mask, jnp.float64)

        def layer(S, couplings):
            l, n, C_W, C_b = couplings
            neurons = _Neurons(self, seed, index, l, S)
            following = C_b * bias + C_W / jnp.maximum(n, 1).astype(jnp.float64) * neurons.gram(n)
            return following, (S, neurons.look())

        # the output layer is one more layer, of which nothing is summed
        extended = lambda values, dtype: jnp.append(jnp.asarray(values, dtype), 0).astype(dtype)
        couplings = (
            jnp.arange(1, len(self.widths) + 2, dtype=jnp.uint32),
            extended(self.widths, jnp.int32),
            extended(self.weight_variance, jnp.float64),
            extended(self.bias_variance, jnp.float64),
        )
        _, (S, z) = jax.lax.scan(layer, jnp.asarray(self.first, jnp.float64), couplings)
        return {"S": S, "z": z}


class _Neurons:
    """The neurons of one layer of one draw, two at a time (Box-Muller gives pairs)."""

    def __init__(self, draw: ConditionalDraw, seed, index, layer, S):
        F = len(draw.fields)
        rows = [[None] * (a + 1) for a in range(F)]
        for p, (a, b) in enumerate(pairs(F)):
            rows[a][b] = S[p]
        self.draw, self.index = draw, index
        self.T = [[t.astype(draw.dtype) for t in row] for row in square_root(rows)[0]]
        self.keys = [layer_key(seed, layer, stream=a) for a in range(F)]

    def noise(self, pair) -> list:
        """F complex numbers: standard normals of neurons 2 pair and 2 pair + 1."""
        # a complex number keeps the two normals of a block in ONE array: XLA's CPU fusions
        # recompute their producer for each further output, complex carries avoid that
        return [
            jax.lax.complex(*normal_pair(key, self.index, pair, self.draw.dtype))
            for key in self.keys
        ]

    def values(self, g: list) -> tuple[list, list]:
        """Fields T g of both neurons."""
        parts = ([jnp.real(x) for x in g], [jnp.imag(x) for x in g])
        first, second = (
            [sum(t * x for t, x in zip(row, part, strict=False)) for row in self.T]
            for part in parts
        )
        return first, second

    def look(self):
        """(N, F): the fields of the first N neurons."""
        y: list = []
        for pair in range(math.ceil(self.draw.neurons / 2)):
            y += self.values(self.noise(jnp.uint32(pair)))
        return jnp.stack([jnp.stack(fields) for fields in y[: self.draw.neurons]])

    def gram(self, n):
        """(P,) float64: sum over the n neurons of h_a h_b."""
        draw, F = self.draw, len(self.draw.fields)
        zero = jnp.zeros((), draw.dtype)

        def featured(g, pair):
            both = [features(draw.fields, y, draw.activation.jax) for y in self.values(g)]
            second_exists = 2 * pair + 1 < n  # n may be odd
            return [
                jax.lax.complex(
                    jnp.where(2 * pair < n, h0, zero), jnp.where(second_exists, h1, zero)
                )
                for h0, h1 in zip(*both, strict=True)
            ]

        def panel(p, total):
            start = p * (PANEL // 2)
            count = jnp.minimum(PANEL // 2, (n + 1) // 2 - start)

            # a software pipeline: noise, features and products of consecutive pairs sit in the
            # carry, so that each is computed once (see `noise`)
            def step(i, carry):
                sums, h, g = carry
                sums = [
                    s + jnp.real(h[a]) * jnp.real(h[b]) + jnp.imag(h[a]) * jnp.imag(h[b])
                    for s, (a, b) in zip(sums, pairs(F), strict=True)
                ]
                pair = start + i
                return sums, featured(g, pair), self.noise((pair + 1).astype(jnp.uint32))

            none = jax.lax.complex(zero, zero)
            begin = ([zero] * len(pairs(F)), [none] * F, self.noise(start.astype(jnp.uint32)))
            sums, _, _ = jax.lax.fori_loop(0, count + 1, step, begin)
            return total + jnp.stack(sums).astype(jnp.float64)

        panels = (n + PANEL - 1) // PANEL
        return jax.lax.fori_loop(0, panels, panel, jnp.zeros(len(pairs(F)), jnp.float64))


def conditional(
    network: Network,
    inputs: Inputs,
    fields: Sequence[Slot],
    *,
    seed: int = 0,
    dtype: str = "float32",
    neurons: int = 2,
) -> ConditionalDraw:
    """The conditional sampler of `network` at `fields` (closed under the chain rule).

    **Raises:** `ValueError` for weights that are not Gaussian, or derivatives that the activation
    does not have.
    """
    if not network.weights.is_gaussian:
        raise ValueError(
            f"the conditional sampler needs gaussian weights, got {network.weights.name}: "
            "use sampler=dense"
        )
    check_order(network.activation, fields)
    mask = np.array(bias_mask(fields))
    S = network.bias_variance[0] * mask + network.weight_variance[0] * inputs.gram(fields)
    return ConditionalDraw(
        fields=tuple(fields),
        activation=network.activation,
        neurons=neurons,
        dtype=dtype,
        seed=np.array(seed_words(seed), np.uint32),
        widths=np.array(network.widths, np.int32),
        first=np.array([S[a, b] for a, b in pairs(len(fields))]),
        weight_variance=np.array(network.weight_variance[1:]),
        bias_variance=np.array(network.bias_variance[1:]),
    )
