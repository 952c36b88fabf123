"""States of estimators: a commutative monoid, the same in NumPy and JAX."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

from netsim.estimators import (
    MomentSums,
    Target,
    plan,
    unit_sums,
)
from netsim.store.points import PointFiles, StoreError
from streams import TARGETS, cumulant, fold, moment, same, skew_columns


@pytest.fixture(scope="module")
def three_states():
    sums = MomentSums(TARGETS, np.full((2, 3), 1.1))
    return sums, [fold(sums, skew_columns(seed, 200 + 64 * seed)) for seed in range(3)]


def test_the_empty_state_is_an_exact_identity(three_states):
    sums, (a, _, _) = three_states
    same(sums.merge(sums.init(), a), a)
    same(sums.merge(a, sums.init()), a)


def test_merge_is_commutative_exactly_and_associative_to_rounding(three_states):
    sums, (a, b, c) = three_states
    same(sums.merge(a, b), sums.merge(b, a))
    left, right = sums.merge(sums.merge(a, b), c), sums.merge(a, sums.merge(b, c))
    same(left, right, exactly=False)
    np.testing.assert_array_equal(left["count"], right["count"])
    np.testing.assert_array_equal(left["largest"], right["largest"])


def test_any_split_gives_the_whole():
    sums, x = MomentSums(TARGETS, np.full((2, 3), 1.1)), skew_columns(5, 300)
    whole = sums.add(sums.init(), sums.unit(x), 7)
    for cuts in ([1], [299], [10, 11, 150], list(range(1, 300))):
        pieces = sums.init()
        for part in np.split(x, cuts):
            pieces = sums.merge(sums.add(sums.init(), sums.unit(part), 7), pieces)
        same(pieces, whole, exactly=False)


def test_stacked_units_are_added_one_after_the_other():
    sums, x = MomentSums(TARGETS, np.full((2, 3), 1.1)), skew_columns(6, 60)
    units, blocks = [sums.unit(part) for part in np.split(x, 6)], np.array([3, 0, 3, 3, 63, 0])
    one_by_one = sums.init()
    for unit, block in zip(units, blocks, strict=True):
        one_by_one = sums.add(one_by_one, unit, int(block))
    stacked = {name: np.stack([unit[name] for unit in units]) for name in units[0]}
    same(sums.add(sums.init(), stacked, blocks), one_by_one)


def test_the_state_survives_a_file_and_the_input_state_is_kept(three_states):
    sums, (a, b, _) = three_states
    before = {name: array.copy() for name, array in a.items()}
    sums.add(a, sums.unit(skew_columns(1, 5)), 0), sums.merge(a, b)
    same(a, before)
    file = io.BytesIO()
    np.savez(file, **a)
    file.seek(0)
    loaded = dict(np.load(file, allow_pickle=False))
    same(loaded, a)
    assert loaded["count"].dtype == np.int64 and loaded["sums"].dtype == np.float64


def test_states_without_a_plain_count_of_living_draws_are_refused(tmp_path):
    """As versions before this count wrote them; other states are as they were."""
    x = np.concatenate([skew_columns(5, 640), np.ones((640, 2, 1))], axis=-1)
    for target, extra in ((cumulant(0), set()), (cumulant(0, present=3), {"present"})):
        sums = MomentSums([target], np.ones((2, 4)))
        state = fold(sums, x)
        older = {name: array for name, array in state.items() if name != "present"}
        assert state.keys() - older.keys() == extra
        files = PointFiles(tmp_path, f"id{len(extra)}", "stream/1")
        files.save_state(older)
        if not extra:
            same(files.load_state(sums.init()), state)
            continue
        with pytest.raises(StoreError, match="array 'present' is missing .*Move it away"):
            files.load_state(sums.init())
        with pytest.raises(ValueError, match="state array 'present' is missing"):
            sums.merge(older, state)


def test_jax_and_numpy_give_the_same_sums():
    import jax
    import jax.numpy as jnp

    x, weights = skew_columns(11, 96), np.linspace(0.5, 1.5, 96)
    y = np.random.default_rng(11).normal(size=(96, 2))
    targets = (*TARGETS, cumulant(1, 1, present=2))
    sums = MomentSums(targets, np.full((2, 3), 1.1), [0.0, 0.5])
    expected = [sums.unit(*parts) for parts in zip(
        np.split(x, 3), np.split(weights, 3), np.split(y, 3), strict=True
    )]  # fmt: skip
    with jax.enable_x64(True):
        batches = [jnp.asarray(a).reshape(3, 32, *a.shape[1:]) for a in (x, weights, y)]
        units = jax.jit(jax.vmap(sums.unit))(*batches)
        units = {name: np.asarray(array) for name, array in units.items()}
    assert units["count"].dtype == np.int64
    same(
        sums.add(sums.init(), units, np.arange(3)),
        sums.add(sums.init(), {k: np.stack([e[k] for e in expected]) for k in units}, np.arange(3)),
        exactly=False,
    )


def test_one_compilation_serves_every_pivot():
    import jax
    import jax.numpy as jnp

    traces = []

    @jax.jit
    def unit(x, pivot):
        traces.append(1)
        return unit_sums(plan(TARGETS), x, pivot)

    x = skew_columns(12, 32)
    with jax.enable_x64(True):
        for p in (1.0, 1.5):
            ours = unit(jnp.asarray(x), jnp.full((2, 3), p))["sums"]
            numpys = MomentSums(TARGETS, np.full((2, 3), p)).unit(x)["sums"]
            np.testing.assert_allclose(np.asarray(ours), numpys, rtol=1e-12, atol=1e-12)
    assert len(traces) == 1 and hash(plan(TARGETS)) == hash(plan(list(TARGETS)))


def test_monomials_are_shared_and_minimal():
    p = plan([cumulant(0, 0, 1), cumulant(0, 1), moment(2, present=3)])
    assert p.monomials == (
        (None, (0,)), (None, (1,)), (None, (0, 0)), (None, (0, 1)), (None, (0, 0, 1)),
        (3, ()), (3, (2,)),
    )  # fmt: skip
    assert cumulant(1, 0) == cumulant(0, 1)
    assert Target(((1.0, (0, 1)), (2.0, (1, 0)))) == Target(((3.0, (0, 1)),))


def test_importing_estimators_does_not_load_jax():
    code = "import sys, netsim.estimators; print('jax' in sys.modules, 'scipy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]
