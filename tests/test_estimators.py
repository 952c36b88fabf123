"""Streams of columns -> mergeable states -> estimates with errors."""

from __future__ import annotations

import io
import subprocess
import sys
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from scipy import stats

from netsim.estimators import (
    BLOCKS,
    MomentSums,
    Target,
    covariance,
    jackknife,
    plan,
    result,
    t_to_normal,
    unit_sums,
)
from netsim.estimators.kstatistics import joint_cumulant


def cumulant(*columns, **more):
    return Target(((1.0, columns),), **more)


def moment(*columns, **more):
    return Target(((1.0, columns),), kind="moment", **more)


def fold(sums, x, weights=None, controls=None, blocks=range(BLOCKS)):
    """The state of all draws, cut into one unit per block."""
    state = sums.init()
    for block, part in zip(blocks, np.array_split(np.arange(len(x)), len(blocks)), strict=True):
        unit = sums.unit(
            x[part],
            None if weights is None else weights[part],
            None if controls is None else controls[part],
        )
        state = sums.add(state, unit, block)
    return state


def estimate(target, x, pivot=None, weights=None, controls=None, control_means=None):
    pivot = np.zeros(x.shape[1:]) if pivot is None else pivot
    sums = MomentSums([target], pivot, control_means)
    return result(sums, fold(sums, x, weights, controls))[0]


def twin(x, *columns):
    """The joint k-statistic of all draws at once, two passes, extended precision: (layers,)."""
    x = x.astype(np.longdouble)
    d = x - x.mean(axis=0)
    means = {
        part: np.prod([d[..., j] for j in part], axis=0).mean(axis=0)
        for order in range(1, len(columns) + 1)
        for part in combinations(sorted(columns), order)
    }
    if len(columns) == 1:
        return x.mean(axis=0)[:, columns[0]].astype(float)
    return joint_cumulant(means, columns, 1 / np.longdouble(len(x))).astype(float)


def same(a, b, exactly=True):
    assert a.keys() == b.keys()
    for name in a:
        if exactly:
            np.testing.assert_array_equal(a[name], b[name])
        else:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-12, atol=1e-12)


def skew_columns(seed, draws, layers=2):
    """Three dependent, skew columns."""
    rng = np.random.default_rng(seed)
    g = rng.gamma(3.0, size=(draws, layers, 4)) / 3
    return np.stack([g[..., 0] + g[..., 1], g[..., 1] * g[..., 2], g[..., 3] + g[..., 0]], axis=-1)


TARGETS = [
    cumulant(0),
    cumulant(0, 1),
    cumulant(0, 0, 1, 2),
    cumulant(1, 1, normalise=(((1.0, (0, 0)),), ((1.0, (2, 2)),))),
    moment(0, 1, 1),
    Target(((3.0, (0, 0)), (-0.5, (1, 2)))),
]


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


@pytest.mark.parametrize(
    "columns",
    [(1,), (0, 1), (0, 1, 2), (0, 0, 1, 2), (0, 1, 1, 1, 2), (0,) * 6, (0, 0, 0, 1, 1, 2, 2),
     (0,) * 8, (0, 0, 0, 1, 1, 1, 2, 2)],
)  # fmt: skip
def test_equals_the_naive_twin_at_every_order(columns):
    x = skew_columns(len(columns), 6400)
    ours = estimate(cumulant(*columns), x, pivot=np.full((2, 3), 1.3)).value
    np.testing.assert_allclose(ours, twin(x, *columns), rtol=1e-10)


def test_combinations_normalisation_and_moments():
    x, pivot = skew_columns(2, 6400), np.array([[2.0, 0.9, 1.8]] * 2)
    sums = MomentSums(TARGETS, pivot)
    values = [r.value for r in result(sums, fold(sums, x))]
    ratio = twin(x, 1, 1) / np.sqrt(twin(x, 0, 0) * twin(x, 2, 2))
    np.testing.assert_allclose(values[3], ratio, rtol=2e-3)  # differs by the bias removed
    np.testing.assert_allclose(values[4], np.mean(x[..., 0] * x[..., 1] ** 2, axis=0), rtol=1e-12)
    np.testing.assert_allclose(values[5], 3 * twin(x, 0, 0) - 0.5 * twin(x, 1, 2), rtol=1e-10)
    own = Target(((1.0, (0, 0)),), normalise=(((1.0, (0, 0)),),) * 2)
    one = estimate(own, x)
    np.testing.assert_allclose(one.value, 1.0, rtol=1e-12)
    assert np.all(one.error < 1e-10)


