"""Series in 1/n of joint cumulants of S_ab over several fields: the result of the hierarchy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsim.quantities import Slot
from netsim.theory.hierarchy_fields.multisets import multisets
from netsim.theory.pairings import SlotPair

__all__ = ["FieldCumulants", "FieldSeries"]


@dataclass(frozen=True, eq=False)
class FieldSeries:
    """One joint cumulant at rows l = 0..L; n is the width of the first hidden layer.

    The other widths are n_l = (n_l/n_1) n.

    **Fields:** `coefficients`, (L+1, M+1), of n^0 .. n^-M; `errors`, the same shape, numerical;
    `beyond`, (L+1,), coefficients of n^-(M+1), or None where that order was not computed; `width`,
    the network's own n. Methods take another `n`.
    """

    coefficients: np.ndarray
    errors: np.ndarray
    beyond: np.ndarray | None
    width: int

    @property
    def order(self) -> int:
        """M, the last power of 1/n kept."""
        return self.coefficients.shape[1] - 1

    @property
    def truncation(self) -> str:
        """What `truncation_error` is: "next term", or "last term" where the next is not known."""
        return "last term" if self.beyond is None else "next term"

    def value(self, n: float | None = None) -> np.ndarray:
        """(L+1,): the sum to n^-M."""
        return self.coefficients @ self._powers(n)

    def error(self, n: float | None = None) -> np.ndarray:
        """(L+1,): its numerical error."""
        return self.errors @ self._powers(n)

    def truncation_error(self, n: float | None = None) -> np.ndarray:
        """(L+1,): size of the first term left out, or of the last one kept (`truncation`)."""
        powers = self._powers(n)
        if self.beyond is None:
            return np.abs(self.coefficients[:, -1]) * powers[-1]
        return np.abs(self.beyond) * powers[-1] / (self.width if n is None else n)

    def _powers(self, n: float | None) -> np.ndarray:
        n = self.width if n is None else n
        if not n > 0:
            raise ValueError(f"n={n}: the width must be a number > 0")
        return float(n) ** -np.arange(self.order + 1.0)


@dataclass(frozen=True, eq=False)
class FieldCumulants:
    """All joint cumulants of S over a list of fields that begin at n^-M or before.

    **Fields:** `fields`, F slots; `order`, M; `width`, n; `number[i]`, which variable field i is,
    equal fields being one; `coefficients[k-1]`, (L+1, multisets of k pairs of variables, M+1), k =
    1..M+1; `errors`, the same; `beyond`, (L+1, multisets) each, of n^-(M+1), or None. Rows l =
    0..L, row 0 being the first layer's covariance.
    """

    fields: tuple[Slot, ...]
    order: int
    width: int
    number: tuple[int, ...]
    coefficients: tuple[np.ndarray, ...]
    errors: tuple[np.ndarray, ...]
    beyond: tuple[np.ndarray, ...] | None

    def cumulant(self, *legs: SlotPair) -> FieldSeries:
        """The joint cumulant of S_ab over `legs`, pairs of slots: one for a mean, two a covariance.

        **Raises:** `ValueError` for slots that are not in the list, or more than M+1 legs.
        """
        if not 1 <= len(legs) <= self.order + 1:
            raise ValueError(
                f"a cumulant of {len(legs)} S's: to n^-{self.order} those of 1 to "
                f"{self.order + 1} are known; ask for a higher order"
            )
        unknown = {slot.text for leg in legs for slot in leg if slot not in self.fields}
        if unknown:
            raise ValueError(
                f"{sorted(unknown)}: not among the fields {[slot.text for slot in self.fields]}"
            )
        count = max(self.number) + 1
        pairs = {pair: p for p, pair in enumerate(multisets(count, 2))}
        alpha = []
        for leg in legs:
            a, b = sorted(self.number[self.fields.index(slot)] for slot in leg)
            alpha.append(pairs[a, b])
        k = len(legs)
        at = multisets(len(pairs), k).index(tuple(sorted(alpha)))
        return FieldSeries(
            self.coefficients[k - 1][:, at],
            self.errors[k - 1][:, at],
            None if self.beyond is None else self.beyond[k - 1][:, at],
            self.width,
        )
