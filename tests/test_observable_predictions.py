"""A user's observable gets a prediction beside its estimate, by every theory that covers it."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

import netsim
from netsim.api.predict import predict
from netsim.experiment.aliases import named_quantities


@pytest.fixture(scope="module")
def run():
    @netsim.observable("op_gap", neurons=2, inputs=1)
    def gap(z):
        return jnp.abs(z[0, 0] - z[1, 0])

    @netsim.observable("op_agree", neurons=1, inputs=2)
    def agree(z):
        return jnp.tanh(z[0, 0]) * jnp.tanh(z[0, 1])

    net = netsim.network("tanh", width=24, depth=3)
    inputs = netsim.inputs("pair", angle=40, norm2=1)
    quantities = ["mom[{op_gap}a]", "ncum[{op_gap}b^2]", "mom[{op_agree}ab]", "cum[{op_agree}ab^2]"]
    return netsim.simulate(net, inputs, quantities, draws=65536, seed=3, progress=False)


def test_estimates_agree_with_predictions(run):
    compared = run.compare()
    summary = compared.comparison.summary()
    assert summary.pulls >= 12 and summary.unmatched_estimates == 0
    assert abs(summary.largest.pull) < 5


def test_sources(run):
    made = run.experiment
    found = predict(made.network, made.inputs, named_quantities(["mom[{op_gap}a]"], ("a", "b")))
    sources = {row.source: row for row in found.rows if row.layer == 4}
    assert set(sources) == {
        "theory:transfer", "theory:hierarchy_fields", "theory:infinite_width",
    }  # fmt: skip
    exact, series = sources["theory:transfer"], sources["theory:hierarchy_fields"]
    assert exact.truncation == "exact" and series.truncation == 2
    assert abs(exact.value - series.value) < series.truncation_error
    assert found.refusals == ()
    two = predict(made.network, made.inputs, named_quantities(["mom[{op_agree}ab]"], ("a", "b")))
    assert [name for _, name, _ in two.refusals] == ["transfer"]
    coefficient = named_quantities(["mom[{op_gap}a]~1"], ("a", "b"))
    assert predict(made.network, made.inputs, coefficient).rows == ()
