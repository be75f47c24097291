"""The code that a run is made with: commit, whether files differ from it, lock, Python and cores."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

from training_assets.core import fingerprint

LOCK = Path("requirements/lock.txt")
SECONDS = 30


def made_with(root: Path) -> dict[str, Any]:
    """What decides a result besides data and spec, and is not part of its identity; none where it is not known."""
    lock = root / LOCK
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git(root, "rev-parse", "HEAD"),
        "changed_files": None if changed is None else len(changed.splitlines()),
        "lock": fingerprint.digest_file(lock) if lock.is_file() else None,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
    }


def _git(root: Path, *command: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(  # noqa: S603 - fixed commands
        [git, *command], cwd=root, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    return done.stdout.strip() if done.returncode == 0 else None
