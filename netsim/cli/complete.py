"""Completion of verbs, config groups and keys, for bash and zsh; reads YAML only, no Hydra, no JAX."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SCRIPT", "complete"]

SCRIPT = """\
_netsim() {
  local IFS=$'\\n'
  COMPREPLY=($(netsim --complete "${COMP_LINE:0:$COMP_POINT}"))
}
if [ -n "$ZSH_VERSION" ]; then autoload -U +X bashcompinit && bashcompinit; fi
COMP_WORDBREAKS=${COMP_WORDBREAKS//=/}
complete -o nospace -F _netsim netsim
"""


def complete(words: Sequence[str]) -> list[str]:
    """Continuations of a command line typed so far (one string, the last word unfinished)."""
    from netsim.cli.main import VERBS

    line = words[0] if words else ""
    typed = line.split(" ")[1:] or [""]
    last = typed[-1]
    if len(typed) == 1:
        return [verb + " " for verb in VERBS if verb.startswith(last)]
    if typed[0] == "list":
        from netsim.cli.listing import topics

        return [topic for topic in topics() if topic.startswith(last)]
    if last.startswith("-"):
        options = ("--json", "--cfg job", "--quiet", "--traceback", "--help")
        return [option for option in options if option.startswith(last)]
    if "=" in last:
        key, start = last.split("=", 1)
        return [f"{key}={value} " for value in _choices(key) if value.startswith(start)]
    return [f"{key}=" for key in _keys() if key.startswith(last)]


def _choices(key: str) -> list[str]:
    from netsim.cli.grid import config_folder

    files = sorted(path.stem for path in (config_folder() / key).glob("*.yaml"))
    if files:
        return files
    if key == "network.activation":
        from netsim.networks.activations import activation_names

        return [name for name in activation_names() if "(" not in name]
    if key == "network.weights":
        from netsim.networks.weights import weight_law_names

        return [name for name in weight_law_names() if "(" not in name]
    return {"sampler": ["conditional", "dense"], "run.dtype": ["float32", "float64"]}.get(key, [])


def _keys() -> list[str]:
    import yaml

    from netsim.cli.grid import config_folder, keys_of

    def load(*parts: str) -> dict:
        return yaml.safe_load(config_folder().joinpath(*parts).read_text()) or {}

    base = {key: None for key in load("config.yaml") if key != "defaults"}
    groups = {
        "network": load("network", "default.yaml"),
        "run": load("run", "default.yaml"),
        "inputs": {k: v for p in ("single", "pair", "digits") for k, v in load("inputs", f"{p}.yaml").items()},
        "experiment": None,
    }  # fmt: skip
    return [key for key in keys_of(base | groups) if key not in ("network", "run")]
