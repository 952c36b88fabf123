#!/bin/sh
# Make or refresh .venv from requirements.lock. Needs python3 >= 3.11 with venv, and the network once.
# Judged by content: nothing happens when the lock is the one that .venv was made from.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
stamp=.venv/installed-from.lock
if cmp -s requirements.lock "$stamp" 2>/dev/null; then
    exit 0
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "netsim needs Python 3.11 or newer as python3 (or set PYTHON=/path/to/python3.11)" >&2
    exit 2
fi
echo "Setting up .venv (once, about a minute)" >&2
if ! "$python" -m venv .venv; then
    echo "python3 -m venv failed; on Debian or Ubuntu: apt-get install python3-venv" >&2
    exit 2
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
cp requirements.lock "$stamp"
