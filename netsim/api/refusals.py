"""Why theories gave no prediction, in words: each reason once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from netsim.api.predict import Predictions
from netsim.experiment.aliases import Named

__all__ = ["unanswered"]


def unanswered(found: Predictions, named: Sequence[Named]) -> list[str]:
    """A paragraph for those of `named` that no theory predicts, one for all of the same reasons.

    Where all theories have one reason it is one line, else a line a reason, with their names.
    """
    predicted = {_plain(row.quantity) for row in found.rows}
    paragraphs: dict[str, dict[str, None]] = {}
    for item in named:
        text = item.quantity.text
        if _plain(text) in predicted:
            continue
        reasons: dict[str, list[str]] = {}
        for refused, theory, reason in found.refusals:
            if refused == text:
                names = reasons.setdefault(reason.removeprefix(f"{text}: "), [])
                names += [] if theory in names else [theory]
        asked = text if item.alias is None else f"{item.alias} ({text})"
        paragraphs.setdefault(_told(reasons), {})[asked] = None
    return [f"no prediction of {', '.join(asked)}:{told}" for told, asked in paragraphs.items()]


def _told(reasons: dict[str, list[str]]) -> str:
    if not reasons:
        return " the values are not finite"
    if len(reasons) == 1:
        return f" {next(iter(reasons))}"
    return "".join(f"\n  {', '.join(names)}: {reason}" for reason, names in reasons.items())


def _plain(text: str) -> str:
    return re.sub(r"@\w+", "", text)
