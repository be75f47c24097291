"""A copy of the project for a test, with the command line as a user runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from training_assets_tests.conftest import ROOT


class Copy:
    """A copy of the project without models, and its command line."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home"
        shutil.copytree(
            ROOT / "training_assets", root / "training_assets", ignore=shutil.ignore_patterns("defs", "__pycache__")
        )
        (root / "training_assets" / "defs").mkdir()
        shutil.copy(ROOT / "training_assets" / "defs" / "__init__.py", root / "training_assets" / "defs")
        shutil.copy(ROOT / "pyproject.toml", root)

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """Run a command to its end; both outputs where it is to fail, else the standard one."""
        process = self.start(*arguments)
        said, wrong = process.communicate()
        assert process.returncode == status, said + wrong
        assert "Traceback" not in wrong
        return said if status == 0 else said + wrong

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        environment = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
        return subprocess.Popen(
            [sys.executable, "-c", "from training_assets.cli import main; main()", *arguments],
            cwd=self.root,
            env={**environment, "TRAINING_ASSETS_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def spec(self, model: str) -> Path:
        return self.root / "training_assets" / "defs" / model / "defs.yaml"

    def edit(self, model: str, **sections: Any) -> None:
        document = yaml.safe_load(self.spec(model).read_text())
        document["attributes"].update(sections)
        self.spec(model).write_text(yaml.safe_dump(document))
