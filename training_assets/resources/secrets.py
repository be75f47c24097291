"""Secrets: read where a reference says, when they are needed, and kept out of what is written."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from training_assets.core.errors import InputError

LONGEST = 64 * 1024


@dataclass(frozen=True)
class Secrets:
    """Reads `env:NAME` and `file:PATH`; paths are relative to the project's root."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def __call__(self, reference: str) -> str:
        """The text behind a reference, without the line end behind it, which editors and mounted secrets add.

        Raises InputError E_SECRET, which names the reference and nothing of what lies there.
        """
        kind, _, name = reference.partition(":")
        if kind == "env":
            found = self.environment.get(name, "")
            missing = f"the environment variable {name} is not set; set it where Dagster and its daemon start"
        elif kind == "file":
            found = _text(self.root / name)
            missing = (
                f"the file {name} cannot be read as text of at most {LONGEST:,} bytes, or is empty; put the secret "
                "there, readable for its user"
            )
        else:
            found, missing = "", "a secret is named by 'env:NAME' or 'file:PATH'"
        value = found.rstrip("\r\n")
        if not value:
            raise InputError("E_SECRET", missing)
        return value


def _text(path: Path) -> str:
    """The text of a regular file; none where it is none, too long, or not to be read."""
    try:
        if not path.is_file():  # a pipe would wait for a writer
            return ""
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
        return "" if len(data) > LONGEST else data.decode()
    except (OSError, UnicodeDecodeError):
        return ""