def test_gaussian_has_no_higher_cumulants():
    x = np.random.default_rng(0).normal(2.0, 3.0, size=(64 * 400, 1, 1))
    targets = [cumulant(*[0] * order) for order in range(1, 9)]
    sums = MomentSums(targets, np.full((1, 1), 2.2))
    exact = [2.0, 9.0, 0, 0, 0, 0, 0, 0]
    for r, value in zip(result(sums, fold(sums, x)), exact, strict=True):
        assert abs(r.value[0] - value) < 5 * r.error[0] and r.draws[0] == 64 * 400
    assert all(r.flags == ((),) for r in result(sums, fold(sums, x))[:6])


def test_exponential_and_chi_square_cumulants():
    rng = np.random.default_rng(1)
    x = np.stack([rng.exponential(size=64 * 1500), rng.chisquare(5, size=64 * 1500)], axis=-1)
    sums = MomentSums([cumulant(*[c] * k) for k in range(1, 6) for c in (0, 1)], [[1.0, 5.0]])
    results = iter(result(sums, fold(sums, x[:, None])))
    for k in range(1, 6):
        for exact in (factorial(k - 1), 5 * 2 ** (k - 1) * factorial(k - 1)):
            r = next(results)
            assert abs(r.value[0] - exact) < 5 * r.error[0] < exact


def test_the_error_of_a_mean_is_the_standard_error():
    """Over blocks: exact identity with the between-block scatter, unequal sizes included."""
    x = np.random.default_rng(2).normal(size=(64 * 500, 1, 1))
    r = estimate(cumulant(0), x)
    assert r.error[0] == pytest.approx(1 / np.sqrt(64 * 500), rel=0.3)
    block_means = x.reshape(64, 500).mean(axis=1)
    assert r.error[0] == pytest.approx(np.std(block_means, ddof=1) / 8, rel=1e-10)


def test_jackknife_of_unequal_blocks_follows_the_published_formula():
    rng = np.random.default_rng(3)
    blocks = [rng.gamma(2.0, size=m) for m in (10, 3, 25, 7, 55)]
    sizes, everything = np.array([len(b) for b in blocks]), np.concatenate(blocks)
    left = [np.var(np.concatenate(blocks[:j] + blocks[j + 1 :])) for j in range(5)]
    N, g, theta = len(everything), 5, np.var(everything)
    h = N / sizes
    theta_J = g * theta - sum((1 - m / N) * t for m, t in zip(sizes, left, strict=True))
    pseudo = h * theta - (h - 1) * left
    variance = np.mean((pseudo - theta_J) ** 2 / (h - 1))
    ours = jackknife(np.array([theta, *left]), sizes)
    assert ours.corrected == pytest.approx(theta_J, rel=1e-12)
    assert ours.error**2 == pytest.approx(variance, rel=1e-12)


def test_bias_is_removed():
    """1/N-bias of a ratio: over many small samples the corrected mean is right, the bare is not."""
    rng, target = np.random.default_rng(4), Target(((1.0, (0,)),), normalise=(((1.0, (0, 0)),),))
    x = rng.normal(1.0, 1.0, size=(64 * 2, 4000, 1))
    r = estimate(target, x)
    spread = r.value.std() / np.sqrt(4000)
    assert abs(r.value.mean() - 1.0) < 4 * spread
    assert np.mean(x.mean(axis=0) / x.std(axis=0, ddof=1)) - 1.0 > 2 * spread


