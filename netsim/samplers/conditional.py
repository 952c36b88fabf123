"""The conditional sampler: exact in law, Gaussian weights, no weight matrix.

Given layer l the neurons of layer l+1 are iid Gaussian over fields with covariance
S_l = C_b + (C_W/n_l) sum_j h_j h_j^T, so a layer is n_{l+1} independent F-vectors T g with
T T^T = S_l: O(n F^2) instead of O(n^2 F) (Hanin 2204.01058; law of total cumulance).

Written in scalars, unrolled over fields: one draw is one lane of a vector loop. Beyond `FEW` fields
compilation would take minutes, and `netsim.samplers.conditional_wide` takes over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, UInt32

from netsim.networks.activation import Activation
from netsim.networks.fields import bias_mask, features
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Slot
from netsim.samplers.base import AbstractDraw, Layers, pairs
from netsim.samplers.conditional_facts import conditional_facts
from netsim.samplers.conditional_wide import ConditionalWideDraw, conditional_wide
from netsim.samplers.factor import square_root
from netsim.samplers.mixture import Wider
from netsim.samplers.names import FEW
from netsim.samplers.rng import layer_key, normal_pair

__all__ = ["FEW", "ConditionalDraw", "conditional", "conditional_few"]


class ConditionalDraw(AbstractDraw):
    """One network by its conditional law. Build it with `conditional`.

    Widths and couplings are traced: sweeps over them compile once.
    """

    fields: tuple[Slot, ...] = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)
    neurons: int = eqx.field(static=True)  # how many are looked at
    dtype: str = eqx.field(static=True)
    norms: bool = eqx.field(static=True)
    seed: UInt32[Array, "2"] | np.ndarray
    widths: Int32[Array, " L"] | np.ndarray
    first: Float[Array, " P"] | np.ndarray  # S_0
    weight_variance: Float[Array, " L"] | np.ndarray  # into layers 2..L+1
    bias_variance: Float[Array, " L"] | np.ndarray
    wider: Float[Array, "L 2"] | np.ndarray | None = None  # see netsim.samplers.mixture

    def numbers_per_draw(self) -> float:
        return float(np.sum(self.widths, dtype=float)) * len(self.fields)

    def bytes_per_draw(self) -> int:
        F = len(self.fields)
        return 8 * (len(self.widths) + 1) * (F * (F + 1) // 2 + (self.neurons + 1) * F) + 64 * F * F

    def __call__(self, index: UInt32[Array, ""]) -> Layers:
        seed = (self.seed[0], self.seed[1])
        mask = [bias_mask(self.fields)[a][b] for a, b in pairs(len(self.fields))]
        bias = jnp.asarray(mask, jnp.float64)

        def layer(carry, couplings):
            S, log_ratio = carry
            l, n, C_W, C_b, wider = couplings
            neurons = _Neurons(self, seed, index, l, S, wider)
            sums, more = neurons.sums(n)
            count = jnp.maximum(n, 1).astype(jnp.float64)
            row = {"S": S, "z": neurons.look()}
            if self.norms:
                row["q"] = sums[len(bias) :] / count
            if log_ratio is not None:
                row["weight"] = 2 * jax.nn.sigmoid(-log_ratio)
                log_ratio = log_ratio + more
            return (C_b * bias + C_W / count * sums[: len(bias)], log_ratio), row

        # the output layer is one more layer, of which nothing is summed
        extended = lambda values, dtype: jnp.append(jnp.asarray(values, dtype), 0).astype(dtype)
        couplings = (
            jnp.arange(1, len(self.widths) + 2, dtype=jnp.uint32),
            extended(self.widths, jnp.int32),
            extended(self.weight_variance, jnp.float64),
            extended(self.bias_variance, jnp.float64),
            None
            if self.wider is None
            else jnp.pad(jnp.asarray(self.wider, jnp.float64), ((0, 1), (0, 0))),
        )
        none = None if self.wider is None else jnp.zeros((), jnp.float64)
        first = (jnp.asarray(self.first, jnp.float64), none)
        return jax.lax.scan(layer, first, couplings)[1]


class _Neurons:
    """The neurons of one layer of one draw, two at a time (Box-Muller gives pairs)."""

    def __init__(self, draw: ConditionalDraw, seed, index, layer, S, wider):
        F = len(draw.fields)
        rows = [[None] * (a + 1) for a in range(F)]
        for p, (a, b) in enumerate(pairs(F)):
            rows[a][b] = S[p]
        self.draw, self.index = draw, index
        T, _ = square_root(rows)
        self.T = [[t.astype(draw.dtype) for t in row] for row in T]
        self.keys = [layer_key(seed, layer, stream=a) for a in range(F)]
        self.wider = None if wider is None else Wider(wider, index, draw.dtype)

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

    def sums(self, n):
        """Sums over the n neurons, float64: of h_a h_b, then of z_a^2 (`norms`): (P,) or (P + F,);
        and log p'/p of their noise, a scalar, where half of the draws have wider noise.

        What is looked at has plain noise, so that it has the law that belongs to this layer's S.

        Features of any precision are multiplied in float64: products of float32 numbers are then
        exact, so that S is positive semidefinite, of the right rank, and does not underflow.
        """
        draw, F = self.draw, len(self.draw.fields)
        zero = jnp.zeros((), draw.dtype)
        size = len(pairs(F)) + (F if draw.norms else 0) + (self.wider is not None)

        # a software pipeline: noise, features and products of consecutive pairs sit in the carry, so
        # that each is computed once (see `noise`)
        def step(pair, carry):
            sums, h, g = carry
            first, second = (
                [part(x).astype(jnp.float64) for x in h] for part in (jnp.real, jnp.imag)
            )
            new = [first[a] * first[b] + second[a] * second[b] for a, b in pairs(F)]
            if draw.norms:
                new += self.squares(g, pair, n)
            if self.wider is not None:
                new.append(self.wider.log_ratio(g[0], (2 * pair < n, 2 * pair + 1 < n)))
            sums = [s + x for s, x in zip(sums, new, strict=True)]
            return sums, self.featured(g, pair, n), self.noise((pair + 1).astype(jnp.uint32))

        none = jax.lax.complex(zero, zero)
        begin = ([jnp.zeros((), jnp.float64)] * size, [none] * F, self.noise(jnp.uint32(0)))
        # one step more than pairs empties the pipeline: pairs beyond n count as zero
        sums, _, _ = jax.lax.fori_loop(0, (n + 1) // 2 + 1, step, begin)
        log_ratio = None if self.wider is None else sums.pop()
        return jnp.stack(sums), log_ratio

    def featured(self, g: list, pair, n) -> list:
        """F complex numbers: features of both neurons, 0 where they do not exist."""
        draw, zero = self.draw, jnp.zeros((), self.draw.dtype)
        noise = g if self.wider is None else [self.wider.scaled(g[0]), *g[1:]]
        both = [features(draw.fields, y, draw.activation.jax) for y in self.values(noise)]
        second_exists = 2 * pair + 1 < n  # n may be odd
        return [
            jax.lax.complex(jnp.where(2 * pair < n, h0, zero), jnp.where(second_exists, h1, zero))
            for h0, h1 in zip(*both, strict=True)
        ]

    def squares(self, g: list, pair, n) -> list:
        """z_a^2 summed over those of the two neurons that exist."""
        first, second = ([y.astype(jnp.float64) for y in part] for part in self.values(g))
        zero = jnp.zeros((), jnp.float64)
        return [
            jnp.where(2 * pair < n, y0 * y0, zero) + jnp.where(2 * pair + 1 < n, y1 * y1, zero)
            for y0, y1 in zip(first, second, strict=True)
        ]


def conditional(
    network: Network,
    inputs: Inputs,
    fields: Sequence[Slot],
    *,
    seed: int = 0,
    dtype: str = "float32",
    neurons: int = 2,
    norms: bool = False,
    wider: np.ndarray | None = None,
) -> ConditionalDraw | ConditionalWideDraw:
    """The conditional sampler of `network` at `fields` (closed under the chain rule), any number.

    **Arguments:** `neurons`: how many are looked at; `norms`: whether to sum z^2 as well ("q");
    `wider`: (L, 2) from `netsim.samplers.mixture.wider_noise`, or None for plain draws. With it
    draws carry weights; at most `FEW` fields.

    **Raises:** `ValueError` for weights that are not Gaussian, derivatives that the activation does
    not have, or `wider` noise for more than `FEW` fields.
    """
    options = {"seed": seed, "dtype": dtype, "neurons": neurons, "norms": norms}
    if len(fields) <= FEW:
        return conditional_few(network, inputs, fields, **options, wider=wider)
    if wider is not None:
        raise ValueError(f"wider noise for {len(fields)} fields: at most {FEW}; give wider=None")
    return conditional_wide(network, inputs, fields, **options)


def conditional_few(
    network: Network,
    inputs: Inputs,
    fields: Sequence[Slot],
    *,
    seed: int = 0,
    dtype: str = "float32",
    neurons: int = 2,
    norms: bool = False,
    wider: np.ndarray | None = None,
) -> ConditionalDraw:
    """The scalar body, whatever the number of fields; see `conditional`."""
    return ConditionalDraw(
        **conditional_facts(network, inputs, fields, seed),
        neurons=neurons,
        dtype=dtype,
        norms=norms,
        wider=wider,
    )
