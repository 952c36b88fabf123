"""From composed configs (plain nested dicts) to networks, inputs and experiments.

Values are numbers, strings and lists: nothing in a config is evaluated.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netsim.api.point import Target
from netsim.experiment.aliases import Named, named_quantities
from netsim.experiment.experiment import Experiment, experiment, mixture_of
from netsim.experiment.measure import layers_of
from netsim.networks.critical import critical_couplings
from netsim.networks.input_sets import build
from netsim.networks.inputs import Inputs
from netsim.networks.inputs_transform import norm2_for_kernel
from netsim.networks.network import Network, network
from netsim.run.plan import CHECKPOINT_SECONDS, units_for

__all__ = ["Point", "inputs_from", "network_from", "point_from"]

_TOP = {
    "network", "inputs", "run", "sampler", "quantities", "layers", "order", "title", "out", "group",
    "sweep",
}  # fmt: skip
_NETWORK = {
    "activation", "width", "depth", "widths", "weight_variance", "bias_variance", "outputs",
    "weights",
}  # fmt: skip
_RUN = {
    "draws", "seed", "dtype", "target", "target_quantities", "estimators", "mixture",
    "checkpoint_seconds",
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One point of a sweep, ready to run.

    **Fields:** `experiment`; `draws`; `target`, or None; `title`, for people; `group`: points of one
    group differ in their widths only; `overrides`: the command-line words that give this point;
    `checkpoint_seconds`, between writes of the state; `order`: last power of 1/n that predictions by
    the hierarchy keep, or None for its own.
    """

    experiment: Experiment
    draws: float
    target: Target | None
    title: str
    group: str
    overrides: tuple[str, ...] = ()
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    order: int | None = None


def _known(section: str, given: Any, known: set[str]) -> None:
    if not isinstance(given, Mapping):
        raise ValueError(f"{section}={given!r}: must hold keys out of {', '.join(sorted(known))}")
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"{section} has no key {key!r}.{hint} Keys: {', '.join(sorted(known))}"
            )


def network_from(config: Mapping[str, Any]) -> Network:
    """**Raises:** `ValueError`."""
    _known("network", config, _NETWORK)
    for key, value in config.items():
        if isinstance(value, bool):
            raise ValueError(f"network.{key}={str(value).lower()}: must be a number, list or name")
        if value is None and key not in ("width", "depth", "widths"):
            raise ValueError(f"network.{key}=null: needs a value; leave it out for the default")
    given = {key: value for key, value in config.items() if value is not None}
    both = [key for key in ("width", "depth") if key in given and "widths" in given]
    if both:
        raise ValueError(
            f"network.widths={given['widths']} lists the hidden layers and so fixes width and depth: "
            f"leave out network.{both[0]}={given[both[0]]}, or give network.widths=null"
        )
    name = given.pop("activation", "relu")
    return network(name, **given)


