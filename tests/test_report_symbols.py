"""Formulas in plain text as HTML and as mathtext."""

from __future__ import annotations

import pytest

from netsim.report.symbols import formula_html, formula_math


@pytest.mark.parametrize(
    ("text", "html", "math"),
    [
        (
            "kappa_4/kappa_2^2 <= 1",
            "κ<sub>4</sub>/κ<sub>2</sub><sup>2</sup> ≤ 1",
            r"$\kappa_{4}$/$\kappa_{2}^{2}$ ≤ 1",
        ),
        (
            "n^(k-1) kappa_2k",
            "n<sup>(k-1)</sup> κ<sub>2k</sub>",
            r"$n^{k-1}$ $\kappa_{2k}$",
        ),
        ("n_l -> infinity", "n<sub>l</sub> → ∞", r"$n_{l}$ → $\infty$"),
        (
            "kappa4[a]@9 of `C_W`, a < b",
            "<code>kappa4[a]@9</code> of <code>C_W</code>, a &lt; b",
            None,
        ),
        ("cum[z1a^2 z2a'u^2]@3~1", "<code>cum[z1a^2 z2a&#x27;u^2]@3~1</code>", None),
        ("ReLU and network.weight", "ReLU and network.weight", "ReLU and network.weight"),
    ],
)
def test_formulas(text, html, math):
    assert formula_html(text) == html
    if math is not None:
        assert formula_math(text) == math


def test_names_of_quantities_stay_in_figures():
    assert formula_math("cum[z1a^2 z2a^2]@9, tanh") == "cum[z1a^2 z2a^2]@9, tanh"
