"""A user's observable: registered in three lines, measured like a built-in, part of the identity."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import netsim
from helpers import vectors
from netsim import quantities
from netsim.api.predict import predict
from netsim.experiment import observables
from netsim.experiment.aliases import named_quantities
from netsim.experiment.experiment import experiment
from netsim.networks.network import network
from test_measure import exact_values, simulated


@pytest.fixture(autouse=True)
def forget():
    """What a test registers is gone after it."""
    known, fields = dict(observables.OBSERVABLES), dict(quantities.FIELDS)
    yield
    for registry, before in ((observables.OBSERVABLES, known), (quantities.FIELDS, fields)):
        registry.clear()
        registry.update(before)


def test_three_lines_make_rows_like_a_built_in():
    @netsim.observable("overlap", neurons=2, inputs=2)
    def overlap(z):
        return jnp.tanh(z[0, 0]) * jnp.tanh(z[1, 1])

    assert overlap.__name__ == "overlap"
    net, inputs = network("relu", width=4, depth=2), vectors(2, 3, seed=1)
    texts = ["mom[{overlap}ab]", "cum[{overlap}ab^2]", "cum[{overlap}ba^2]@out"]
    run = netsim.simulate(net, inputs, texts, progress=False)
    found = {row.quantity: row for row in run.rows}
    assert set(found) == {
        "mom[{overlap}ab]@1", "mom[{overlap}ab]@2", "mom[{overlap}ab]@3",
        "cum[{overlap}ab^2]@1", "cum[{overlap}ab^2]@2", "cum[{overlap}ab^2]@3",
        "cum[{overlap}ba^2]@3",
    }  # fmt: skip
    assert {row.source for row in found.values()} == {"estimator:raw"}
    assert all(row.inputs == "a,b" and row.error > 0 for row in found.values())
    assert all(abs(found[f"mom[{{overlap}}ab]@{l}"].value) < 5 * 0.004 for l in (1, 2, 3))


def tanh2_mean(variance: float) -> float:
    x, w = np.polynomial.hermite_e.hermegauss(100)
    return float(w @ np.tanh(math.sqrt(variance) * x) ** 2 / math.sqrt(2 * math.pi))


def test_known_moments_of_one_and_of_several_observables():
    @netsim.observable("square", neurons=1, inputs=1)
    def square(z):
        return z[0, 0] ** 2

    @netsim.observable("cross", neurons=2, inputs=2)
    def cross(z):
        return z[0, 0] * z[1, 1]

    @netsim.observable("tanh2", neurons=1, inputs=1)
    def tanh2(z):
        return jnp.tanh(z[0, 0]) ** 2

    inputs, n = vectors(2, 4, seed=1, directions=1), 6
    net = network("linear", widths=[n, 5], weight_variance=1.2, bias_variance=0.0)
    of = lambda text: exact_values(net, inputs, [f"{text}@3"])[f"{text}@3"]
    exact = {
        "mom[{square}a]@3": of("mom[z1a^2]"),
        "cum[{square}a^2]@3": of("mom[z1a^4]") - of("mom[z1a^2]") ** 2,
        "mom[{square}a {square}b]@3": of("mom[z1a^2 z1b^2]"),
        "mom[{square}a'u]@3": of("mom[z1a'u^2]"),
        "mom[{cross}ab^2]@3": of("mom[z1a^2 z2b^2]"),
        "mom[{cross}aa {cross}bb]@3": of("mom[z1a z1b z2a z2b]"),
        "cum[{cross}ab]@3": 0.0,
        # layer 1 is Gaussian; layer 2 has variance 1.2 S_0 chi^2_n / n
        "mom[{tanh2}a]@1": tanh2_mean(1.2),
        "mom[{tanh2}a]@2": stats.chi2(n).expect(lambda x: tanh2_mean(1.44 * x / n)),
    }
    found = simulated(experiment(net, inputs, list(exact)))
    for text, value in exact.items():
        row = found[text, "raw"]
        assert abs(row.value - value) < 5 * row.error, text
        assert row.error < 0.1 * max(abs(value), 1), text


def test_deviations_are_kept_where_the_mean_is_a_million_times_larger():
    # about a pivot of 0 the fourth cumulant would be rounding of 1e24
    @netsim.observable("shifted", neurons=1, inputs=1)
    def shifted(z):
        return 1e6 + z[0, 0]

    inputs = vectors(1, 3, seed=1)
    net = network("linear", widths=[4], weight_variance=1.0, bias_variance=0.0)
    found = simulated(experiment(net, inputs, ["mom[{shifted}a]@2", "cum[{shifted}a^4]@2"]))
    mean, fourth = (found[f"{t}@2", "raw"] for t in ("mom[{shifted}a]", "cum[{shifted}a^4]"))
    assert abs(mean.value - 1e6) < 5 * mean.error and mean.error < 0.01
    assert abs(fourth.value - 3 * 2 / 4) < 5 * fourth.error and fourth.error < 0.3


def test_the_pivot_is_the_mean_at_infinite_width_and_always_the_same():
    @netsim.observable("mixed", neurons=2, inputs=2)
    def mixed(z):
        return z[0, 0] * z[0, 1] + z[1, 0] ** 2 * jnp.exp(z[1, 1])

    made = observables.OBSERVABLES["mixed"]
    K = ((2.0, 0.5), (0.5, 0.25))
    # E[x y] + E[x^2 e^y] = K_ab + (K_aa + K_ab^2) e^{K_bb/2}
    exact = 0.5 + (2 + 0.25) * math.exp(0.125)
    first = observables.pilot_mean(made, K)
    assert abs(first - exact) < 0.4
    observables.pilot_mean.cache_clear()
    assert observables.pilot_mean(made, K) == first
    # equal inputs, and a zero input
    assert math.isfinite(observables.pilot_mean(made, ((1.0, 1.0), (1.0, 1.0))))
    assert observables.pilot_mean(made, ((0.0, 0.0), (0.0, 0.0))) == 0.0


def registered(function, inputs=1):
    netsim.observable("f", neurons=1, inputs=inputs)(function)
    return observables.OBSERVABLES["f"].digest


def test_a_changed_function_is_another_point():
    def power(k):
        def f(z):
            return z[0, 0] ** k

        return f

    def commented(z):
        # a comment, and another layout
        return (z[0, 0]) ** 2

    def far_away(z):  # as `plain` at every point that is tried
        return jnp.where(z[0, 0] > 1e3, 0.0, z[0, 0] ** 2)

    def plain(z):
        return z[0, 0] ** 2

    assert registered(power(2)) == registered(power(2)) != registered(power(3))
    assert registered(plain) != registered(far_away)
    net, inputs = network("relu", width=4, depth=1), vectors(1, 3, seed=1)
    registered(plain)
    first = experiment(net, inputs, ["mom[{f}a]"])
    assert first.identity()["observables"] == {"f": observables.OBSERVABLES["f"].digest}
    registered(power(3))
    second = experiment(net, inputs, ["mom[{f}a]"])
    assert first.id != second.id
    assert first.measurement != second.measurement
    assert "observables" not in experiment(net, inputs, ["cum[z1a^2]"]).identity()
    source = observables._source
    assert source(commented).split("\n")[1:] == source(plain).split("\n")[1:]


def test_functions_without_source_are_told_apart_by_their_values():
    spaces = [{}, {}, {}]
    for space, k in zip(spaces, (2, 2, 3), strict=True):
        exec(f"def f(z): return z[0, 0] ** {k}", space)
    two, again, three = (registered(space["f"]) for space in spaces)
    assert two == again != three


@pytest.mark.parametrize(
    ("name", "neurons", "inputs", "words"),
    [
        ("two words", 1, 1, "letters, digits"),
        ("", 1, 1, "letters, digits"),
        ("f", 0, 1, "neurons=0: must be 1 to 4"),
        ("f", 5, 1, "neurons=5"),
        ("f", 1, 5, "inputs=5"),
        ("f", 1.0, 1, "neurons=1.0"),
        ("f", True, 1, "neurons=True"),
    ],
)
def test_bad_names_and_counts(name, neurons, inputs, words):
    with pytest.raises(ValueError, match=words):
        netsim.observable(name, neurons=neurons, inputs=inputs)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda z: z[0], "it returns"),
        (lambda z: (z[0, 0], z[0, 0]), "it returns"),
        (lambda z: jax.lax.complex(z[0, 0], z[0, 0]), "it returns"),
        (lambda z: jnp.log(z[0, 0]), "not finite"),
        (lambda z: z[0, 0] if z[0, 0] > 0 else 0.0, "cannot trace it"),
        (lambda z: z[0, 0] + np.random.standard_normal(), "different numbers"),
        (lambda z: z[2, 2, 2], "cannot trace it"),
        (3.0, "not a function"),
    ],
)
def test_functions_that_are_no_observables(function, words):
    with pytest.raises(ValueError, match=words):
        netsim.observable("bad", neurons=1, inputs=1)(function)
    with pytest.raises(ValueError, match="unknown field"):
        netsim.parse("mom[{bad}a]")


def test_what_a_function_refers_to_is_part_of_it():
    """Source and values at moderate points are equal; closures, defaults, globals are not."""

    def register(function):
        netsim.observable("step", neurons=1, inputs=1)(function)
        return observables.OBSERVABLES["step"].digest

    digests = [register(lambda z, c=c: jnp.where(z[0, 0] > c, 1.0, 0.0)) for c in (7.0, 8.0)]
    for c in (7.0, 8.0):

        def step(z):
            return jnp.where(z[0, 0] > c, 1.0, 0.0)  # noqa: B023

        digests.append(register(step))
    table = jnp.arange(3.0)
    digests.append(register(lambda z: jnp.where(z[0, 0] > 9, table[0], 0.0)))
    table = jnp.arange(4.0)
    digests.append(register(lambda z: jnp.where(z[0, 0] > 9, table[0], 0.0)))
    assert len(set(digests)) == 6
    again = jnp.arange(4.0)
    assert register(lambda z: jnp.where(z[0, 0] > 9, again[0], 0.0)) not in digests  # other source


def test_stale_functions_are_not_measured_or_predicted():
    """One name, three thresholds: each gives its own number, and the prediction goes along."""
    net, inputs = network("tanh", width=8, depth=1), netsim.inputs("single", norm2=1.0)
    values = []
    for c in (2.5, 3.5):
        netsim.observable("beyond", neurons=1, inputs=1)(
            lambda z, c=c: jnp.where(z[0, 0] > c, 1.0, 0.0)
        )
        run = netsim.simulate(net, inputs, ["mom[{beyond}a]@1"], progress=False)
        (row,), (predicted,) = run.rows, [r for r in run.predictions if "transfer" in r.source]
        assert abs(row.value - predicted.value) < 5 * np.hypot(row.error, predicted.error)
        assert abs(predicted.value - stats.norm.sf(c)) < 3 * predicted.error
        values.append(row.value)
    assert values[0] > 5 * values[1] > 0


def test_indices_outside_of_z_are_refused():
    for shape, function in (
        ((2, 1), lambda z: z[1, 0] * z[2, 0]),
        ((1, 2), lambda z: z[0, 1] * z[0, 2]),
        ((1, 1), lambda z: jnp.tanh(z[5, 0])),
    ):
        with pytest.raises(ValueError, match="it looks outside of z, whose rows"):
            netsim.observable("bad", neurons=shape[0], inputs=shape[1])(function)


def test_an_observable_that_no_draw_shows_is_marked():
    netsim.observable("rare", neurons=1, inputs=1)(lambda z: jnp.where(z[0, 0] > 9, 1.0, 0.0))
    net, inputs = network("tanh", width=4, depth=1), netsim.inputs("single", norm2=1.0)
    (row,) = netsim.simulate(net, inputs, ["mom[{rare}a]@1"], progress=False).rows
    assert row.value == row.error == 0 and "unreliable" in row.flags


def test_refusals_of_quantities():
    netsim.observable("overlap", neurons=2, inputs=2)(lambda z: z[0, 0] * z[1, 1])
    assert netsim.parse("cum[{overlap}ba {overlap}ab]").text == "cum[{overlap}ab {overlap}ba]"
    with pytest.raises(ValueError, match="nearest: '{overlap}'. Register it with @netsim"):
        netsim.parse("mom[{overlop}ab]")
    with pytest.raises(ValueError, match="takes 2 input"):
        netsim.parse("mom[{overlap}a]")
    with pytest.raises(ValueError, match="takes no neuron index"):
        netsim.parse("mom[{overlap}1ab]")
    net, inputs = network("relu", width=4, depth=1), vectors(2, 3, seed=1)
    for text, words in (
        ("cum[{overlap}ab z1a]", "write an observable"),
        ("cum[{overlap}ab^9]", "orders 1 to 8"),
        ("cum[{overlap}ab@1 {overlap}ab@2]", "layers of their own"),
        ("cum[{overlap}ab]@3", "layers are 1..2"),
        ("cum[{overlap}ac]", "'c'"),
    ):
        with pytest.raises(ValueError, match=words):
            experiment(net, inputs, [text])
    refused = predict(net, inputs, named_quantities(["logcum[{overlap}ab]"], inputs.names))
    assert not refused.rows and "no log-moments" in refused.refusals[0][2]
