"""Gradients with respect to parameters, carried forward layer by layer beside the dense sampler.

With W the weights into the new layer, s = sigma(z), rates as in `netsim.networks.parameter_blocks`:

    H'_{ij;ab}    = delta_ij [lambda_b + (lambda_W/n) sum_k s_ka s_kb]
                    + sum_{kl} W_ik W_jl s'_ka s'_lb H_{kl;ab}
    dH'_{012;abc} = delta_01 (lambda_W/n) sum_{jk} s_jb s'_ja H_{jk;ac} s'_kc W_2k
                    + the same with (1, b) and (2, c) exchanged
                    + sum_{jkm} W_0j W_1k W_2m s'_kb s'_mc [s''_ja H_{jk;ab} H_{jm;ac}
                                                            + s'_ja dH_{jkm;abc}]

from H = delta_ij (lambda_b + lambda_W x_a.x_b/n_0), dH = 0 in layer 1 (Roberts, Yaida and Hanin,
arXiv 2106.10165, ch. 8 and 11, with input labels): exact, without automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from netsim.networks.activation import Activation
from netsim.networks.network import Network
from netsim.networks.parameter_blocks import block_rates
from netsim.samplers.base import Layers
from netsim.samplers.tangent_plan import Bend, Tangent, needed

__all__ = ["Gradients", "Step", "gradients"]

# time of one multiplication of a matrix product in units of one weight of the dense sampler, CPU
_PRODUCT = 0.02


class Step(NamedTuple):
    """What a layer of width n tells the next one; rows of h, slope, bend beyond n are 0."""

    W: Float[Array, "rows widest"]  # of variance C_W/n
    h: Float[Array, "widest F"]  # sigma(z)
    slope: Float[Array, "widest F"]  # sigma'(z)
    bend: Float[Array, "widest F"] | None  # sigma''(z), where a `Bend` is asked for
    overlap: Float[Array, "F F"]  # (1/n) sum_j h_ja h_jb, float64
    n: Float[Array, ""]


class Gradients(eqx.Module):
    """H of every `Tangent` and dH of every `Bend`; build it with `gradients`."""

    tangents: tuple[Tangent, ...] = eqx.field(static=True)
    bends: tuple[Bend, ...] = eqx.field(static=True)
    plain: tuple[bool, ...] = eqx.field(static=True)  # of the fields: not differentiated
    weight_rates: Float[Array, "L+1 T"] | np.ndarray
    bias_rates: Float[Array, "L+1 T"] | np.ndarray

    def numbers(self, rows: int, depth: int) -> float:
        """Its cost in random numbers, see `AbstractDraw.numbers_per_draw`."""
        products = 2 * len(self.tangents) * rows**3 + 3 * len(self.bends) * rows**4
        return depth * (rows**2 + _PRODUCT * products)

    def bytes(self, rows: int, neurons: int, depth: int) -> int:
        """Its working memory."""
        T, B = len(self.tangents), len(self.bends)
        kept = depth * (T * neurons**2 + B * neurons**3)
        return 8 * (rows**2 * (2 + 3 * T) + 4 * B * rows**3 + 2 * kept)

    def slopes(self, y: Float[Array, "size F"], sigma: Activation, exists) -> tuple:
        """sigma' and, where a `Bend` is asked for, sigma'' of every plain field; 0 elsewhere."""
        z = y[: exists.shape[0]]

        def of(order):
            columns = [
                sigma.jax(z[:, f], order) if plain else jnp.zeros_like(z[:, f])
                for f, plain in enumerate(self.plain)
            ]
            return jnp.where(exists, jnp.stack(columns, 1), 0)

        if not self.bends:
            return of(1), None
        # sigma'' of a piecewise linear sigma is 0 but at its kink, where no z is
        return of(1), jnp.zeros_like(z) if sigma.slopes is not None else of(2)

    def start(self, overlap: Float[Array, "F F"], rows: int, dtype: str):
        """(H, dH) of the first layer; `overlap`: x_a.x_b/n_0."""
        H = jnp.zeros((len(self.tangents), rows, rows), dtype)
        rates = jnp.asarray(self.weight_rates)[0], jnp.asarray(self.bias_rates)[0]
        H = self._with_sources(H, overlap, rates)
        return H, jnp.zeros((len(self.bends), rows, rows, rows), dtype)

    def step(self, carry, given: Step, rates):
        """(H, dH) of the next layer; `rates`: its (lambda_W, lambda_b), (T,) each."""
        H, dH = carry
        rows, size = given.W.shape
        H, dH = H[:, :size, :size], dH[:, :size, :size, :size]
        a, b = self._places()
        M = given.slope.T[a][:, :, None] * H * given.slope.T[b][:, None, :]
        new = self._with_sources(_matmul(_matmul(given.W, M), given.W.T), given.overlap, rates)
        bent = [self._bent(bend, H, dH[i], given, rates[0]) for i, bend in enumerate(self.bends)]
        return new, jnp.stack(bent) if bent else jnp.zeros((0, rows, rows, rows), H.dtype)

    def seen(self, carry, neurons: int) -> Layers:
        """What a draw returns of one layer: the first neurons."""
        H, dH = carry
        found = {"H": H[:, :neurons, :neurons]}
        return found | ({"dH": dH[:, :neurons, :neurons, :neurons]} if self.bends else {})

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([t.first for t in self.tangents]), np.array(
            [t.second for t in self.tangents]
        )

    def _with_sources(self, H, overlap, rates):
        """H with lambda_b + lambda_W overlap_ab added to its diagonals."""
        own = rates[1] + rates[0] * overlap[self._places()]
        return H + own.astype(H.dtype)[:, None, None] * jnp.eye(H.shape[1], dtype=H.dtype)[None]

    def _kernel(self, H, a: int, b: int):
        """H_{jk;ab} from the one that is carried."""
        found = H[self.tangents.index(Tangent(min(a, b), max(a, b)))]
        return found if a <= b else found.T

    def _bent(self, bend: Bend, H, dH, given: Step, weight_rates):
        a, b, c = bend.inputs
        W, h, slope, rows = given.W, given.h, given.slope, given.W.shape[0]
        rate = weight_rates[self.tangents.index(bend.tangents[0])] / given.n
        back_b, back_c = slope[:, b, None] * W.T, slope[:, c, None] * W.T  # (neuron, new neuron)
        to_b = _matmul(self._kernel(H, a, b), back_b)
        to_c = _matmul(self._kernel(H, a, c), back_c)
        rate = rate.astype(h.dtype)
        first = rate * _matmul(h[:, b] * slope[:, a], to_c)
        second = rate * _matmul(h[:, c] * slope[:, a], to_b)
        same = jnp.eye(rows, dtype=h.dtype)
        direct = same[:, :, None] * first[None, None] + same[:, None] * second[None, :, None]
        moved = _matmul(back_b.T, _matmul(dH, back_c))
        assert given.bend is not None
        inner = given.bend[:, a, None, None] * to_b[:, :, None] * to_c[:, None, :]
        inner = inner + slope[:, a, None, None] * moved
        return direct + _matmul(W, inner.reshape(len(inner), -1)).reshape(rows, rows, rows)


def _matmul(x, y):
    return jnp.matmul(x, y, precision="highest")


def gradients(
    network: Network,
    dimension: int,
    plain: Sequence[bool],
    tangents: Sequence[Tangent],
    bends: Sequence[Bend],
) -> Gradients | None:
    """What carries `tangents` and `bends`; None if there are none.

    **Arguments:** `dimension` = n_0; `plain`: which fields are not differentiated.
    """
    every = needed(tuple(tangents), tuple(bends))
    if not every:
        return None
    rates = np.array([block_rates(network, dimension, t.block) for t in every])
    return Gradients(every, tuple(bends), tuple(plain), rates[:, 0].T, rates[:, 1].T)
