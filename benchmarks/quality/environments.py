"""The peers' own environments: one for each, since their packages cannot share one."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.quality.sets import ROOT

PEERS = ("autogluon", "flaml")
FOLDER = ROOT / ".venv-peers"


def python_of(system: str) -> str:
    """The interpreter that runs a system."""
    return str(FOLDER / system / "bin" / "python") if system in PEERS else sys.executable


def is_there(system: str) -> bool:
    """Whether a system can be run."""
    return Path(python_of(system)).exists()


def make() -> None:
    """Make each environment anew from the pinned requirements beside this file."""
    for peer in PEERS:
        venv.create(FOLDER / peer, with_pip=True, clear=True)
        wanted = Path(__file__).with_name(f"requirements-{peer}.txt")
        subprocess.run([python_of(peer), "-m", "pip", "install", "-r", str(wanted)], check=True)
