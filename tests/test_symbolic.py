"""Symbolic theory: formulas, closed forms and series against fractions and numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import sympy

import netsim
from netsim.quantities import parse
from netsim.theory import exact
from netsim.theory.base import OutsideDomain
from netsim.theory.hierarchy.one_input import cumulant_series
from netsim.theory.symbolic.answer import symbolic
from netsim.theory.symbolic.formula import formula
from netsim.theory.symbolic.names import latex

SLOPES = ["linear", "relu", "leaky_relu(0.25)", "leaky_relu(0.1)", "slopes(1, -2)"]


def slope_network(name, n=16, L=4, **more):
    return netsim.network(name, width=n, depth=L, **more)


def at_numbers(expression, found):
    """The expression at the network's own numbers: a rational, no float on the way."""
    value = expression.subs(dict(found.values)).doit()
    assert value.is_Rational
    return Fraction(int(value.p), int(value.q))


def one(norm2=0.75):
    return netsim.inputs("single", norm2=norm2)


# --- formulas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cum[z1a^4]", "3*kappa(S_aa, S_aa)"),
        ("cum[z1a z1b z1c z1d]", "kappa(S_ab, S_cd) + kappa(S_ac, S_bd) + kappa(S_ad, S_bc)"),
        ("cum[z1a^2 z2b^2]", "kappa(S_aa, S_bb)"),
        ("mom[z1a^4]", "3*kappa(S_aa)**2 + 3*kappa(S_aa, S_aa)"),
        ("cum[qa^2]", "(1 + 2/n)*kappa(S_aa, S_aa) + 2/n*kappa(S_aa)**2"),
        ("mom[qa^2]", "(1 + 2/n)*(kappa(S_aa, S_aa) + kappa(S_aa)**2)"),
        ("ncum[z1a^6]", "15*kappa(S_aa, S_aa, S_aa)/kappa(S_aa)**3"),
        ("mom[Sab^2]", "kappa(S_ab, S_ab) + kappa(S_ab)**2"),
        ("cum[z1a^3]", "0"),
    ],
)
def test_formulas(text, wanted):
    names = {"n": sympy.Symbol("n", positive=True)}
    assert sympy.expand(formula(parse(text)) - sympy.sympify(wanted, locals=names)) == 0


@pytest.mark.parametrize("text", ["logcum[Saa]", "cum[z1a Saa]", "cum[z1a@2 z1a@3]", "cum[H1_1aa]"])
def test_what_has_no_formula(text):
    with pytest.raises(OutsideDomain):
        formula(parse(text))


# --- closed forms and series ----------------------------------------------------------------------


def fractions(name, n, L, order, C_W, K_1):
    """Cumulants of S_L in rational arithmetic, by the moments of one neuron and nothing else."""
    plus, minus = (Fraction(a) for a in netsim.network(name, width=2, depth=1).activation.slopes)
    one = [Fraction(1)] + [
        math.prod(range(1, 2 * j, 2)) * (plus ** (2 * j) + minus ** (2 * j)) / 2
        for j in range(1, order + 1)
    ]
    sums = [Fraction(1)] + [Fraction(0)] * order
    for _ in range(n):  # one neuron after the other
        sums = [
            sum(math.comb(p, j) * one[j] * sums[p - j] for j in range(p + 1))
            for p in range(order + 1)
        ]
    m = [K_1**p * ((C_W / n) ** p * sums[p]) ** L for p in range(order + 1)]
    kappa = [Fraction(0)]
    for p in range(1, order + 1):
        rest = sum(math.comb(p - 1, j - 1) * kappa[j] * m[p - j] for j in range(1, p))
        kappa.append(m[p] - rest)
    return kappa[1:]


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize(("n", "L"), [(1, 1), (5, 3), (16, 8)])
def test_closed_forms_are_exact(name, n, L):
    """In rational arithmetic, and as the correctly rounded floats of the exact theory."""
    net = slope_network(name, n, L, weight_variance=1.25)
    floats = exact.cumulants(net, 0.75)[-1]
    rationals = fractions(name, n, L, 4, Fraction(1.25), Fraction(1.25) * Fraction(0.75))
    for k in range(1, 5):
        found = symbolic(
            net, one(), parse(f"cum[z1a^{2 * k}]"), 3, divisor=math.prod(range(1, 2 * k, 2))
        )
        value = at_numbers(found.closed_form, found)
        assert value == rationals[k - 1]
        assert float(value) == floats[k - 1]
        free = {str(symbol) for symbol in found.closed_form.free_symbols}
        assert free <= {"n", "L", "K_1", "A_2", "A_4", "A_6", "A_8"}


def test_closed_form_of_unequal_widths_is_a_product():
    net = netsim.network("relu", widths=[3, 5, 2])
    found = symbolic(net, one(0.5), parse("cum[Saa^2]"))
    bound = found.closed_form.atoms(sympy.Product).pop()
    n = sympy.IndexedBase("n")
    value = found.closed_form.subs(dict(found.values)).doit()
    value = value.subs({n[l]: width for l, width in enumerate(net.widths, 1)})
    assert bound.limits[0][1] == 1
    assert float(value) == exact.cumulants(net, 0.5)[-1, 1]


