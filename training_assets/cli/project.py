"""What the commands share: the definitions and the Dagster instance of this project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from dagster.components.core.component_tree import ComponentTreeException
from pydantic import ValidationError

from training_assets.core.errors import InputError
from training_assets.definitions import defs, places
from training_assets.instance.home import prepare
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.locks import exclusively
from training_assets.resources.models import Model, Models
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry


@dataclass(frozen=True)
class Project:
    """Everything that a command works on."""

    definitions: dg.Definitions
    models: Models
    artifacts: Artifacts
    places: Places
    instance: dg.DagsterInstance

    @property
    def registry(self) -> Registry:
        """The registry of all models."""
        found: Registry = (self.definitions.resources or {})["registry"]
        return found

    def model(self, name: str) -> Model:
        """A model by its name; raises as `require` does."""
        self.require(name)
        return self.models.named(name)

    def recorded(self, name: str) -> str:
        """The name of a model that is here, or was, as the ledger tells; raises as `require` does."""
        if name not in self.places.ledger.models():
            self.require(name)
        return name

    def require(self, model: str) -> None:
        """Raise `InputError` (`E_MODEL`) with the known names where there is no such model."""
        if model not in self.models.specs:
            known = ", ".join(sorted(self.models.specs)) or "none yet; start with training-assets init"
            told = "; its spec is gone: history, who-was-live and verify still tell of it"
            gone = told if model in self.places.ledger.models() else ""
            raise InputError("E_MODEL", f"no model '{model}'{gone}; known: {known}")


@contextmanager
def open_project() -> Iterator[Project]:
    """This project, with its own Dagster instance: `DAGSTER_HOME` where set, else one under the project's home."""
    where = places()
    if not os.environ.get("DAGSTER_HOME"):
        os.environ["DAGSTER_HOME"] = str(prepare(where.home))
    try:
        definitions = defs()
    except ComponentTreeException as error:
        raise _bad_spec(error) from error
    outside = definitions.resources or {}
    with exclusively(where.locks, "dagster"):  # two processes must not both create the tables
        opened = dg.DagsterInstance.get()
    with opened as instance:
        yield Project(definitions, outside["models"], outside["artifacts"], where, instance)


def _bad_spec(error: BaseException) -> InputError:
    """What is wrong with which spec, out of the chain of errors that loading it raised."""
    cause: BaseException | None = error
    innermost = error
    while cause is not None:
        innermost = cause
        if isinstance(cause, InputError):
            return cause
        if isinstance(cause, ValidationError):
            wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in cause.errors()[:5]]
            return InputError("E_SPEC", f"{_location(error)}{'; '.join(wrong)}")
        cause = cause.__cause__ or cause.__context__
    reason = " ".join(str(innermost).split())[:500]
    return InputError("E_SPEC", f"{_location(error)}{reason}; `dg check yaml` says more")


def _location(error: BaseException) -> str:
    """The file that Dagster was loading, where it says so."""
    first = str(error).strip().splitlines()[:1]
    return f"{first[0].rstrip(':')}: " if first else ""