def test_covariance_of_rows():
    x = skew_columns(7, 64 * 100)
    targets = [cumulant(0), cumulant(0, 0), cumulant(0, 1)]
    sums = MomentSums(targets, np.full((2, 3), 1.0))
    state = fold(sums, x)
    rows = [(targets[0], 0), (targets[0], 1), (targets[2], 0), (targets[1], 1)]
    C = covariance(sums, state, rows)
    errors = [result(sums, state)[targets.index(t)].error[layer] for t, layer in rows]
    np.testing.assert_allclose(np.sqrt(np.diag(C)), errors, rtol=1e-12)
    np.testing.assert_allclose(C, C.T)
    means = x[..., 0].reshape(64, 100, 2).mean(axis=1)  # rows 0, 1: linear, so known exactly
    np.testing.assert_allclose(C[:2, :2], np.cov(means.T) / 64, rtol=1e-9)
    with pytest.raises(ValueError, match="9 rows"):
        covariance(sums, state, [(targets[0], 0)] * 9)


def test_t_to_normal():
    pulls = np.array([-3.0, 0.0, 0.5, 3.0, 8.0])
    np.testing.assert_allclose(t_to_normal(pulls), stats.norm.isf(stats.t.sf(pulls, 63)), atol=1e-9)
    far = t_to_normal(np.array([-1e200, 1e3, 1.001e3, 1e30]))
    assert np.all(np.isfinite(far)) and far[0] < 0 and np.all(np.diff(far) > 0)


def test_importance_weights():
    """Draws from N(0, 1.3^2), weighted to N(0.3, 1): cumulants of the second."""
    x = np.random.default_rng(5).normal(0.0, 1.3, size=(64 * 1000, 1, 1))
    weights = (stats.norm.pdf(x, 0.3, 1.0) / stats.norm.pdf(x, 0.0, 1.3))[:, 0, 0]
    for order, exact in enumerate([0.3, 1.0, 0.0, 0.0], 1):
        r = estimate(cumulant(*[0] * order), x, weights=weights)
        assert abs(r.value[0] - exact) < 4 * r.error[0] < 0.3
        scaled = estimate(cumulant(*[0] * order), x, weights=7.0 * weights)
        np.testing.assert_allclose(scaled.value, r.value, rtol=1e-9, atol=1e-12)


def test_unit_weights_change_nothing():
    x = skew_columns(8, 640)
    for target in TARGETS:
        plain, ones = estimate(target, x), estimate(target, x, weights=np.ones(640))
        np.testing.assert_array_equal(plain.value, ones.value)
        twos = estimate(target, x, weights=np.full(640, 2.0))  # plug-in and jackknife
        assert np.all(np.abs(twos.value - plain.value) < 0.05 * plain.error)
        np.testing.assert_allclose(twos.error, plain.error, rtol=5e-2)


def controlled_columns(seed, draws, layers, noise):
    """x = 5 + y + noise e, with y exponential of known mean 1 and e normal; y^2 has mean 2."""
    rng = np.random.default_rng(seed)
    y = rng.exponential(size=(draws, layers))
    x = 5 + y + noise * rng.normal(size=(draws, layers))
    return x[..., None], np.stack([y, y**2], axis=-1)


def test_controls_reduce_the_variance_by_the_known_factor_and_stay_unbiased():
    """Mean: the factor is (1 + s^2)/s^2. The errors match the scatter over 400 layers."""
    noise, layers = 0.25, 400
    x, y = controlled_columns(6, 64 * 20, layers, noise)
    for order, exact in ((1, 6.0), (2, 1 + noise**2)):
        target, pivot = cumulant(*[0] * order), np.full((layers, 1), 6.0)
        bare = estimate(target, x, pivot)
        ours = estimate(target, x, pivot, controls=y, control_means=[1.0, 2.0])
        for r in (bare, ours):
            assert abs(r.value.mean() - exact) < 4 * r.value.std() / np.sqrt(layers)
        assert np.sqrt(np.mean(ours.error**2)) == pytest.approx(ours.value.std(), rel=0.15)
        gain = np.var(bare.value) / np.var(ours.value)
        if order == 1:
            assert gain == pytest.approx((1 + noise**2) / noise**2, rel=0.3)
        else:
            assert gain > 5
    assert MomentSums([cumulant(0)], [[0.0]], 1.0).control_means.shape == (1, 1)


