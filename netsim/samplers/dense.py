"""The dense sampler: draws every weight matrix. Slow, any weight law: the reference."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, UInt32

from netsim.networks.activation import Activation
from netsim.networks.fields import bias_mask, check_order, features
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.networks.weights import WeightLaw
from netsim.quantities import Slot
from netsim.samplers.base import AbstractDraw, Layers, pairs
from netsim.samplers.independent import independent_matrix, independent_product
from netsim.samplers.orthogonal import orthogonal_product
from netsim.samplers.rng import layer_key, normal_pair, seed_words
from netsim.samplers.tangent import Gradients, Step, gradients
from netsim.samplers.tangent_plan import Bend, Tangent

__all__ = ["DenseDraw", "dense"]

WEIGHTS, BIASES = 0, 1  # streams of a layer's key
# time of one weight in units of a gaussian one, n = 64 and 256, one CPU core
_COST = {"student_t": 2.0, "orthogonal": 4.0}


class DenseDraw(AbstractDraw):
    """One network with its weight matrices. Build it with `dense`.

    Layers are padded to the widest so that the loop over them compiles once; the random numbers of
    a weight depend on its place alone.
    """

    fields: tuple[Slot, ...] = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)
    law: WeightLaw = eqx.field(static=True)
    neurons: int = eqx.field(static=True)
    outputs: int = eqx.field(static=True)
    widest: int = eqx.field(static=True)
    dtype: str = eqx.field(static=True)
    norms: bool = eqx.field(static=True)
    seed: UInt32[Array, "2"] | np.ndarray
    widths: Int32[Array, " L"] | np.ndarray
    vectors: Float[Array, "F n_0"] | np.ndarray  # D^J x of every field
    overlaps: Float[Array, "F F"] | np.ndarray  # their inner products / n_0
    weight_variance: Float[Array, " L+1"] | np.ndarray
    bias_variance: Float[Array, " L+1"] | np.ndarray
    gradients: Gradients | None = None

    @property
    def _rows(self) -> int:
        """Rows of a padded layer. Of independent outputs only those looked at are drawn."""
        drawn = self.neurons if self.law.is_independent else max(self.neurons, self.outputs)
        return max(self.widest, drawn)

    def numbers_per_draw(self) -> float:
        # padded to the widest, and one matrix product each
        weights = self._rows * (self.vectors.shape[1] + self.widest * len(self.widths))
        numbers = _COST.get(self.law.kind, 1.0) * weights
        if self.gradients is not None:
            numbers += self.gradients.numbers(self._rows, len(self.widths))
        return numbers

    def bytes_per_draw(self) -> int:
        rows, F = max(self._rows, self.vectors.shape[1]), len(self.fields)
        kept = (len(self.widths) + 1) * (F * (F + 1) // 2 + self.neurons * F + F)
        size = 8 * (rows * (8 + 4 * F) + 2 * kept)  # two columns of weights, a few of fields
        if self.gradients is not None:
            size += self.gradients.bytes(self._rows, self.neurons, len(self.widths) + 1)
        return size

    def __call__(self, index: UInt32[Array, ""]) -> Layers:
        F, rows = len(self.fields), self._rows
        seed = (self.seed[0], self.seed[1])
        mask = jnp.asarray(bias_mask(self.fields))
        plain = jnp.asarray([not s.directions for s in self.fields], self.dtype)
        C_W = jnp.asarray(self.weight_variance, jnp.float64)
        C_b = jnp.asarray(self.bias_variance, jnp.float64)
        widths = jnp.asarray(self.widths, jnp.int32)
        following = jnp.append(widths[1:], jnp.int32(self.outputs))

        def affine(layer, h, shape, C_W, C_b):
            """(rows, F): b + W h, W (n_out, n_in) with variance C_W/n_in; h is zero beyond n_in."""
            scale = jnp.sqrt(C_W / shape[1].astype(jnp.float64)).astype(self.dtype)
            z = self._product(layer_key(seed, layer, WEIGHTS), index, h, shape) * scale
            b = self._biases(layer_key(seed, layer, BIASES), index, rows)
            return z + jnp.sqrt(C_b).astype(self.dtype) * b[:, None] * plain[None, :]

        def layer(carry, x):
            (y, carried), (l, n, n_out, C_W, C_b, *rates) = carry, x
            h = jnp.stack(features(self.fields, list(y.T), self.activation.jax), 1)
            exists = jnp.arange(rows, dtype=jnp.int32)[:, None] < n
            h = jnp.where(exists, h, 0)[: self.widest]
            wide = h.astype(jnp.float64)
            total = jnp.matmul(wide.T, wide, precision="highest")
            S = C_b * mask + C_W / n.astype(jnp.float64) * total
            z = affine(l + jnp.uint32(1), h, (n_out, n), C_W, C_b)
            row = {"S": S, "z": z[: self.neurons]}
            if self.norms:
                squares = jnp.where(exists, y, 0).astype(jnp.float64) ** 2
                row["q"] = jnp.sum(squares, 0) / n.astype(jnp.float64)
            if self.gradients is not None:
                wide_n = n.astype(jnp.float64)
                W = self._matrix(layer_key(seed, l + jnp.uint32(1), WEIGHTS), index, (n_out, n))
                W = W * jnp.sqrt(C_W / wide_n).astype(self.dtype)
                slope, bend = self.gradients.slopes(y, self.activation, exists[: self.widest])
                given = Step(W, h, slope, bend, total / wide_n, wide_n)
                carried = self.gradients.step(carried, given, rates)
                row |= self.gradients.seen(carried, self.neurons)
            return (z, carried), row

        x = jnp.asarray(self.vectors, self.dtype)
        n_0 = jnp.int32(x.shape[1])
        y = affine(jnp.uint32(1), x.T, (widths[0], n_0), C_W[0], C_b[0])
        S_0 = C_b[0] * mask + C_W[0] * jnp.asarray(self.overlaps)
        ls = jnp.arange(1, len(self.widths) + 1, dtype=jnp.uint32)
        carried, first, rates = None, {}, ()
        if self.gradients is not None:
            carried = self.gradients.start(jnp.asarray(self.overlaps), rows, self.dtype)
            first = self.gradients.seen(carried, self.neurons)
            rates = (self.gradients.weight_rates[1:], self.gradients.bias_rates[1:])
        xs = (ls, widths, following, C_W[1:], C_b[1:], *rates)
        _, found = jax.lax.scan(layer, (y, carried), xs)
        lower = np.array(pairs(F))
        layers = {
            "S": jnp.concatenate([S_0[None], found["S"]])[:, lower[:, 0], lower[:, 1]],
            "z": jnp.concatenate([y[None, : self.neurons], found["z"]]),
        }
        if self.norms:  # norms of layers 1..L stand in rows 0..L-1
            layers["q"] = jnp.concatenate([found["q"], jnp.zeros((1, F), jnp.float64)])
        return layers | {key: jnp.concatenate([first[key][None], found[key]]) for key in first}

    def _matrix(self, key, index, shape):
        """(rows, widest): the standardised W that `_product` multiplies with, arbitrary beyond n_in."""
        (n_out, n_in), rows = shape, self._rows
        if self.law.is_independent:
            return independent_matrix(self.law, key, index, n_in, (rows, self.widest), self.dtype)
        room = jnp.arange(max(rows, self.widest), dtype=jnp.int32)
        unit = jnp.diag((room < n_in).astype(self.dtype))
        return orthogonal_product(key, index, unit, n_in, n_out)[:rows, : self.widest]

    def _product(self, key, index, h, shape):
        """(rows, F): W h for a standardised W of shape (n_out, n_in); h is zero beyond n_in."""
        (n_out, n_in), rows = shape, self._rows
        if self.law.is_independent:
            return independent_product(self.law, key, index, h, n_in, rows)
        # an orthogonal matrix turns its input where it stands: room for both sides
        room = max(rows, h.shape[0])
        h = jnp.concatenate([h, jnp.zeros((room - h.shape[0], h.shape[1]), h.dtype)])
        return orthogonal_product(key, index, h, n_in, n_out)[:rows]

    def _biases(self, key, index, rows: int):
        position = jnp.arange((rows + 1) // 2, dtype=jnp.uint32)
        return jnp.stack(normal_pair(key, index, position, self.dtype), -1).reshape(-1)[:rows]


def dense(
    network: Network,
    inputs: Inputs,
    fields: Sequence[Slot],
    *,
    seed: int = 0,
    dtype: str = "float32",
    neurons: int = 2,
    norms: bool = False,
    tangents: Sequence[Tangent] = (),
    bends: Sequence[Bend] = (),
) -> DenseDraw:
    """The dense sampler of `network` at `fields` (closed under the chain rule).

    **Arguments:** `neurons`: how many are looked at (beyond a layer's width: one more of their law
    if weights are independent, else their bias alone); `norms`: whether to sum z^2 as well ("q");
    `tangents`, `bends`: which kernels of gradients to carry ("H", "dH"), of undifferentiated fields.

    **Raises:** `ValueError` for derivatives that the activation does not have.
    """
    check_order(network.activation, fields)
    return DenseDraw(
        fields=tuple(fields),
        activation=network.activation,
        law=network.weights,
        neurons=neurons,
        outputs=network.outputs,
        widest=max(network.widths),
        dtype=dtype,
        norms=norms,
        seed=np.array(seed_words(seed), np.uint32),
        widths=np.array(network.widths, np.int32),
        vectors=inputs.field_vectors(fields),
        overlaps=inputs.gram(fields),
        weight_variance=np.array(network.weight_variance),
        bias_variance=np.array(network.bias_variance),
        gradients=gradients(
            network, inputs.dimension, [not s.directions for s in fields], tangents, bends
        ),
    )
