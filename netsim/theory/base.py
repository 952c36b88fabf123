"""What every theory is: cumulants of collective variables at every layer, with their truncation.

All named output statistics follow from those by `netsim.theory.pairings` (exact at every width), so
a theory answers one question only. It sees no samples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from netsim.networks.network import Network
from netsim.theory.pairings import SlotPair

__all__ = ["AbstractTheory", "OutsideDomain", "Values"]


class OutsideDomain(ValueError):
    """The theory does not cover what was asked; the message says why."""


@dataclass(frozen=True)
class Values:
    """One statistic at every layer row l = 0..L (S_l, or z^(l+1)).

    **Fields:** `value`, `error` (numerical), (L+1,); `truncation`: "exact", "infinite_width" or the
    last power of 1/n kept; `truncation_error`: (L+1,), or None if it is not known.
    """

    value: np.ndarray
    error: np.ndarray
    truncation: str | int
    truncation_error: np.ndarray | None = None


class AbstractTheory(ABC):
    """Joint cumulants of S, for one network and one input set.

    `network` is the one described; `name` appears in rows as "theory:NAME". Rows are computed once
    per instance where costly.
    """

    name: str
    network: Network

    @abstractmethod
    def overlap_cumulant(self, legs: tuple[SlotPair, ...]) -> Values:
        """The joint cumulant of S_{a b} over `legs` (sorted pairs of slots), every row.

        **Raises:** `OutsideDomain`, saying why.
        """