def test_closed_forms_of_layers_and_ratios():
    net = slope_network("relu")
    for text, layer in (("cum[z1a^4]@3", 2), ("cum[Saa^2]@2", 2), ("cum[Saa^2]@0", 0)):
        found = symbolic(net, one(), parse(text))
        factor = 3 if "z" in text else 1
        assert found.layers == layer
        assert (
            float(at_numbers(found.closed_form, found))
            == factor * exact.cumulants(net, 0.75)[layer, 1]
        )
    n, L = sympy.Symbol("n", positive=True), sympy.Symbol("L", integer=True, nonnegative=True)
    ratio = symbolic(net, one(), parse("ncum[z1a^4]")).closed_form
    assert sympy.simplify(ratio - 3 * (((n + 5) / n) ** L - 1)) == 0


@pytest.mark.parametrize(
    ("name", "order", "L"),
    [("linear", 5, 6), ("relu", 5, 1), ("relu", 4, 7), ("slopes(1, -2)", 3, 3)]
    + [("leaky_relu(0.1)", 3, 5)],  # with symbols for A_k
)
def test_symbolic_series_are_those_of_the_hierarchy(name, order, L):
    net = slope_network(name, 8, L, weight_variance=1.25)
    wanted = cumulant_series(net, 0.75, order).coefficients[-1]
    n = sympy.Symbol("n", positive=True)
    for k in range(1, 5):
        found = symbolic(net, one(), parse(f"cum[Saa^{k}]"), order)
        series = sympy.expand(found.series.subs({s: v for s, v in found.values if s != n}))
        got = [float(series.coeff(n, -m)) for m in range(order + 1)]
        assert got == pytest.approx(wanted[k - 1], rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("text", ["cum[qa^2]", "mom[z1a^4]", "ncum[z1a^6]", "mom[qa^2]"])
def test_series_of_functions_of_cumulants_are_expansions_of_their_closed_forms(text):
    found = symbolic(slope_network("relu"), one(), parse(text))
    n, u = sympy.Symbol("n", positive=True), sympy.Symbol("u", positive=True)
    values = {s: v for s, v in found.values if str(s) != "n"}
    closed = sympy.series(sympy.cancel(found.closed_form.subs(values).subs(n, 1 / u)), u, 0, 4)
    assert sympy.expand(closed.removeO() - found.series.subs(values).subs(n, 1 / u)) == 0


def test_numbers_where_there_is_no_closed_form():
    net = netsim.network("tanh", width=16, depth=3)
    found = symbolic(net, one(), parse("cum[z1a^4]@3"))
    wanted = cumulant_series(net, 0.75, 3).coefficients[2, 1]
    n = sympy.Symbol("n", positive=True)
    assert [float(found.series.coeff(n, -m)) for m in range(4)] == pytest.approx(
        3 * wanted, rel=1e-10
    )
    assert found.closed_form is None and "tanh" in found.reasons["closed_form"]
    biased = symbolic(slope_network("relu", bias_variance=0.5), one(), parse("cum[z1a^2]"))
    assert biased.closed_form is None and "C_b" in biased.reasons["closed_form"]
    assert float(biased.series) == pytest.approx(1.5 + 0.5 + 4 * 0.5, rel=1e-12)


# --- LaTeX ----------------------------------------------------------------------------------------


def balanced(text: str) -> bool:
    depth = 0
    for c in text:
        depth += {"{": 1, "}": -1}.get(c, 0)
        assert depth >= 0
    return depth == 0 and text.count(r"\left") == text.count(r"\right")


@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.1)", "tanh"])
def test_latex(name):
    found = symbolic(slope_network(name), one(), parse("ncum[z1a^6]"), 3)
    parts = [found.formula, found.closed_form, found.series]
    texts = [latex(p) for p in parts if p is not None] + [step.latex for step in found.recursion]
    assert len(texts) > 5
    for text in texts:
        assert text and balanced(text) and "_plus" not in text and "}^{(4)}^" not in text


def test_latex_names():
    def tex(name):
        return latex(sympy.Symbol(name))

    assert [tex(s) for s in ("dF", "d2F", "d4F", "dc_2", "V_2", "S_ab", "n_l", "A_16")] == [
        "F'", "F''", "F^{(4)}", "c_2'", "V_{2}", "S_{ab}", "n_{l}", "A_{16}",
    ]  # fmt: skip
    assert tex("F_ab__aa__bb") == "F_{ab;aa,bb}" and tex("V_aa__bb") == "V_{aa,bb}"
    assert tex("kappa10_4") == r"\kappa_{10}^{[4]}"
    assert latex(sympy.Symbol("d4F") ** 2) == r"\left(F^{(4)}\right)^{2}"  # no double superscript


def test_bad_arguments():
    net = slope_network("relu")
    for order in (0, 6, True):
        with pytest.raises(ValueError, match="order"):
            symbolic(net, one(), parse("cum[z1a^2]"), order)
    for text in ("cum[z1a^2]@0", "cum[z1a^2]@6", "cum[Saa]@5", "cum[qa]@5"):
        with pytest.raises(ValueError, match="does not exist"):
            symbolic(net, one(), parse(text))
