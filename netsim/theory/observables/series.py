"""Observables at infinite width, and as a series in 1/n by the hierarchy of the fields they look at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from netsim.networks.fields import closure
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Leg, Slot
from netsim.theory.base import OutsideDomain, Values
from netsim.theory.hierarchy_fields.cumulants import FieldCumulants
from netsim.theory.hierarchy_fields.fields import hierarchy_fields, highest_order
from netsim.theory.hierarchy_fields.multisets import Polynomials, multisets
from netsim.theory.infinite_width import kernels
from netsim.theory.limits import decided
from netsim.theory.observables.functional import Factor, Functional, evaluate, neurons_of
from netsim.theory.observables.growth import check_growth
from netsim.theory.observables.moments import mean, moments
from netsim.theory.observables.size import USELESS, mean_size
from netsim.theory.observables.statistics import AbstractObservableTheory
from netsim.theory.observables.taylor import taylor
from netsim.theory.transfer.means import alive

__all__ = ["ObservablesInfinite", "ObservablesSeries"]

# fields -> power of 1/n: the polynomial in the covariance has degree twice that, in F (F+1)/2 variables
_ORDERS = {1: 2, 2: 2, 3: 1, 4: 1}
_KERNELS = 1e-13  # relative error of kernels, at least
_STRONG = 0.5  # V from which two terms of the series are no guide to the third
_DEAD = 1e-12  # probability of a dead network from which a jump at 0 matters
_TINY = 1e-30


@lru_cache(maxsize=4096)
def _taylor(
    product: tuple[Factor, ...], K: bytes, F: int, degree: int
) -> tuple[Polynomials, Polynomials]:
    return taylor(product, np.frombuffer(K).reshape(F, F), degree)


class ObservablesInfinite(AbstractObservableTheory):
    """n_1, ..., n_L -> infinity: neurons are independent and Gaussian with the kernel K."""

    name = "infinite_width"

    def mean(self, legs: tuple[Leg, ...], rows: tuple[int, ...]) -> Values:
        fields = self.fields(legs)
        every = closure(list(fields))
        law = self.network.weights
        if not law.is_gaussian and law.is_independent:
            raise OutsideDomain(
                f"with {law.name} weights layer 1 is not Gaussian at finite n_0: simulate"
            )
        if not decided(self.network, every):
            raise OutsideDomain("kernels beyond layer 1 are not known for these weights")
        found = kernels(self.network, self.inputs.gram(every), every)
        at = [every.index(slot) for slot in fields]
        value = np.full(self.network.depth + 1, np.nan)
        error = value.copy()
        product = self.product(legs, fields)
        for row in rows:
            K = np.ascontiguousarray(found.values[row][np.ix_(at, at)])
            T, E = _taylor(product, K.tobytes(), len(fields), 0)
            value[row], error[row] = T[0][0, 0], E[0][0, 0] + _KERNELS * abs(T[0][0, 0])
        return Values(value, error, "infinite_width")


class ObservablesSeries(AbstractObservableTheory):
    """The hierarchy of the fields, and F expanded in the fluctuations of their covariance.

        E F = sum_beta T_beta E delta^beta,  delta = S - K,

    to n^-2 for one or two fields, n^-1 for three or four. The truncation error at n^-1 is the size of
    the whole correction c_1. At n^-2 it is the larger of the last term |c_2| and of V |c_1|, the size
    that it has but for zeros, with V = max Var(S_aa)/S_aa^2 over the fields; where V > 1/2 the series
    says little, and it is |c_1| + |c_2|.
    """

    name = "hierarchy_fields"

    def __init__(
        self,
        network: Network,
        inputs: Inputs,
        functionals: Mapping[str, Functional],
        order: int = 2,
    ):
        super().__init__(network, inputs, functionals)
        self.order = order
        self._hierarchies: dict[tuple[Slot, ...], tuple[int, FieldCumulants]] = {}

    def mean(self, legs: tuple[Leg, ...], rows: tuple[int, ...]) -> Values:
        if not self.network.weights.is_gaussian:
            raise OutsideDomain("the hierarchy in 1/n is for gaussian weights")
        fields = self.fields(legs)
        order, found = self._hierarchy(fields)
        product = self.product(legs, fields)
        if self.network.activation.growth > 0:
            check_growth(product, len(fields))
        if np.any(alive(self.network, 1.0)[list(rows)] < 1 - _DEAD):
            _check_zero(product, len(fields))
        value, error, missing, size = (np.full(self.network.depth + 1, np.nan) for _ in range(4))
        for row in rows:
            sums = self._row(product, fields, found, order, row)
            value[row], error[row], missing[row], size[row] = sums
        known = error <= USELESS * np.maximum(np.abs(value), size)
        if not np.any(known):
            raise OutsideDomain(
                "the fields are nearly dependent, or the observables too rough, for a series: its "
                "numerical error is too large"
            )
        return Values(np.where(known, value, np.nan), error, order, missing)

    def _hierarchy(self, fields: tuple[Slot, ...]) -> tuple[int, FieldCumulants]:
        if fields not in self._hierarchies:
            every = closure(list(fields))
            most = min(self.order, _ORDERS.get(len(fields), 0))
            order = highest_order(self.network.activation, every, most)
            if order == 0:
                raise OutsideDomain(f"observables of {len(fields)} fields: at most 4 are covered")
            gram = self.inputs.gram(every)
            made = hierarchy_fields(self.network, gram, every, order, next_term=False)
            if len({made.number[every.index(f)] for f in fields}) < len(fields):
                raise OutsideDomain("equal inputs: name one of them only")
            self._hierarchies[fields] = order, made
        return self._hierarchies[fields]

    def _row(
        self,
        product: tuple[Factor, ...],
        fields: tuple[Slot, ...],
        found: FieldCumulants,
        order: int,
        row: int,
    ) -> tuple[float, float, float, float]:
        """Sum to n^-order, numerical error, truncation error, mean size at infinite width."""
        F, n = len(fields), float(found.width)
        pairs = [(fields[a], fields[b]) for a, b in multisets(F, 2)]
        kernel = [found.cumulant(pair).coefficients[row] for pair in pairs]
        K = np.zeros((F, F))
        for (a, b), series in zip(multisets(F, 2), kernel, strict=True):
            K[a, b] = K[b, a] = series[0]
        cumulants = {}
        for k in range(1, order + 2):
            legs = [tuple(pairs[p] for p in alpha) for alpha in multisets(len(pairs), k)]
            cumulants[k] = np.array([found.cumulant(*leg).coefficients[row] for leg in legs])
        cumulants[1][:, 0] = 0.0  # delta = S - K
        degree = 2 * order if any(c.any() for c in cumulants.values()) else 0
        T, E = _taylor(product, K.tobytes(), F, degree)
        sums = []
        for M in range(order + 1):
            powers = n ** -np.arange(M + 1.0)
            kept = {k: c[:, : M + 1] @ powers for k, c in cumulants.items() if k <= M + 1}
            delta = moments(kept, len(pairs), 2 * M if degree else 0)
            cut = {d: T[d] for d in delta}
            sums.append(mean(cut, {d: E[d] for d in delta}, delta))
        terms = np.abs(np.diff([value for value, _ in sums]))
        value, error = sums[-1]
        V = [cumulants[2][multisets(len(pairs), 2).index((p, p)), 1] / n for p in _diagonal(F)]
        sizes = [K[a, a] ** 2 for a in range(F)]
        V = max((v / size for v, size in zip(V, sizes, strict=True) if size > 0), default=0.0)
        error += _KERNELS * abs(value)
        return value, error, _left_out(terms, V), mean_size(product, K)


def _diagonal(F: int) -> list[int]:
    """Numbers of the pairs (a, a)."""
    return [p for p, (a, b) in enumerate(multisets(F, 2)) if a == b]


def _left_out(terms: np.ndarray, V: float) -> float:
    """Size of what a series with the last `terms` leaves out, see `ObservablesSeries`."""
    if len(terms) == 1 or V > _STRONG:
        return float(terms.sum())
    return float(max(terms[-1], V * terms[-2]))


def _check_zero(product: tuple[Factor, ...], fields: int) -> None:
    """**Raises:** `OutsideDomain` for a jump at z = 0, where networks that are dead sit."""
    zero = np.zeros((1, neurons_of(product), fields))
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (64, *zero.shape[1:]))
    near = evaluate(product, _TINY * signs)
    if np.any(np.abs(near - evaluate(product, zero)) > np.sqrt(_TINY)):
        raise OutsideDomain(
            "the observables jump at 0, where dead networks sit, whose number no power of 1/n shows"
        )
