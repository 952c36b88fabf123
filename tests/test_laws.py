"""Weight laws: declared moments and cumulants, names, and how weights are drawn."""

from __future__ import annotations

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import stats

from netsim.networks.weights import weight_law, weight_law_names
from netsim.samplers.laws import _student_32, weight_pair
from netsim.samplers.rng import seed_words
from netsim.theory.norm_terms import partitions

REAL = ["gaussian", "uniform", "rademacher", "sparse(0.25)", "student_t(14)"]
KEY = tuple(jnp.uint32(w) for w in seed_words(11))


def drawn(text: str, dtype: str, count: int = 2**17) -> list[np.ndarray]:
    """Both weights of `count` pairs."""
    with jax.enable_x64(True):
        position = jnp.arange(count, dtype=jnp.uint32)
        pair = weight_pair(weight_law(text), KEY, jnp.uint32(5), position, dtype)
        return [np.asarray(w).astype(complex if text == "complex" else float) for w in pair]


# --- declared ------------------------------------------------------------------------------------


def test_cumulants_of_plain_laws():
    assert [weight_law("gaussian").cumulant(k) for k in (2, 4, 6)] == [1, 0, 0]
    assert [weight_law("rademacher").cumulant(k) for k in (1, 2, 4, 6)] == [0, 1, -2, 16]
    assert weight_law("uniform").cumulant(4) == Fraction(-6, 5)
    assert weight_law("sparse(0.1)").cumulant(4) == 7
    nu = Fraction(15, 2)
    assert weight_law("student_t(7.5)").cumulant(4) == 6 / (nu - 4)
    assert weight_law("student_t(7.5)").cumulant(6) == 240 / ((nu - 4) * (nu - 6))


@pytest.mark.parametrize("nu", ["2.5", "5", "15/2", "9"])
def test_student_moments_are_those_of_its_density(nu):
    law, n = weight_law(f"student_t({nu})"), mpmath.mpf(Fraction(nu).numerator)
    n /= Fraction(nu).denominator
    density = lambda t: (1 + t * t / n) ** (-(n + 1) / 2)  # not normalised
    total = 2 * mpmath.quad(density, [0, 1, 10, mpmath.inf])
    for k in range(math.ceil(float(n) / 2)):
        integral = 2 * mpmath.quad(
            lambda t, k=k: t ** (2 * k) * density(t), [0, 1, 10, 1000, mpmath.inf]
        )
        expected = integral / total * ((n - 2) / n) ** k
        assert float(law.moment(2 * k)) == pytest.approx(float(expected), rel=1e-8)
    assert law.moment(2) == 1 and law.moment(1) == 0


def test_moments_that_do_not_exist_are_refused():
    law = weight_law("student_t(5)")
    assert law.moment(4) == 9 and law.moments_below == 5
    for order in (5, 6, 8):
        for what in ("moment", "cumulant"):
            said = f"student_t.5. weights have no {what} of order {order}: those of order < 5 exist"
            with pytest.raises(ValueError, match=said):
                getattr(law, what)(order)
    with pytest.raises(ValueError, match="order must be >= 1"):
        law.cumulant(0)
    with pytest.raises(ValueError, match="order must be >= 0"):
        law.moment(-2)


@pytest.mark.parametrize("text", [*REAL, "complex"])
def test_cumulants_follow_from_moments_by_partitions(text):
    # cum = sum over set partitions (-1)^(blocks-1) (blocks-1)! prod of joint moments
    law = weight_law(text)
    for order in range(1, 6):
        for conjugates in range(order + 1):
            total = Fraction(0)
            for blocks in partitions(list(range(order))):
                moments = [
                    law.moment(len(block), conjugates=sum(i < conjugates for i in block))
                    for block in blocks
                ]
                sign = (-1) ** (len(blocks) - 1) * math.factorial(len(blocks) - 1)
                total += sign * math.prod(moments)
            assert law.cumulant(order, conjugates=conjugates) == total
            only = (order, conjugates) == (2, 1)
            assert text != "complex" or total == int(only)
    with pytest.raises(ValueError, match="conjugates=3 is not in 0..2"):
        law.cumulant(2, conjugates=3)


