"""The `netsim` command: parses the verb, hands over, and turns every failure into one sentence.

Exit codes: 0 success; 1 a claim or comparison failed; 2 bad input; 3 results could not be read or
written; 130/143 after Ctrl-C/SIGTERM with a checkpoint written.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys

__all__ = ["main"]

VERBS = {
    "sweep": "run a grid of points and write table and page (no argument: the main job)",
    "simulate": "run one point and print its rows beside the predictions",
    "predict": "print what theory says, without drawing anything",
    "tune": "every critical point of an activation: couplings, class, laws of large depth",
    "advise": "will infinite width do? corrections, fluctuations, orders and widths for 1%",
    "verify": "run the claims of theory as checks (no name: list them)",
    "report": "write table and page again from stored results",
    "status": "show what a results folder holds and what is missing",
    "list": "activations, weights, inputs, quantities, experiments, aliases",
}

HELP = f"""netsim: Monte Carlo simulation of random neural networks, with theory beside it.

usage: netsim VERB [options] [key=value ...]

verbs
{chr(10).join(f"  {verb:<10} {what}" for verb, what in VERBS.items())}

options
  --json           rows as one JSON array on stdout, nothing else there
  --cfg job        print the composed config and stop
  --multirun, -m   accepted: comma-separated values make a grid anyway (simulate -m is sweep)
  --symbolic       predict: formula, recursion, closed form and series, as SymPy and LaTeX
  --thorough       verify: 16 times as many draws
  --quiet          no progress
  --traceback      show where an error came from
  --completion     print a completion script: eval "$(netsim --completion)" in bash or zsh
  --version        print the version

keys (see `netsim simulate --cfg job`; comma-separated values make a grid in `sweep`)
  network.activation=relu network.width=64 network.depth=8 network.widths=[64,32]
  network.weight_variance=2 network.bias_variance=0
  network.weights=gaussian|uniform|rademacher|sparse(p)|student_t(nu)|orthogonal
  inputs=single|pair|sphere|circle|gram|digits|file inputs.norm2=1 inputs.gram=[[1,.5],[.5,1]]
  quantities=[kappa2,kappa4] sampler=conditional|dense
  run.draws=65536 run.seed=0 run.target=0.01 run.dtype=float32 run.mixture=auto|true|false
  out=FOLDER experiment=NAME
  predict also takes order=3 (last power of 1/n kept, 1 to 6) and coefficients: cum[z1a^4]@out~1
  tune takes activation=NAME kernel=K1 tolerance=0.05 layers=1024 (deepest network tried) only
  advise takes activation=NAME depth=L width=n weight_variance bias_variance norm2 accuracy=0.01 only

examples
  netsim sweep
  netsim simulate network.activation=tanh network.width=128 network.depth=16 run.draws=1e6
  netsim predict network.activation=gelu inputs=pair inputs.angle=30 "quantities=[cum[z1a z1b]]"
  netsim sweep network.activation=relu,tanh network.width=32,64 network.depth=32 out=results/mine
  netsim tune activation=gelu
  netsim advise activation=relu,tanh depth=16 width=256
  netsim verify hierarchy
"""

_FLAGS = {
    "--json": "json", "--symbolic": "symbolic", "--thorough": "thorough", "--quiet": "quiet",
    "--traceback": "traceback",
}  # fmt: skip


class Usage(ValueError):
    """The command line itself is wrong."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code (the console script exits with it)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] == "--complete":
        from netsim.cli.complete import complete

        print("\n".join(complete(words[1:])))
        return 0
    code, leave = _guarded(words)
    if leave and arguments is None:
        # a compilation may still run in its thread, or the output be gone: do not wait for either
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    return code


