"""Bad input: a sentence that says what was given and what to do, exit code 2, no traceback."""

from __future__ import annotations

import numpy as np
import pytest

from command import netsim

# (command line, words that the sentence must contain)
NETWORK = [
    ("network.activation=rellu", "unknown activation 'rellu'; did you mean 'relu'"),
    ("network.activation=relu(3)", "relu takes no parameters"),
    ("network.activation=slopes(1)", "slopes(1)"),
    ("network.activation=polynomial([1])", "degree >= 1"),
    ("network.activation=", "activation '' is not a name"),
    ("network.activation=null", "network.activation=null: needs a value"),
    ("network.weights=gausian sampler=dense", "Did you mean 'gaussian'"),
    ("network.weights=sparse(2) sampler=dense", "density p must lie in (0, 1]"),
    ("network.weights=uniform", "conditional sampler needs gaussian weights, got uniform"),
    ("network.weights=student_t(2) sampler=dense", "nu must lie in (2, 10^6]"),
    ("network.weights=student_t(5) sampler=dense", "cum[z1a^6]@2 does not exist with student_t(5)"),
    ("network.weights=complex sampler=dense", "neurons would be complex"),
    (
        'network.weights=orthogonal sampler=dense network.width=1 "quantities=[cum[z1a^2 z2a^2]]"',
        "looks at neuron 2, but layer 2 has 1",
    ),
    ("network.width=0", "width=0: must be a whole number >= 1"),
    ("network.width=-3", "width=-3: must be a whole number >= 1"),
    ("network.width=2.5", "width=2.5: must be a whole number >= 1"),
    ("network.width=true", "network.width=true: must be a number"),
    ("network.width=abc", "width='abc': must be a whole number >= 1"),
    ("network.width=null", "give width and depth"),
    ("network.width=3000000000", "must be at most 2147483647"),
    ("network.depth=0", "depth=0: must be a whole number >= 1"),
    ("network.widths=[5,10] network.width=5", "leave out network.width=5"),
    ("network.widths=[5,10] network.depth=2", "leave out network.depth=2"),
    ("network.widths=[]", "must list at least one hidden width"),
    ("network.widths=5", "must list at least one hidden width"),
    ("network.widths=[5,0]", "must be a whole number >= 1"),
    ("network.weight_variance=-1", "a variance must be a finite number > 0"),
    ("network.weight_variance=nan", "a variance must be a finite number > 0"),
    ("network.weight_variance=[1,2]", "depth+1 = 9"),
    ("network.weight_variance=true", "network.weight_variance=true: must be a number"),
    ("network.weight_variance=critcal", "must be a number or depth+1 numbers"),
    ("network.bias_variance=-0.1", "a variance must be a finite number >= 0"),
    ("network.outputs=0", "outputs=0: must be a whole number >= 1"),
    ("network.weight_variance=0.02 network.depth=20", "outside 1e-35"),
    ("network.weight_variance=1000 network.depth=64", "leave the range of float64"),
    ("network.weight_variance=0.02 network.depth=30 run.dtype=float64", "its power 8 leaves"),
]
INPUTS = [
    ("inputs=digit", "inputs=digit does not exist. Did you mean digits?"),
    ("inputs.angle=20", "inputs=single has no option 'angle'; inputs=pair has"),
    ("inputs.norm=1", "Did you mean inputs.norm2?"),
    ("inputs.norm2=nan", "norm2=nan: must be a finite number"),
    ("inputs.norm2=-1", "norm2=-1: must be a finite number"),
    ("inputs.norm2=critical", "no single critical kernel"),
    ("inputs=pair inputs.angle=x", "angle='x': must be a finite number"),
    ("inputs=digits inputs.classes=[3,11]", "digits are 0..9"),
    ("inputs.gram=[[1,2],[2,1]]", "not positive semi-definite"),
    ("inputs.gram=[[1,2],[3,1]]", "not symmetric"),
    ("inputs.gram=[[1,nan],[nan,1]]", "must be finite"),
    ("inputs.gram=[[1,2]]", "must be square"),
    ("inputs=single inputs.gram=[[1,0],[0,1]]", "inputs=gram has: add one of these"),
    ("inputs=file", "inputs.path needs a value: add inputs.path=..."),
    ("inputs.path=none.npy", "none.npy: does not exist"),
    ("inputs.path=7", "7: does not exist"),
    ("inputs.path=.", "is a folder"),
    ("inputs.path=empty.npy", "the file is empty"),
    ("inputs.path=objects.npy", "could run code"),
    ("inputs.path=text.npy", "not a .npy file"),
    ("inputs.path=cut.npy", "cut off"),
    ("inputs.path=nan.npy", "contain nan at row 1, column 2"),
    ("inputs.path=inf.npy", "contain inf at row 1, column 2"),
    ("inputs.path=flat.npy", "array.reshape(1, -1)"),
    ("inputs.path=cube.npy", "(2, 3, 4): must be (A, n_0)"),
    ("inputs.path=complex.npy", "must be real numbers"),
    ("inputs.path=tall.npy inputs.dimension=3", "it looks transposed: save array.T"),
    ("inputs.path=tall.npy inputs.labels=labels.npy", "it looks transposed: save array.T"),
    ("inputs.path=zero.npy inputs.norm2=1", "cannot be scaled"),
]
QUANTITIES = [
    ("quantities=[kapa4]", "kapa4"),
    ("quantities=kappa5", "Did you mean 'kappa"),
    ("quantities=[]", "quantities is empty"),
    ("quantities=null", "quantities is empty"),
    ("quantities=3", "must be a text or a list of texts"),
    ("quantities=[cumm[z1a^4]]", "did you mean 'cum'"),
    ("quantities=[cum[y1a^4]]", "position 5: unknown field 'y', nearest: 'z'"),
    ("quantities=[cum[z1a^4]@44]", "layers are 1..9"),
    ("quantities=[kappa4[b]]", "no input 'b'; inputs: a"),
    ("quantities=[cum[M2a]]", "'M' is not measured yet"),
    ("quantities=[cum[H1_1aa]]", "use sampler=dense"),
    ('"quantities=[cum[z1a\'u^2]]"', "directions none"),
    ('"quantities=[cum[z1a\'uu^2]]" inputs.directions=1', "networks with activation relu have 1"),
    (
        '"quantities=[cum[z1a\'uuu]]" inputs.directions=1 network.activation=tanh',
        "derivatives of order 3 were asked for",
    ),
]
RUN = [
    ("run.draws=100", "at least 64 x 1024 = 65536"),
    ("run.draws=65535", "at least 64 x 1024 = 65536"),
    ("run.draws=many", "run.draws='many': must be a number"),
    ("run.draws=nan", "run.draws=nan: must be a number"),
    ("run.draws=1e12", "at most 2^32 draws"),
    ("run.seed=-1", "from 0 to 2^64 - 1"),
    ("run.seed=1.5", "from 0 to 2^64 - 1"),
    ("run.dtype=float16", "must be one of float32, float64"),
    ("run.target=2", "between 0 and 1"),
    ("run.target=[0.1]", "between 0 and 1"),
    ("run.target=0.1 quantities=[kappa4@2] run.target_quantities=[kappa4]", "is not among"),
    ("run.target=0.1 run.target_quantities=[cum[z1a]]", "is not among the quantities measured"),
    ("run.estimators=[]", "must be out of rao_blackwell, raw"),
    ("run.estimators=naive", "must be out of rao_blackwell, raw"),
    ("run.checkpoint_seconds=-1", "must be a number of seconds >= 0"),
    ("layers=3", "layers=3: must be [first, last]"),
    ("order=9", "order=9: the last power of 1/n kept, 1 to 6"),
    ("layers=[3,2]", "give [first, last]"),
    ("sampler=dens", "must be one of conditional, dense"),
    ("run=x", "run=x does not exist"),
    ("run=3", "run=3 does not exist"),
]
WORDS = [
    ("network.widht=3", "Did you mean network.width?"),
    ("nework.width=3", "Did you mean network.width?"),
    ("draws=1e5", "Did you mean run.draws?"),
    ("width=3", "network.width"),
    ("+foo=3", "there is no config key 'foo'"),
    ("++run.drws=1e5", "Did you mean draws?"),
    ("experiment=depth_to_widht", "Did you mean depth_to_width?"),
    ("hydra.run.dir=x", "out=FOLDER"),
    ("foo", "write key=value"),
    ("=3", "write key=value"),
    ("network.width=3,", "write key=value"),
    ("network.width=${nope}", "nope"),
    ("sweep=[foo]", "'foo' is not an override"),
    ("sweep=foo", "must be a list of lines"),
    ("network.width=4,5", "use `netsim sweep` for a grid"),
    ("--jsno", "Did you mean --json?"),
    ("--cfg jobs", "write --cfg job"),
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with good and bad .npy files, entered."""
    monkeypatch.chdir(tmp_path)
    broken = np.ones((2, 5))
    for name, value in (("nan", np.nan), ("inf", np.inf)):
        broken[1, 2] = value
        np.save(f"{name}.npy", broken)
    np.save("objects.npy", np.array([[{}, 1]], dtype=object), allow_pickle=True)
    np.save("flat.npy", np.ones(5))
    np.save("cube.npy", np.ones((2, 3, 4)))
    np.save("complex.npy", np.ones((2, 3)) * 1j)
    np.save("zero.npy", np.zeros((1, 3)))
    np.save("tall.npy", np.arange(6.0).reshape(3, 2))
    np.save("labels.npy", np.arange(2.0))
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "text.npy").write_text("1 2 3")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "tall.npy").read_bytes()[:-9])
    return tmp_path


@pytest.mark.parametrize(("words", "said"), NETWORK + INPUTS + QUANTITIES + RUN + WORDS)
def test_refused_in_words(capsys, files, words, said):
    ended = netsim(capsys, f"simulate {words}")
    assert said in ended.err and ended.err.startswith("netsim: ")
    assert ended.code == 2 and ended.out == ""
    assert "Traceback" not in ended.err and "defect" not in ended.err
    assert not (files / "results").exists()


def test_unknown_verbs_and_topics(capsys):
    for line, said in (
        ("smulate", "Did you mean simulate?"),
        ("--json simulate", "verb expected"),
        ("list activation", "Did you mean activations?"),
        ("list --json", "leave --json out"),
    ):
        ended = netsim(capsys, line)
        assert (ended.code, ended.out) == (2, "") and said in ended.err


def test_a_bad_point_is_told_of_before_any_other_runs(capsys, files):
    ended = netsim(
        capsys, "sweep network.activation=relu,rellu network.width=4 network.depth=1 out=x"
    )
    assert ended.code == 2 and "did you mean 'relu'" in ended.err
    assert "(in the point network.activation=rellu" in ended.err
    assert not (files / "x").exists()


def test_predictions_out_of_range_are_refused(capsys):
    ended = netsim(capsys, "predict network.weight_variance=0.01 network.depth=64")
    assert ended.code == 2 and "its power 4 leaves the range" in ended.err and ended.out == ""


@pytest.mark.parametrize("option", ["", "--traceback"])
def test_a_traceback_only_where_asked_for(capsys, option):
    ended = netsim(capsys, f"predict network.width=0 {option}")
    assert ended.code == 2 and "must be a whole number" in ended.err
    assert ("Traceback" in ended.err) == bool(option)


def test_a_defect_says_so(capsys, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("netsim.cli.predict.expand", broken)
    ended = netsim(capsys, "predict")
    assert ended.code == 1 and "unexpected ZeroDivisionError: oops" in ended.err
    assert "--traceback" in ended.err


@pytest.mark.parametrize("error", [MemoryError("3 TiB"), RuntimeError("RESOURCE_EXHAUSTED: x")])
def test_memory_that_runs_out_is_told(capsys, monkeypatch, error):
    def broken(*_):
        raise error

    monkeypatch.setattr("netsim.cli.predict.expand", broken)
    ended = netsim(capsys, "predict")
    assert ended.code == 2 and "out of memory" in ended.err
