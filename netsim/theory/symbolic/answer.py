"""What theory says of a named quantity in symbols: formula, recursion, closed form, series in 1/n.

The only place where SymPy enters a prediction; numbers are the other theories' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.quantities import Quantity
from netsim.theory.base import OutsideDomain
from netsim.theory.hierarchy.expansion import expand
from netsim.theory.hierarchy.theory import ORDER, Hierarchy
from netsim.theory.limits import norm2_of, one_input
from netsim.theory.pairings import SlotPair
from netsim.theory.symbolic.formula import formula
from netsim.theory.symbolic.many import recursion_many
from netsim.theory.symbolic.names import load_sympy
from netsim.theory.symbolic.slopes import Slopes, slopes_closed
from netsim.theory.symbolic.step import MOST_ORDER, Step, recursion

__all__ = ["Symbolic", "symbolic"]


@dataclass(frozen=True)
class Symbolic:
    """A quantity in symbols; what is not known is None (or empty), with the reason in `reasons`.

    **Fields:** `quantity`, its text; `layers`, L of its closed form: it is made of S_L; `formula`, in
    joint cumulants kappa(S_ab, ...) of that S, n in it the width of the layer of q; `recursion`, one
    layer step of these cumulants; `closed_form`, exact, in n and L (K_1 > 0); `series`, in 1/n, with
    L as a symbol or, where there is no closed form, with the numbers of the network; `values`,
    (symbol, exact value) of the symbols of the last two in this network; `reasons`, field ->
    sentence.
    """

    quantity: str
    layers: int
    formula: Any
    recursion: tuple[Step, ...]
    closed_form: Any
    series: Any
    values: tuple[tuple[Any, Any], ...]
    reasons: dict[str, str]


def symbolic(
    network: Network,
    inputs: Inputs,
    quantity: Quantity,
    order: int | None = None,
    *,
    divisor: int = 1,
) -> Symbolic:
    """`quantity` of `network` in SymPy expressions.

    **Arguments:** `order`: the last power of 1/n, 1 to 5 (default: the leading one of every cumulant
    in the recursion, 3 in the series); `divisor`: everything is divided by it (aliases).

    ```python
    import netsim
    from netsim.quantities import parse
    from netsim.theory.symbolic.answer import symbolic
    net = netsim.network("relu", width=64, depth=8)
    symbolic(net, netsim.inputs("single", norm2=0.5), parse("cum[Saa^2]")).closed_form
    # K_1**2*(((n + 5)/n)**L - 1)
    ```

    **Raises:** `ValueError` if SymPy is missing, for an impossible order or layer, and for quantities
    or weights that have no formula in cumulants of S.
    """
    _check(network, quantity, order)
    legs: dict[tuple[SlotPair, ...], None] = {}
    formula(quantity, lambda pairs: legs.setdefault(pairs, None) or 1)
    behind, written = _layers_behind(quantity, network.depth), formula(quantity) / divisor
    reasons: dict[str, str] = {}
    steps = _known(reasons, "recursion", lambda: _recursion(list(legs), order)) or ()
    closed, series, values = _expressions(network, inputs, quantity, list(legs), order, reasons)
    closed, series = (None if part is None else part / divisor for part in (closed, series))
    return Symbolic(quantity.text, behind, written, steps, closed, series, values, reasons)


def _known(reasons: dict[str, str], field: str, find: Callable[[], Any]) -> Any:
    """What `find` returns, or None with the reason noted under `field`."""
    try:
        return find()
    except OutsideDomain as reason:
        reasons[field] = str(reason)
        return None


def _expressions(
    network: Network,
    inputs: Inputs,
    quantity: Quantity,
    legs: list[tuple[SlotPair, ...]],
    order: int | None,
    reasons: dict[str, str],
) -> tuple[Any, Any, tuple]:
    """Closed form, series, and values of their symbols."""
    behind = _layers_behind(quantity, network.depth)
    kept = ORDER if order is None else order
    find = lambda: _slopes(network, inputs, quantity, legs, behind)
    slopes = _known(reasons, "closed_form", find)
    closed = None
    if slopes is not None:
        find = lambda: formula(quantity, lambda pairs: slopes.cumulant(len(pairs)))
        closed = _known(reasons, "closed_form", find)
    if slopes is not None and slopes.equal:
        series = _known(reasons, "series", lambda: _in_symbols(slopes, quantity, kept))
    else:
        theory = Hierarchy(network, inputs, kept)
        series = _known(reasons, "series", lambda: _in_numbers(theory, quantity, behind))
    values = () if slopes is None else _values(network, slopes, behind, (closed, series))
    return closed, series, values


def _check(network: Network, quantity: Quantity, order: int | None) -> None:
    load_sympy()
    if not network.weights.is_gaussian:
        raise OutsideDomain(
            f"symbolic theory for weights={network.weights.name!r}: only gaussian weights are covered"
        )
    if order is not None and (isinstance(order, bool) or order not in range(1, MOST_ORDER + 1)):
        raise ValueError(
            f"order={order}: symbolic recursions go to a power of 1/n from 1 to {MOST_ORDER}"
        )
    if quantity.order is not None:
        raise ValueError(
            f"{quantity.text}: symbolic output has all powers of 1/n; leave out ~{quantity.order}"
        )


def _layers_behind(quantity: Quantity, depth: int) -> int:
    """l of the S_l that the quantity is made of."""
    last = depth + 1 if quantity.fields == ("z",) else depth
    layer = quantity.layer
    if not isinstance(layer, int):
        layer = last if layer is None else depth + 1
    first = 0 if quantity.fields == ("S",) else 1
    if not first <= layer <= last:
        raise ValueError(
            f"{quantity.text}: layer {layer} does not exist; layers are {first} to {last}"
        )
    return layer - first


def _recursion(legs: list[tuple[SlotPair, ...]], order: int | None) -> tuple[Step, ...]:
    """Steps of every cumulant in the formula, each once."""
    steps: dict[str, Step] = {}
    several = len({slot for pairs in legs for pair in pairs for slot in pair}) > 1
    for pairs in legs:
        if several:
            found = recursion_many(pairs)
        elif one_input(pairs) is None:
            raise OutsideDomain("the symbolic recursion is written for inputs without derivatives")
        elif len(pairs) - 1 > (MOST_ORDER if order is None else order):
            raise OutsideDomain(
                f"cum_{len(pairs)}(S) begins at n^-{len(pairs) - 1}: choose order={len(pairs) - 1} or "
                f"more (at most {MOST_ORDER})"
            )
        else:
            found = recursion(len(pairs), order)
        steps |= {str(step.symbol): step for step in found}
    return tuple(sorted(steps.values(), key=lambda s: (s.order, s.k, str(s.symbol))))


def _slopes(
    network: Network, inputs: Inputs, quantity: Quantity, legs: list, behind: int
) -> Slopes:
    name = quantity.inputs[0]
    if any(one_input(pairs) != name for pairs in legs):
        raise OutsideDomain("closed forms in n and L are for one input without derivatives")
    own = network.widths[: behind + (quantity.fields == ("q",))]
    slopes = slopes_closed(network, norm2_of(inputs, name), own)
    if quantity.fields == ("q",) and not slopes.equal:
        raise OutsideDomain("closed forms of q are written for equal widths")
    return slopes


def _in_symbols(slopes: Slopes, quantity: Quantity, order: int) -> Any:
    """The series with symbolic L, truncated."""
    sympy = load_sympy()
    if quantity.stat == "ncum" and quantity.fields != ("z",):
        raise OutsideDomain("variances of S and q begin at 1/n, so this is no series in 1/n")
    n, u = sympy.Symbol("n", positive=True), sympy.Symbol("u", positive=True)
    whole = formula(quantity, lambda pairs: slopes.series(len(pairs), order))
    powers = sympy.collect(sympy.expand(whole.subs(n, 1 / u)), u, evaluate=False)
    return sum(
        (sympy.factor(powers.get(u**m, 0)) / n**m for m in range(order + 1)), sympy.Integer(0)
    )


def _in_numbers(theory: Hierarchy, quantity: Quantity, behind: int) -> Any:
    """The series of this network at this layer; n is the first hidden width."""
    sympy = load_sympy()
    terms = expand(theory, quantity).terms[behind, : theory.order + 1]
    if not np.all(np.isfinite(terms)):
        raise OutsideDomain(f"{quantity.text}: not a number in this layer, e.g. a variance of 0")
    n = sympy.Symbol("n", positive=True)
    return sum(
        (sympy.Float(float(c), 15) / n**m for m, c in enumerate(terms) if c), sympy.Integer(0)
    )


def _values(network: Network, slopes: Slopes, behind: int, used: tuple) -> tuple:
    """Exact values of the symbols in the expressions `used`."""
    sympy = load_sympy()
    n = sympy.Symbol("n", positive=True), sympy.Integer(network.widths[0])
    L = sympy.Symbol("L", integer=True, nonnegative=True), sympy.Integer(behind)
    free = {symbol for part in used if part is not None for symbol in part.free_symbols}
    every = (n, L, *slopes.values) if slopes.equal else (L, *slopes.values)
    return tuple((symbol, value) for symbol, value in every if symbol in free)
