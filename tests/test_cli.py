"""The command as a newcomer uses it: verbs, options, JSON, grids, completion, what it loads."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from command import netsim
from netsim.cli.complete import complete
from netsim.cli.grid import expand
from netsim.cli.main import main
from netsim.cli.words import pieces, values
from netsim.rows import COLUMNS

TINY = "network.width=4 network.depth=1 quantities=[kappa4]"


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- words ----------------------------------------------------------------------------------------


def test_values_that_hydra_cannot_read_are_quoted():
    assert values("network.activation=leaky_relu(0.1),relu") == [
        "network.activation='leaky_relu(0.1)'",
        "network.activation=relu",
    ]
    assert values("quantities=[cum[z1a'u^2 z2a],kappa4]") == [
        'quantities=["cum[z1a\'u^2 z2a]",kappa4]'
    ]
    assert values("a=range(1,4)") == ["a=1", "a=2", "a=3"]  # what Hydra can read stays its own
    assert values("inputs.gram=[[1,.5],[.5,1]]") == ["inputs.gram=[[1,.5],[.5,1]]"]
    (quoted,) = expand(["quantities=[cum[z1a'u^2],mom[z1a]]", "network.activation=slopes(1, 0.5)"])
    assert quoted.config["quantities"] == ["cum[z1a'u^2]", "mom[z1a]"]
    assert quoted.config["network"]["activation"] == "slopes(1, 0.5)"


def test_pieces_respect_brackets_and_quotes():
    assert pieces("a[1,2],b,'c,d'", ",") == ["a[1,2]", "b", "'c,d'"]
    assert pieces("x=[cum[z1a'u z2b'v]] y=2", " ") == ["x=[cum[z1a'u z2b'v]]", "y=2"]


# --- grids ----------------------------------------------------------------------------------------


def test_a_grid_multiplies_out_and_keeps_each_point_once():
    points = expand(["network.activation=relu,tanh", "network.width=4,5,4"])
    assert [tuple(p.config["network"][k] for k in ("activation", "width")) for p in points] == [
        ("relu", 4), ("relu", 5), ("tanh", 4), ("tanh", 5),
    ]  # fmt: skip


_LINE = '"group={0} network.activation={1} network.width={2} network.depth={3} run.seed={4}"'
_SAME = '\\"{}, L = n\\"'  # quotes within the quotes of a line
_LINES = [
    (_SAME.format("tanh"), "tanh", 4, 4, 1), (_SAME.format("tanh"), "tanh", 5, 5, 1),
    (_SAME.format("erf"), "erf", 4, 4, 2), ("several", "sin", "4,5", 3, 3),
]  # fmt: skip
GROUPS = f"sweep=[{','.join(_LINE.format(*line) for line in _LINES)}]"


@pytest.mark.parametrize(
    ("given", "expected", "merged"),
    [  # (label, seed) of every point
        ("run.draws=1e5", [("tanh, L = n", 1), ("tanh, L = n", 1), ("erf, L = n", 2),
                           ("several", 3), ("several", 3)], 0),
        ("network.activation=tanh", [("tanh, L = n", 1), ("tanh, L = n", 1), (None, 3), (None, 3)], 1),
        ("network.width=5", [(None, 1), ("tanh, L = n", 1), (None, 2), ("several", 3)], 0),
        ("network.width=4 network.depth=4 network.activation=erf", [("erf, L = n", 2)], 3),
        ("network.widths=[6,6] network.activation=erf", [(None, 1)], 3),
        ("network.weight_variance=2", [(None, 1), (None, 1), (None, 2), (None, 3), (None, 3)], 0),
        ("group=mine network.activation=gelu network.width=4 network.depth=1", [("mine", 1)], 3),
        ("run.seed=7 group=mine network.activation=gelu network.width=4 network.depth=1",
         [("mine", 7)], 3),
    ],
)  # fmt: skip
def test_labels_that_the_command_line_makes_untrue_are_dropped(given, expected, merged):
    points = expand([GROUPS, *given.split()])
    labels = [(point.config.get("group"), point.config["run"]["seed"]) for point in points]
    assert labels == expected
    assert sum(len(point.merged) for point in points) == merged


def test_a_sweep_says_that_labels_are_dropped(capsys, scratch):
    ended = netsim(
        capsys,
        f"sweep '{GROUPS}' network.activation=relu network.width=4 network.depth=1 out=mine --quiet",
    )
    assert ended.code == 0
    assert 'untrue: "tanh, L = n", "erf, L = n"' in ended.err
    assert "left out, equal to others" in ended.err
    table = (scratch / "mine" / "table.csv").read_text()
    assert "tanh" not in table and "relu (C_W=2, C_b=0)" in table


def test_given_words_replace_those_of_the_lines():
    lines = (
        'sweep=["inputs=pair inputs.angle=30 network.width=4,5","inputs=circle network.width=6"]'
    )
    assert len(expand([lines])) == 3
    assert [p.config["network"]["width"] for p in expand([lines, "network.width=8"])] == [8, 8]
    others = expand([lines, "inputs=single"])
    assert {p.config["inputs"]["kind"] for p in others} == {"single"} and len(others) == 3
    gram = expand([lines, "inputs.gram=[[1,0],[0,1]]"])
    assert {p.config["inputs"]["kind"] for p in gram} == {"gram"}
    layers = expand([lines, "network.widths=[3,2]"])
    assert [p.config["network"]["widths"] for p in layers] == [[3, 2]] * 2
    assert all(p.config["network"]["width"] is None for p in layers)


def test_widths_alone_take_the_place_of_the_defaults(capsys):
    short = json.loads(netsim(capsys, "predict network.widths=[5,10] --json quantities=kappa4").out)
    nulls = "network.width=null network.depth=null"
    line = f"predict network.widths=[5,10] {nulls} --json quantities=kappa4"
    assert short == json.loads(netsim(capsys, line).out) and {r["layer"] for r in short} == {2, 3}


def test_a_gram_matrix_names_its_kind(capsys):
    line = "predict inputs.gram=[[1,.5],[.5,1]] 'quantities=[cum[z1a z1b]]' --json network.depth=1"
    rows = json.loads(netsim(capsys, line).out)
    assert {row["inputs"] for row in rows} == {"a,b"}


# --- verbs ----------------------------------------------------------------------------------------


def test_simulate_prints_rows_beside_predictions(capsys, scratch):
    ended = netsim(capsys, f"simulate {TINY}")
    assert ended.code == 0 and "kappa4[a]@2" in ended.out and "exact" in ended.out
    assert "65,536 of 65,536 draws" in ended.err and "Page: " in ended.err
    (folder,) = (scratch / "results" / "simulate").iterdir()
    assert {p.name for p in folder.iterdir()} == {"points", "table.csv", "index.html"}


def test_json_is_all_that_stands_on_stdout(capsys):
    ended = netsim(capsys, f"simulate {TINY} --json")
    rows = json.loads(ended.out)
    assert ended.code == 0 and all(tuple(row) == COLUMNS for row in rows)
    assert {row["source"].split(":")[0] for row in rows} == {"estimator", "theory"}
    assert tuple(json.loads(netsim(capsys, f"predict {TINY} --json").out)[0]) == COLUMNS


def test_numbers_that_are_none_become_null(capsys):
    np.save("zero.npy", np.zeros((1, 3)))  # a dead network: 0/0
    line = f"simulate {TINY} quantities=[kappa4/kappa2^2,logcum[Saa]] inputs.path=zero.npy --json"
    ended = netsim(capsys, line)
    assert ended.code == 0 and "NaN" not in ended.out
    rows = json.loads(ended.out)
    undefined = [row["value"] for row in rows if "undefined" in row["flags"]]
    assert undefined and set(undefined) == {None}


def test_a_sweep_and_what_follows_it(capsys, scratch):
    ended = netsim(capsys, f"sweep {TINY} network.width=4,5 out=mine --json --quiet")
    rows = json.loads(ended.out)
    assert ended.code == 0 and len({row["id"] for row in rows}) == 2 and "Page" in ended.err
    assert json.loads(netsim(capsys, "report out=mine --json").out) == sorted(
        rows, key=lambda row: row["id"]
    )
    status = json.loads(netsim(capsys, f"status {TINY} network.width=4,5,6 out=mine --json").out)
    assert [line["state"] for line in status] == ["done", "done", "missing"]
    assert [line["draws"] for line in status] == [65536, 65536, 0]
    (scratch / "mine" / "index.html").unlink()
    assert (
        netsim(capsys, "report out=mine").code == 0 and (scratch / "mine" / "index.html").exists()
    )
    # another config in the same folder leaves what is there alone, and says so
    ended = netsim(capsys, f"simulate {TINY} network.width=6 out=mine")
    assert "also holds 2 points of other configs" in ended.err
    assert len(json.loads(netsim(capsys, "status out=mine --json").out)) == 3


def test_multirun_is_accepted(capsys):
    ended = netsim(capsys, f"simulate -m {TINY} network.width=4,5 --quiet out=mine")
    assert ended.code == 0 and ended.out.count("65,536 draws") == 2
    assert netsim(capsys, f"predict --multirun {TINY} network.width=4,5").code == 0


def test_the_config_can_be_looked_at(capsys):
    ended = netsim(capsys, "simulate --cfg job network.width=7")
    assert ended.code == 0 and "width: 7" in ended.out and ended.err == ""
    assert json.loads(netsim(capsys, "simulate --cfg job --json").out)[0]["run"]["draws"] == 65536
    assert netsim(capsys, "sweep --cfg job network.width=4,5").out.count("\n---\n") == 1


def test_help_version_and_lists(capsys):
    for line in ("", "--help", "simulate --help", "--version", "--completion", "list"):
        ended = netsim(capsys, line)
        assert ended.code == 0 and ended.out and not ended.err
    for topic in ("activations", "weights", "inputs", "quantities", "aliases", "experiments"):
        assert netsim(capsys, f"list {topic}").out.strip()


def test_folders_without_results(capsys, scratch):
    for verb in ("status", "report"):
        ended = netsim(capsys, f"{verb} out=nowhere")
        assert ended.code == 3 and "nowhere holds no results" in ended.err
    (scratch / "mine").mkdir()
    assert "Did you mean out=mine?" in netsim(capsys, "report mine").err


def test_a_reader_that_goes_away_is_no_error(monkeypatch):
    class Gone:
        def write(self, text):
            raise BrokenPipeError

        def flush(self):
            pass

    monkeypatch.setattr("sys.stdout", Gone())
    code = main(["list"])
    monkeypatch.undo()
    assert code == 0


# --- numbers at the edges --------------------------------------------------------------------------


def estimates(capsys, line: str) -> dict[str, tuple[float, float]]:
    rows = json.loads(netsim(capsys, f"{line} --json --quiet").out)
    return {
        f"{row['alias']}@{row['layer']}": (row["value"], row["error"])
        for row in rows
        if row["alias"] and row["source"].startswith("estimator:")
    }


def test_duplicate_inputs_and_one_neuron(capsys):
    np.save("twice.npy", np.ones((2, 5)))
    line = (
        "simulate inputs.path=twice.npy network.width=1 network.depth=2 quantities=[kappa2,kappa4]"
    )
    found = estimates(capsys, line)
    assert len(found) == 8
    for name in ("kappa2", "kappa4"):
        for layer in (2, 3):
            assert found[f"{name}[a]@{layer}"] == found[f"{name}[b]@{layer}"]
    value, error = found["kappa2[a]@3"]
    assert abs(value - 2) < 5 * error


def test_zero_input(capsys):
    np.save("zero.npy", np.zeros((1, 3)))
    line = (
        "simulate inputs.path=zero.npy network.width=4 network.depth=2 quantities=[kappa2,kappa4]"
    )
    assert set(estimates(capsys, line).values()) == {(0.0, 0.0)}


@pytest.mark.parametrize(("C_W", "depth", "size"), [(0.02, 12, 1e-24), (20, 10, 1e10)])
def test_far_from_criticality(capsys, C_W, depth, size):
    line = (
        f"simulate network.weight_variance={C_W} network.depth={depth} quantities=[kappa2,kappa4]"
    )
    value, error = estimates(capsys, line)[f"kappa2[a]@{depth + 1}"]
    exact = C_W * (C_W / 2) ** depth  # K^(L+1) = C_W (C_W/2)^L |x|^2/n_0 for ReLU without biases
    assert 0.5 < exact / size / C_W < 2 and abs(value - exact) < 5 * error < exact


# --- completion and imports ------------------------------------------------------------------------


def test_completion_of_verbs_groups_keys_and_values():
    assert complete(["netsim si"]) == ["simulate "]
    assert complete(["netsim  pre"]) == ["predict "]
    assert complete(["netsim simulate network.wi"]) == ["network.width=", "network.widths="]
    assert complete(["netsim simulate inputs=di"]) == ["inputs=digits "]
    assert complete(["netsim simulate inputs.an"]) == ["inputs.angle="]
    assert complete(["netsim sweep network.activation=relu,ta"]) == ["network.activation=relu,tanh"]
    assert complete(["netsim sweep experiment=d"]) == ["experiment=depth_to_width "]
    assert complete(["netsim list q"]) == ["quantities "]
    assert complete(["netsim sweep --j"]) == ["--json "]
    assert complete(["netsim simulate zzz"]) == []


def test_completion_in_bash(scratch):
    (scratch / "netsim").write_text(f'#!/bin/sh\nexec {sys.executable} -m netsim.cli.main "$@"\n')
    (scratch / "netsim").chmod(0o755)
    script = f"""
