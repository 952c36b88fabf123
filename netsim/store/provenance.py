"""Where numbers come from: versions, device, commit."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

__all__ = ["commit", "versions"]


def versions() -> dict[str, str]:
    """Versions of netsim and of what its numbers depend on."""
    found = {"python": platform.python_version()}
    for name in ("netsim", "jax", "jaxlib", "numpy", "scipy"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def device() -> str:
    """The accelerator in words; "cpu" and the machine type without one. Loads JAX if it is not."""
    if "jax" not in sys.modules:
        return f"cpu ({platform.machine()})"
    import jax

    first = jax.devices()[0]
    if first.platform == "cpu":
        return f"cpu ({platform.machine()}, {jax.local_device_count()} device)"
    return f"{jax.local_device_count()} x {first.device_kind}"


def commit() -> str | None:
    """The commit of the checkout that this code runs from, "-dirty" with changes; None outside."""
    here = Path(__file__).resolve().parent
    try:
        described = subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