def test_entries_of_orthogonal_matrices():
    law = weight_law("orthogonal")
    for m in (2, 3, 7):  # Q_ij^2 ~ Beta(1/2, (m-1)/2)
        for k in range(5):
            expected = m**k * mpmath.beta(k + mpmath.mpf(1) / 2, mpmath.mpf(m - 1) / 2)
            expected /= mpmath.beta(mpmath.mpf(1) / 2, mpmath.mpf(m - 1) / 2)
            assert float(law.moment(2 * k, size=m)) == pytest.approx(float(expected), rel=1e-13)
    assert law.moment(4, size=5) == Fraction(3 * 25, 5 * 7)
    assert all(law.moment(2 * k, size=1) == 1 and law.moment(3, size=k + 1) == 0 for k in range(5))
    assert float(law.moment(6, size=10**9)) == pytest.approx(15, rel=1e-7)
    for size in (None, 0):
        with pytest.raises(ValueError, match="give size=max"):
            law.moment(4, size=size)
    with pytest.raises(ValueError, match="not independent"):
        law.cumulant(4)


def test_names():
    assert [n.partition("(")[0] for n in weight_law_names()] == [
        "gaussian", "uniform", "rademacher", "sparse", "student_t", "orthogonal", "complex",
    ]  # fmt: skip
    for text in (*REAL, "sparse(1e-06)", "student_t(2.5)", "orthogonal", "complex"):
        assert weight_law(text).name == text and weight_law(weight_law(text).name).name == text
    assert weight_law(" student_t( 5.0 ) ") == weight_law("student_t(5)")
    flags = {n: weight_law(n) for n in ("gaussian", "student_t(3)", "orthogonal", "complex")}
    assert [law.is_real for law in flags.values()] == [True, True, True, False]
    assert [law.is_independent for law in flags.values()] == [True, True, False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student_t(2)", r"must lie in \(2, 10\^6\]"),
        ("student_t(inf)", r"student_t takes one number; write e.g. student_t\(5\)"),
        ("student_t", r"student_t takes one number"),
        ("student(5)", "Did you mean 'student_t'"),
        ("student_t(1e7)", "the law is gaussian"),
        ("sparse(0)", r"density p must lie in \(0, 1\]"),
        ("sparse(2)", r"density p must lie in \(0, 1\]"),
        ("sparse(1e-7)", r"be 1e-6 or more: .* none at all for p <= 2.3e-10"),
        ("sparse(x)", r"write e.g. sparse\(0.1\)"),
        ("gaussian(3)", "gaussian takes no parameter"),
        ("orthogonal(3)", "orthogonal takes no parameter"),
        ("cauchy", r"Known: gaussian, .*student_t\(nu\), orthogonal, complex"),
    ],
)
def test_bad_texts(text, said):
    with pytest.raises(ValueError, match=said):
        weight_law(text)


# --- drawn ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", REAL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_have_their_declared_moments(text, dtype):
    law, w = weight_law(text), np.concatenate(drawn(text, dtype))
    for k in range(1, 7):
        expected = float(law.moment(k))
        variance = float(law.moment(2 * k)) - expected**2
        if variance == 0:
            assert np.allclose(w**k, expected)
        else:
            assert abs(np.mean(w**k) - expected) < 5 * np.sqrt(variance / len(w))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_complex_weights(dtype):
    first, second = drawn("complex", dtype)
    law, w = weight_law("complex"), np.concatenate([first, second])
    for order in range(1, 5):
        for conjugates in range(order + 1):
            sample = w ** (order - conjugates) * np.conj(w) ** conjugates
            expected = float(law.moment(order, conjugates=conjugates))
            error = math.sqrt(math.factorial(order) / len(w))  # of each part, at most
            assert abs(np.mean(sample).real - expected) < 5 * error
            assert abs(np.mean(sample).imag) < 5 * error
    parts = np.stack([first.real, first.imag, second.real, second.imag])
    for f in (lambda x: x, lambda x: x**2):
        r = np.corrcoef(f(parts))[np.triu_indices(4, 1)]
        assert np.abs(r).max() * np.sqrt(len(first)) < 5


