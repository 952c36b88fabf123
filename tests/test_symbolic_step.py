"""Recursions in symbols against the formulas of the papers and the numerical hierarchy."""

from __future__ import annotations

from itertools import product

import pytest
import sympy

import netsim
from netsim.gaussian.neuron import neuron_cumulants
from netsim.quantities import parse
from netsim.theory.finite_width import FieldsExact
from netsim.theory.hierarchy.one_input import cumulant_series
from netsim.theory.symbolic.many import recursion_many
from netsim.theory.symbolic.step import MOST_ORDER, part, recursion

D, V, T, Q, C_W, n_l, F1, F2, F3 = sympy.symbols("D V T Q C_W n_l dF d2F d3F")
c2, dc2, d2c2, c3, dc3, c4 = sympy.symbols("c_2 dc_2 d2c_2 c_3 dc_3 c_4")


def test_leading_recursions_are_those_of_the_papers():
    """Typed from the formulas for V, D, T, Q; the package derives them from Bell polynomials."""
    G, G1, G2 = (C_W**2 * c / n_l for c in (c2, dc2, d2c2))
    H, H1, I = C_W**3 * c3 / n_l**2, C_W**3 * dc3 / n_l**2, C_W**4 * c4 / n_l**3
    typed = {
        "K": sympy.Symbol("F"),
        "D": F1 * D + F2 * V / 2,
        "V": G + F1**2 * V,
        "T": H + 3 * F1 * G1 * V + 3 * F1**2 * F2 * V**2 + F1**3 * T,
        "Q": I + 4 * F1 * H1 * V + 3 * G1**2 * V
        + 6 * (F1**2 * G1 * T + (2 * F1 * F2 * G1 + F1**2 * G2) * V**2)
        + F1**4 * Q + 12 * F1**3 * F2 * V * T + (12 * F1**2 * F2**2 + 4 * F1**3 * F3) * V**3,
    }  # fmt: skip
    for k, names in ((1, "KDV"), (2, "KV"), (3, "KVT"), (4, "KVTQ")):
        steps = recursion(k)
        assert [str(step.symbol) for step in steps] == list(names)
        for step in steps:
            assert sympy.expand(step.value - typed[str(step.symbol)]) == 0


@pytest.mark.parametrize(("name", "widths"), [("tanh", (7, 5, 9)), ("gelu", (6, 6, 6))])
def test_recursions_of_higher_order_give_the_series(name, widths):
    """The symbols replaced by numbers, layer by layer, against the numerical hierarchy."""
    net = netsim.network(name, widths=widths, bias_variance=0.1)
    order, x2 = 3, 0.8
    steps = {step.symbol: step for k in range(1, 5) for step in recursion(k, order)}
    K, state = net.bias_variance[0] + net.weight_variance[0] * x2, dict.fromkeys(steps, 0.0)
    for l, n in enumerate(widths, 1):
        c = neuron_cumulants(net.activation, K, 6)[0]
        given = {C_W: net.weight_variance[l], n_l: n} | state
        for q, j in product(range(7), range(1, 5)):
            dash = {0: "", 1: "d"}.get(q, f"d{q}")
            scale = net.weight_variance[l] if j == 1 else 1
            given[sympy.Symbol(dash + ("F" if j == 1 else f"c_{j}"))] = scale * c[q, j - 1]
        state = {
            s: float(step.value.subs(given)) for s, step in steps.items() if str(s) not in "KF"
        }
        K = net.bias_variance[l] + net.weight_variance[l] * c[0, 0]
    wanted = cumulant_series(net, x2, order)
    for k, m in product(range(1, 5), range(1, order + 1)):
        if m < k - 1:
            continue
        reference = wanted.coefficients[-1, k - 1, m] * float(widths[0]) ** -m
        assert state[part(k, m)] == pytest.approx(reference, rel=1e-9)


def test_recursions_name_what_they_need_and_no_more():
    steps = recursion(2, 2)
    assert [str(step.symbol) for step in steps] == ["K", "D", "V", "V_2", "T"]
    for step in recursion(1, MOST_ORDER):
        assert step.latex.count("{") == step.latex.count("}")
    for k, order in ((0, 1), (3, 1), (2, MOST_ORDER + 1), (2, True)):
        with pytest.raises(ValueError, match="order"):
            recursion(k, order)


def test_recursion_of_two_inputs_is_exact_for_linear_networks_to_first_order():
    """There F_ab = C_W K_ab and c_{ab,cd} = K_ac K_bd + K_ad K_bc; n so large that one order is all."""
    n, L = 10**10, 3
    net = netsim.network("linear", width=n, depth=L, weight_variance=1.25)
    x = netsim.inputs("gram", gram=[[1.0, 0.5], [0.5, 2.0]])
    legs = tuple(tuple(sorted(leg.slots)) for leg in parse("cum[Sab Sab]").legs)
    steps = recursion_many(legs)
    K = {"aa": 1.25, "ab": 0.625, "bb": 2.5}
    state = {str(step.symbol): 0.0 for step in steps}
    for _ in range(L):
        given = dict(state) | {"C_W": 1.25, "n_l": n}
        for p, r in product(K, K):
            given[f"F_{p}__{r}"] = 1.25 * (p == r)
            pairs = (p[0] + r[0], p[1] + r[1], p[0] + r[1], p[1] + r[0])
            i, j, k, l = (K["".join(sorted(pair))] for pair in pairs)
            given[f"c_{p}__{r}"] = i * j + k * l
        state = {
            str(s.symbol): float(s.value.subs(given)) for s in steps if str(s.symbol)[0] == "V"
        }
        K = {p: 1.25 * value for p, value in K.items()}
    wanted = FieldsExact(net, x).overlap_cumulant(legs).value[-1]
    assert state["V_ab__ab"] == pytest.approx(wanted, rel=1e-8)


def test_recursion_of_several_inputs_reduces_to_that_of_one():
    """At b = a every pair is aa: V and D of one input."""
    names = {"F_aa__aa": F1, "F_aa__aa__aa": F2, "V_aa__aa": V, "D_aa": D, "c_aa__aa": c2}
    pair = parse("cum[Saa]").legs[0].slots
    found = {str(s.symbol): s.value.subs(names) for s in recursion_many((pair,))}
    single = {str(s.symbol): s.value for s in recursion(1)}
    assert sympy.expand(found["D_aa"] - single["D"]) == 0
    assert sympy.expand(found["V_aa__aa"] - single["V"]) == 0
