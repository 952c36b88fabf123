"""`netsim verify [NAME ...]`: the claims of theory as executable checks; exit code 1 when one fails."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netsim.cli.show import print_rows

if TYPE_CHECKING:
    from netsim.claims.claim import Claim, Trial
    from netsim.claims.run import Outcome

__all__ = ["listed", "run"]

FOLDER = "results/claims"


def run(overrides: Sequence[str], flags: dict[str, bool]) -> int:
    if flags["cfg"]:
        raise ValueError("verify composes no config: leave --cfg out")
    names, folder = _arguments(overrides)
    if not names:
        return _list(flags["json"])
    from netsim.claims.bodies import claims_named
    from netsim.claims.claim import Trial
    from netsim.claims.run import run_claim
    from netsim.claims.text import outcome_text
    from netsim.store.claims import read_claims, write_claims

    claims = claims_named(names)
    trial = Trial("thorough" if flags["thorough"] else "normal")
    read_claims(folder)  # a foreign file is told of before anything runs
    _check_writable(folder)
    show = _Show(len(claims), quiet=flags["quiet"])
    outcomes = []
    for body, claim in claims:
        show.begin(claim)
        outcome = run_claim(body, claim, trial, show)
        write_claims(folder, [outcome.json() | {"origin": _origin(trial)}])
        outcomes.append(outcome)
        if not flags["json"]:
            print(outcome_text(outcome), flush=True)
    if flags["json"]:
        print_rows([outcome.json() for outcome in outcomes])
    else:
        print(_summary(outcomes, _page(folder)))
    return 0 if all(outcome.verdict == "holds" for outcome in outcomes) else 1


def _origin(trial: Trial) -> dict[str, str]:
    """What the outcome rests on, in words."""
    import jax  # noqa: F401  (the device is told where JAX is loaded; most claims load it)

    from netsim.store.provenance import commit, device, versions

    made = versions() | {"commit": commit() or "none"}
    where = ", ".join(f"{name} {version}" for name, version in made.items())
    return {"effort": trial.effort, "where": f"{where}; {device()}"}


def _arguments(overrides: Sequence[str]) -> tuple[list[str], Path]:
    names, folder = [], Path(FOLDER)
    for word in overrides:
        key, equals, value = word.partition("=")
        if not equals:
            names.append(word)
        elif key == "out":
            if not value:
                raise ValueError(f"out= needs a folder, e.g. out={FOLDER}")
            folder = Path(value)
        else:
            raise ValueError(
                f"verify has no key {key!r}: give names of claims (`netsim verify` lists them) and "
                "out=FOLDER"
            )
    return names, folder


def _check_writable(folder: Path) -> None:
    """Try it with a small file, before minutes of work depend on it.

    **Raises:** `StoreError`.
    """
    from netsim.store.atomic import write_atomic
    from netsim.store.points import StoreError

    try:
        write_atomic(folder / ".probe", b"netsim").unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written to ({error.strerror or error}); name another folder with "
            "out=FOLDER"
        ) from error


def listed() -> str:
    """The bodies of theory and their claims, for people."""
    from netsim.claims.bodies import BODIES, claims_named

    lines = []
    for body, (what, _) in BODIES.items():
        lines.append(f"{body}: {what}")
        for _, claim in claims_named([body]):
            lines.append(f"  {body}.{claim.name}")
            lines += textwrap.wrap(
                claim.statement, 96, initial_indent=" " * 6, subsequent_indent=" " * 6
            )
    return "\n".join(
        [
            *lines,
            "",
            "Run one body or claim by its name, or all: netsim verify hierarchy; --thorough draws 16 "
            "times as many networks.",
        ]
    )


def _list(json_wanted: bool) -> int:
    from netsim.claims.bodies import claims_named

    if json_wanted:
        found = claims_named(["all"])
        print_rows([{"body": b, "name": c.name, "statement": c.statement} for b, c in found])
    else:
        print(listed())
    return 0


def _summary(outcomes: Sequence[Outcome], page: Path) -> str:
    holds = sum(outcome.verdict == "holds" for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    return f"{holds} of {len(outcomes)} claims hold, {seconds:.0f} s\nPage: {page}"


def _page(folder: Path) -> Path:
    """The folder's page: with its points, if it has any."""
    from netsim.api.sweep import write_report
    from netsim.store.claims import read_all

    commands = sorted({record["command"] for record in read_all(folder)[0]})
    return write_report(folder, title=f"Claims ({folder})", command="\n".join(commands))


class _Show:
    """How far the claim in hand has come: on stderr, in place on a terminal, else now and then."""

    def __init__(self, total: int, *, quiet: bool, every: float = 10.0):
        self.total, self.quiet, self.every = total, quiet, every
        self.number, self.last = 0, time.monotonic()

    def begin(self, claim: Claim) -> None:
        self.number += 1
        self._say(claim, 0)

    def __call__(self, claim: Claim, checks: int) -> None:
        if time.monotonic() - self.last >= (0.2 if sys.stderr.isatty() else self.every):
            self._say(claim, checks)

    def _say(self, claim: Claim, checks: int) -> None:
        if self.quiet:
            return
        self.last = time.monotonic()
        words = f"[{self.number}/{self.total}] {claim.name}: {checks} checks so far"
        if sys.stderr.isatty():
            print(f"\r\x1b[K{words}\r", end="", file=sys.stderr, flush=True)
        else:
            print(words, file=sys.stderr, flush=True)