def inputs_from(config: Mapping[str, Any], net: Network) -> Inputs:
    """The input set; `norm2: critical` scales to the critical kernel K* of the activation.

    **Raises:** `ValueError`.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"inputs={config!r}: must hold kind and its options, e.g. kind: single")
    given = {key: value for key, value in config.items() if value is not None}
    given |= {key: str(given[key]) for key in ("path", "labels") if key in given}
    kind = given.pop("kind", None)
    if kind is None:
        raise ValueError("inputs.kind is missing: e.g. inputs=single, inputs=digits, inputs=pair")
    if given.get("norm2") == "critical":
        given["critical_norm2"] = critical_norm2(net)
    return build(kind, **given)


def critical_norm2(net: Network) -> float | None:
    """|x|^2/n_0 that puts the first kernel at K*, or None where K* is 0 or every K is critical."""
    try:
        _, _, K_star = critical_couplings(net.activation)
    except ValueError:
        return None
    if not K_star:
        return None
    return norm2_for_kernel(K_star, net.bias_variance[0], net.weight_variance[0])


def point_from(config: Mapping[str, Any], overrides: tuple[str, ...] = ()) -> Point:
    """One point from a composed config, everything checked.

    **Raises:** `ValueError`.
    """
    for key in config:  # others are names that an experiment file refers to as ${name}
        near = difflib.get_close_matches(key, _TOP, 1, 0.8) if key not in _TOP else []
        if near:
            raise ValueError(f"the config has no key {key!r}. Did you mean {near[0]}?")
    run = config.get("run", {})
    _known("run", run, _RUN)
    draws = _number(run.get("draws", 65536), "run.draws", "a number of draws, e.g. 1e6")
    units_for(draws)
    seconds = run.get("checkpoint_seconds", CHECKPOINT_SECONDS)
    net = network_from(config.get("network", {}))
    inputs = inputs_from(config.get("inputs", {}), net)
    layers = config.get("layers")
    if layers is not None and not isinstance(layers, list):
        raise ValueError(f"layers={layers!r}: must be [first, last]")
    made = experiment(
        net,
        inputs,
        _strings(config.get("quantities"), "quantities"),
        sampler=str(config.get("sampler", "conditional")),
        estimators=_strings(run.get("estimators", ["rao_blackwell"]), "run.estimators"),
        seed=run.get("seed", 0),
        dtype=str(run.get("dtype", "float32")),
        layers=layers,
        mixture=_mixture(run.get("mixture", "auto")),
    )
    return Point(
        experiment=made,
        draws=draws,
        target=_target(run, made),
        title=title_of(made, config.get("group")),
        group=str(config.get("group") or group_of(made)),
        overrides=tuple(overrides),
        checkpoint_seconds=_number(seconds, "run.checkpoint_seconds", "a number of seconds >= 0"),
        order=_order(config.get("order")),
    )


def _order(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (whole and 1 <= value <= 6):
        raise ValueError(f"order={value!r}: the last power of 1/n kept, 1 to 6, or null")
    return value


def _mixture(value: Any) -> bool | None:
    if value != "auto" and not isinstance(value, bool):
        raise ValueError(f"run.mixture={value!r}: must be auto, true or false")
    return None if value == "auto" else value


def _number(value: Any, name: str, allowed: str) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name}={value!r}: must be {allowed}")
    return float(value)


def _strings(value: Any, name: str) -> list[str]:
    texts = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(
            f"{name}={value!r}: must be a text or a list of texts, e.g. [kappa2,kappa4]"
        )
    return texts


def _target(run: Mapping[str, Any], made: Experiment) -> Target | None:
    relative = run.get("target")
    if relative is None:
        return None
    if isinstance(relative, bool) or not isinstance(relative, (int, float)) or not 0 < relative < 1:
        raise ValueError(
            f"run.target={relative!r}: must be a relative error between 0 and 1, e.g. 0.01"
        )
    texts = _strings(run.get("target_quantities") or list(made.quantities), "run.target_quantities")
    keys = _keys(made, named_quantities(texts, made.inputs.names))
    # the rows of an alias bring those of the plain quantity with them
    measured = _keys(made, made.named)
    missing = keys - measured - {(text, None) for text, _ in measured}
    if missing:
        text, alias = min(missing, key=str)
        raise ValueError(
            f"run.target_quantities: {alias or text} (of {text}) is not among the quantities measured: "
            f"{', '.join(made.quantities)}"
        )
    return Target(float(relative), keys)


def _keys(made: Experiment, named: Sequence[Named]) -> frozenset[tuple[str, str | None]]:
    """Keys of the rows of `named` at all layers at which they are given."""
    return frozenset(
        (item.quantity.at(layer).text, item.alias)
        for item in named
        for layer in layers_of(item.quantity, made.network.depth, made.layers)
    )


def _widths(net: Network) -> str:
    same = len(set(net.widths)) == 1
    return f"n={net.widths[0]}, L={net.depth}" if same else f"n={list(net.widths)}"


def title_of(made: Experiment, group: str | None = None) -> str:
    """`group`, or everything but the widths in words, and the widths."""
    return f"{group or group_of(made)}, {_widths(made.network)}"


def group_of(made: Experiment) -> str:
    """Everything but the widths, in words."""
    net = made.network
    couplings = f"C_W={net.weight_variance[-1]:.6g}, C_b={net.bias_variance[-1]:.6g}"
    law = "" if net.weights.is_gaussian else f", {net.weights.name} weights"
    # where draws would be weighted by default, and are not, or the other way round
    usual = mixture_of(made, None)
    draws = {(True, False): ", plain draws", (False, True): ", weighted draws"}
    return f"{net.activation.name} ({couplings}{law}), {made.inputs.source}" + draws.get(
        (usual, made.mixture), ""
    )
