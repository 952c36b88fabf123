"""How a run shows itself: what it is, how far it came, and a small table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from netsim.api.compared import HEAD, lines_of, without_twins
from netsim.api.config import title_of
from netsim.api.frame import aligned, html_table
from netsim.compare import join
from netsim.experiment.experiment import Experiment
from netsim.report.format import plural
from netsim.rows import Row
from netsim.run.plan import UNIT

if TYPE_CHECKING:
    from netsim.api.run import Run

__all__ = ["html", "python_call", "text", "too_few"]

MOST_ROWS = 12


def text(run: Run) -> str:
    """The run as plain text."""
    if run.blocks < 2:
        return "\n".join([*_head(run), too_few(run.draws)])
    lines, more = _table(run)
    return "\n".join([*_head(run), aligned(lines), *more])


def html(run: Run) -> str:
    """The same as HTML."""
    head = "".join(f"<p>{escape(line)}</p>" for line in _head(run))
    if run.blocks < 2:
        return f"{head}<p>{escape(too_few(run.draws))}</p>"
    lines, more = _table(run)
    return head + html_table(lines) + "".join(f"<p>{escape(line)}</p>" for line in more)


def too_few(draws: int) -> str:
    """Why a run has no numbers yet."""
    return (
        f"this run was stopped after {plural(draws, 'draw')}: an error bar needs at least 2 units "
        f"of {UNIT} draws, an honest one 64. run.more() draws the rest"
    )


def _head(run: Run) -> list[str]:
    weighted = ", half of them with wider noise (weighted)" if run.experiment.mixture else ""
    words = f"{plural(run.draws, 'draw')} in {run.seconds:.1f} s{weighted}"
    if not run.complete:
        words += f"; interrupted, {run.wanted:,} were asked for: run.more() draws the rest"
    return [title_of(run.experiment), words, *run.notes]


def _table(run: Run) -> tuple[list[tuple[str, ...]], list[str]]:
    rows = without_twins(run.rows)
    chosen = _few(rows)
    lines = lines_of(chosen, join(run.rows, run.predictions))
    left = len(rows) - len(chosen)
    more = [f"{plural(left, 'more row')}: run.table, run.compare()"] if left else []
    return [HEAD, *lines], more


def _few(rows: Sequence[Row]) -> list[Row]:
    """At most `MOST_ROWS` rows, the last layer of every quantity first, then the layers before."""
    last = max((row.layer or 0 for row in rows), default=0)
    wanted = {last, *(2**k + 1 for k in range(30))}  # one after a power of two, as on the page
    order = sorted(range(len(rows)), key=lambda i: -(rows[i].layer or 0))
    some = [i for i in order if rows[i].layer in wanted] or order
    return [rows[i] for i in sorted(some[:MOST_ROWS])]


def python_call(made: Experiment, draws: int) -> str:
    """The Python call that gives these numbers, inputs in the words of their source."""
    net = made.network
    return (
        f"netsim.simulate(netsim.network({net.activation.name!r}, widths={list(net.widths)}, "
        f"weight_variance={list(net.weight_variance)}, bias_variance={list(net.bias_variance)}, "
        f"outputs={net.outputs}, weights={net.weights.name!r}), <{made.inputs.source}>, "
        f"{list(made.quantities)}, draws={draws}, seed={made.seed}, sampler={made.sampler!r}, "
        f"dtype={made.dtype!r}, estimators={list(made.estimators)}, mixture={made.mixture})"
    )
