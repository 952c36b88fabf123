"""An experiment: one point of a sweep, frozen and hashable, checked before JAX starts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from netsim.estimators import MomentSums
from netsim.experiment.aliases import Named, named_quantities
from netsim.experiment.columns import pivot_of
from netsim.experiment.gradient_checks import check_gradients
from netsim.experiment.measurable import Span
from netsim.experiment.measure import ESTIMATORS, Measurement, measurement
from netsim.experiment.weight_checks import check_weights
from netsim.networks.fields import check_order
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.samplers.names import FEW, MIXTURE, RNG, SAMPLERS
from netsim.theory.infinite_width import kernels

__all__ = ["DTYPES", "SCHEMA", "Experiment", "experiment", "id_of", "mixture_of"]

DTYPES = ("float32", "float64")
SCHEMA = 2


@dataclass(frozen=True, eq=False)
class Experiment:
    """What is drawn and what is estimated: everything that changes the numbers, nothing else.

    Draw counts, devices and paths are not part of it: a point can be extended, resumed and merged.
    Build it with `experiment`.
    """

    network: Network
    inputs: Inputs
    quantities: tuple[str, ...]
    sampler: str
    estimators: tuple[str, ...]
    seed: int
    dtype: str
    layers: Span = None
    mixture: bool = False

    @cached_property
    def named(self) -> tuple[Named, ...]:
        return named_quantities(self.quantities, self.inputs.names)

    @cached_property
    def measurement(self) -> Measurement:
        return measurement(
            self.named,
            self.network.depth,
            estimators=self.estimators,
            gaussian=self.network.weights.is_gaussian,
            span=self.layers,
        )

    @cached_property
    def infinite_width(self) -> np.ndarray:
        """(L+1, F, F): S_0..S_L at infinite width.

        **Raises:** `ValueError` if it leaves the range of the draws' precision.
        """
        fields = self.measurement.fields
        K = kernels(self.network, self.inputs.gram(fields), fields).values
        # fields are of size sqrt(K): far from the ends of float32, with room for fluctuations
        small, large = (1e-35, 1e35) if self.dtype == "float32" else (1e-290, 1e290)
        for l, matrix in enumerate(K):
            diagonal = np.diag(matrix)[np.diag(matrix) > 0]
            if not np.all(np.isfinite(matrix)) or np.any((diagonal < small) | (diagonal > large)):
                worst = diagonal[np.argmax(np.abs(np.log(diagonal)))] if diagonal.size else np.nan
                raise ValueError(
                    f"the kernel of layer {l + 1} is {worst:.3g} at infinite width, outside "
                    f"{small:g}..{large:g}, where {self.dtype} draws keep their precision: use fewer "
                    "layers, couplings nearer to criticality, or run.dtype=float64"
                )
        return K

    def sums(self) -> MomentSums:
        """The estimator, its pivot at the infinite-width values."""
        lower = np.tril_indices(len(self.measurement.fields))
        columns = self.measurement.columns
        pivot = [[pivot_of(c, K[lower]) for c in columns] for K in self.infinite_width]
        return MomentSums(self.measurement.targets, np.array(pivot))

    def identity(self) -> dict:
        """What decides the distribution and the numbers, as JSON-ready data."""
        own = {of.name: of.digest for of in self.measurement.observables}
        identity = {
            "schema": SCHEMA,
            "network": self.network.identity(),
            "inputs": self.inputs.identity(),
            "quantities": list(self.quantities),
            "sampler": self.sampler,
            "mixture": MIXTURE if self.mixture else False,
            "estimators": list(self.estimators),
            "seed": self.seed,
            "dtype": self.dtype,
            "rng": RNG,
        }
        if self.layers is not None:
            identity["layers"] = list(self.layers)
        return identity | ({"observables": own} if own else {})

    @cached_property
    def id(self) -> str:
        """See `id_of`."""
        return id_of(self.identity())


def id_of(identity: dict) -> str:
    """16 hex digits of the SHA-256 of an identity."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def experiment(
    network: Network,
    inputs: Inputs,
    quantities: Sequence[str],
    *,
    sampler: str = "conditional",
    estimators: Sequence[str] = ("rao_blackwell",),
    seed: int = 0,
    dtype: str = "float32",
    layers: Sequence[int] | None = None,
    mixture: bool | None = None,
) -> Experiment:
    """A checked experiment; every bad value is refused here, in words.

    `layers`: (first, last) layer at which quantities without a layer of their own are given;
    `mixture`: whether half of the draws have wider noise, weighted back, which makes the errors of
    high cumulants smaller (`netsim.samplers.mixture`); None: where that helps, that is with the
    conditional sampler, at most 8 fields, an unbounded activation and not only log-cumulants.

    **Raises:** `ValueError`.
    """
    for name, value, known in (("sampler", sampler, SAMPLERS), ("dtype", dtype, DTYPES)):
        if value not in known:
            raise ValueError(f"{name}={value!r}: must be one of {', '.join(known)}")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
        raise ValueError(f"seed={seed!r}: must be a whole number from 0 to 2^64 - 1")
    if sampler == "conditional" and not network.weights.is_gaussian:
        raise ValueError(
            f"the conditional sampler needs gaussian weights, got {network.weights.name}: "
            "use sampler=dense"
        )
    if isinstance(quantities, str):
        quantities = [quantities]
    if not quantities:
        raise ValueError("quantities is empty: name at least one, e.g. kappa4 or cum[z1a^4]")
    unknown = [name for name in estimators if name not in ESTIMATORS]
    if unknown or not estimators:
        raise ValueError(f"estimators={list(estimators)}: must be out of {', '.join(ESTIMATORS)}")
    mixture = None if isinstance(mixture, str) and mixture == "auto" else mixture
    if mixture is not None and not isinstance(mixture, bool):
        raise ValueError(f"mixture={mixture!r}: must be true, false or None (where it helps)")
    made = Experiment(
        network=network,
        inputs=inputs,
        quantities=tuple(str(q).strip() for q in quantities),
        sampler=sampler,
        estimators=tuple(dict.fromkeys(estimators)),
        seed=seed,
        dtype=dtype,
        layers=_span(layers, network.depth),
    )
    made = replace(made, mixture=mixture_of(made, mixture))
    _check_neurons(made.named, network.outputs)
    check_weights(network, made.named, made.measurement.observables, made.layers)
    check_gradients(network, made.measurement, sampler)
    check_order(network.activation, made.measurement.fields)
    inputs.gram(made.measurement.fields)
    return made


