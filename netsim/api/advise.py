"""`netsim.advise`: is infinite-width theory good enough for this network?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from netsim.api.advise_fields import gradient, tangent_kernel
from netsim.api.advise_finding import Finding, unknown
from netsim.api.advise_ratios import KERNEL, KURTOSIS, Known, Ratios, ratios_of
from netsim.api.advise_stand import couplings_of, critical_point, default_norm2, standing
from netsim.api.advise_width import MOST_WIDTH, smallest_width
from netsim.api.arguments import a_number
from netsim.networks.activation import Activation
from netsim.networks.activations import activation as activation_of
from netsim.networks.network import Network, network
from netsim.theory.base import OutsideDomain
from netsim.theory.criticality.point import CriticalPoint
from netsim.theory.hierarchy.one_input import MOST_FLOAT

__all__ = ["Advice", "Question", "advise", "answered", "asked"]

MOST_LAYERS = 1000


@dataclass(frozen=True, eq=False)
class Question:
    """What an advice is about.

    **Fields:** `network`; `norm2`, |x|^2/n_0; `accuracy`, relative; `point`, the critical one whose
    couplings the network has, or None.
    """

    network: Network
    norm2: float
    accuracy: float
    point: CriticalPoint | None


@dataclass(frozen=True, eq=False, repr=False)
class Advice:
    """What `netsim.advise` found; shows itself as text.

    **Fields:** `network`; `norm2`, |x|^2/n_0; `accuracy`, relative; `findings`, one per line.
    """

    network: Network
    norm2: float
    accuracy: float
    findings: tuple[Finding, ...]

    def __getitem__(self, item: str) -> Finding:
        """The finding of that name, e.g. `advice["kappa4/kappa2^2"].value`."""
        for finding in self.findings:
            if finding.item == item:
                return finding
        raise KeyError(f"{item!r}: the items are {', '.join(f.item for f in self.findings)}")

    def __repr__(self) -> str:
        from netsim.api.advise_text import text

        return text(self)


def advise(
    activation: str | Activation = "relu",
    *,
    depth: int,
    width: int,
    weight_variance: float | str = "critical",
    bias_variance: float | str = "critical",
    norm2: float | None = None,
    accuracy: float = 0.01,
) -> Advice:
    """How far a network of finite width is from infinite-width theory, from exact values and series.

    ```python
    import netsim
    advice = netsim.advise("tanh", depth=8, width=64)
    advice["kappa4/kappa2^2"].value, advice["width for kappa2"].value
    ```

    **Arguments:**

    - `depth`, L, hidden layers (up to 1000), all of the same `width` n (up to 10^9), Gaussian weights;
    - `weight_variance`, `bias_variance`: C_W and C_b (default: critical, as in `netsim.network`, or
      those of the only critical point that `netsim.tune` finds);
    - `norm2`: |x|^2/n_0 (default: the first kernel at K* where the couplings are critical with K* > 0,
      else 1);
    - `accuracy`: relative, that the orders in 1/n and the smallest widths are for.

    **Returns:** an `Advice`.

    **Raises:** `ValueError`.
    """
    question = asked(
        activation, depth=depth, width=width, weight_variance=weight_variance,
        bias_variance=bias_variance, norm2=norm2, accuracy=accuracy,
    )  # fmt: skip
    return answered(question)


def asked(
    activation: str | Activation,
    *,
    depth: int,
    width: int,
    weight_variance: float | str = "critical",
    bias_variance: float | str = "critical",
    norm2: float | None = None,
    accuracy: float = 0.01,
) -> Question:
    """What `advise` is asked, checked, before anything is computed that takes seconds.

    **Raises:** `ValueError`.
    """
    number = a_number(accuracy, "accuracy")
    if not 0 < number < 1:
        raise ValueError(
            f"accuracy={accuracy!r}: a relative deviation between 0 and 1, e.g. 0.01 for 1%"
        )
    for name, value, most in (("depth", depth, MOST_LAYERS), ("width", width, MOST_WIDTH)):
        whole = a_number(value, name)
        if not (whole.is_integer() and 1 <= whole <= most):
            raise ValueError(f"{name}={whole:g}: a whole number, 1 to {most}")
    C_W, C_b = couplings_of(
        activation_of(activation),
        _coupling(weight_variance, "weight_variance"),
        _coupling(bias_variance, "bias_variance"),
    )
    net = network(
        activation, width=int(width), depth=int(depth), weight_variance=C_W, bias_variance=C_b
    )
    point = critical_point(net)
    given = default_norm2(net, point) if norm2 is None else a_number(norm2, "norm2")
    if not (math.isfinite(given) and given >= 0):
        raise ValueError(f"norm2={norm2!r}: |x|^2/n_0 must be a finite number >= 0")
    if net.bias_variance[0] + net.weight_variance[0] * given == 0:
        raise ValueError(
            f"norm2={norm2!r} without biases: the first layer is 0; give norm2 > 0 or bias_variance > 0"
        )
    return Question(net, given, number, point)


def answered(question: Question) -> Advice:
    """The advice on a question that `asked` found good."""
    net, given, number = question.network, question.norm2, question.accuracy
    ratios, width = ratios_of(net, given), net.widths[0]
    findings = [
        *standing(ratios, question.point),
        *_output(ratios, width, number),
        gradient(ratios),
        *tangent_kernel(ratios),
        *_orders(ratios, width, number),
        smallest_width(ratios, KERNEL, number),
        smallest_width(ratios, KURTOSIS, number),
    ]
    return Advice(net, given, number, tuple(findings))


def _coupling(value: float | str, name: str) -> float | str:
    return value if value == "critical" else a_number(value, name)


def _output(ratios: Ratios, n: int, accuracy: float) -> list[Finding]:
    """kappa_4/kappa_2^2 and what it says of neurons; kappa_2 against the infinite-width kernel."""
    try:
        four = ratios.best(KURTOSIS, n)
    except OutsideDomain as reason:
        return [unknown(KURTOSIS, reason), _kernel(ratios, n, accuracy)]
    r, root = four.value, math.sqrt(2) / (2 + 3 * four.value)
    ratio = _finding(KURTOSIS, four)
    if r > 0 and not ratio.remark:
        per_cent = f"{100 * math.sqrt(r):.3g}%"
        ratio = replace(ratio, remark=f"the kernel S of one network scatters by {per_cent} (1 sd)")
    return [
        ratio,
        _finding("excess kurtosis", _scaled(four, 3 * r, 3)),
        # Cov(z_1^2, z_2^2) = kappa_4, Var z_1^2 = 2 kappa_2^2 + 3 kappa_4
        _finding("corr(z1^2, z2^2)", _scaled(four, r / (2 + 3 * r), root * root)),
        _kernel(ratios, n, accuracy),
    ]


def _kernel(ratios: Ratios, n: int, accuracy: float) -> Finding:
    try:
        found = ratios.best(KERNEL, n)
    except OutsideDomain as reason:
        return unknown(KERNEL, reason)
    size, per_cent = abs(found.value), f"{100 * accuracy:g}%"
    if ratios.is_linear:
        remark = "exact at every width for piecewise linear activations"
    elif size + found.doubt <= accuracy:
        remark = f"the infinite-width kernel is good to {per_cent}"
    elif size - found.doubt > accuracy:
        remark = f"the infinite-width kernel is not good to {per_cent}"
    else:
        remark = f"whether the infinite-width kernel is good to {per_cent} is not decided"
    return replace(_finding(KERNEL, found), remark=remark)


def _scaled(known: Known, value: float, slope: float) -> Known:
    error, missing = abs(slope) * known.error, abs(slope) * known.truncation_error
    return replace(known, value=value, error=error, truncation_error=missing)


def _finding(item: str, known: Known) -> Finding:
    remark = ""
    if known.truncation_error > abs(known.value):
        remark = "the uncertainty exceeds the value: the series says nothing here"
    return Finding(
        item,
        known.value,
        known.source,
        known.error,
        known.truncation,
        known.truncation_error,
        remark,
    )


def _orders(ratios: Ratios, n: int, accuracy: float) -> list[Finding]:
    """The smallest M such that the series of kappa_2, kappa_4 to n^-M are within `accuracy`."""
    return [_order(ratios, n, accuracy, k) for k in (0, 1)]


def _order(ratios: Ratios, n: int, accuracy: float, k: int) -> Finding:
    item = f"order for kappa{2 * k + 2}"
    series = ratios.series
    try:
        if isinstance(series, str):
            raise OutsideDomain(series)
        two, four = ratios.best(KERNEL, n), ratios.best(KURTOSIS, n)
    except OutsideDomain as reason:
        return unknown(item, reason)
    K = series.coefficients[-1, 0, 0]
    size, doubt = 1 + two.value, two.doubt  # in units of K, and of K^2
    if k == 1:
        doubt = four.doubt * size * size + 2 * abs(four.value * size) * two.doubt
        size = four.value * size * size
    sums = np.cumsum(series.coefficients[-1, k] * float(n) ** -np.arange(MOST_FLOAT + 1.0))
    off = np.abs((sums / K if k == 0 else sums / K / K) - size)
    source = four.source if k else two.source
    grows = bool(series.growing(n)[-1, k])
    if doubt > accuracy * abs(size):
        return unknown(item, "not decided: the reference itself is not that precise, the series "
                       + ("diverges" if grows else "falls too slowly"))  # fmt: skip
    good = np.flatnonzero(off <= accuracy * abs(size))
    if len(good):
        remark = "infinite width suffices" if good[0] == 0 else ""
        return Finding(item, int(good[0]), source, 0.0, "exact", 0.0, remark)
    least = float(np.min(off[k:]) / abs(size))
    if ratios.is_linear:
        why = f"the series ends, and is exact, behind n^-{MOST_FLOAT}"
    elif grows:
        why = "the series diverges"
    else:
        why = f"its terms fall, but not to there by n^-{MOST_FLOAT}"
    return Finding(item, None, source, remark=f"none: {why} (within {100 * least:.3g}% at best)")
