"""Input sets built by name, as a config does."""

from __future__ import annotations

import numpy as np
import pytest

from netsim.networks.input_sets import (
    allowed_options,
    build,
    input_kinds,
)

EVERY_KIND = {
    "single": {},
    "pair": {"angle": 30},
    "sphere": {"count": 3, "dimension": 5},
    "circle": {"count": 5},
    "gram": {"gram": [[1, 0.5], [0.5, 1]]},
    "digits": {},
}


@pytest.fixture
def save(tmp_path):
    def saved(array, name="x.npy"):
        np.save(tmp_path / name, array)
        return tmp_path / name

    return saved


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_build_every_kind_with_norm2(kind):
    x = build(kind, **EVERY_KIND[kind], norm2=0.5)
    assert np.diag(x.overlaps) == pytest.approx(0.5, rel=1e-14)
    y = build(kind, **EVERY_KIND[kind], norm2="critical", critical_norm2=0.5, seed=None)
    assert x.identity() == y.identity()
    assert build(kind, **EVERY_KIND[kind]).source.startswith(kind)
    if kind != "gram":
        options = {"directions": 2, "direction_norm2": 3, "seed": 4}
        z = build(kind, **EVERY_KIND[kind], **options)
        assert np.diag(z.overlaps)[-2:] == pytest.approx(3, rel=1e-14)


def test_build_files_and_explicit_directions(save):
    x = build("file", path=str(save(np.eye(3))), norm2=2, direction_kind=[[0, 1, 1]])
    assert x.direction_vectors.tolist() == [[0, 1, 1]] and x.overlaps[0, 0] == 2
    y = build("gram", matrix=[[1, 0.5], [0.5, 1]], directions=1, norm2=4)
    assert y.overlaps.tolist() == [[4, 1], [1, 1]]
    assert set(input_kinds()) == {*EVERY_KIND, "file"}
    assert "angle" in allowed_options("pair") and "direction_kind" in allowed_options("pair")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("digit", {}, "did you mean 'digits'"),
        ("zzz", {}, "Known: single, pair"),
        (None, {}, "unknown kind"),
        ("pair", {"angel": 3}, "no option 'angel'; did you mean 'angle'.*Allowed: angle, norm2"),
        ("pair", {}, "missing a required argument: 'angle'"),
        ("pair", {"angle": None}, "missing a required argument: 'angle'"),
        ("pair", {"angle": "thirty"}, "angle='thirty'"),
        ("single", {"norm2": "critcal"}, "norm2='critcal'"),
        ("single", {"norm2": "critical"}, "every kernel is critical.*K\\* = 0 for tanh"),
        ("single", {"norm2": "critical", "critical_norm2": 0.0}, "K\\* = 0"),
        ("gram", {"gram": [[1]], "matrix": [[1]]}, "give the matrix once"),
        ("gram", {"gram": [[0]], "norm2": 1}, "is zero"),
        ("gram", {"gram": [[1]], "direction_kind": "random"}, "no option 'direction_kind'"),
        ("single", {"directions": -1}, "directions=-1"),
        ("single", {"directions": 1.5}, "directions=1.5"),
        ("single", {"direction_kind": "orthogonal"}, "directions=0: set directions"),
        ("single", {"directions": 1, "direction_kind": "up"}, "allowed are"),
        ("file", {"path": "/no/such/file.npy"}, "does not exist"),
    ],
)
def test_build_refuses_in_words(kind, options, message):
    with pytest.raises(ValueError, match=message):
        build(kind, **options)
