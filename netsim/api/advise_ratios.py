"""kappa_2/K - 1 and kappa_4/kappa_2^2 of the output at every width: series in 1/n and exact values.

At equal widths n coefficients of n^-m do not depend on n, so one computation gives the series at
every width. It is asymptotic: it is summed to the term before the smallest one. The exact value is
that of the transfer operator (its faster rules, good to 1e-8 or so), or of exact fractions where sigma
is piecewise linear; of wide networks the series knows more digits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, reduce

import numpy as np

from netsim.networks.network import Network
from netsim.theory.base import OutsideDomain
from netsim.theory.exact import cumulants
from netsim.theory.hierarchy.expansion import Expansion
from netsim.theory.hierarchy.one_input import MOST_FLOAT, cumulant_series
from netsim.theory.hierarchy.result import CumulantSeries
from netsim.theory.transfer.chain import FAST, FINE, transfer_cumulants

__all__ = ["KERNEL", "KURTOSIS", "Known", "Ratios", "ratios_of"]

KERNEL, KURTOSIS = "kappa2/K - 1", "kappa4/kappa2^2"
_PRECISE = 1e-9  # relative uncertainty of the series below which nothing better is looked for
_ENOUGH = 1e-3  # of the exact value, above which the better rules, ten times slower, are tried
_SPAN = 1e8  # of the kernels: a transfer matrix is needed for each factor of 16
_EPS = float(np.finfo(float).eps)
Rules = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Known:
    """A ratio at one width.

    **Fields:** `value`; `source`; `error`, numerical; `truncation`; `truncation_error`: 0 if exact,
    else the last term kept and the first left out together.
    """

    value: float
    source: str
    error: float
    truncation: str | int
    truncation_error: float

    @property
    def doubt(self) -> float:
        """Numerical and truncation error."""
        return self.error + self.truncation_error


@dataclass(frozen=True, eq=False)
class Ratios:
    """Both ratios for networks that differ in their width only.

    **Fields:** `network`, equal widths; `norm2`, |x|^2/n_0; `series`, of the cumulants, or the reason
    why there is none; `terms`: name -> coefficients of n^0..n^-7, one row.
    """

    network: Network
    norm2: float
    series: CumulantSeries | str
    terms: dict[str, Expansion]

    @property
    def is_linear(self) -> bool:
        """Piecewise linear: kappa_2 = K at every width, and all is exact."""
        return self.network.activation.slopes is not None

    def best(self, name: str, n: int) -> Known:
        """The exact value or the sum of the series, whichever has the smaller uncertainty.

        **Raises:** `OutsideDomain` where there is neither, or nothing is known of the value.
        """
        if self.is_linear:
            return self.exact(name, n)
        series = self.summed(name, n)
        if series.doubt <= _PRECISE * abs(series.value):
            return series
        known, why = [series], ""
        for rules in (FAST, FINE):
            try:
                known.append(self.exact(name, n, rules))
            except OutsideDomain as reason:
                why = f"; {reason}"
                break
            if known[-1].doubt <= _ENOUGH * abs(known[-1].value):
                break
        # relative: of a series that diverges the doubt says little
        best = min(known, key=lambda one: one.doubt / (abs(one.value) + (name == KERNEL) or 1e-300))
        if best.truncation == 0:
            raise OutsideDomain(f"the series diverges from its first term on{why}")
        if name == KURTOSIS and best.doubt > abs(best.value):
            raise OutsideDomain(f"known to +-{best.doubt:.1g} only, which exceeds its value{why}")
        return best

    def summed(self, name: str, n: float) -> Known:
        """The series at width n, to the term before its smallest.

        **Raises:** `OutsideDomain` where there is no series.
        """
        if isinstance(self.series, str):
            raise OutsideDomain(self.series)
        powers = float(n) ** -np.arange(MOST_FLOAT + 2.0)
        terms, errors = self.terms[name].terms[0] * powers, self.terms[name].errors[0] * powers
        size = np.where(np.abs(terms) > errors, np.abs(terms), 0.0)
        if not np.any(size[-2:]):  # the series ends, as it does after one layer
            value, error = float(np.sum(terms)), float(np.sum(errors))
            return Known(value, "hierarchy", error, MOST_FLOAT, 0.0)
        least = 1 + int(np.argmin(np.where(size[1:] > 0, size[1:], np.inf)))
        missing = size[least] + (size[least - 1] if least > 1 else 1.0)
        value, error = float(np.sum(terms[:least])), float(np.sum(errors[:least]))
        if least > 1 and size[least - 1] > abs(value) / 2:  # terms that do not fall
            missing = max(missing, np.sum(size[:least]))
        return Known(value, "hierarchy", error, least - 1, float(missing))

    def exact(self, name: str, n: int, rules: Rules = FAST) -> Known:
        """The exact value at width n; `rules` of the transfer operator.

        **Raises:** `OutsideDomain` where no theory is exact.
        """
        network = replace(self.network, widths=(n,) * self.network.depth)
        if self.is_linear:
            if name == KERNEL:  # E S' = C_b + C_W A_2 E S is the recursion of K
                return Known(0.0, "exact", 0.0, "exact", 0.0)
            two, four = _fractions(network, self.norm2)
            value = four / two / two
            return Known(value, "exact", 4 * _EPS * value, "exact", 0.0)
        if isinstance(self.series, str):
            raise OutsideDomain(self.series)
        K = self.series.coefficients[1:, 0, 0]
        if np.max(K) > _SPAN * np.min(K):
            raise OutsideDomain(
                f"kernels from {np.min(K):.2g} to {np.max(K):.2g} need too many transfer matrices"
            )
        try:
            values, errors = _transferred(network, self.norm2, rules)
        except ValueError as error:
            raise OutsideDomain(str(error)) from error
        two, four = values
        if name == KERNEL:
            K, K_error = self.series.coefficients[-1, 0, 0], self.series.errors[-1, 0, 0]
            error = (errors[0] + K_error * two / K) / K
            return Known(float(two / K - 1), "transfer", float(error), "exact", 0.0)
        value = float(four / two / two)
        error = float((errors[1] + 2 * errors[0] * four / two) / two**2)
        return Known(value, "transfer", error, "exact", 0.0)


def ratios_of(network: Network, norm2: float) -> Ratios:
    """The ratios of `network`, all of whose widths are equal, for an input |x|^2/n_0 = `norm2`."""
    try:
        series = cumulant_series(network, norm2, MOST_FLOAT)
    except ValueError as error:
        return Ratios(network, norm2, str(error), {})
    two, four = (_expansion(series, k) for k in (0, 1))
    K = two.terms[:, :1]
    if not K[0, 0] > 0:
        return Ratios(network, norm2, "the output's kernel is 0 at infinite width", {})
    relative = two.times(1 / K)
    relative.terms[:, 0] = 0.0
    root = two.inverse_root()
    kurtosis = reduce(Expansion.__mul__, [root] * 4, four)
    return Ratios(network, norm2, series, {KERNEL: relative, KURTOSIS: kurtosis})


def _expansion(series: CumulantSeries, k: int) -> Expansion:
    terms = np.append(series.coefficients[-1, k], series.beyond[-1, k])
    errors = np.append(series.errors[-1, k], series.beyond_errors[-1, k])
    return Expansion(terms[None], errors[None])


@lru_cache(maxsize=256)
def _fractions(network: Network, norm2: float) -> tuple[float, float]:
    """kappa_2 and kappa_4 of the output, exact.

    **Raises:** `OutsideDomain` beyond the range of float64.
    """
    two, four = cumulants(network, norm2, 2)[-1].tolist()
    if not (two > 0 and four > 0 and np.isfinite(four)):
        raise OutsideDomain(
            f"kappa_2 = {two:.3g}, kappa_4 = {four:.3g} at the output leave the range of float64: "
            "use fewer layers, or couplings nearer to criticality"
        )
    return two, four


@lru_cache(maxsize=256)
def _transferred(network: Network, norm2: float, rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    values, errors = transfer_cumulants(network, norm2, [network.depth + 1], 2, rules=rules)
    return values[0], errors[0]
