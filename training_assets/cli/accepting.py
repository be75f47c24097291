"""Committing differences from the schema to the model's own file, with who did it and what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from training_assets.cli.project import Project
from training_assets.cli.specs import files_defining
from training_assets.core import fingerprint
from training_assets.core.artifact_format import write_file
from training_assets.core.errors import InputError
from training_assets.core.inference.schema_edit import edited
from training_assets.core.spec_check import check_spec
from training_assets.core.validation.changes import Change, accepted
from training_assets.resources.locks import exclusively
from training_assets.resources.places import PACKAGE
from training_assets.spec import Column, ModelSpec

ACCEPTED = "schema_accepted"


def accept_changes(project: Project, model: str, changes: Sequence[Change], *, by: str) -> dict[str, Any]:
    """Write the differences into the model's `defs.yaml`, column by column, and record who did it and what changed.

    Raises InputError E_SPEC where the result would be no sound spec, or the file cannot be edited in place.
    """
    spec = project.models.specs[model]
    columns = accepted(spec.columns, changes)
    after = _checked(spec, columns, project.places.root)
    with exclusively(project.places.locks, f"spec-{model}"):
        path = _only_file(model)
        text = edited(path.read_bytes().decode(), model, spec.columns, columns)
        digests = {name: fingerprint.digest(each.schema_part()) for name, each in (("before", spec), ("after", after))}
        data = {**digests, "file": path.name, "changes": [change.to_json() for change in changes]}
        # First the word, then the deed: a change that nobody answers for is worse than a word without one.
        event = project.places.ledger.record(model, ACCEPTED, digests["after"], data, run_id="", actor=by)
        write_file(path, text.encode())
    said = {"accepted": data["changes"], "by": by, "at": event.at, "spec": str(path)}
    return {**said, **digests}


def _only_file(model: str) -> Path:
    """The `defs.yaml` that defines a model; raises InputError E_SPEC where several may."""
    found = files_defining(model)
    if len(found) != 1:
        message = f"{len(found)} files under {PACKAGE.name}/defs define {model}; change its columns by hand"
        raise InputError("E_SPEC", message)
    return found[0]


def _checked(spec: ModelSpec, columns: Mapping[str, Column], root: Path) -> ModelSpec:
    """The spec with other columns, once it is known to be sound."""
    said = {name: column.model_dump(mode="json", exclude_defaults=True) for name, column in columns.items()}
    try:
        after = ModelSpec.model_validate({**spec.model_dump(mode="json", exclude_defaults=True), "columns": said})
    except ValidationError as error:
        message = f"with these columns the spec would not be sound: {error.errors()[0]['msg']}; change it by hand"
        raise InputError("E_SPEC", message) from error
    check_spec(after, root)
    return after