def test_weights_controls_and_presence_together():
    """Weighted to N(0.3, 1), x itself as control of known mean 0.3, every draw present."""
    x = np.random.default_rng(14).normal(0.0, 1.3, size=(64 * 500, 1, 1))
    weights = (stats.norm.pdf(x, 0.3, 1.0) / stats.norm.pdf(x, 0.0, 1.3))[:, 0, 0]
    both = np.concatenate([x, np.ones_like(x)], axis=-1)
    more = {"weights": weights, "controls": x, "control_means": [0.3]}
    mean = estimate(cumulant(0), x, **more)
    assert mean.value[0] == pytest.approx(0.3, abs=1e-12) and mean.error[0] < 1e-12
    third, bare = estimate(moment(0, 0, 0), x, **more), estimate(moment(0, 0, 0), x, None, weights)
    assert abs(third.value[0] - 0.927) < 4 * third.error[0] < 4 * 0.7 * bare.error[0]
    for target in (cumulant(0, 0), moment(0, 0, 0)):
        masked = Target(target.terms, target.kind, present=1)
        all_there, plain = estimate(masked, both, **more), estimate(target, x, **more)
        np.testing.assert_allclose(all_there.value, plain.value, rtol=1e-10)
        np.testing.assert_allclose(all_there.error, plain.error, rtol=1e-8)
        assert all_there.draws[0] == len(x)


def test_useless_controls_are_harmless():
    """Constant, repeated and per-draw controls; a constant one equals its known mean."""
    x, y = controlled_columns(7, 64 * 50, 2, 0.5)
    y = y[:, :1, :1]
    once = estimate(cumulant(0, 0), x, None, None, y[:, 0], [1.0])
    messy = np.concatenate([y[:, 0], y[:, 0], np.full_like(y[:, 0], 3.0)], axis=-1)
    many = estimate(cumulant(0, 0), x, None, None, messy, [1.0, 1.0, 3.0])
    np.testing.assert_allclose(many.value, once.value, rtol=1e-9)
    np.testing.assert_allclose(many.error, once.error, rtol=1e-7)


def test_heavy_tails_are_unreliable_and_light_ones_are_not():
    rng = np.random.default_rng(8)
    x = np.stack([rng.normal(size=64 * 500), np.exp(3 * rng.normal(size=64 * 500))], axis=1)
    flags = estimate(cumulant(0, 0, 0, 0), x[..., None]).flags
    assert flags == ((), ("unreliable",))


def test_share_is_that_of_the_largest_draw():
    x = skew_columns(9, 640)
    pivot = np.full((2, 3), 1.0)
    m2 = ((x[..., 0] - 1) ** 2 * (x[..., 1] - 1)) ** 2
    r = estimate(cumulant(0, 0, 1), x, pivot)
    np.testing.assert_allclose(r.share, m2.max(axis=0) / m2.sum(axis=0), rtol=1e-12)
    weights = np.linspace(0.1, 2, 640)
    m2 = m2 * weights[:, None] ** 2
    r = estimate(cumulant(0, 0, 1), x, pivot, weights)
    np.testing.assert_allclose(r.share, m2.max(axis=0) / m2.sum(axis=0), rtol=1e-12)


def test_a_deterministic_row_is_exact_and_reliable():
    x = np.full((128, 1, 1), 0.7)
    for target, value in ((cumulant(0), 0.7), (cumulant(0, 0), 0.0), (moment(0, 0), 0.49)):
        for pivot in (0.7, 0.5):
            r = estimate(target, x, np.full((1, 1), pivot))
            assert r.value[0] == pytest.approx(value, abs=1e-15) and r.error[0] < 1e-15
            assert r.flags == ((),)
    r = estimate(cumulant(0, 0, normalise=(((1.0, (0, 0)),),)), x, np.full((1, 1), 0.7))
    assert np.isnan(r.value[0]) and r.flags == (("undefined",),)


def test_an_overflown_draw_is_flagged():
    x = skew_columns(15, 640)
    x[100, 1, 0] = np.inf
    sums = MomentSums(TARGETS[:3], np.full((2, 3), 1.0))
    for r in result(sums, fold(sums, x)):
        assert np.isfinite(r.value[0]) and "undefined" not in r.flags[0]
        assert "undefined" in r.flags[1]