@pytest.mark.parametrize("nu", ["2.5", "5", "1e6"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_student_weights_are_students(nu, dtype):
    first, second = drawn(f"student_t({nu})", dtype)
    scale = math.sqrt(float(nu) / (float(nu) - 2))
    t = scale * np.concatenate([first, second])
    assert stats.kstest(t, stats.t(float(nu)).cdf).pvalue > 1e-6
    for p in (1e-1, 1e-2, 1e-3, 1e-4):  # both tails
        expected = p * len(t)
        for side in (t, -t):
            count = np.sum(side > stats.t(float(nu)).isf(p))
            assert abs(count - expected) < 5 * math.sqrt(expected)
    # independent, not only uncorrelated: bounded functions of size and sign
    for f in (np.tanh, lambda x: np.tanh(x**2), lambda x: np.abs(x) > 2):
        assert abs(np.corrcoef(f(first), f(second))[0, 1]) * np.sqrt(len(first)) < 5


def test_student_weights_to_the_end_of_their_tail():
    # the same words in float64; 40 bits make U, and the ends of both words are reached
    generator = np.random.default_rng(0)
    w0 = np.append(generator.integers(0, 2**32, 4000, dtype=np.uint32), [0, 0, 1, 2**32 - 1])
    w1 = np.append(generator.integers(0, 2**32, 4000, dtype=np.uint32), [0x7FFFFF, 0xFFFFFF, 0, 0])
    w0, w1 = w0.astype(np.uint32), w1.astype(np.uint32)
    for nu in (2.1, 5.0, 1e6):
        found = np.asarray(_student_32(nu, jnp.asarray(w0), jnp.asarray(w1)), np.float64)
        U = w0 * 2.0**-32 + ((w1 >> 24) + 0.5) * 2.0**-40
        radius = np.sqrt((nu - 2) * np.expm1(-2 / nu * np.log(U)))
        angle = np.pi / 2 * ((w1 & 0x7FFFFF) + 0.5) * 2.0**-23
        expected = np.where(w1 & 0x800000, -1, 1) * radius * np.sin(angle)
        # U is rounded to 24 bits, so w^2 is off by 2^-24 (nu-2) 2/nu absolutely, and relatively
        assert np.max(np.abs(found**2 - expected**2) / (expected**2 + 1)) < 3e-6
        assert np.array_equal(np.sign(found)[:-1], np.sign(expected)[:-1])
        assert abs(found[-1]) < 1e-3  # U = 1 - 2^-33 may round to 1
        reach = math.sqrt((nu - 2) * math.expm1(2 / nu * 41 * math.log(2)))
        assert found[4000] == pytest.approx(reach, rel=1e-5) and found[4001] == -found[4000]


def test_the_smallest_density_is_drawn():
    """`p` rounded to 2^-31: of 2^24 weights the number kept is binomial, and none is lost."""
    w = np.concatenate(drawn("sparse(1e-6)", "float32", 2**23))
    expected = len(w) * round(1e-6 * 2**31) / 2**31
    assert abs(np.count_nonzero(w) - expected) < 5 * math.sqrt(expected)
    assert np.allclose(np.abs(w[w != 0]), 1e3, rtol=1e-6)


def test_orthogonal_weights_are_not_drawn_one_by_one():
    with pytest.raises(ValueError, match="orthogonal are not drawn one by one"):
        drawn("orthogonal", "float32")
