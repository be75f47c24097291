"""What the commands share: the definitions and the Dagster instance of this project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from training_assets.core.errors import InputError
from training_assets.definitions import defs, places
from training_assets.instance.home import prepare
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.models import Models
from training_assets.resources.places import Places


@dataclass(frozen=True)
class Project:
    """Everything that a command works on."""

    definitions: dg.Definitions
    models: Models
    artifacts: Artifacts
    places: Places
    instance: dg.DagsterInstance

    def require(self, model: str) -> None:
        """Raise `InputError` (`E_MODEL`) with the known names where there is no such model."""
        if model not in self.models.specs:
            known = ", ".join(sorted(self.models.specs)) or "none yet; start with training-assets init"
            raise InputError("E_MODEL", f"no model '{model}'; known: {known}")


@contextmanager
def open_project() -> Iterator[Project]:
    """This project, with its own Dagster instance: `DAGSTER_HOME` where set, else one under the project's home."""
    where = places()
    if not os.environ.get("DAGSTER_HOME"):
        os.environ["DAGSTER_HOME"] = str(prepare(where.home))
    definitions = defs()
    outside = definitions.resources or {}
    with dg.DagsterInstance.get() as instance:
        yield Project(definitions, outside["models"], outside["artifacts"], where, instance)
