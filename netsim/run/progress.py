"""Progress of long work: a bar on a terminal or under a notebook's cell, plain lines in a log.

Terminal and log get it on stderr.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from html import escape
from typing import Any

__all__ = [
    "LogProgress", "NotebookProgress", "Progress", "SilentProgress", "TerminalProgress",
    "progress_for",
]  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """Where a run stands: `done` and `total` draws, seconds so far, and its current error."""

    title: str
    done: int
    total: int
    rate: float  # draws per second, this session
    error: str = ""  # e.g. "kappa4[a]@9 2.1%"

    @property
    def seconds_left(self) -> float:
        return (self.total - self.done) / self.rate if self.rate > 0 else float("inf")

    @property
    def text(self) -> str:
        left = "" if self.done >= self.total else f", {_duration(self.seconds_left)} left"
        error = f", {self.error}" if self.error else ""
        return f"{self.done:,} of {self.total:,} draws, {self.rate:,.0f}/s{error}{left}"


def _duration(seconds: float) -> str:
    if not seconds < 1e6:
        return "a long time"
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 5400 else f"{whole / 3600:.1f} h"


class SilentProgress:
    """Shows nothing."""

    def __call__(self, progress: Progress) -> None:
        pass

    def close(self) -> None:
        pass


class LogProgress:
    """A plain line at most every `every` seconds, and one at the end of each run."""

    def __init__(self, every: float = 10.0):
        self.every, self.last = every, time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self.last >= self.every or progress.done >= progress.total:
            self.last = now
            print(f"{progress.title}: {progress.text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class TerminalProgress:
    """A bar that is redrawn in place, by rich."""

    def __init__(self):
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        # no markup: the [a] of kappa4[a] is no style
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(20),
            TextColumn("{task.fields[text]}", markup=False),
        )
        self.bar = Bar(*columns, console=Console(stderr=True), transient=False)
        self.tasks: dict[str, object] = {}
        self.bar.start()

    def __call__(self, progress: Progress) -> None:
        if progress.title not in self.tasks:
            self.tasks[progress.title] = self.bar.add_task(
                progress.title, total=progress.total, text=""
            )
        self.bar.update(
            self.tasks[progress.title],  # pyright: ignore[reportArgumentType]
            completed=progress.done,
            total=progress.total,
            text=progress.text,
        )

    def close(self) -> None:
        self.bar.stop()


class NotebookProgress:
    """A bar under the cell for every run, redrawn at most every `every` seconds and at the end.

    Shown by the notebook itself, as HTML: rich's bar would need ipywidgets and cut long titles.
    """

    def __init__(self, every: float = 0.2):
        self.every, self.last = every, time.monotonic()
        self.runs: dict[str, Progress] = {}
        self.shown: Any = None

    def __call__(self, progress: Progress) -> None:
        self.runs[progress.title] = progress
        now = time.monotonic()
        if self.shown is None or now - self.last >= self.every or progress.done >= progress.total:
            self.last = now
            self._draw()

    def close(self) -> None:
        if self.runs:
            self._draw()

    def _draw(self) -> None:
        from IPython.display import display  # pyright: ignore[reportMissingImports]

        runs = self.runs.values()
        both = {
            "text/plain": "\n".join(f"{run.title}: {run.text}" for run in runs),
            "text/html": "".join(map(_bar, runs)),
        }
        if self.shown is None:
            self.shown = display(both, raw=True, display_id=True)
        else:
            self.shown.update(both, raw=True)


def _bar(progress: Progress) -> str:
    bar = f'<progress value="{progress.done}" max="{progress.total}"></progress>'
    return f"<div>{escape(progress.title)} {bar} {escape(progress.text)}</div>"


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    from rich.console import Console

    return Console().is_jupyter


def progress_for(quiet: bool = False):
    """The progress display that suits where we run."""
    if quiet:
        return SilentProgress()
    if sys.stderr.isatty():
        return TerminalProgress()
    return NotebookProgress() if _in_notebook() else LogProgress()