def mixture_of(made: Experiment, wanted: bool | None) -> bool:
    """Whether half of the draws have wider noise if `wanted` is asked for; None: where it helps.

    **Raises:** `ValueError` where it is asked for and impossible.
    """
    fields = len(made.measurement.fields)
    possible = made.sampler == "conditional" and fields <= FEW
    if wanted and not possible:
        cause = (
            f"it needs sampler=conditional, not {made.sampler}"
            if made.sampler != "conditional"
            else f"it is for at most {FEW} fields (inputs and their derivatives), here {fields}"
        )
        raise ValueError(f"mixture=true: {cause}; give mixture=false")
    if wanted is not None:
        return wanted
    # bounded activations and logarithms have light tails: nothing to gain
    tails = any(item.quantity.stat != "logcum" for item in made.named)
    return possible and made.network.activation.growth > 0 and tails


def _span(layers: Sequence[int] | None, depth: int) -> Span:
    if layers is None:
        return None
    whole = [l for l in layers if isinstance(l, int) and not isinstance(l, bool)]
    if len(layers) != 2 or len(whole) != 2 or not 1 <= whole[0] <= whole[1] <= depth + 1:
        raise ValueError(
            f"layers={list(layers)}: give [first, last] with 1 <= first <= last <= {depth + 1}"
        )
    return whole[0], whole[1]


def _check_neurons(named: Sequence[Named], outputs: int) -> None:
    """Beyond a hidden layer's width a neuron stands for one more of its law; outputs are counted."""
    for item in named:
        legs = [leg for leg in item.quantity.legs if leg.field in ("z", "H", "dH")]
        most = max((i for leg in legs for i in leg.indices), default=0)
        if most > outputs:
            raise ValueError(
                f"{item.quantity.text} looks at neuron {most}, but the network has {outputs} "
                f"output(s): give outputs={most} or fewer neurons"
            )
