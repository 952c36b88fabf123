"""Named quantities in SymPy and LaTeX, as records ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netsim.experiment.aliases import Named
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.theory.symbolic.answer import Symbolic, symbolic
from netsim.theory.symbolic.names import latex

__all__ = ["symbolic_records"]


def symbolic_records(
    network: Network, inputs: Inputs, named: Sequence[Named], order: int | None = None
) -> list[dict[str, Any]]:
    """One record per quantity; what is not known is null, with a sentence under `reasons`.

    **Arguments:** `order`: last power of 1/n of recursions and series, 1 to 5.

    **Returns:** dicts with keys `quantity` (the alias where one was asked for), `text`, `layers`,
    `cumulants_of_S`, `recursion`, `closed_form`, `series`, `where`, `reasons`. An expression is
    {"sympy": text that SymPy reads, "latex": ...}; a line of the recursion has its `symbol`, too;
    `where` gives the exact values of symbols in this network.

    **Raises:** `ValueError` as `netsim.theory.symbolic.answer.symbolic`.
    """
    return [
        _record(item, symbolic(network, inputs, item.quantity, order, divisor=item.divisor))
        for item in named
    ]


def _record(item: Named, found: Symbolic) -> dict[str, Any]:
    steps = [
        {"symbol": str(s.symbol), "sympy": str(s.value), "latex": s.latex} for s in found.recursion
    ]
    return {
        "quantity": item.alias or found.quantity,
        "text": found.quantity,
        "layers": found.layers,
        "cumulants_of_S": _expression(found.formula),
        "recursion": steps or None,
        "closed_form": _expression(found.closed_form),
        "series": _expression(found.series),
        "where": {str(symbol): str(value) for symbol, value in found.values},
        "reasons": found.reasons,
    }


def _expression(value: Any) -> dict[str, str] | None:
    return None if value is None else {"sympy": str(value), "latex": latex(value)}
