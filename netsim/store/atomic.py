"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["write_atomic"]


def write_atomic(path: str | os.PathLike, content: bytes) -> Path:
    """Write `content` so that `path` holds either its old content or all of the new.

    A temporary file beside it, flush, fsync, rename; folders that lack are made.

    **Returns:** the path.

    **Raises:** `OSError` as the system gave it; the old file is then untouched and nothing new lies
    beside it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:  # a second Ctrl-C, too
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return path
