from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.core.own_code import identity

FILES = {
    "family.py": "from helper import DEPTH\nimport team.scores as scores\nimport numpy\n",
    "helper.py": "DEPTH = 2\n",
    "team/__init__.py": "",
    "team/scores.py": "def one():\n    from . import inner\n    from .deep.last import NUMBER\n",
    "team/inner.py": "import family\n",
    "team/deep/last.py": "NUMBER = 1\n",
    "training_assets/__init__.py": "",
    "training_assets/defs/mine/own.py": "from training_assets.defs.mine import parts\nimport training_assets.core.x\n",
    "training_assets/defs/mine/parts.py": "",
    "training_assets/core/x.py": "",
    "stranger.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def matters(root: Path, reference: str) -> set[str]:
    """Files a change of which gives another identity."""
    before = identity(reference, root)
    found = set()
    for name, text in FILES.items():
        (root / name).write_text(f"{text}\n# changed")
        found |= {name} if identity(reference, root) != before else set()
        (root / name).write_text(text)
    assert identity(reference, root) == before
    return found


def test_what_a_function_imports_from_the_project_at_any_depth_is_its_code(root: Path) -> None:
    expected = {"family.py", "helper.py", *(name for name in FILES if name.startswith("team/"))}
    assert matters(root, "family:make") == expected


def test_the_code_that_trains_is_known_by_its_own_version(root: Path) -> None:
    assert matters(root, "training_assets.defs.mine.own:make") == {
        "training_assets/defs/mine/own.py",
        "training_assets/defs/mine/parts.py",
    }


def test_it_does_not_depend_on_where_the_project_lies(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "project"
    root.rename(elsewhere)
    there = identity("family:make", elsewhere)
    elsewhere.rename(root)
    assert there == identity("family:make", root)


def test_another_version_of_a_package_that_is_trusted_is_another_code(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, trusting = identity("family:make", root), identity("family:make", root, ["sklearn.tree", "family"])
    assert len({plain, trusting}) == 2
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"0.1 of {name}")
    assert identity("family:make", root) == plain
    assert identity("family:make", root, ["sklearn.tree", "family"]) != trusting


def test_a_file_that_is_no_python_is_its_bytes(root: Path) -> None:
    (root / "helper.py").write_text("def (")
    broken = identity("family:make", root)
    (root / "helper.py").write_text("def ((")
    assert identity("family:make", root) != broken


def test_there_must_be_a_file(root: Path) -> None:
    with pytest.raises(InputError, match=r"E_FAMILY: search: no absent\.py below the project's root"):
        identity("absent:make", root)
