"""All input sets by name, as a config names them: `build("pair", angle=30, norm2=1)`."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any

from netsim.networks.inputs import Inputs, from_vectors
from netsim.networks.inputs_checks import real, whole
from netsim.networks.inputs_digits import digits
from netsim.networks.inputs_directions import with_directions
from netsim.networks.inputs_facts import describe, geometry
from netsim.networks.inputs_file import from_file
from netsim.networks.inputs_gram import gram
from netsim.networks.inputs_synthetic import circle, pair, single, sphere
from netsim.networks.inputs_transform import norm2_for_kernel, scaled

__all__ = [
    "allowed_options", "build", "circle", "describe", "digits", "from_file", "from_vectors",
    "geometry", "gram", "input_kinds", "norm2_for_kernel", "pair", "scaled", "single", "sphere",
    "with_directions",
]  # fmt: skip

_BUILDERS: dict[str, Callable[..., Inputs]] = {
    "single": single,
    "pair": pair,
    "sphere": sphere,
    "circle": circle,
    "gram": gram,
    "digits": digits,
    "file": from_file,
}
_COMMON = ("norm2", "critical_norm2", "directions", "direction_kind", "direction_norm2", "seed")


def input_kinds() -> list[str]:
    """All kinds that `build` knows."""
    return list(_BUILDERS)


def allowed_options(kind: str) -> list[str]:
    """The options of an input set of this kind, its own first, then the common ones.

    **Raises:** `ValueError` for an unknown kind.
    """
    own = list(inspect.signature(_builder(kind)).parameters)
    if kind == "gram":  # its directions are rows of the matrix
        return [*own, "gram", "norm2", "critical_norm2"]
    return own + [name for name in _COMMON if name not in own]


def build(kind: str, **options: Any) -> Inputs:
    """The input set that a config describes; options that are None count as not given.

    **Arguments:** the options of the kind's builder (`single`, `pair`, `sphere`, `circle`, `gram`,
    `digits`, `from_file`), and for every kind:

    - `norm2`: |x|^2/n_0, a number, or "critical" for `critical_norm2`, which the caller computes
      by `norm2_for_kernel` (None where the activation has no single critical kernel);
    - `directions` (number, default 0), `direction_kind`, `direction_norm2`, `seed`: see
      `with_directions`. A Gram matrix brings its own: there `directions` counts its last rows.

    The matrix of kind "gram" may be given as `matrix` or `gram`.

    **Raises:** `ValueError`: unknown kind or option with the nearest known, missing or bad values.
    """
    builder = _builder(kind)
    allowed = allowed_options(kind)
    for name, value in options.items():
        if name not in allowed and not (name in _COMMON and value is None):
            raise ValueError(
                f"inputs of kind {kind} have no option {name!r}{_nearest(name, allowed)} "
                f"Allowed: {', '.join(allowed)}"
            )
    given = {name: value for name, value in options.items() if value is not None}
    if given.get("norm2") == "critical" and isinstance(given["norm2"], str):
        given["norm2"] = _critical(given.get("critical_norm2"))
    if "gram" in given:
        if "matrix" in given:
            raise ValueError("inputs of kind gram: give the matrix once, as gram or as matrix")
        given["matrix"] = given["gram"]
    own = {k: v for k, v in given.items() if k in inspect.signature(builder).parameters}
    try:
        inspect.signature(builder).bind(**own)
    except TypeError as error:
        raise ValueError(f"inputs of kind {kind}: {error}") from None
    inputs = builder(**own)
    if "norm2" in given and "norm2" not in own:
        inputs = scaled(inputs, given["norm2"])
    return inputs if kind == "gram" else _directed(inputs, given)


def _builder(kind: str) -> Callable[..., Inputs]:
    if not isinstance(kind, str) or kind not in _BUILDERS:
        near = _nearest(str(kind), _BUILDERS)
        raise ValueError(f"unknown kind of inputs {kind!r}{near} Known: {', '.join(_BUILDERS)}")
    return _BUILDERS[kind]


def _nearest(word: str, known) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else "."


def _critical(critical_norm2: Any) -> float:
    if critical_norm2 is None:
        raise ValueError(
            "norm2=critical: this activation has no single critical kernel K* > 0 (every kernel is "
            "critical for piecewise linear ones; K* = 0 for tanh, sin, erf); give norm2 as a number"
        )
    value = real(critical_norm2, "critical_norm2", least=0)
    if value == 0:
        raise ValueError(
            "norm2=critical: the critical kernel is reached at |x|^2/n_0 = 0 only, where every "
            "input is zero (tanh, sin, erf: K* = 0); give norm2 as a number"
        )
    return value


def _directed(inputs: Inputs, given: dict[str, Any]) -> Inputs:
    count = whole(given.get("directions", 0), "directions")
    kind = given.get("direction_kind", "random")
    if isinstance(kind, str) and count == 0:
        unused = [name for name in ("direction_kind", "direction_norm2") if name in given]
        if unused:
            raise ValueError(f"{unused[0]} is given, but directions=0: set directions to a number")
        return inputs
    return with_directions(
        inputs,
        count if "directions" in given else None,
        kind,
        seed=given.get("seed", 0),
        norm2=given.get("direction_norm2"),
    )