PATH={scratch}:$PATH
netsim() {{ {sys.executable} -c 'import sys; from netsim.cli.main import main; main()' "$@"; }}
eval "$(netsim --completion)"
COMP_LINE="netsim simulate network.weig"; COMP_POINT=${{#COMP_LINE}}
_netsim
printf '%s|' "${{COMPREPLY[@]}}"
complete -p netsim
"""
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert ended.stdout.startswith("network.weights=|network.weight_variance=|") or (
        ended.stdout.startswith("network.weight_variance=|network.weights=|")
    )
    assert "-F _netsim netsim" in ended.stdout


@pytest.mark.parametrize(
    ("line", "unwanted"),
    [
        ("--help", {"jax", "hydra", "numpy", "omegaconf", "matplotlib"}),
        ("list aliases", {"jax", "hydra", "matplotlib"}),
        ("--complete 'netsim sweep network.activation=re'", {"jax", "hydra", "numpy"}),
        (f"predict {TINY}", {"jax"}),
        ("status out=nowhere", {"jax"}),
        ("report out=nowhere", {"jax"}),
    ],
)
def test_what_is_loaded(line, unwanted):
    code = (
        "import shlex, sys; from netsim.cli.main import main; main(shlex.split(sys.argv[1]));"
        "print('loaded', *sorted(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code, line], capture_output=True, text=True)
    loaded = set(ended.stdout.rsplit("loaded ", 1)[1].split())
    assert not loaded & unwanted, ended.stderr


def test_log_moments_with_other_weights(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = "sampler=dense network.weights=uniform network.width=4 network.depth=1"
    ended = netsim(capsys, f"simulate {words} quantities=[logcum[Saa]@1] --quiet")
    assert ended.code == 0, ended.err
