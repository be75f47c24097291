"""The table of contents: every model under `defs/`, and the outside world that their assets need."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from training_assets.component import TrainingPipeline
from training_assets.core.errors import InputError
from training_assets.core.spec_check import check_targets
from training_assets.resources.artifacts import ArtifactIOManager, Artifacts
from training_assets.resources.models import Models
from training_assets.resources.places import PACKAGE, ROOT, Places
from training_assets.resources.registry import Registry
from training_assets.resources.tracking import Tracking
from training_assets.spec import ModelSpec


def places() -> Places:
    """Where things live: `TRAINING_ASSETS_HOME`, by default `.training_assets/` in the project.

    The ledger is a file there, or the database that `TRAINING_ASSETS_LEDGER_URL` names; links to runs begin with
    `TRAINING_ASSETS_UI_URL`. Raises InputError E_STORAGE for a path that the URLs of its databases would not name.
    """
    home = Path(os.environ.get("TRAINING_ASSETS_HOME") or ROOT / ".training_assets").resolve()
    if odd := {"%", "?"} & set(str(home)):
        message = f"{home} holds '{min(odd)}', which no home's path may; name another folder by TRAINING_ASSETS_HOME"
        raise InputError("E_STORAGE", message)
    ledger_url, ui_url = (os.environ.get(f"TRAINING_ASSETS_{name}") or None for name in ("LEDGER_URL", "UI_URL"))
    return Places(ROOT, home, ledger_url, ui_url)


def resources(models: Models, where: Places) -> dict[str, object]:
    """The outside world of all assets; a test passes its own places."""
    artifacts = Artifacts(places=where)
    return {
        "models": models,
        "places": where,
        "artifacts": artifacts,
        "io_manager": ArtifactIOManager(artifacts=artifacts),
        "tracking": Tracking(places=where),
        "registry": Registry(where.mlflow_uri),
    }


@dg.definitions
def defs() -> dg.Definitions:
    """Everything of this code location; each model is one folder with one `defs.yaml`."""
    found = dg.load_from_defs_folder(path_within_project=PACKAGE)
    tree = found.component_tree
    pipelines = [] if tree is None else tree.get_all_components(of_type=TrainingPipeline)
    models = Models(_by_name(pipelines))
    check_targets(models.specs, ROOT)
    outside = dg.Definitions(resources=resources(models, places()), executor=dg.in_process_executor)
    return dg.Definitions.merge(found, outside)


def _by_name(pipelines: Sequence[TrainingPipeline]) -> dict[str, ModelSpec]:
    """The specs by model; InputError `E_NAME` where two have one name: they would share versions and production."""
    found: dict[str, TrainingPipeline] = {}
    for pipeline in pipelines:
        other = found.setdefault(pipeline.name, pipeline)
        if other is not pipeline:
            message = f"{other.place} and {pipeline.place} both define '{pipeline.name}'; give one another `name:`"
            raise InputError("E_NAME", message)
    return {name: pipeline.spec for name, pipeline in found.items()}
