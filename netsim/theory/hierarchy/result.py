"""The result of the hierarchy in 1/n for one input: series, their sums and how far they can be used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["CUMULANTS", "CumulantSeries"]

CUMULANTS = 4  # kappa_2 to kappa_8


@dataclass(frozen=True, eq=False)
class CumulantSeries:
    """kappa_2, kappa_4, kappa_6, kappa_8 of layers 1..L+1 as series in 1/n.

    n is the width of the first hidden layer; the others are n_l = (n_l/n_1) n. So at equal widths n
    is the width, and a layer's series does not change when layers are put behind it.

    **Fields:**

    - `widths`, the network's own; `order`, M, the last power kept; `digits`, or None for float64;
    - `coefficients`, (L+1, 4, M+1): [l, k-1, m], of n^-m in kappa_{2k}^{(l+1)} = cum_k(S_l), float64
      or, with `digits`, mpmath numbers; `errors`, the same shape, float64: their numerical errors;
    - `beyond`, (L+1, 4), the coefficients of n^-(M+1), and `beyond_errors`.

    Methods take `n`, a number > 0 (default: the network's own n_1).
    """

    widths: tuple[int, ...]
    order: int
    digits: int | None
    coefficients: np.ndarray
    errors: np.ndarray
    beyond: np.ndarray
    beyond_errors: np.ndarray

    def value(self, n: float | None = None) -> np.ndarray:
        """(L+1, 4): the sums over m = 0..M."""
        n = self._width(n)
        if self.digits is None:
            return np.asarray(self.coefficients @ float(n) ** -np.arange(self.order + 1.0))
        import mpmath

        with mpmath.workdps(self.digits + 10):
            powers = np.array([1 / mpmath.mpf(n) ** m for m in range(self.order + 1)])
            return np.asarray(self.coefficients @ powers)

    def error(self, n: float | None = None) -> np.ndarray:
        """(L+1, 4): numerical errors of `value`."""
        return self.errors @ float(self._width(n)) ** -np.arange(self.order + 1.0)

    def truncation_error(self, n: float | None = None) -> np.ndarray:
        """(L+1, 4): |coefficient of n^-(M+1)| n^-(M+1), the first term left out.

        Infinite where the series begins later still (kappa_8 for M = 1).
        """
        n = float(self._width(n))
        size = np.abs(self.beyond.astype(np.float64)) * n ** -(self.order + 1.0)
        return np.where(np.arange(CUMULANTS) > self.order + 1, np.inf, size)

    def smallest(self, n: float | None = None) -> np.ndarray:
        """(L+1, 4): the power m <= M+1 of the smallest term, terms that are zero left out.

        A sum up to there is the best that an asymptotic series gives, to about that term; M+1 says
        that terms still fall. -1 where all terms are zero.
        """
        terms = self._terms(n)
        least = np.argmin(np.where(terms > 0, terms, np.inf), axis=-1)
        return np.where(np.any(terms > 0, axis=-1), least, -1)

    def growing(self, n: float | None = None) -> np.ndarray:
        """(L+1, 4), bool: terms grow again behind the smallest one: keep fewer powers, or a larger n.

        A coefficient that is small by chance (a change of sign) raises this flag too.
        """
        terms, least = self._terms(n), self.smallest(n)
        behind = np.arange(terms.shape[-1]) > least[..., None]
        return np.any(behind & (terms > 0), axis=-1) & (least >= 0)

    def _terms(self, n: float | None) -> np.ndarray:
        """(L+1, 4, M+2): sizes of all terms; 0 where they do not exceed their numerical errors."""
        every = np.concatenate([self.coefficients, self.beyond[..., None]], axis=-1)
        errors = np.concatenate([self.errors, self.beyond_errors[..., None]], axis=-1)
        size = np.abs(every.astype(np.float64))
        return np.where(size > errors, size, 0.0) * float(self._width(n)) ** -np.arange(
            self.order + 2.0
        )

    def _width(self, n: float | None) -> float:
        n = self.widths[0] if n is None else n
        if not n > 0:
            raise ValueError(f"n={n}: the width must be a number > 0")
        return n