def _guarded(words: list[str]) -> tuple[int, bool]:
    """(exit code, whether to leave at once); every failure is told in words on stderr."""
    from netsim.run.interrupt import Interrupted, Terminated, termination_raises

    try:
        with termination_raises():
            code = _dispatch(words)
            sys.stdout.flush()
            return code, False
    except BrokenPipeError:  # the reader of our output has gone, e.g. `| head`
        return 0, True
    except (Interrupted, KeyboardInterrupt, Terminated) as stop:
        code, message = _stopped(stop, words[0])
        print(f"netsim: {message}", file=sys.stderr)
        return code, True
    except Exception as error:
        if "--traceback" in words:
            import traceback

            traceback.print_exc()
        code, message = _explained(error)
        print(f"netsim: {message}", file=sys.stderr)
        return code, isinstance(error, OSError)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if words[0] == "--version":
        from netsim import __version__

        print(f"netsim {__version__}")
        return 0
    if words[0] == "--completion":
        from netsim.cli.complete import SCRIPT

        print(SCRIPT, end="")
        return 0
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        from netsim.cli.words import nearest

        kind = "verb expected, got" if verb.startswith("-") or "=" in verb else "unknown verb"
        raise Usage(
            f"{kind} {verb!r}.{nearest(verb, VERBS)} Verbs: {', '.join(VERBS)}; see netsim --help"
        )
    if "-h" in rest or "--help" in rest:
        print(f"netsim {verb}: {VERBS[verb]}\n\n{HELP.split(chr(10) * 2, 1)[1]}", end="")
        return 0
    flags, overrides = _options(rest)
    if flags["symbolic"] and verb != "predict":
        raise Usage(f"--symbolic is an option of predict, not of {verb}")
    if flags["thorough"] and verb != "verify":
        raise Usage(f"--thorough is an option of verify, not of {verb}")
    module = {"list": "listing"}.get(verb, verb)
    return importlib.import_module(f"netsim.cli.{module}").run(overrides, flags)


def _options(words: list[str]) -> tuple[dict[str, bool], list[str]]:
    flags = {name: False for name in (*_FLAGS.values(), "cfg", "multirun")}
    overrides, words = [], list(words)
    while words:
        word = words.pop(0)
        if word in _FLAGS:
            flags[_FLAGS[word]] = True
        elif word in ("--cfg", "-c") or word.startswith("--cfg="):
            what = word.partition("=")[2] or (words.pop(0) if words else "")
            if what not in ("job", "all"):
                raise Usage(f"--cfg {what}: write --cfg job")
            flags["cfg"] = True
        elif word in ("-m", "--multirun"):
            flags["multirun"] = True
        elif word.startswith("-"):
            from netsim.cli.words import nearest

            options = (*_FLAGS, "--cfg job", "--multirun", "--help")
            hint = nearest(word, options)
            raise Usage(f"unknown option {word!r}.{hint} Options: {', '.join(options)}")
        else:
            overrides.append(word)
    return flags, overrides


def _stopped(stop: BaseException, verb: str) -> tuple[int, str]:
    from netsim.run.interrupt import Interrupted, Terminated

    if isinstance(stop, Interrupted):
        return stop.exit_code, (
            f"stopped by {stop} with everything drawn so far saved; the same command goes on from there"
        )
    code, name = (143, "SIGTERM") if isinstance(stop, Terminated) else (130, "SIGINT")
    kept = "what was saved before stays, and the same command"
    if verb in ("sweep", "simulate", "verify"):
        return (
            code,
            f"stopped by {name}; {kept} {'begins again' if verb == 'verify' else 'goes on'}",
        )
    return (
        code,
        f"stopped by {name}; {verb} stores nothing on its way: the same command begins again",
    )


def _explained(error: Exception) -> tuple[int, str]:
    """(exit code, one sentence or a few)."""
    from netsim.store.points import StoreError

    if isinstance(error, StoreError):
        return 3, str(error)
    if isinstance(error, ValueError):
        return 2, str(error)
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        return 2, f"out of memory ({error}); use smaller widths or fewer inputs"
    if isinstance(error, OSError):
        return 3, f"{error.filename or 'the output'}: {error.strerror or error}"
    return 1, (
        f"unexpected {type(error).__name__}: {error}\nThis is a defect of netsim; please report it "
        "with the output of the same command and --traceback."
    )
