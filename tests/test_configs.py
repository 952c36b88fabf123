"""Every config file composes and builds; what is in them is data."""

from __future__ import annotations

import re

import pytest
import yaml

from command import netsim
from netsim.api.config import point_from
from netsim.cli.compose import compose_one, config_folder
from netsim.cli.grid import expand
from netsim.networks.input_sets import allowed_options, input_kinds
from netsim.run.plan import CHECKPOINT_SECONDS

EXPERIMENTS = sorted(path.stem for path in (config_folder() / "experiment").glob("*.yaml"))
KINDS = sorted(path.stem for path in (config_folder() / "inputs").glob("*.yaml"))
FILES = sorted(config_folder().rglob("*.yaml"))


def test_the_defaults_build_and_agree_with_the_code():
    point = point_from(compose_one([]))
    assert point.draws == 65536 and point.target is None
    assert point.checkpoint_seconds == CHECKPOINT_SECONDS
    assert point.experiment.network.widths == (64,) * 8


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_inputs_builds(kind, tmp_path):
    import numpy as np

    np.save(tmp_path / "x.npy", np.eye(3))
    words = (
        [f"inputs={kind}", f"inputs.path={tmp_path}/x.npy"]
        if kind == "file"
        else [f"inputs={kind}"]
    )
    (composed,) = expand(words)
    assert point_from(composed.config).experiment.inputs.names[0] == "a"


def test_the_kinds_of_inputs_are_those_of_the_code_with_all_their_options():
    assert set(KINDS) == set(input_kinds())
    for kind in KINDS:
        listed = set(yaml.safe_load((config_folder() / "inputs" / f"{kind}.yaml").read_text()))
        # critical_norm2 is computed from the network, matrix is another name of gram
        assert listed - {"kind"} == set(allowed_options(kind)) - {"critical_norm2", "matrix"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_composes_and_every_point_builds(name):
    grid = expand([f"experiment={name}"])
    points = [point_from(composed.config, composed.overrides) for composed in grid]
    assert len({point.experiment.id for point in points}) == len(points) >= 1
    assert grid[0].config["title"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_configs_hold_data_only(path):
    text = path.read_text()
    assert not re.search(r"\$\{[^}]*:|_target_|!!|lambda|eval", text)  # no resolver, no code
    assert not re.search(r"/(home|root|Users|tmp)/", text)
    data = yaml.safe_load(text)
    assert isinstance(data, dict)


def test_the_lists_name_every_experiment(capsys):
    printed = netsim(capsys, "list experiments").out
    assert all(name in printed for name in EXPERIMENTS)


def test_what_does_not_decide_the_numbers_is_not_in_the_id():
    def id_of(*words: str) -> str:
        (composed,) = expand(["network.width=4", "network.depth=1", *words])
        return point_from(composed.config).experiment.id

    same = [
        "run.draws=1e6",
        "run.target=0.1",
        "out=x",
        "title=t",
        "run.checkpoint_seconds=1",
        "group=g",
    ]
    assert {id_of(word) for word in same} == {id_of()}
    other = [
        "run.seed=1", "run.dtype=float64", "sampler=dense", "network.width=5", "inputs.norm2=2",
        "quantities=[kappa2]", "network.weight_variance=1.5", "run.estimators=[raw]",
    ]  # fmt: skip
    assert len({id_of(), *map(id_of, other)}) == 1 + len(other)


def test_widths_of_an_experiment_need_no_nulls(tmp_path, monkeypatch):
    import shutil

    shutil.copytree(config_folder(), tmp_path / "configs")
    monkeypatch.setattr("netsim.cli.compose.config_folder", lambda: tmp_path / "configs")

    def write(network: str) -> None:
        text = f"# @package _global_\ntitle: t\nnetwork: {network}\n"
        (tmp_path / "configs" / "experiment" / "mine.yaml").write_text(text)

    write("{widths: [3, 2]}")
    (composed,) = expand(["experiment=mine"])
    assert point_from(composed.config).experiment.network.widths == (3, 2)
    write("{widths: [3, 2], depth: 2}")
    with pytest.raises(ValueError, match="leave out network.depth=2"):
        point_from(expand(["experiment=mine"])[0].config)
    write("{width: 5, depth: 2}")
    (composed,) = expand(["experiment=mine", "network.widths=[4]"])
    assert point_from(composed.config).experiment.network.widths == (4,)


def test_a_misspelt_key_in_an_experiment_is_found(tmp_path):
    with pytest.raises(ValueError, match="no key 'quantites'. Did you mean quantities"):
        point_from(compose_one([]) | {"quantites": ["kappa2"]})
    with pytest.raises(ValueError, match="run has no key 'drws'. Did you mean draws"):
        point_from(compose_one([]) | {"run": {"drws": 1}})
    with pytest.raises(ValueError, match="must hold keys"):
        point_from(compose_one([]) | {"run": 3})
    with pytest.raises(ValueError, match="inputs=3: must hold kind"):
        point_from(compose_one([]) | {"inputs": 3})
