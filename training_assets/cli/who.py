"""Who a command acts for: the name that lands in the ledger."""

from __future__ import annotations

import getpass
import shutil
import subprocess

from training_assets.resources.places import ROOT


def actor(by: str | None) -> str:
    """The name that was given, else git's user with e-mail address, else the operating system's user."""
    if by is not None and by.strip():
        return by.strip()
    name, address = _git("user.name"), _git("user.email")
    if name or address:
        return " ".join(filter(None, [name, f"<{address}>" if address else ""]))
    return getpass.getuser()


def _git(key: str) -> str:
    """A setting of git; empty where there is none, or no git."""
    git = shutil.which("git")
    if git is None:
        return ""
    asked = subprocess.run([git, "config", key], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    return asked.stdout.strip()
