"""How draws are cut into units, launches and blocks. No JAX."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "BLOCKS", "CHECKPOINT_SECONDS", "MAX_DRAWS", "UNIT", "Layout", "layout_for", "units_for",
    "units_in",
]  # fmt: skip

UNIT = 1024  # draws; unit u belongs to block u mod 64
BLOCKS = 64
CHECKPOINT_SECONDS = 10.0  # between writes of the state
MAX_DRAWS = 2**32  # the draw index is one 32-bit word of the counter

# one launch: long enough to hide its overhead, short enough that a signal is answered in 2 s
_NUMBERS_PER_LAUNCH = 1e8  # normals; about 0.5 s on one CPU core
_BYTES_PER_LAUNCH = 2**29
_MAX_DRAWS_PER_LAUNCH = 4 * UNIT


@dataclass(frozen=True)
class Layout:
    """One launch runs `groups` groups of `size` draws; size divides the unit."""

    groups: int
    size: int

    @property
    def draws(self) -> int:
        return self.groups * self.size


def layout_for(numbers_per_draw: float, bytes_per_draw: float) -> Layout:
    """The launch for a draw that uses that many random numbers and bytes."""
    most = min(
        _NUMBERS_PER_LAUNCH / max(numbers_per_draw, 1),
        _BYTES_PER_LAUNCH / max(bytes_per_draw, 1),
        _MAX_DRAWS_PER_LAUNCH,
    )
    draws = 1
    while 2 * draws <= most:
        draws *= 2
    return Layout(draws // UNIT, UNIT) if draws >= UNIT else Layout(1, draws)


def units_in(count: np.ndarray) -> int:
    """Whole units in a state with `count` draws per block, (64,).

    **Raises:** `ValueError` unless they are the first so many units, each in its block: only then does
    the next unit follow.
    """
    units = int(count.sum()) // UNIT
    if not np.array_equal(count, UNIT * np.bincount(np.arange(units) % BLOCKS, minlength=BLOCKS)):
        raise ValueError(
            "this state cannot be extended: its blocks do not hold whole units from the first on (was "
            "it merged, or damaged?). Move its file away to start afresh"
        )
    return units


def units_for(draws: float) -> int:
    """Whole units for at least that many draws.

    **Raises:** `ValueError` below 64 units, which the error bars need, or beyond 2^32 draws.
    """
    if isinstance(draws, bool) or not isinstance(draws, (int, float)) or not draws == draws:
        raise ValueError(f"draws={draws!r}: must be a number")
    if draws < BLOCKS * UNIT:
        raise ValueError(
            f"draws={draws:g}: at least {BLOCKS} x {UNIT} = {BLOCKS * UNIT} are needed, because the "
            f"error bars come from {BLOCKS} blocks of whole units"
        )
    if draws > MAX_DRAWS:
        raise ValueError(f"draws={draws:g}: at most 2^32 draws have a number of their own")
    return -(-int(draws) // UNIT)
