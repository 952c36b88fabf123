"""Compose configs with Hydra: one plain dict per point of the grid that the overrides span."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["Composed", "compose_one", "config_folder", "expand", "keys_of"]


@dataclass(frozen=True)
class Composed:
    """One composed point: the override words that give it, and the config as plain data."""

    overrides: tuple[str, ...]
    config: dict[str, Any]


def config_folder() -> Path:
    """`configs/`: inside the installed package, or at the top of the checkout."""
    package = Path(str(resources.files("netsim")))
    for folder in (package / "configs", package.parent / "configs"):
        if (folder / "config.yaml").is_file():
            return folder
    raise FileNotFoundError(2, "the configs of netsim are missing; install it again", str(package))


def compose_one(overrides: Sequence[str]) -> dict[str, Any]:
    """The config that `overrides` give, as plain dicts, lists, numbers and strings.

    **Raises:** `ValueError` for unknown keys or groups (with the nearest known), bad syntax, or a
    value that is missing.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(version_base="1.3", config_dir=str(config_folder())):
            config = compose("config", overrides=list(overrides))
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(_explained(error, overrides)) from error
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def expand(overrides: Sequence[str]) -> list[Composed]:
    """Every point of the grid: the experiment's `sweep` lines, each with the given overrides.

    A key given in `overrides` replaces the same key of every line; comma-separated values multiply
    out. Points that occur twice are kept once.

    **Raises:** `ValueError`, see `compose_one`.
    """
    lines = compose_one(_first_values(overrides)).get("sweep") or [""]
    if isinstance(lines, str):
        lines = [lines]
    own = {_key(word) for word in overrides}
    found: dict[tuple[str, ...], Composed] = {}
    for line in lines:
        words = line.split() if isinstance(line, str) else [str(word) for word in line]
        words = [word for word in words if _key(word) not in own] + list(overrides)
        for chosen in itertools.product(*(_values(word) for word in words)):
            found.setdefault(chosen, Composed(chosen, compose_one(chosen)))
    return list(found.values())


def _key(word: str) -> str:
    return word.split("=", 1)[0].lstrip("+~").split("@", 1)[0]


def _values(word: str) -> list[str]:
    """The override once for each of its comma-separated values, by Hydra's own grammar."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        (override,) = OverridesParser.create().parse_overrides([word])
    except HydraException as error:
        raise ValueError(
            f"{word!r} is not an override; write key=value, and quote brackets and spaces for the "
            f"shell, e.g. \"quantities=['cum[z1a z1b]']\" ({_first_line(error)})"
        ) from error
    if not override.is_sweep_override():
        return [word]
    return [f"{override.input_line.split('=', 1)[0]}={v}" for v in override.sweep_string_iterator()]


def _first_values(overrides: Sequence[str]) -> list[str]:
    return [_values(word)[0] for word in overrides]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


def keys_of(config: dict[str, Any], prefix: str = "") -> list[str]:
    """All dotted keys of a composed config, groups included."""
    keys = []
    for key, value in config.items():
        keys.append(prefix + key)
        if isinstance(value, dict):
            keys += keys_of(value, f"{prefix}{key}.")
    return keys


def _explained(error: Exception, overrides: Sequence[str]) -> str:
    message = _first_line(error)
    missing = getattr(error, "full_key", None)
    if type(error).__name__ == "MissingMandatoryValue":
        return f"{missing} needs a value: add {missing}=..."
    known = keys_of(compose_one([])) + ["experiment"] if overrides else []
    for word in overrides:
        key = _key(word)
        options = [path.stem for path in (config_folder() / key).glob("*.yaml")]
        value = word.split("=", 1)[-1]
        if options and value not in options:
            near = difflib.get_close_matches(value, options, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            return f"{key}={value} does not exist.{hint} {key} is one of {', '.join(sorted(options))}"
        parents = {k.split(".")[0] for k in known}
        if known and key not in known and not (options or key.split(".")[0] == "inputs"):
            near = difflib.get_close_matches(key, known, 1)
            hint = f" Did you mean {near[0]}?" if near else f" Top-level keys: {', '.join(sorted(parents))}"
            return f"there is no config key {key!r}.{hint}"
    return message
