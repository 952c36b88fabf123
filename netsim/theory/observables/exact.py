"""Observables of one input at finite width, exactly: E F = E g(S_l), g(s) = <F>_s, by transfer."""

from __future__ import annotations

import numpy as np

from netsim.quantities import Leg
from netsim.theory.base import OutsideDomain, Values
from netsim.theory.infinite_width import kernels
from netsim.theory.limits import norm2_of
from netsim.theory.observables.growth import check_growth
from netsim.theory.observables.size import USELESS, mean_size
from netsim.theory.observables.statistics import AbstractObservableTheory
from netsim.theory.observables.taylor import taylor
from netsim.theory.transfer.means import transfer_means

__all__ = ["ObservablesTransfer"]


class ObservablesTransfer(AbstractObservableTheory):
    """Any activation of at most linear growth, one input, observables of at most 8th degree in z."""

    name = "transfer"

    def mean(self, legs: tuple[Leg, ...], rows: tuple[int, ...]) -> Values:
        fields = self.fields(legs)
        if len(fields) != 1 or fields[0].directions:
            raise OutsideDomain("exact at finite width: one input without derivatives")
        product = self.product(legs, fields)
        if self.network.activation.growth > 0:
            check_growth(product, 1)

        def conditional(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            found = [taylor(product, np.array([[variance]]), 0) for variance in s]
            return (
                np.array([T[0][0, 0] for T, _ in found]),
                np.array([E[0][0, 0] for _, E in found]),
            )

        x2 = norm2_of(self.inputs, fields[0].input)
        value, error = transfer_means(self.network, x2, conditional, rows)
        K = kernels(self.network, np.array([[x2]]), fields).values
        size = np.array(
            [mean_size(product, K[row]) if row in rows else 0.0 for row in range(len(K))]
        )
        known = error <= USELESS * np.maximum(size, np.abs(value))
        if not np.any(known):
            raise OutsideDomain("the numerical error of the transfer operator is too large here")
        return Values(np.where(known, value, np.nan), error, "exact")
