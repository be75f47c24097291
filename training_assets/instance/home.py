"""The folder of the Dagster instance, with the settings that this version of the project ships."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SETTINGS = Path(__file__).with_name("dagster.yaml")


def prepare(home: Path) -> Path:
    """Folder for `DAGSTER_HOME` (absolute), below the project's home; its `dagster.yaml` is the packaged one.

    Whoever reads the file meanwhile sees the old or the new one, never a part. An equal file is left alone.
    """
    folder = home.resolve() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    settings, target = SETTINGS.read_bytes(), folder / SETTINGS.name
    if target.is_file() and target.read_bytes() == settings:
        return folder
    handle, partial = tempfile.mkstemp(dir=folder, prefix=f".{SETTINGS.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(settings)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(target)
    finally:
        Path(partial).unlink(missing_ok=True)
    return folder
