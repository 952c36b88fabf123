"""Ctrl-C and SIGTERM: remembered, answered between launches, so that nothing computed is lost."""

from __future__ import annotations

import signal
import threading
from types import FrameType

__all__ = ["Interrupted", "listening"]


class Interrupted(Exception):
    """A run was stopped by a signal after its checkpoint was written.

    `exit_code` is 130 after Ctrl-C and 143 after SIGTERM.
    """

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class listening:
    """Context in which the first Ctrl-C or SIGTERM is only remembered, in `received`.

    A second Ctrl-C interrupts at once, as it would without us. Outside the main thread, where
    Python delivers no signals, nothing is installed.
    """

    def __init__(self):
        self.received: int | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> listening:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._remember)
        return self

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]
