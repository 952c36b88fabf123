"""From composed configs (plain nested dicts) to networks, inputs and experiments.

Values are numbers, strings and lists: nothing in a config is evaluated.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netsim.api.point import Target
from netsim.experiment.aliases import named_quantities
from netsim.experiment.experiment import Experiment, experiment
from netsim.experiment.measure import layers_of
from netsim.networks.critical import critical_couplings
from netsim.networks.input_sets import build
from netsim.networks.inputs import Inputs
from netsim.networks.inputs_transform import norm2_for_kernel
from netsim.networks.network import Network, network

__all__ = ["Point", "inputs_from", "network_from", "point_from"]

_NETWORK = {
    "activation", "width", "depth", "widths", "weight_variance", "bias_variance", "outputs",
    "weights",
}  # fmt: skip
_RUN = {"draws", "seed", "dtype", "target", "target_quantities", "estimators"}


@dataclass(frozen=True)
class Point:
    """One point of a sweep, ready to run.

    **Fields:** `experiment`; `draws`; `target`, or None; `title`, for people; `group`: points of one
    group differ in their widths only; `overrides`: the command-line words that give this point.
    """

    experiment: Experiment
    draws: float
    target: Target | None
    title: str
    group: str
    overrides: tuple[str, ...] = ()


def _known(section: str, given: Mapping[str, Any], known: set[str]) -> None:
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
    given = {key: value for key, value in config.items() if value is not None}
    name = given.pop("activation", "relu")
    if "widths" in given and ("width" in given or "depth" in given):
        raise ValueError(
            "network.widths lists the hidden layers and so fixes width and depth: write "
            "network.width=null network.depth=null network.widths=[...], or leave widths out"
        )
    return network(name, **given)


def inputs_from(config: Mapping[str, Any], net: Network) -> Inputs:
    """The input set; `norm2: critical` scales to the critical kernel K* of the activation.

    **Raises:** `ValueError`.
    """
    given = {key: value for key, value in config.items() if value is not None}
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
    run = {key: value for key, value in config.get("run", {}).items()}
    _known("run", run, _RUN)
    net = network_from(config.get("network", {}))
    inputs = inputs_from(config.get("inputs", {}), net)
    quantities = config.get("quantities") or []
    if isinstance(quantities, str):
        quantities = [quantities]
    made = experiment(
        net,
        inputs,
        list(quantities),
        sampler=str(config.get("sampler", "conditional")),
        estimators=_strings(run.get("estimators") or ["rao_blackwell"]),
        seed=run.get("seed", 0),
        dtype=str(run.get("dtype", "float32")),
    )
    draws = run.get("draws", 65536)
    if isinstance(draws, str) or isinstance(draws, bool) or draws is None:
        raise ValueError(f"run.draws={draws!r}: must be a number")
    return Point(
        experiment=made,
        draws=float(draws),
        target=_target(run, made),
        title=title_of(made),
        group=str(config.get("group") or group_of(made)),
        overrides=tuple(overrides),
    )


def _strings(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(v) for v in value]


def _target(run: Mapping[str, Any], made: Experiment) -> Target | None:
    relative = run.get("target")
    if relative is None:
        return None
    if isinstance(relative, (str, bool)) or not 0 < relative < 1:
        raise ValueError(
            f"run.target={relative!r}: must be a relative error between 0 and 1, e.g. 0.01"
        )
    measured = {(item.quantity, item.alias) for item in made.named}
    texts = _strings(run.get("target_quantities") or made.quantities)
    named = named_quantities(texts, made.inputs.names)
    depth = made.network.depth
    for item in named:
        if not {(item.quantity, item.alias), (item.quantity.at(None), item.alias)} & measured:
            raise ValueError(
                f"run.target_quantities: {item.alias or item.quantity.text} is not among the "
                f"quantities measured: {', '.join(made.quantities)}"
            )
    keys = {
        (item.quantity.at(layer).text, item.alias)
        for item in named
        for layer in layers_of(item.quantity, depth)
    }
    return Target(float(relative), frozenset(keys))


def _widths(net: Network) -> str:
    same = len(set(net.widths)) == 1
    return f"n={net.widths[0]}, L={net.depth}" if same else f"n={list(net.widths)}"


def title_of(made: Experiment) -> str:
    return f"{group_of(made)}, {_widths(made.network)}"


def group_of(made: Experiment) -> str:
    """Everything but the widths, in words."""
    net = made.network
    couplings = f"C_W={net.weight_variance[-1]:.6g}, C_b={net.bias_variance[-1]:.6g}"
    law = "" if net.weights.is_gaussian else f", {net.weights.name} weights"
    return f"{net.activation.name} ({couplings}{law}), {made.inputs.source}"
