"""The grammar of quantities: canonical texts, round trips, errors that point at the place."""

from __future__ import annotations

import itertools

import pytest

from netsim.experiment.aliases import ALIASES, named_quantities
from netsim.quantities import parse

CANONICAL = {
    "cum[z3b z3a z1a^2]@9": "cum[z1a^2 z2a z2b]@9",
    "cum[z1a z1a z1a z1a]": "cum[z1a^4]",
    "cum[z2c z2d z1b z1a]@9": "cum[z1a z1b z2c z2d]@9",
    "cum[Sba Sdc]@8": "cum[Sab Scd]@8",
    "cum[z2b'v^2 z1a'u^2]@9": "cum[z1a'u^2 z2b'v^2]@9",
    "cum[z1a'vu]@2": "cum[z1a'uv]@2",
    "cum[qa@7 qa@3]": "cum[qa@3 qa@7]",
    "cum[H1_1ab]@5~1": "cum[H1_1ab]@5~1",
    "cum[H2_2ab]@5": "cum[H1_1ab]@5",
    "cum[M2a]@5": "cum[M2a]@5",
    "logcum[Saa^2]@64": "logcum[Saa^2]@64",
    "ncum[z4a^4]@out": "ncum[z1a^4]@out",
    "cum[Sa'ua'u]@3": "cum[Sa'ua'u]@3",
    "cum[Sba'u]": "cum[Sa'ub]",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical_text(text):
    assert parse(text).text == CANONICAL[text]
    assert parse(parse(text).text) == parse(text)


def test_relabelled_neurons_and_permuted_legs_have_one_text():
    legs = [(1, "a"), (1, "b"), (2, "a"), (2, "a"), (3, "b"), (3, "b")]
    texts = set()
    for relabel in itertools.permutations((1, 2, 3)):
        for order in itertools.permutations(range(6), 6):
            words = " ".join(f"z{relabel[legs[i][0] - 1]}{legs[i][1]}" for i in order[:6])
            texts.add(parse(f"cum[{words}]").text)
    assert texts == {"cum[z1a^2 z2a z2b z3b^2]"}


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("kum[z1a]", 1, "did you mean 'cum'"),
        ("cum z1a", 4, "'[' expected"),
        ("cum[z1a", 8, "']' is missing"),
        ("cum[]", 5, "at least one leg"),
        ("cum[y1a]", 5, "unknown field 'y'"),
        ("cum[z1]", 7, "takes 1 input"),
        ("cum[za]", 6, "neuron index"),
        ("cum[z1_2a]", 6, "neuron index"),
        ("cum[ga]", 6, "takes the number of a weight block"),
        ("cum[h1_1aa]", 5, "unknown field 'h', nearest: 'H'"),
        ("cum[overlapab]", 5, "written in braces, e.g. {overlap}ab"),
        ("xyz[z1a]", 1, "unknown statistic 'xyz'. Known: cum"),
        ("cum[z0a]", 6, "count from 1"),
        ("cum[z1a^0]", 9, "multiplicity"),
        ("cum[z1x]", 7, "input a..m"),
        ("cum[z1a]@x", 9, "after ']'"),
        ("cum[Sa]", 6, "takes 2 input"),
        ("cum[z1a z1!]", 11, "input a..m"),
    ],
)
def test_errors_point_at_the_position(text, position, words):
    with pytest.raises(ValueError) as error:
        parse(text)
    assert words in str(error.value)
    assert f"position {position}:" in str(error.value)
    assert "\n" + " " * (position + 1) + "^\n" in str(error.value)


def test_aliases_expand_per_input_with_their_divisors():
    named = named_quantities(["kappa4", "kappa8/kappa2^4[b]@3", "cum[z1a^4]"], ("a", "b"))
    assert [(n.quantity.text, n.alias, n.divisor) for n in named] == [
        ("cum[z1a^4]", "kappa4[a]", 3),
        ("cum[z1b^4]", "kappa4[b]", 3),
        ("ncum[z1b^8]@3", "kappa8/kappa2^4[b]", 105),
        ("cum[z1a^4]", None, 1),
    ]
    assert {name: divisor for name, (_, _, divisor) in ALIASES.items()} == {
        "kappa2": 1, "kappa4": 3, "kappa6": 15, "kappa8": 105,
        "kappa4/kappa2^2": 3, "kappa6/kappa2^3": 15, "kappa8/kappa2^4": 105,
    }  # fmt: skip
    with pytest.raises(ValueError, match="Did you mean 'kappa4'"):
        named_quantities(["kappa44"], ("a",))
    with pytest.raises(ValueError, match="no input 'c'"):
        named_quantities(["kappa4[c]"], ("a", "b"))
