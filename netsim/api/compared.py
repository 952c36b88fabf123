"""What a comparison shows to people: lines of text with errors in brackets, or a data frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netsim.api.frame import aligned, data_frame, html_table
from netsim.compare import Comparison, Match, Summary, join
from netsim.experiment.experiment import Experiment
from netsim.report.format import plural, value_error
from netsim.rows import COLUMNS, Row
from netsim.store.table import COMPARISON, tidy

__all__ = ["HEAD", "Compared", "compared", "lines_of", "name_of", "without_twins"]

HEAD = ("quantity", "estimate", "prediction", "source", "comparison")
MOST_LINES = 40
_LEFT_OUT = ("truncation", "truncation_error")  # of estimates, which have none


@dataclass(frozen=True, eq=False, repr=False)
class Compared:
    """Estimates beside predictions; shows itself as a table.

    **Fields:** `experiment`; `rows`: the estimates; `predictions`; `comparison`: the two joined.
    """

    experiment: Experiment
    rows: tuple[Row, ...]
    predictions: tuple[Row, ...]
    comparison: Comparison

    @property
    def matches(self) -> tuple[Match, ...]:
        """Estimates with a prediction, in the order of the estimates."""
        return self.comparison.matches

    def summary(self) -> Summary:
        """How many pulls, the largest, and what was not compared."""
        return self.comparison.summary()

    @property
    def table(self):
        """Everything as a data frame (see `netsim.api.frame.data_frame` for its kind)."""
        record = {
            "network": self.experiment.network.identity(),
            "estimates": self.rows,
            "predictions": self.predictions,
        }
        names = [name for name in COLUMNS if name not in _LEFT_OUT]
        return data_frame(tidy([record]), [*names, "effective_depth", *COMPARISON])

    def _shown(self) -> list[tuple[str, ...]]:
        return [HEAD, *lines_of(without_twins(self.rows), self.comparison)]

    def _words(self, more: int) -> str:
        # an alias and its plain quantity are one number: counted once in words
        found = join(without_twins(self.rows), without_twins(self.predictions)).summary()
        words = [plural(found.pulls, "pull")]
        if found.largest is not None and found.largest.pull is not None:
            row = found.largest.estimate
            words.append(f"largest {found.largest.pull:+.1f} ({name_of(row)})")
        counts = {
            "unreliable": found.unreliable,
            "beyond the order kept": found.beyond,
            "differing from exact values": found.differs,
            "without prediction": found.unmatched_estimates,
            "predicted but not measured": found.unmatched_predictions,
        }
        words += [f"{count} {what}" for what, count in counts.items() if count]
        left = f"; {plural(more, 'more row')} in .table" if more > 0 else ""
        return ", ".join(words) + left

    def __repr__(self) -> str:
        lines = self._shown()
        return aligned(lines[: MOST_LINES + 1]) + "\n" + self._words(len(lines) - 1 - MOST_LINES)

    def _repr_html_(self) -> str:
        lines = self._shown()
        more = len(lines) - 1 - MOST_LINES
        return html_table(lines[: MOST_LINES + 1]) + f"<p>{self._words(more)}</p>"


def without_twins(rows: Iterable[Row]) -> list[Row]:
    """Rows without those that an alias gives a second time in the field's own normalisation."""
    rows = list(rows)
    aliased = {row.quantity for row in rows if row.alias}
    return [row for row in rows if row.alias or row.quantity not in aliased]


def name_of(row: Row) -> str:
    """What a row is called in words: by its alias where it has one."""
    return f"{row.alias}@{row.layer}" if row.alias and row.layer else row.quantity


def lines_of(rows: Sequence[Row], comparison: Comparison) -> list[tuple[str, ...]]:
    """One line of texts, as `HEAD` has them, per estimate."""
    found = {match.estimate: match for match in comparison.matches}
    lines = []
    for row in rows:
        match = found.get(row)
        flags = ", ".join(row.flags)
        if match is None:
            words = ("-", "-", ", ".join(filter(None, ("no prediction", flags))))
        else:
            verdict = match.verdict if match.pull is None else f"pull {match.pull:+.1f}"
            told = flags if flags and match.kind != "unreliable" else ""
            source = match.prediction.source.removeprefix("theory:")
            said = ", ".join(filter(None, (verdict, told)))
            words = (value_error(match.prediction.value), source, said)
        lines.append((name_of(row), value_error(row.value, row.error), *words))
    return lines


def compared(experiment: Experiment, rows: Sequence[Row], predictions: Sequence[Row]) -> Compared:
    """Join and keep what was joined."""
    return Compared(experiment, tuple(rows), tuple(predictions), join(rows, predictions))
