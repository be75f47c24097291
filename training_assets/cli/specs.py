"""Writing a drafted spec into the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training_assets.core.artifact_format import write_file
from training_assets.core.errors import InputError
from training_assets.core.inference.draft import draft, to_yaml
from training_assets.definitions import places
from training_assets.resources.places import PACKAGE


def write_draft(data: Path, target: str | None, *, name: str | None, overwrite: bool) -> dict[str, Any]:
    """Infer and write `defs/<model>/defs.yaml`; raises `InputError` where a question is open or the model exists."""
    drafted = draft(data, target, name=name, root=places().root)
    model = str(drafted.spec.name)
    path = PACKAGE / "defs" / model / "defs.yaml"
    if path.exists() and not overwrite:
        message = f"model '{model}' exists ({path}); choose another --name, or replace it with --overwrite"
        raise InputError("E_EXISTS", message)
    write_file(path, to_yaml(drafted.spec).encode())
    return {
        "model": model,
        "spec": str(path),
        "rows": drafted.rows,
        "task": drafted.spec.target.task,
        "assumptions": drafted.assumptions,
        "questions": [vars(question) for question in drafted.questions],
    }
