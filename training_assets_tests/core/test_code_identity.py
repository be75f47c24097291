"""The code behind a stage is all that it imports of core, and nothing that only draws or stores."""

from __future__ import annotations

import ast

import pytest

from training_assets.core.code_identity import LEFT_OUT, code_version, sources
from training_assets_tests.conftest import ROOT

STAGES = ("raw", "validation", "features", "splits", "encoding", "tuning", "evaluation", "registration", "staging")


def imports_of_core(module: str) -> set[str]:
    """Modules of core that a file imports, found by Python's own parser."""
    package = ROOT / "training_assets"
    found = set()
    for node in ast.walk(ast.parse((package / module).read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            path = package.joinpath(*name.split(".")[1:])
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if name.startswith("training_assets.core") and file.is_file():
                    found.add(file.relative_to(package).as_posix())
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_the_sources_are_closed_under_import(stage: str) -> None:
    found = sources(f"assets/{stage}.py")
    assert f"assets/{stage}.py" in found
    for module in found:
        assert {each for each in imports_of_core(module) if not each.startswith(LEFT_OUT)} <= set(found), module


def test_what_decides_a_result_is_among_its_sources() -> None:
    assert "core/statistics/batches.py" in sources("assets/splits.py")
    assert "core/encoding/preprocessor.py" in sources("assets/tuning.py")
    assert "core/families/forest.py" in sources("assets/tuning.py")
    assert "core/features/expressions.py" in sources("assets/validation.py")


def test_pictures_retrain_nothing() -> None:
    assert not any(module.startswith("core/plots") for stage in STAGES for module in sources(f"assets/{stage}.py"))


def test_versions_of_packages_count() -> None:
    assert code_version("assets/raw.py") != code_version("assets/raw.py", packages=("polars",))


def test_a_missing_source_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        code_version("assets/nothing.py")
