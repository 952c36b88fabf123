"""compare: the join, the rules for pulls, the t-to-normal map, chi^2 of a few rows."""

from __future__ import annotations

import math
import subprocess
import sys

import mpmath
import numpy as np
import pytest
from scipy import stats

from netsim.compare import as_row, best_prediction, chi2, join, to_normal, uncertainty
from netsim.rows import Row


def estimate(value=1.0, error=0.1, *, quantity="cum[z1a^2]@9", alias=None, flags=()):
    return Row(quantity, alias, 9, "a", "estimator:k", value, error, draws=65536, flags=flags)


def prediction(
    value=1.0, error=0.0, truncation="exact", truncation_error=None, *,
    quantity="cum[z1a^2]@9", alias=None,
):  # fmt: skip
    return Row(
        quantity, alias, 9, "a", "theory:t", value, error, truncation, truncation_error
    )  # fmt: skip


def verdict(e, p):
    (match,) = join([e], [p]).matches
    return match


@pytest.mark.parametrize("t", [0.0, 0.3, -1.0, 2.5, -6.0, 15.0, 40.0])
def test_normal_quantile_matches_mpmath(t):
    with mpmath.workdps(60):
        nu, size = 63, abs(mpmath.mpf(t))
        tail = mpmath.betainc(mpmath.mpf(nu) / 2, mpmath.mpf(1) / 2, 0, nu / (nu + size**2),
                              regularized=True) / 2  # fmt: skip
        own = mpmath.erfc(mpmath.mpf(abs(to_normal(t))) / mpmath.sqrt(2)) / 2
        assert abs(own / tail - 1) < 1e-8
    assert math.copysign(1, to_normal(t)) == math.copysign(1, t)


def test_normal_quantile_at_the_ends():
    assert to_normal(math.inf) == math.inf and to_normal(-math.inf) == -math.inf
    assert math.isnan(to_normal(math.nan))
    assert abs(to_normal(3.0)) < 3.0  # t has the wider tails


def test_pull_is_the_mapped_t():
    match = verdict(estimate(1.25), prediction(1.0))
    assert match.kind == "pull" and match.t == pytest.approx(2.5, rel=1e-12)
    assert match.pull == to_normal(match.t) and match.relative == pytest.approx(0.25)
    assert f"{match.pull:+.2f}" in match.verdict


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (prediction(truncation=2, truncation_error=0.049), "pull"),
        (prediction(truncation=2, truncation_error=0.051), "difference"),
        (prediction(error=0.049), "pull"),
        (prediction(error=0.051), "difference"),
        (prediction(error=0.04, truncation=1, truncation_error=0.04), "difference"),  # quadrature
        (prediction(error=0.03, truncation=1, truncation_error=0.03), "pull"),
        (prediction(truncation="infinite_width"), "difference"),  # unknown truncation error
        (prediction(truncation=3), "difference"),
        (prediction(error=None), "difference"),  # unknown numerical error
        (prediction(value=math.nan), "none"),
    ],
)
def test_a_pull_needs_a_prediction_sharper_than_half_the_error(given, kind):
    match = verdict(estimate(1.2, 0.1), given)
    assert match.kind == kind and (match.pull is not None) == (kind == "pull")


def test_words_beyond_the_order_kept_stand_only_beside_truncated_predictions():
    truncated = verdict(estimate(1.2), prediction(truncation=1)).verdict
    assert "beyond the order kept" in truncated and "+20%" in truncated
    exact = verdict(estimate(1.2), prediction(error=0.2)).verdict
    assert "beyond" not in exact and "numerical error" in exact and "+20%" in exact


def test_unreliable_rows_never_get_a_pull():
    match = verdict(estimate(5.0, flags=("unreliable",)), prediction())
    assert match.kind == "unreliable" and match.pull is None and "unreliable" in match.verdict


@pytest.mark.parametrize(
    ("value", "error", "given", "kind"),
    [
        (1.0, 0.0, prediction(1.0), "equal"),
        (1.0 + 5e-10, 0.0, prediction(1.0), "equal"),
        (1.0 + 5e-9, 0.0, prediction(1.0), "differs"),
        (1.0 + 5e-10, 1e-16, prediction(1.0), "equal"),  # rounding is no statistics
        (0.0, 0.0, prediction(0.0), "equal"),
        (1e-3, 0.0, prediction(0.0), "differs"),
        (1.0, 0.0, prediction(1.0, truncation="infinite_width"), "equal"),
        (1.1, 0.0, prediction(1.0, truncation="infinite_width"), "difference"),
        (1e-25 * (1 + 5e-9), 0.0, prediction(1e-25), "differs"),
    ],
)
def test_rows_without_statistical_error_are_equal_or_differ(value, error, given, kind):
    match = verdict(estimate(value, error), given)
    assert match.kind == kind and match.pull is None


def test_a_vanishing_ratio_is_judged_on_the_scale_of_one():
    name = "ncum[z1a^4]@1"
    match = verdict(estimate(-3e-17, 1e-18, quantity=name), prediction(0.0, quantity=name))
    assert match.kind == "equal"


def test_missing_or_infinite_errors_give_no_pull():
    assert verdict(estimate(1.2, None), prediction()).kind == "none"
    assert verdict(estimate(1.2, math.inf), prediction()).kind == "none"
    assert verdict(estimate(math.nan), prediction()).kind == "none"


