"""Locks between the processes of one machine, for steps that other software does not make safe by itself."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusively(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of a name while others wait for it; the kernel frees it however its holder ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_held(folder: Path, name: str) -> bool:
    """Whether somebody holds the lock of a name at this moment: good for a word to the user, not for a decision."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
