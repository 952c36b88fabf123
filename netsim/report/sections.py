"""The words of the page: what was run, how to read it, provenance and the reproducing command."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape

from netsim.report.format import plural, thousands

__all__ = ["HOW_TO_READ", "command_box", "provenance", "what_was_run"]

HOW_TO_READ = """<ul>
<li><b>0.4321(12)</b> means 0.4321 ± 0.0012: one standard error, from a jackknife over 64 blocks of
draws. All statistics are averages over networks (annealed).</li>
<li><b>A pull</b> is (estimate − prediction)/error, mapped from Student's t with 63 degrees of
freedom to a normal quantile; about two in three lie within ±1. It is given only where the
prediction's own uncertainty is below half the error; elsewhere stands the difference in
per cent, with the words “beyond the order kept” where the next order is what is missing.</li>
<li><b>Unreliable</b> rows (faint, open markers) rest on too few draws: their value is
typically too small and their error bar means little. They are never judged.</li>
<li><b>Weighted draws</b>, used for unbounded activations unless told otherwise: half of them have
wider noise, which leaves every mean as it is and makes the errors of high cumulants smaller.</li>
<li><b>L/n</b> is the sum of 1/width over the hidden layers up to the row's layer. Rows of one run
share their draws: count pulls, but multiply no probabilities.</li>
</ul>"""


def _span(numbers: Sequence[int]) -> str:
    present = sorted(set(numbers))
    return ", ".join(thousands(n) for n in present) if len(present) < 9 else (
        f"{thousands(present[0])} to {thousands(present[-1])}"
    )  # fmt: skip


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = seconds / 60
    return f"{minutes:.3g} min" if minutes < 120 else f"{minutes / 60:.3g} h"


def _rounded(source: str) -> str:
    """Long decimals to four digits: the whole number stands under the point's provenance."""
    return re.sub(r"\d+\.\d{5,}", lambda found: f"{float(found[0]):.4g}", source)


def _weighted(records: Sequence[Mapping]) -> str:
    """A sentence about points whose draws were weighted, if there are any."""
    count = sum(bool(record.get("mixture")) for record in records)
    if not count:
        return ""
    which = "" if count == len(records) else f" of {count} of the points"
    return f" Draws{which} were weighted."


def what_was_run(records: Sequence[Mapping]) -> str:
    """One paragraph: networks, inputs, draws, time and device."""
    if not records:
        return "<p>No points yet: nothing has been run, or no record could be found.</p>"
    networks = [record.get("network") or {} for record in records]
    runs = [record.get("run") or {} for record in records]
    activations = sorted({str(network.get("activation", "?")) for network in networks})
    widths = [n for network in networks for n in network.get("widths") or []]
    depths = [len(network.get("widths") or []) for network in networks]
    sources = sorted({str((r.get("inputs") or {}).get("source", "?")) for r in records})
    draws = [run.get("draws") or 0 for run in runs]
    devices = sorted({str(run.get("device", "?")) for run in runs})
    seconds = sum(run.get("wall_seconds") or 0.0 for run in runs)
    stopped = sum(not run.get("complete", True) for run in runs)
    words = (
        f"{plural(len(records), 'point')} of random fully connected networks "
        f"({', '.join(activations)}) with hidden widths {_span(widths)} and depth {_span(depths)}, "
        f"on inputs {', '.join(map(_rounded, sources))}. Each point drew {_span(draws)} networks, "
        f"{thousands(sum(draws))} in all, in {_time(seconds)} on {', '.join(devices)}. "
        f"One run serves every layer.{_weighted(records)}"
    )
    paragraph = f"<p>{escape(words)}</p>"
    if stopped:
        be, its = ("was", "its") if stopped == 1 else ("were", "their")
        paragraph += (
            f'<p class="warn">{plural(stopped, "point")} {be} interrupted: {its} numbers rest on '
            "the draws made so far. The command below continues where it stopped.</p>"
        )
    return paragraph


def command_box(command: str) -> str:
    return f'<pre class="command"><code>{escape(command)}</code></pre>'


def _short(value) -> str:
    """JSON, with a list of equal entries written once."""
    if isinstance(value, list) and len(value) > 3 and all(v == value[0] for v in value):
        return f"{json.dumps(value[0], ensure_ascii=False)} × {len(value)}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flat(data: Mapping) -> str:
    return "; ".join(f"{key}: {_short(value)}" for key, value in data.items())


def _kind_of_draws(mixture: str | bool | None) -> str:
    """Words about weighted draws, with the name of their kind where the record has one."""
    kind = f" ({mixture})" if isinstance(mixture, str) else ""
    return f"; weighted draws{kind}: half of them with wider noise" if mixture else ""


def provenance(record: Mapping) -> str:
    """Everything that identifies a point, and its own command."""
    run = record.get("run") or {}
    rate = run.get("draws_per_second")
    items = {
        "id": record.get("id", ""),
        "network": _flat(record.get("network") or {}),
        "inputs": _flat(record.get("inputs") or {}),
        "sampler": record.get("sampler", "") + _kind_of_draws(record.get("mixture")),
        "random numbers": f"{record.get('rng', '')}, seed {record.get('seed', '')}, "
        f"{record.get('dtype', '')}",
        "run": f"{thousands(run.get('draws'))} draws in {_time(run.get('wall_seconds') or 0.0)} on "
        f"{run.get('device', '?')}" + (f" ({rate:,.0f} draws/s)" if rate else ""),
        "versions": _flat(run.get("versions") or {}),
    }
    body = "".join(f"<dt>{key}</dt><dd>{escape(str(text))}</dd>" for key, text in items.items())
    notes = "".join(f"<li>{escape(str(note))}</li>" for note in record.get("notes") or [])
    notes = f"<ul>{notes}</ul>" if notes else ""
    command = command_box(record["command"]) if record.get("command") else ""
    return f"<dl>{body}</dl>{notes}{command}"