def test_best_prediction_is_exact_then_highest_order_then_infinite_width():
    rows = {
        "infinite": prediction(1.0, truncation="infinite_width"),
        "first": prediction(2.0, truncation=1, truncation_error=0.1),
        "third": prediction(3.0, truncation=3, truncation_error=0.1),
        "exact": prediction(4.0, error=1e-3),
        "sharper": prediction(5.0, error=1e-9),
        "broken": prediction(math.nan),
    }
    order = ["infinite", "first", "third", "exact", "sharper"]
    for i in range(len(order)):
        given = [rows[name] for name in order[: i + 1]] + [rows["broken"]]
        assert best_prediction(given) is rows[order[i]]
        assert best_prediction(given[::-1]) is rows[order[i]]


def test_unknown_truncation_is_refused_in_words():
    with pytest.raises(ValueError, match="'next' .*allowed: 'exact'|truncation 'next'"):
        join([estimate()], [prediction(truncation="next")])


def test_join_drops_nothing_and_joins_by_quantity_and_alias():
    estimates = [
        estimate(),
        estimate(alias="kappa2[a]"),
        estimate(quantity="cum[z1b^2]@9"),
        estimate(flags=("raw",)),
    ]
    predictions = [
        prediction(),
        prediction(truncation="infinite_width"),
        prediction(quantity="cum[z1a^4]@9"),
        prediction(quantity="cum[z1a^4]@9", truncation=1),
    ]
    found = join(estimates, predictions)
    assert [m.estimate for m in found.matches] == [estimates[0], estimates[3]]
    assert found.unmatched_estimates == (estimates[1], estimates[2])
    assert found.unmatched_predictions == (predictions[2], predictions[3])


def test_summary_counts_and_names_the_largest_pull():
    names = [f"cum[z1a^2]@{layer}" for layer in range(1, 6)]
    values = [1.1, 0.7, 1.2, 9.0, 1.0]
    estimates = [estimate(v, quantity=q) for v, q in zip(values, names, strict=True)]
    estimates[3] = estimate(9.0, quantity=names[3], flags=("unreliable",))
    predictions = [prediction(quantity=q) for q in names[:4]]
    predictions[2] = prediction(quantity=names[2], truncation=1)
    summary = join(estimates, predictions + [prediction(quantity="cum[z1b]@1")]).summary()
    assert (summary.pulls, summary.beyond, summary.unreliable) == (2, 1, 1)
    assert (summary.unmatched_estimates, summary.unmatched_predictions) == (1, 1)
    assert summary.largest.estimate.quantity == names[1] and summary.largest.pull < -2.5
    empty = join([], []).summary()
    assert empty.pulls == 0 and empty.largest is None


def test_rows_come_from_json_and_bad_ones_are_refused():
    row = estimate(flags=("unreliable",))
    assert as_row(row.json()) == row and as_row(row) is row
    assert math.isnan(as_row(row.json() | {"value": None}).value)
    with pytest.raises(ValueError, match="unknown columns.*'colour'"):
        as_row(row.json() | {"colour": 1})
    with pytest.raises(ValueError, match="missing columns.*'quantity'"):
        as_row({"value": 1.0, "source": "theory:x"})


def test_uncertainty_adds_in_quadrature():
    assert uncertainty(prediction(error=3.0, truncation=1, truncation_error=4.0)) == 5.0
    assert uncertainty(prediction(error=3.0)) == 3.0
    assert uncertainty(prediction(error=0.0, truncation=1)) is None


def test_pulls_are_calibrated_and_wrong_errors_are_seen():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((4000, 64))
    means, errors = data.mean(axis=1), data.std(axis=1, ddof=1) / 8

    def spread(factor):
        pulls = [verdict(estimate(m, factor * e), prediction(0.0)).pull for m, e in
                 zip(means, errors, strict=True)]  # fmt: skip
        return np.std(pulls)

    limit = 5 / math.sqrt(2 * len(means))
    assert abs(spread(1.0) - 1) < limit
    assert abs(spread(0.75) - 1) > limit  # the same harness sees errors that are too small


def test_chi2_p_value_is_uniform_with_a_covariance_from_64_blocks():
    rng = np.random.default_rng(1)
    mix = rng.standard_normal((5, 5))
    p = []
    for _ in range(1500):
        blocks = rng.standard_normal((64, 5)) @ mix.T
        covariance = np.cov(blocks.T) / 64
        values = dict(zip("abcde", blocks.mean(axis=0), strict=True))
        found = chi2(values, covariance)
        p.append(found.p)
    assert stats.kstest(p, "uniform").pvalue > 1e-6
    d = np.array(list(values.values()))
    assert found.value == pytest.approx(d @ np.linalg.inv(covariance) @ d, rel=1e-9)
    assert found.rows == 5


def test_chi2_is_free_of_units():
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
    scale = np.diag([1e-12, 1e9])
    one = chi2({"a": 1.0, "b": -2.0}, covariance)
    two = chi2({"a": 1e-12, "b": -2e9}, scale @ covariance @ scale)
    assert two.value == pytest.approx(one.value, rel=1e-9)


@pytest.mark.parametrize(
    ("values", "covariance", "words"),
    [
        ({str(i): 0.0 for i in range(9)}, np.eye(9), "1 to 8"),
        ({}, np.zeros((0, 0)), "1 to 8"),
        ({"a": 1.0, "b": 1.0}, np.eye(3), "shape"),
        ({"a": 1.0, "b": math.nan}, np.eye(2), "finite"),
        ({"a": 1.0, "b": 1.0}, np.ones((2, 2)), "linearly dependent"),
        ({"a": 1.0}, np.zeros((1, 1)), "no error"),
    ],
)
def test_chi2_refuses_what_it_cannot_judge(values, covariance, words):
    with pytest.raises(ValueError, match=words):
        chi2(values, covariance)


def test_compare_store_and_report_load_no_jax_and_no_matplotlib():
    code = (
        "import sys, netsim.compare, netsim.store.table, netsim.report.page, netsim.report.latex\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('jax', 'jaxlib', 'matplotlib')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
