"""The bodies of theory and their claims: names only until one is run."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence

from netsim.claims.claim import Claim

__all__ = ["BODIES", "claims_named"]

# body -> (what it is, modules of netsim.claims.<body>, each with a CLAIM, in the order of the page)
BODIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "hierarchy": (
        "joint cumulants of random fully connected networks and their hierarchy in 1/n",
        (
            "neurons",
            "odd",
            "pairing",
            "scaling",
            "sharpness",
            "recursions",
            "closure",
            "series",
            "five_ways",
            "growth",
            "width_profile",
            "universal_curve",
            "gradients_if",
            "gradients_only_if",
            "gradient_controls",
        ),
    ),
}


def _claim(body: str, module: str) -> Claim:
    return importlib.import_module(f"netsim.claims.{body}.{module}").CLAIM


def claims_named(names: Sequence[str]) -> list[tuple[str, Claim]]:
    """(body, claim) pairs that `names` mean: "all", a body, or one claim, e.g. "hierarchy.scaling".

    **Raises:** `ValueError` for an unknown name, with the nearest known one.
    """
    every = [(body, _claim(body, m)) for body, (_, modules) in BODIES.items() for m in modules]
    known = {f"{body}.{claim.name}": (body, claim) for body, claim in every}
    found: dict[str, tuple[str, Claim]] = {}
    for name in names:
        chosen = [
            key
            for key in known
            if name == "all" or key == name or key.startswith(f"{name}.") and name in BODIES
        ]
        if not chosen:
            words = [*BODIES, *known, "all"]
            near = difflib.get_close_matches(name, words, 1, 0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(
                f"unknown claim {name!r}.{hint} Bodies of theory: {', '.join(BODIES)}; `netsim verify` "
                "lists their claims"
            )
        found |= {key: known[key] for key in chosen}
    return list(found.values())
