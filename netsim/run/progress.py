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
    """Where long work stands: `done` of `total` units (draws, layers), and a run's current error."""

    title: str
    done: int
    total: int
    rate: float  # units per second, this session
    error: str = ""  # e.g. "kappa4[a]@9 2.1%"
    unit: str = "draws"

    @property
    def seconds_left(self) -> float:
        return (self.total - self.done) / self.rate if self.rate > 0 else float("inf")

    @property
    def text(self) -> str:
        left = "" if self.done >= self.total else f", {_duration(self.seconds_left)} left"
        error = f", {self.error}" if self.error else ""
        return f"{self.done:,} of {self.total:,} {self.unit}, {self.rate:,.0f}/s{error}{left}"


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
    """A plain line at most every `every` seconds, and one at the end of each run unless `passing`."""

    def __init__(self, every: float = 10.0, *, passing: bool = False):
        self.every, self.last, self.passing = every, time.monotonic(), passing

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        ended = progress.done >= progress.total and not self.passing
        if now - self.last >= self.every or ended:
            self.last = now
            print(f"{progress.title}: {progress.text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class TerminalProgress:
    """A bar that is redrawn in place, by rich; `passing`: it goes when the work is done."""

    def __init__(self, *, passing: bool = False):
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        # no markup: the [a] of kappa4[a] is no style
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(20),
            TextColumn("{task.fields[text]}", markup=False),
        )
        self.bar = Bar(*columns, console=Console(stderr=True), transient=passing)
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
    `passing`: the bars go when the work is done.
    """

    def __init__(self, every: float = 0.2, *, passing: bool = False):
        self.every, self.last, self.passing = every, time.monotonic(), passing
        self.runs: dict[str, Progress] = {}
        self.shown: Any = None

    def __call__(self, progress: Progress) -> None:
        self.runs[progress.title] = progress
        now = time.monotonic()
        if self.shown is None or now - self.last >= self.every or progress.done >= progress.total:
            self.last = now
            self._draw()

    def close(self) -> None:
        if self.passing:
            self.runs = {}
        if self.runs or self.shown is not None:
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


def progress_for(quiet: bool = False, *, passing: bool = False):
    """The progress display that suits where we run; `passing`: nothing of it stays afterwards."""
    if quiet:
        return SilentProgress()
    if sys.stderr.isatty():
        return TerminalProgress(passing=passing)
    return NotebookProgress(passing=passing) if _in_notebook() else LogProgress(passing=passing)
