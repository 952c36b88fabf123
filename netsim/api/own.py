"""Predictions of a user's own: dicts with any accepted name of a quantity, made into rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from netsim.compare import as_row
from netsim.experiment.aliases import Named, named_quantities
from netsim.experiment.experiment import Experiment
from netsim.experiment.measure import layers_of
from netsim.experiment.rows import alias_rows
from netsim.rows import COLUMNS, Row

__all__ = ["own_predictions"]

_EXAMPLE = '{"quantity": "kappa4[a]@9", "value": 0.71}'


def own_predictions(given: Iterable[Row | Mapping[str, Any]], experiment: Experiment) -> list[Row]:
    """Rows from rows or dicts.

    **Arguments:** `given`: rows as they are; or dicts with `quantity`, any text that `simulate`
    takes, and `value`; also any other column of a row, where a missing `error` counts as 0 and a
    missing `truncation` as "exact".

    **Returns:** rows; a quantity measured under an alias, too, has both, whichever was given: they
    are one number, and estimates are joined under either name.

    **Raises:** `ValueError` for anything else, and for a text that names several rows.
    """
    if isinstance(given, (str, Mapping)):
        raise ValueError(f"predictions {given!r}: give a list of rows or of dicts like {_EXAMPLE}")
    rows = [item if isinstance(item, Row) else _row(item, experiment) for item in _lines(given)]
    known = {(row.key, row.source) for row in rows}
    twins = dict.fromkeys(twin for row in rows for twin in _twins(row, experiment))
    return rows + [twin for twin in twins if (twin.key, twin.source) not in known]


def _lines(given: Any) -> Iterable[Any]:
    """What is in a list, or the lines of a frame of polars or pandas, which iterate over columns."""
    if hasattr(given, "iter_rows"):
        return given.iter_rows(named=True)
    return given.to_dict("records") if hasattr(given, "to_dict") else given


def _twins(row: Row, experiment: Experiment) -> list[Row]:
    """The same prediction under the other names that the experiment measures it by."""
    plain = re.sub(r"@\w+", "", row.quantity)
    named = [i for i in experiment.named if i.alias and i.quantity.at(None).text == plain]
    if row.alias is None:
        return [alias_rows(item, row)[1] for item in named]
    divisors = {item.alias: item.divisor for item in named}
    if row.alias not in divisors:
        return []
    d = divisors[row.alias]
    whole = {
        name: None if getattr(row, name) is None else getattr(row, name) * d
        for name in ("value", "error", "truncation_error")
    }
    return [replace(row, **whole, alias=None)]


def _row(item: Any, experiment: Experiment) -> Row:
    if not isinstance(item, Mapping) or not {"quantity", "value"} <= set(item):
        raise ValueError(f"prediction {item!r}: give a row, or a dict like {_EXAMPLE}")
    # missing cells of a data frame are None or NaN
    known = {k: v for k, v in item.items() if k in COLUMNS and v is not None and v == v}
    named, layer = _named(known, experiment)
    if isinstance(known.get("truncation"), str) and known["truncation"].isdigit():
        known["truncation"] = int(known["truncation"])
    known |= {"quantity": named.quantity.at(layer).text, "alias": named.alias, "layer": layer}
    known |= {"inputs": ",".join(named.quantity.inputs), "flags": ()}
    return as_row({"source": "theory:own", "error": 0.0, "truncation": "exact", **known})


def _named(known: Mapping[str, Any], experiment: Experiment) -> tuple[Named, int]:
    text = str(known.get("alias") or known["quantity"])
    if "@" not in text and known.get("layer") is not None:
        name, tilde, order = text.partition("~")  # ~k stands last
        text = f"{name}@{int(known['layer'])}{tilde}{order}"
    named = named_quantities([text], experiment.inputs.names)
    if len(named) != 1:
        raise ValueError(f"prediction of {text!r}: name the input, e.g. {named[0].alias}")
    layers = layers_of(named[0].quantity, experiment.network.depth)
    if len(layers) != 1:
        raise ValueError(f"prediction of {text!r}: name the layer, e.g. {text}@{layers[-1]}")
    return named[0], layers[0]
