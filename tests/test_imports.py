"""Who may import whom, no cycles, and no JAX where none is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "netsim"
# room -> rooms it may import (of netsim; itself always)
ALLOWED = {
    "quantities": set(),
    "rows": set(),
    "networks": {"quantities"},
    "gaussian": {"networks", "quantities"},
    "theory": {"gaussian", "networks", "quantities"},
    "samplers": {"networks", "quantities"},
    "estimators": set(),  # any stream of columns: no networks, no quantities
    "experiment": {"theory", "samplers", "estimators", "networks", "quantities", "rows"},
    "run": {"estimators"},
    "store": {"rows", "compare"},
    "compare": {"rows", "estimators"},  # estimators for the map from t to normal deviates
    "report": {"compare", "store", "rows"},
    "api": {
        "experiment", "run", "store", "compare", "report", "theory", "networks", "samplers",
        "estimators", "quantities", "rows",
    },
    "claims": {
        "api", "experiment", "run", "compare", "theory", "gaussian", "networks", "samplers",
        "estimators", "quantities", "report", "rows",
    },
    "cli": {
        "api", "claims", "experiment", "run", "store", "compare", "report", "networks", "samplers",
        "quantities", "rows",
    },
    "data": set(),
    "__main__": {"cli"},
}  # fmt: skip


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, *, top_level: bool) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level else list(ast.walk(tree))
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return {name for name in names if name.split(".")[0] == "netsim"}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_every_import_is_allowed():
    wrong = []
    for module, path in modules().items():
        own = room(module)
        if not own:
            continue  # netsim/__init__.py resolves names lazily
        for name in imports(path, top_level=False):
            other = room(name)
            known = other in ALLOWED
            if known and other != own and other not in ALLOWED[own]:
                wrong.append(f"{module} imports {name}")
    assert not wrong


def test_there_are_no_import_cycles():
    known = modules()
    graph = {
        module: {name for name in imports(path, top_level=True) if name in known and name != module}
        for module, path in known.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for name in graph[module]:
                visit(name, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize(
    "module",
    [
        "netsim", "netsim.cli.main", "netsim.cli.report", "netsim.cli.status", "netsim.compare",
        "netsim.report.page", "netsim.experiment.experiment", "netsim.api.predict",
        "netsim.estimators", "netsim.networks.input_sets", "netsim.theory.finite_width",
    ],
)  # fmt: skip
def test_no_jax_is_loaded(module):
    code = f"import sys, {module}; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
