"""Compose one config with Hydra, as plain data, and say in words what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from netsim.cli.words import key_of, nearest

__all__ = ["compose_one", "config_folder", "input_options", "keys_of"]


def config_folder() -> Path:
    """`configs/`: inside the installed package, or at the top of the checkout."""
    package = Path(str(resources.files("netsim")))
    for folder in (package / "configs", package.parent / "configs"):
        if (folder / "config.yaml").is_file():
            return folder
    raise FileNotFoundError(2, "the configs of netsim are missing; install it again", str(package))


def compose_one(overrides: Sequence[str]) -> dict[str, Any]:
    """The config that `overrides` give, as plain dicts, lists, numbers and strings.

    `network.widths` alone takes the place of the default width and depth.

    **Raises:** `ValueError` for unknown keys or groups (with the nearest known), bad syntax, or a
    value that is missing.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        plain = _composed(overrides)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise ValueError(_explained(error, overrides)) from error
    for word in overrides:
        if word.startswith("+") and key_of(word).split(".")[0] not in (known := _composed([])):
            raise ValueError(_unknown(key_of(word), [*keys_of(known), "experiment"], []))
    network = plain.get("network")
    if isinstance(network, dict) and network.get("widths") is not None:
        given = _said_beside_widths(overrides)
        network |= {key: None for key in ("width", "depth") if key not in given}
    return plain


def _composed(overrides: Sequence[str]) -> dict[str, Any]:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    GlobalHydra.instance().clear()
    with initialize_config_dir(version_base="1.3", config_dir=str(config_folder())):
        config = compose("config", overrides=list(overrides))
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _said_beside_widths(overrides: Sequence[str]) -> set[str]:
    """Which of width and depth are given where widths are given, or above: not by defaults only."""
    from omegaconf import OmegaConf

    said = {key_of(word): word.partition("=")[2] for word in overrides}
    both = {key for key in ("width", "depth") if said.get(f"network.{key}", "null") != "null"}
    if both or "network.widths" in said or "experiment" not in said:
        return both
    path = config_folder() / "experiment" / f"{said['experiment']}.yaml"
    network = OmegaConf.select(OmegaConf.load(path), "network") or {}
    return {key for key in ("width", "depth") if network.get(key) is not None}


def keys_of(config: Mapping[str, Any], prefix: str = "") -> list[str]:
    """All dotted keys of a composed config, groups included."""
    keys = []
    for key, value in config.items():
        keys.append(prefix + key)
        if isinstance(value, dict):
            keys += keys_of(value, f"{prefix}{key}.")
    return keys


def input_options() -> dict[str, list[str]]:
    """kind of inputs -> its options."""
    import yaml

    files = {kind: config_folder() / "inputs" / f"{kind}.yaml" for kind in _choices("inputs")}
    known = {kind: yaml.safe_load(path.read_text()) for kind, path in files.items()}
    return {kind: [key for key in keys if key != "kind"] for kind, keys in known.items()}


def _choices(group: str) -> list[str]:
    """The files of a config group; none if it is not a group."""
    return sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))


def _explained(error: Exception, overrides: Sequence[str]) -> str:
    if type(error).__name__ == "MissingMandatoryValue":
        missing = getattr(error, "full_key", None)
        return f"{missing} needs a value: add {missing}=..."
    for word in overrides:
        key, value = key_of(word), word.partition("=")[2]
        if _choices(key) and value not in (*_choices(key), "null") and not value.startswith("{"):
            options = _choices(key)
            return (
                f"{key}={value} does not exist.{nearest(value, options)} {key} is one of "
                f"{', '.join(options)}"
            )
    groups = [word for word in overrides if _choices(key_of(word)) and not word.startswith("~")]
    known = [*keys_of(_lenient(groups)), "experiment"]
    for word in overrides:
        if key_of(word) not in known and not word.startswith("+"):
            return _unknown(key_of(word), known, groups)
    return str(error).strip().split("\n", 1)[0]


def _lenient(overrides: Sequence[str]) -> dict[str, Any]:
    """The config with missing values left in: for its keys."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(version_base="1.3", config_dir=str(config_folder())):
        return dict(OmegaConf.to_container(compose("config", overrides=list(overrides))))  # pyright: ignore


def _unknown(key: str, known: Sequence[str], groups: Sequence[str]) -> str:
    section, _, option = key.partition(".")
    if section == "inputs" and option:
        kind = next((w.partition("=")[2] for w in groups if key_of(w) == "inputs"), "single")
        having = [f"inputs={k}" for k, options in input_options().items() if option in options]
        if having:
            return (
                f"inputs={kind} has no option {option!r}; {', '.join(having)} has: add one of these"
            )
    if section in known and option:
        own = [k for k in known if k.startswith(section + ".")]
        names = ", ".join(k.partition(".")[2] for k in own)
        return f"there is no config key {key!r}.{nearest(key, own)} {section} has {names}"
    near = nearest(key, known)
    if not near:  # network.width for a plain `width`
        near = nearest(key, [k.rsplit(".", 1)[-1] for k in known])
        near = near and f"{near[:-1]} with its group in front (e.g. network.width, run.draws)?"
    parents = sorted({k.split(".")[0] for k in known})
    return f"there is no config key {key!r}.{near} Top-level keys: {', '.join(parents)}"
