"""A run as a notebook sees it: its draws so far, their numbers, and how to go on."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from netsim.api.arguments import a_number, target_of
from netsim.api.compared import Compared, compared
from netsim.api.config import Point, group_of, title_of
from netsim.api.frame import rows_frame
from netsim.api.own import own_predictions
from netsim.api.point import PointOutcome, Target, run_point
from netsim.api.predict import Predictions, predict
from netsim.api.run_text import html, python_call, text, too_few
from netsim.api.theories import theories
from netsim.estimators import State
from netsim.experiment.experiment import Experiment
from netsim.experiment.rows import estimate_rows
from netsim.rows import Row
from netsim.run.plan import UNIT, units_for
from netsim.run.progress import Progress, progress_for
from netsim.samplers.names import RNG
from netsim.store.points import PointFiles, StoreError

__all__ = ["Run"]


class Run:
    """What was drawn so far of one experiment. Made by `netsim.simulate`; `more` goes on.

    The states inside are values, never changed; the run itself moves from one to the next.

    **Attributes:** `experiment`; `state`, of the estimators; `seconds` spent drawing in this
    process; `wanted`, draws asked for last; `notes`, e.g. why a file could not be written.
    """

    def __init__(self, experiment: Experiment, folder: str | Path | None = None):
        self.experiment = experiment
        self.state: State = experiment.sums().init()
        self.seconds = 0.0
        self.wanted = 0
        self.notes: tuple[str, ...] = ()
        self._interrupted = False
        self._target: Target | None = None
        self._files = None if folder is None else PointFiles(Path(folder), experiment.id, RNG)
        self._rows: tuple[int, list[Row]] | None = None
        if self._files is not None:
            self.state = self._files.load_state(self.state) or self.state

    # --- drawing ------------------------------------------------------------------------------

    def more(
        self,
        draws: float | None = None,
        *,
        target: float | None = None,
        progress: bool | Callable[[Progress], None] = True,
    ) -> Run:
        """Draw `draws` more networks, those that follow the ones drawn; this run then holds them all.

        The result is bit for bit that of one longer run. Draws come in units of 1024. Interrupting
        the cell keeps what was drawn.

        **Arguments:** `draws`: how many more; None: what an interrupted run still lacks; `target`:
        stop earlier, when the relative error of every quantity is below it; `progress`: True, False,
        or a function called after every launch.

        **Returns:** this run.

        **Raises:** `ValueError`.
        """
        if draws is None:
            return self.draw_to(max(self.wanted, self.draws), self._target, progress)
        number = a_number(draws, "draws")
        if not number > 0:
            raise ValueError(f"draws={draws!r}: how many more draws, a number > 0")
        return self.draw_to(self.draws + number, target_of(self.experiment, target), progress)

    def draw_to(
        self, total: float, target: Target | None, progress: bool | Callable[[Progress], None]
    ) -> Run:
        """Draw until there are `total` draws, or until `target`; a folder is written to.

        **Raises:** `ValueError`.
        """
        units = units_for(total)
        self.wanted, self._target, self._interrupted = units * UNIT, target, True
        if isinstance(progress, bool):
            show = shown = progress_for(progress is False)
        else:
            show, shown = progress, None
        title = title_of(self.experiment)
        try:
            outcome = run_point(
                self.experiment, total, state=self.state, target=target, title=title,
                show=show, save=self._keep,
            )  # fmt: skip
        finally:
            if shown is not None:
                shown.close()
        self.state, self.seconds = outcome.state, self.seconds + outcome.seconds
        self._interrupted = outcome.signal is not None
        self._record(outcome)
        if outcome.signal == signal.SIGTERM:
            signal.raise_signal(signal.SIGTERM)  # asked to end: not ours to ignore
        return self

    def _keep(self, state: State) -> None:
        """A checkpoint: in memory for a second Ctrl-C, and in the folder if there is one."""
        self.state = state
        self._try(lambda files: files.save_state(state))

    def _try(self, write: Callable[[PointFiles], None]) -> None:
        # what was drawn is worth more than its file: the run goes on in memory, and says so
        if self._files is None:
            return
        try:
            write(self._files)
        except StoreError as error:
            self._files = None
            self.notes += (f"not stored: {error}",)
            warnings.warn(f"the run goes on in memory only: {error}", stacklevel=4)

    def _record(self, outcome: PointOutcome) -> None:
        if self._files is None:
            return
        from netsim.api.record import make_record

        made = self.experiment
        point = Point(made, self.wanted, self._target, title_of(made), group_of(made))
        estimates = self.rows if self.blocks >= 2 else []

        def write(files: PointFiles) -> None:
            record = make_record(
                point, estimates, self.predictions, outcome,
                earlier=files.load_record(), command=python_call(made, self.draws),
            )  # fmt: skip
            files.save_record(record)

        self._try(write)

    # --- numbers ------------------------------------------------------------------------------

    @property
    def draws(self) -> int:
        """Networks drawn so far."""
        return int(self.state["count"].sum())

    @property
    def blocks(self) -> int:
        """Blocks of the jackknife with draws in them: 64 but for runs interrupted early."""
        return int((self.state["count"] > 0).sum())

    @property
    def complete(self) -> bool:
        """Whether the draws asked for last were drawn (or their target reached)."""
        return not self._interrupted

    @property
    def rows(self) -> list[Row]:
        """Estimates with their errors.

        **Raises:** `ValueError` for a run interrupted before it had the two units that an error bar
        needs at least.
        """
        if self.blocks < 2:
            raise ValueError(too_few(self.draws))
        if self._rows is None or self._rows[0] != self.draws:
            self._rows = (self.draws, estimate_rows(self.experiment, self.state))
        return list(self._rows[1])

    @property
    def table(self):
        """`rows` as a data frame.

        **Returns:** `polars.DataFrame` if polars is installed, else `pandas.DataFrame` if pandas is,
        else `netsim.api.frame.Frame`. Columns: those of a row, and `effective_depth`.
        """
        return rows_frame(self.rows, self.experiment.network)

    @cached_property
    def _predicted(self) -> Predictions:
        made = self.experiment
        return predict(made.network, made.inputs, made.named, made.layers)

    @property
    def predictions(self) -> list[Row]:
        """One row per quantity, layer and theory that covers it."""
        return list(self._predicted.rows)

    def compare(self, theory: str | Iterable[Row | Mapping[str, Any]] | None = None) -> Compared:
        """Estimates beside predictions.

        **Arguments:** `theory`: None, the best prediction of each row; the name of a theory, e.g.
        "exact", "leading_order", "infinite_width"; or predictions of your own: rows, or dicts such
        as {"quantity": "kappa4[a]@9", "value": 0.71} (see `netsim.api.own`).

        **Raises:** `ValueError` for an unknown theory or a bad prediction.
        """
        if theory is None:
            chosen = self.predictions
        elif isinstance(theory, str):
            names = _theory_names(self.experiment)
            name = theory.removeprefix("theory:")
            if name not in names:
                raise ValueError(f"unknown theory {theory!r}; known: {', '.join(names)}")
            chosen = [row for row in self.predictions if row.source == f"theory:{name}"]
        else:
            chosen = own_predictions(theory, self.experiment)
        return compared(self.experiment, self.rows, chosen)

    def plot(self, quantity: str | None = None, *, x: str = "L/n"):
        """A figure of one quantity (default: the first) over `x`, "L/n" or "layer".

        Estimates with error bars, the best prediction as a line, pulls beneath. An alias without
        input, e.g. "kappa4/kappa2^2", gives one curve per input.

        **Returns:** a `matplotlib.figure.Figure` that notebooks show; `figure.savefig("a.pdf")`.

        **Raises:** `ValueError` for a quantity that was not measured.
        """
        from netsim.api.plot import plot

        return plot(self.experiment, self.rows, self.predictions, quantity=quantity, x=x)

    def __repr__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str:
        return html(self)


def _theory_names(made: Experiment) -> list[str]:
    """Theories about what is measured, each once."""
    every = [theories(item.quantity, made.network, made.inputs) for item in made.named]
    return list(dict.fromkeys(theory.name for found in every for theory in found))
