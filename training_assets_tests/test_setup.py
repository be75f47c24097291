"""`make setup` takes only a Python that runs, does nothing twice, and never takes a half for a whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from training_assets_tests.conftest import ROOT

NAMES = ["python3", "python3.13", "python3.12", "python3.11"]
TARGETS = {
    *("help", "setup", "run", "next-batch", "dev", "test", "test-slow", "check", "lock", "reference"),
    *("screenshots", "clean"),
}
NO_PYTHON = "setup: no Python 3.11, 3.12 or 3.13 that runs"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what setup reads."""
    folder = tmp_path / "tree"
    for file in ("scripts/setup", "requirements/lock.txt", "pyproject.toml", "Makefile"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    return folder


@pytest.fixture
def shims(tmp_path: Path) -> Path:
    """A folder of Pythons that exist and do not run, as pyenv leaves them."""
    folder = tmp_path / "shims"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text("#!/bin/sh\nexit 127\n")
        (folder / name).chmod(0o755)
    return folder


def setup(tree: Path, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run setup where a folder comes first on the path."""
    environment = {**os.environ, "PATH": f"{path}:/usr/bin:/bin"}
    return subprocess.run(
        ["scripts/setup", *words], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def stamped(tree: Path) -> str:
    """What the stamp of a finished environment says."""
    read = b"".join((tree / name).read_bytes() for name in ("requirements/lock.txt", "pyproject.toml"))
    summed = subprocess.run(["cksum"], input=read, capture_output=True, check=True).stdout.decode().strip()
    return f"{summed} {tree}\n"


def environment_in(tree: Path) -> Path:
    """An environment whose Python runs, as far as setup can see."""
    venv = tree / ".venv"
    (venv / "bin").mkdir(parents=True)
    for name in ("python", "pip"):
        (venv / "bin" / name).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (venv / "bin" / name).chmod(0o755)
    return venv


def test_a_python_that_does_not_run_is_not_taken(tree: Path, shims: Path) -> None:
    done = setup(tree, shims)
    assert done.returncode == 1
    assert NO_PYTHON in done.stderr
    assert "tried: python3 python3.13 python3.12 python3.11" in done.stderr
    assert "make setup PYTHON=" in done.stderr
    assert not (tree / ".venv").exists()


def test_a_python_that_is_named_is_the_only_one_tried(tree: Path, tmp_path: Path) -> None:
    done = setup(tree, tmp_path, "/nowhere/python3")
    assert done.returncode == 1
    assert "tried: /nowhere/python3\n" in done.stderr


def test_a_finished_environment_is_left_alone(tree: Path, shims: Path) -> None:
    venv = environment_in(tree)
    (venv / ".setup-done").write_text(stamped(tree))
    done = setup(tree, shims)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("stamp", "said"),
    [
        ("0 0 /another/folder\n", "was made in another folder"),
        (None, "interrupted"),
    ],
)
def test_half_an_environment_is_not_taken_for_a_whole(tree: Path, shims: Path, stamp: str | None, said: str) -> None:
    venv = environment_in(tree)
    if stamp is None:
        (venv / ".setup-done").write_text(stamped(tree))
        (venv / ".setup-begun").touch()
    else:
        (venv / ".setup-done").write_text(stamp)
    done = setup(tree, shims)
    assert said in done.stdout
    assert done.returncode == 1, "and then there is no Python to make a new one with"
    assert not venv.exists()


def test_an_environment_without_its_python_is_not_taken(tree: Path, shims: Path) -> None:
    venv = environment_in(tree)
    (venv / ".setup-done").write_text(stamped(tree))
    (venv / "bin" / "python").unlink()
    done = setup(tree, shims)
    assert "has no working Python" in done.stdout
    assert not venv.exists()


def test_another_lock_installs_anew(tree: Path, shims: Path) -> None:
    venv = environment_in(tree)
    (venv / ".setup-done").write_text(stamped(tree))
    (venv / "bin" / "python").write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "asked: $@"; exit 3\n')
    with (tree / "requirements" / "lock.txt").open("a") as lock:
        lock.write("another==1.0\n")
    done = setup(tree, shims)
    assert done.returncode == 3
    assert "asked: -m pip" in done.stdout
    assert "--require-hashes" in done.stdout
    assert (venv / ".setup-begun").exists(), "so that the next setup starts over"


def test_make_lists_its_targets() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+)", listed, re.MULTILINE)) == TARGETS
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == TARGETS


@pytest.mark.parametrize("target", sorted(TARGETS - {"help", "setup", "lock", "clean"}))
def test_every_target_sets_up_first(target: str) -> None:
    own = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    planned = subprocess.run(
        ["make", "-n", target], cwd=ROOT, env=own, capture_output=True, text=True, check=True
    ).stdout
    assert planned.splitlines()[0].startswith("scripts/setup")


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/lock", ".ci/run"])
def test_scripts_can_be_run_and_stop_at_the_first_error(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in path.read_text()
    subprocess.run(["bash", "-n", str(path)], check=True)