def test_present_restricts_to_the_draws_that_are_there():
    """The log of a dead draw is -inf or nan and must not be seen; layer 1 has no living draw."""
    x = np.concatenate([skew_columns(10, 1280), np.ones((1280, 2, 1))], axis=-1)
    dead = np.random.default_rng(10).random(1280) < 0.3
    x[dead, 0, 3] = 0.0
    x[dead, 0, 0], x[dead, 0, 1] = -np.inf, np.nan
    x[:, 1, 3] = 0.0
    pivot = np.array([[2.0, 1.0, 2.0, 0.0]] * 2)
    alive = x[~dead, :1, :3]
    for columns in ((0,), (0, 1), (0, 0, 1, 1)):
        r = estimate(cumulant(*columns, present=3), x, pivot)
        assert r.value[0] == pytest.approx(twin(alive, *columns)[0], rel=1e-10)
        assert r.draws.tolist() == [np.sum(~dead), 0]
        assert np.isnan(r.value[1]) and "undefined" in r.flags[1]
        assert "undefined" not in r.flags[0]
    r = estimate(moment(0, 1, present=3), x, pivot)
    assert r.value[0] == pytest.approx(np.mean(alive[..., 0] * alive[..., 1]), rel=1e-12)
    living = estimate(moment(3), x, pivot)
    assert living.value.tolist() == pytest.approx([np.mean(~dead), 0.0], abs=1e-15)
    r = estimate(cumulant(2, 2, present=3), x, pivot, weights=np.full(1280, 2.0))
    assert r.value[0] == pytest.approx(twin(alive, 2, 2)[0], rel=1e-3)


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


def test_few_blocks():
    x, sums = skew_columns(13, 1000), MomentSums([cumulant(0)], np.ones((2, 3)))
    assert result(sums, fold(sums, x, blocks=range(63)))[0].flags == (("few_blocks",),) * 2
    assert result(sums, fold(sums, x))[0].flags == ((), ())
    for state in (sums.init(), fold(sums, x, blocks=[5])):
        with pytest.raises(ValueError, match="at least 2"):
            result(sums, state)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cumulant(*[0] * 9), "order 9"),
        (lambda: cumulant(), "order 0"),
        (lambda: cumulant(-1), "-1"),
        (lambda: Target(()), "at least one term"),
        (lambda: Target(((np.nan, (0,)),)), "finite"),
        (lambda: cumulant(0, kind="median"), "cumulant"),
        (lambda: MomentSums([], np.zeros((1, 1))), "at least one Target"),
        (lambda: MomentSums([cumulant(1)], np.zeros((1, 1))), "column 1"),
        (lambda: MomentSums([cumulant(0)], [[np.nan]]), "finite"),
        (lambda: MomentSums([cumulant(0)], np.zeros(3)), "layers, C"),
    ],
)
def test_bad_targets_are_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_bad_batches_are_refused_in_words():
    sums = MomentSums([cumulant(0)], np.zeros((2, 1)))
    x = np.ones((4, 2, 1))
    for given, words in [
        ((x[:, :1],), "shape"),
        ((x[:0],), "draws >= 1"),
        ((x.astype(np.float32),), "float64"),
        ((x, np.ones(3)), "weights"),
        ((x, None, np.ones((4, 1))), "control_means"),
    ]:
        with pytest.raises(ValueError, match=words):
            sums.unit(*given)
    controlled = MomentSums([cumulant(0)], np.zeros((2, 1)), [1.0, 2.0])
    with pytest.raises(ValueError, match="both or neither"):
        controlled.unit(x)
    with pytest.raises(ValueError, match="2 control_means"):
        controlled.unit(x, None, np.ones((4, 1)))
    with pytest.raises(ValueError, match="block=64"):
        sums.add(sums.init(), sums.unit(x), 64)
    with pytest.raises(ValueError, match="sums"):
        sums.merge(sums.init(), MomentSums([cumulant(0, 0)], np.zeros((2, 1))).init())
