"""The Python interface: `netsim.inputs`, `netsim.simulate`, `netsim.predict`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from netsim.api.arguments import a_number, target_of
from netsim.api.config import critical_norm2
from netsim.api.frame import rows_frame
from netsim.api.predict import predict as predictions_of
from netsim.api.refusals import unanswered
from netsim.api.run import Run
from netsim.experiment.aliases import named_quantities
from netsim.experiment.experiment import experiment
from netsim.networks.input_sets import build
from netsim.networks.inputs import Inputs
from netsim.networks.network import Network
from netsim.run.plan import units_for
from netsim.run.progress import Progress

__all__ = ["inputs", "predict", "simulate"]


def inputs(kind: str, *, network: Network | None = None, **options: Any) -> Inputs:
    """An input set: "single", "pair", "sphere", "circle", "gram", "digits" or "file".

    ```python
    import netsim
    netsim.inputs("digits", classes=[3, 8], norm2=1)
    netsim.inputs("pair", angle=30, norm2="critical", network=netsim.network("gelu", width=8, depth=2))
    ```

    **Arguments:** `options`: those of `netsim.networks.input_sets.build`; `network`: needed for
    norm2="critical" only, |x|^2/n_0 at which its first kernel is the critical K*.

    **Raises:** `ValueError`.
    """
    if isinstance(options.get("norm2"), str) and options["norm2"] == "critical":
        if network is None:
            raise ValueError('norm2="critical" depends on the network: give network=net, too')
        options["critical_norm2"] = critical_norm2(network)
    return build(kind, **options)


def simulate(
    net: Network,
    inputs: Inputs,
    quantities: str | Sequence[str],
    *,
    draws: float = 65536,
    seed: int = 0,
    sampler: str = "conditional",
    dtype: str = "float32",
    estimators: Sequence[str] = ("rao_blackwell",),
    mixture: bool | None = None,
    target: float | None = None,
    folder: str | Path | None = None,
    progress: bool | Callable[[Progress], None] = True,
) -> Run:
    """Draw random networks and estimate `quantities`, averages over the networks.

    ```python
    import netsim
    net = netsim.network("relu", width=64, depth=8)
    inputs = netsim.inputs("digits", classes=[3, 8], norm2=1)
    run = netsim.simulate(net, inputs, ["cum[z1a^4]", "kappa4/kappa2^2"], draws=1e5)
    run.table; run.compare(); run.more(1e6); run.plot(x="L/n"); run
    ```

    Interrupting the cell (Ctrl-C) keeps what was drawn: the run comes back with `complete` False,
    and `run.more()` draws the rest. No setting of JAX is changed, and results are float64.

    **Arguments:**

    - `quantities`: texts of the grammar or aliases, see `netsim list quantities`;
    - `draws`: in whole units of 1024, at least 64 of them;
    - `seed`, `sampler` ("conditional" or "dense"), `dtype` of the draws, `estimators`
      ("rao_blackwell", "raw"), `mixture` (half of the conditional sampler's draws with wider noise,
      weighted back: smaller errors of high cumulants; None: where it helps): they decide the
      numbers;
    - `target`: stop earlier, when the relative error of every quantity is below it;
    - `folder`: where checkpoint and record are kept; the same call resumes or extends what is
      there. Without it nothing is written;
    - `progress`: True (a bar on a terminal, lines elsewhere, on stderr), False, or a function called
      after every launch.

    **Returns:** a `Run`.

    **Raises:** `ValueError`, before anything is drawn; `netsim.store.points.StoreError` for a
    checkpoint in `folder` that cannot be read.
    """
    _kinds(net, inputs)
    made = experiment(
        net,
        inputs,
        [quantities] if isinstance(quantities, str) else list(quantities),
        sampler=sampler,
        estimators=[estimators] if isinstance(estimators, str) else list(estimators),
        seed=int(seed) if isinstance(seed, Integral) and not isinstance(seed, bool) else seed,
        dtype=dtype,
        mixture=mixture,
    )
    total = a_number(draws, "draws")
    units_for(total)
    goal = target_of(made, target)
    return Run(made, folder).draw_to(total, goal, progress)


def predict(
    net: Network, inputs: Inputs, quantities: str | Sequence[str], *, order: int | None = None
):
    """What theory says of `quantities`, without drawing: one line per layer and theory.

    **Arguments:** `order`: last power of 1/n that the hierarchy keeps, 1 to 6 (default 3).

    **Returns:** a data frame as `Run.table`. A quantity that no theory covers has no lines, and a
    warning says why.

    **Raises:** `ValueError`.
    """
    _kinds(net, inputs)
    texts = [quantities] if isinstance(quantities, str) else list(quantities)
    if not texts:
        raise ValueError("quantities is empty: name at least one, e.g. kappa4 or cum[z1a^4]")
    named = named_quantities(texts, inputs.names)
    found = predictions_of(net, inputs, named, order=order)
    for paragraph in unanswered(found, named):
        warnings.warn(paragraph, stacklevel=2)
    return rows_frame(found.rows, net)


def _kinds(net: Any, inputs: Any) -> None:
    if not isinstance(net, Network):
        raise ValueError(f"the network is {net!r}: give netsim.network(...)")
    if not isinstance(inputs, Inputs):
        raise ValueError(f"the inputs are {inputs!r}: give netsim.inputs(...)")
