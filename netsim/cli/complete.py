"""Completion of verbs, config groups and keys, for bash and zsh; reads YAML only, no Hydra, no JAX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["SCRIPT", "complete"]

# candidates come one a line, with a space behind where the word is finished
SCRIPT = """\
_netsim() {
  local IFS=$'\\n'
  COMPREPLY=($(netsim --complete "${COMP_LINE:0:$COMP_POINT}"))
}
if [ -n "$ZSH_VERSION" ]; then autoload -U +X bashcompinit && bashcompinit; fi
COMP_WORDBREAKS=${COMP_WORDBREAKS//=/}
complete -o nospace -F _netsim netsim
"""
_FIRST = ("--help", "--version", "--completion")
_OPTIONS = ("--json", "--cfg job", "--multirun", "--quiet", "--traceback", "--help")


def complete(words: Sequence[str]) -> list[str]:
    """Continuations of a command line typed so far (one string, the last word unfinished)."""
    from netsim.cli.main import VERBS

    line = words[0] if words else ""
    *before, last = line.split(" ")
    typed = [word for word in before[1:] if word]
    if not typed:
        return [f"{word} " for word in (*VERBS, *_FIRST) if word.startswith(last)]
    if last.startswith("-"):
        options = (*_OPTIONS, "--symbolic") if typed[0] == "predict" else _OPTIONS
        return [f"{option} " for option in options if option.startswith(last)]
    if typed[0] == "list":
        from netsim.cli.listing import topics

        return [f"{topic} " for topic in topics() if topic.startswith(last)]
    if "=" in last:
        key, _, value = last.partition("=")
        done, comma, start = value.rpartition(",")
        known = [c for c in _choices(key) if c.startswith(start)]
        # parameters follow an open bracket, other values a comma
        return [f"{key}={done}{comma}{c}" + ("" if comma or c[-1] == "(" else " ") for c in known]
    if typed[0] == "tune":
        from netsim.cli.tune import KEYS

        return [f"{key}=" for key in KEYS if key.startswith(last)]
    if typed[0] == "advise":
        from netsim.cli.advise import KEYS

        return [f"{key}=" for key in KEYS if key.startswith(last)]
    return [f"{key}=" for key in _keys() if key.startswith(last)]


def _opened(names: Sequence[str]) -> list[str]:
    """Names, of those with parameters what stands up to the bracket."""
    return [name.partition("(")[0] + "(" * ("(" in name) for name in names]


def _choices(key: str) -> list[str]:
    from netsim.cli.compose import config_folder

    files = sorted(path.stem for path in (config_folder() / key).glob("*.yaml"))
    if files:
        return files
    if key in ("network.activation", "activation"):
        from netsim.networks.activations import activation_names

        return _opened(activation_names())
    if key == "network.weights":
        from netsim.networks.weights import weight_law_names

        return _opened(weight_law_names())
    fixed = {
        "sampler": ["conditional", "dense"],
        "run.dtype": ["float32", "float64"],
        "run.mixture": ["auto", "true", "false"],
        "run.estimators": ["rao_blackwell", "raw"],
        "inputs.norm2": ["critical"],
        "network.weight_variance": ["critical"],
        "network.bias_variance": ["critical"],
    }
    return fixed.get(key, [])


def _keys() -> list[str]:
    import yaml

    from netsim.cli.compose import config_folder, keys_of

    def load(path) -> dict[str, Any]:
        return yaml.safe_load(path.read_text()) or {}

    folder = config_folder()
    inputs: dict[str, Any] = {}
    for path in sorted((folder / "inputs").glob("*.yaml")):
        inputs |= load(path)
    del inputs["kind"]  # the group chooses it
    groups = {
        "network": load(folder / "network" / "default.yaml"),
        "run": load(folder / "run" / "default.yaml"),
        "inputs": inputs,
        "experiment": None,
    }
    base = {key: None for key in load(folder / "config.yaml") if key != "defaults"}
    return [key for key in keys_of(base | groups) if key not in ("network", "run")]
