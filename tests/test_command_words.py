"""What the command says: refusals, coefficients under aliases, lists, completion, how it is left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

import netsim as api
from command import netsim
from netsim.cli.complete import complete
from netsim.cli.compose import compose_one
from netsim.experiment.aliases import ALIASES, named_quantities
from netsim.networks.input_sets import allowed_options, input_kinds
from netsim.quantities import FIELDS, parse, register_field
from netsim.store.claims import write_claims

TINY = "network.width=8 network.depth=2"


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- what is not predicted ------------------------------------------------------------------------


def test_every_reason_is_told_once(capsys):
    ended = netsim(
        capsys, f"predict {TINY} network.activation=gelu quantities=[logcum[Saa],kappa2]"
    )
    told = [line for line in ended.out.splitlines() if "logcum" in line]
    assert ended.code == 0 and told == [
        "no prediction of logcum[Saa]: no prediction for log-moments"
    ]
    line = f"predict {TINY} inputs=pair network.weights=uniform sampler=dense quantities=kappa4"
    told = netsim(capsys, line).out.splitlines()[1:]
    assert told[0] == "no prediction of kappa4[a] (cum[z1a^4]), kappa4[b] (cum[z1b^4]):"
    reasons = [line.partition(": ")[2] for line in told[1:]]
    assert len(reasons) == len(set(reasons)) > 1
    theories = [name for line in told[1:] for name in line.partition(":")[0].split(",")]
    assert len(theories) == len(set(theories))


def test_reasons_beside_json_go_to_stderr(capsys):
    ended = netsim(capsys, f"predict {TINY} quantities=[kappa2~9] --json")
    assert ended.code == 0 and json.loads(ended.out) == []
    assert ended.err.startswith("netsim: no prediction of kappa2[a]~9 (cum[z1a^2]~9):\n")


# --- coefficients ---------------------------------------------------------------------------------


def test_an_alias_names_a_coefficient(capsys):
    """relu at C_W = 2, K = 2: kappa4 of layer l is 5 K^2 (l - 1)/n to first order."""
    words = "quantities=[kappa4@out~1,kappa4/kappa2^2[a]~1,kappa4[a]@2~1]"
    rows = json.loads(netsim(capsys, f"predict {TINY} {words} --json").out)
    found = {(r["alias"], r["layer"]): r["value"] for r in rows if r["alias"]}
    assert found == {
        ("kappa4[a]~1", 3): pytest.approx(40, rel=1e-12),
        ("kappa4[a]~1", 2): pytest.approx(20, rel=1e-12),
        ("kappa4/kappa2^2[a]~1", 2): pytest.approx(5, rel=1e-12),
        ("kappa4/kappa2^2[a]~1", 3): pytest.approx(10, rel=1e-12),
    }
    plain = {
        r["layer"]: r["value"] for r in rows if r["quantity"].startswith("cum") and not r["alias"]
    }
    assert plain == {2: pytest.approx(60), 3: pytest.approx(120)}


@pytest.mark.parametrize("name", ALIASES)
def test_coefficients_have_the_divisor_of_their_alias(name):
    (whole,), (one,) = (
        named_quantities([f"{name}@out"], "a"),
        named_quantities([f"{name}@out~2"], "a"),
    )
    assert (one.divisor, one.quantity.order, one.quantity.layer) == (whole.divisor, 2, "out")
    assert one.alias == f"{whole.alias}~2" and one.quantity.text == f"{whole.quantity.text}~2"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("predict quantities=[kappa4~1@out]", "last: kappa4[a]@9~1"),
        ("predict quantities=[kappa5~1]", "unknown alias 'kappa5'. Did you mean 'kappa"),
        ("simulate quantities=[kappa4~1]", "is predicted, not measured; drop ~"),
    ],
)
def test_what_is_wrong_with_a_coefficient(capsys, line, words):
    ended = netsim(capsys, line)
    assert ended.code == 2 and words in ended.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("predict kappa4@out~1", "Did you mean quantities=[kappa4@out~1]?"),
        ("predict 'cum[z1a z1b]'", 'Did you mean "quantities=[cum[z1a z1b]]"?'),
        ("predict quantities=[kapp4@out~1]", "Did you mean 'kappa4'?"),
        ("predict quantities=[kapp4/kappa2^2@3]", "Did you mean 'kappa4"),
        ("verify out=", "out= needs a folder"),
    ],
)
def test_hints(capsys, line, words):
    ended = netsim(capsys, line)
    assert ended.code == 2 and words in ended.err


def test_an_observable_without_its_braces(monkeypatch):
    monkeypatch.setattr("netsim.quantities.FIELDS", FIELDS | {})
    register_field("braced", 2, "a test's own")
    for text in ("cum[bracedab]", "mom[bracedab^2]"):
        with pytest.raises(ValueError, match=r"written in braces: \{braced\}ab"):
            parse(text)


def test_predict_needs_no_sampler(capsys):
    """H, dH of wide layers, g and other weights: nothing is drawn, so nothing needs a sampler."""
    words = '"quantities=[cum[g2a]@out,cum[H1_2aa^2]@out,cum[dH1_1_1aaa z1a]@out]"'
    ended = netsim(capsys, f"predict {words} network.activation=gelu network.depth=3 --json")
    assert ended.code == 0
    net = api.network("gelu", width=64, depth=3)
    own = api.predict(
        net, api.inputs("single"), ["cum[g2a]@out", "cum[H1_2aa^2]@out", "cum[dH1_1_1aaa z1a]@out"]
    )
    rows = json.loads(ended.out)
    assert [row["value"] for row in rows] == [row["value"] for row in own]
    assert {row["quantity"] for row in rows} == {row["quantity"] for row in own}
    other = netsim(capsys, "predict network.weights=orthogonal quantities=[kappa2] network.depth=1")
    assert other.code == 0


def test_folders_of_claims(capsys, tmp_path):
    write_claims(tmp_path, [{"body": "b", "name": n, "verdict": "holds"} for n in "xy"])
    ended = netsim(capsys, f"status out={tmp_path}")
    assert ended.code == 0 and "2 claims of `netsim verify` (2 holds)" in ended.out
    assert json.loads(netsim(capsys, f"status out={tmp_path} --json").out) == []
    listed = netsim(capsys, "list claims").out
    assert listed.removeprefix("netsim verify NAME\n") == netsim(capsys, "verify").out


def test_verify_tries_its_folder_first(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("netsim.claims.run.run_claim", lambda *_: pytest.fail("ran"))
    ended = netsim(capsys, f"verify hierarchy.neurons out={tmp_path / 'file' / 'inside'}")
    assert ended.code == 3 and ended.err


# --- lists and completion -------------------------------------------------------------------------


def test_listed_inputs_are_what_the_command_takes(capsys):
    lines = netsim(capsys, "list inputs").out.splitlines()[1:-1]
    listed = {line.split()[0]: line.split(maxsplit=1)[1].split(", ") for line in lines}
    assert set(listed) == set(input_kinds())
    for kind, options in listed.items():
        path = ["inputs.path=x.npy"] if kind == "file" else []
        config = compose_one([f"inputs={kind}", *path])["inputs"]
        assert set(options) == set(config) - {"kind"}
        assert set(allowed_options(kind)) - set(options) <= {"critical_norm2", "matrix"}
    for word in ("inputs=single inputs.critical_norm2=1", "inputs=gram inputs.matrix=[[1]]"):
        ended = netsim(capsys, f"predict {word}")
        assert ended.code == 2 and "there is no config key" in ended.err


def test_listed_activations(capsys):
    text = netsim(capsys, "list activations").out
    assert "inf" not in text and "relu        critical at C_W=2, C_b=0, every K is K*;" in text
    assert "softplus    no critical point\n" in text and "netsim tune activation=NAME" in text


def test_completion_of_names_with_parameters():
    assert complete(["netsim simulate network.weights=s"]) == [
        "network.weights=sparse(", "network.weights=student_t(",
    ]  # fmt: skip
    assert complete(["netsim tune activation=po"]) == ["activation=polynomial("]
    assert complete(["netsim sweep network.weights=u"]) == ["network.weights=uniform "]


# --- how it is started and stopped ----------------------------------------------------------------


def test_python_m_netsim():
    words = [sys.executable, "-m", "netsim"]
    ended = subprocess.run([*words, "--version"], capture_output=True, text=True)
    assert ended.returncode == 0 and ended.stdout.startswith("netsim ")
    assert subprocess.run([*words, "nothing"], capture_output=True).returncode == 2


@pytest.mark.parametrize(("verb", "function"), [("predict", "predict"), ("tune", "tune")])
def test_verbs_that_store_nothing_say_so(capsys, monkeypatch, verb, function):
    stop = lambda *_, **__: signal.raise_signal(signal.SIGTERM)  # noqa: E731
    monkeypatch.setattr(f"netsim.api.{verb}.{function}", stop)
    ended = netsim(capsys, f"{verb} {'activation=relu' if verb == 'tune' else TINY}")
    assert ended.code == 143 and ended.out == ""
    assert ended.err == (
        f"netsim: stopped by SIGTERM; {verb} stores nothing on its way: the same command begins again\n"
    )


def test_words_count_a_number_once(capsys):
    ended = netsim(capsys, f"simulate {TINY} quantities=[kappa4,kappa2] --quiet")
    last = ended.out.splitlines()[-1]
    assert "65,536 draws (weighted); 4 rows, 4 pulls, largest " in last and "@" in last
    assert len(ended.out.splitlines()) == 4 + 3  # the head, a blank and the summary besides
