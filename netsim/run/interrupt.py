"""Ctrl-C and SIGTERM: remembered, answered between launches, so that nothing computed is lost."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

__all__ = ["Interrupted", "Terminated", "attended", "listening", "termination_raises"]

# a launch takes at most 2 s (see netsim.run.plan), compiling one may take longer: after a signal it
# is waited for that long, then given up
GIVE_UP_SECONDS = 1.5
Result = TypeVar("Result")


class Interrupted(Exception):
    """A run was stopped by a signal after its checkpoint was written.

    `exit_code` is 130 after Ctrl-C and 143 after SIGTERM.
    """

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class Terminated(BaseException):
    """SIGTERM outside of `listening`, as KeyboardInterrupt is Ctrl-C."""


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


def attended(work: Callable[[], Result], signals: listening) -> Result | None:
    """`work()`, in a thread, so that a signal is answered even while it compiles.

    **Returns:** its result; None if it did not end within `GIVE_UP_SECONDS` of a signal.

    **Raises:** what `work` raises.
    """
    outcome: dict[str, object] = {}

    def worker() -> None:
        try:
            outcome["result"] = work()
        except BaseException as error:  # handed to the thread that waits
            outcome["error"] = error

    thread = threading.Thread(target=worker, daemon=True)
    thread.start()
    patience = GIVE_UP_SECONDS
    while thread.is_alive() and patience > 0:
        before = time.monotonic()
        thread.join(0.1)
        if signals.received is not None:
            patience -= time.monotonic() - before
    if "error" in outcome:
        raise outcome["error"]  # pyright: ignore[reportGeneralTypeIssues]
    return outcome.get("result")  # pyright: ignore[reportReturnType]


@contextmanager
def termination_raises() -> Iterator[None]:
    """Context in which SIGTERM raises `Terminated`; in the main thread only."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
