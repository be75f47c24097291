"""The walls of the house: who may import whom, and what must not be imported at all while the code location loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from training_assets_tests.conftest import ROOT

PACKAGE = ROOT / "training_assets"
HEAVY = (
    *("mlflow", "catboost", "sklearn", "optuna", "matplotlib", "pandera", "scipy", "datasketches"),
    *("duckdb", "adbc_driver_manager", "adbc_driver_postgresql", "adbc_driver_sqlite", "feast", "dask", "fastexcel"),
)
EMPTY_PROMISES = {"utils", "util", "helpers", "helper", "common", "types", "constants", "misc", "base_utils"}


def modules(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def imported(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("folder", ["core", "spec"])
def test_core_and_spec_know_neither_dagster_nor_mlflow(folder: str) -> None:
    assert modules(folder)
    guilty = {
        str(path.relative_to(PACKAGE)): name
        for path in modules(folder)
        for name in imported(path)
        if name.split(".")[0] in {"dagster", "mlflow", "dagster_mlflow"}
        or name.startswith(("training_assets.assets", "training_assets.resources", "training_assets.checks"))
    }
    assert guilty == {}


def test_spec_stands_alone() -> None:
    guilty = {name for path in modules("spec") for name in imported(path) if name.startswith("training_assets.")}
    assert {name for name in guilty if not name.startswith("training_assets.spec")} == set()


@pytest.mark.parametrize("folder", ["assets", "checks"])
def test_assets_and_checks_call_no_mlflow_client(folder: str) -> None:
    assert {name for path in modules(folder) for name in imported(path) if name.split(".")[0] == "mlflow"} == set()


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    guilty = {
        str(path.relative_to(PACKAGE)): name
        for path in PACKAGE.rglob("*.py")
        for name in imported(path, top_level_only=True)
        if name.split(".")[0] in {"mlflow", "catboost", "optuna", "matplotlib", "dagster_mlflow"}
    }
    assert guilty == {}


def loaded_by(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(name for name in sys.modules if '.' not in name)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_code_location_loads_without_the_heavy_packages() -> None:
    loaded = loaded_by("from training_assets.definitions import defs; assert defs().resolve_all_asset_keys()")
    assert loaded.isdisjoint(HEAVY)


def test_scoring_loads_without_dagster() -> None:
    loaded = loaded_by("import training_assets.serving")
    assert "dagster" not in loaded
    assert "mlflow" not in loaded


def test_no_module_is_named_after_nothing() -> None:
    assert {path.stem for path in PACKAGE.rglob("*.py")}.isdisjoint(EMPTY_PROMISES)


def test_nothing_is_pickled() -> None:
    names = {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve"}
    guilty = {
        str(path): name for path in PACKAGE.rglob("*.py") for name in imported(path) if name.split(".")[0] in names
    }
    assert guilty == {}


def test_the_environment_is_read_where_a_process_begins_alone() -> None:
    readers = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py") if "os.environ" in path.read_text()}
    assert readers <= {"__init__.py", "definitions.py", "cli", "resources", "serving.py"}


def test_every_module_says_what_lives_there() -> None:
    silent = [path for path in PACKAGE.rglob("*.py") if ast.get_docstring(ast.parse(path.read_text())) is None]
    assert silent == []


def test_pointers_move_in_three_places_and_production_in_one() -> None:
    def calls(path: Path) -> list[ast.Call]:
        tree = ast.parse(path.read_text())
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        return [call for call in found if isinstance(call.func, ast.Attribute) and call.func.attr == "move"]

    moving = {str(path.relative_to(PACKAGE)): calls(path) for path in PACKAGE.rglob("*.py") if calls(path)}
    assert set(moving) == {"assets/registration.py", "assets/staging.py", "resources/releases.py"}
    names = {
        str(where): ast.unparse(call.args[1]) for where, every in moving.items() for call in every if len(call.args) > 1
    }
    assert names == {
        "assets/registration.py": "PRESENT",
        "assets/staging.py": "STAGING",
        "resources/releases.py": "PRODUCTION",
    }
