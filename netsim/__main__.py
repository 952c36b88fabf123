"""`python -m netsim`: the same as the `netsim` command."""

from __future__ import annotations

import sys

from netsim.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
