"""The Python interface refuses bad arguments in words, before anything is drawn."""

from __future__ import annotations

import numpy as np
import pytest

import netsim
from netsim.api.run import Run
from python_api import INPUTS, LEAST, NET, simulate


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"draws": LEAST - 1}, "at least 64 x 1024 = 65536"),
        ({"draws": "1e5"}, "draws='1e5': must be a number"),
        ({"draws": True}, "must be a number"),
        ({"draws": float("nan")}, "must be a number"),
        ({"draws": float("inf")}, r"at most 2\^32"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 0.5}, "seed=0.5"),
        ({"sampler": "metropolis"}, "conditional, dense"),
        ({"dtype": "float16"}, "float32, float64"),
        ({"estimators": ["best"]}, "rao_blackwell, raw"),
        ({"target": 1.5}, "between 0 and 1"),
        ({"target": "1%"}, "target='1%'"),
    ],
)
def test_bad_options_are_refused_before_anything_is_drawn(options, words):
    with pytest.raises(ValueError, match=words):
        simulate(**options)


@pytest.mark.parametrize(
    ("net", "inputs", "quantities", "words"),
    [
        ("relu", INPUTS, "kappa4", r"give netsim.network\(...\)"),
        (NET, np.ones((2, 4)), "kappa4", r"give netsim.inputs\(...\)"),
        (NET, INPUTS, [], "name at least one"),
        (NET, INPUTS, "kapa4", "Did you mean .kappa4"),
        (NET, INPUTS, ["kappa4", "cum[z1c^4]"], "there is no 'c'"),
    ],
)
def test_bad_arguments_are_refused(net, inputs, quantities, words):
    with pytest.raises(ValueError, match=words):
        netsim.simulate(net, inputs, quantities)
    with pytest.raises(ValueError, match=words):
        netsim.predict(net, inputs, quantities)


@pytest.mark.parametrize("draws", [0, -5, "many"])
def test_bad_numbers_of_more_draws_are_refused(run, draws):
    with pytest.raises(ValueError, match="draws="):
        run.more(draws)
    assert run.complete and run.draws == LEAST


def test_critical_norm_needs_the_network():
    gelu = netsim.network("gelu", width=4, depth=1)
    x = netsim.inputs("pair", angle=60, norm2="critical", network=gelu)
    K = gelu.bias_variance[0] + gelu.weight_variance[0] * x.overlaps[0, 0]
    assert K == pytest.approx((3 + 17**0.5) / 2, rel=1e-12)
    with pytest.raises(ValueError, match="give network=net"):
        netsim.inputs("pair", angle=60, norm2="critical")
    with pytest.raises(ValueError, match="no single critical kernel"):
        netsim.inputs("pair", angle=60, norm2="critical", network=NET)
