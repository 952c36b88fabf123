"""The `netsim` command inside the test's own process."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from netsim.cli.main import main


@dataclass(frozen=True)
class Ended:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


def netsim(capsys, line: str) -> Ended:
    """Run `netsim line`, quoted as in a shell."""
    capsys.readouterr()
    code = main(shlex.split(line))
    printed = capsys.readouterr()
    return Ended(code, printed.out, printed.err)
