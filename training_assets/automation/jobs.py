"""Jobs: what one launch carries out."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from training_assets.assets.staging import STAGED
from training_assets.spec import ModelSpec

MODEL_TAG = "training_assets/model"


def jobs(model: str, spec: ModelSpec) -> Sequence[UnresolvedAssetJobDefinition]:
    """`<model>_train` carries rows to a registered version, `<model>_stage` stages the newest one."""
    staged = dg.AssetSelection.assets([model, STAGED])
    tags = {MODEL_TAG: model}
    return [
        dg.define_asset_job(
            f"{model}_train",
            selection=dg.AssetSelection.groups(model) - staged,
            tags=tags,
            description=f"From files to a registered version. {spec.description}".strip(),
        ),
        dg.define_asset_job(
            f"{model}_stage",
            selection=staged,
            tags=tags,
            description="Load the newest registered version in a fresh process, compare scores, and stage it.",
        ),
    ]
