"""Jobs: what one launch carries out."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from training_assets.assets.cases import CASES
from training_assets.assets.live import LIVE
from training_assets.assets.registration import REGISTERED
from training_assets.assets.staging import STAGED
from training_assets.governance.judging import REPORT
from training_assets.resources.launches import MODEL_TAG, OF_RUN_TAG
from training_assets.spec import ModelSpec


def jobs(model: str, spec: ModelSpec) -> Sequence[UnresolvedAssetJobDefinition]:
    """What assets are carried out together: training, and each later stage, which a sensor or a person launches."""
    evaluated, registered, staged, live, cases = (
        dg.AssetSelection.assets([model, asset]) for asset in (REPORT, REGISTERED, STAGED, LIVE, CASES)
    )
    tags = {MODEL_TAG: model}
    return [
        dg.define_asset_job(
            f"{model}_train",
            selection=dg.AssetSelection.groups(model) - staged - live - cases,
            tags=tags,
            description=f"From files to a registered version. {spec.description}".strip(),
        ),
        dg.define_asset_job(
            f"{model}_evaluate",
            selection=evaluated,
            tags=tags,
            description=f"Judge the candidate of the run in the tag {OF_RUN_TAG} anew, against what is live now.",
        ),
        dg.define_asset_job(
            f"{model}_register",
            selection=registered,
            tags=tags,
            description="Register a candidate whose verdict people have approved; a sensor launches it for that run.",
        ),
        dg.define_asset_job(
            f"{model}_stage",
            selection=staged,
            tags=tags,
            description="Load the newest registered version in a fresh process, compare scores, and stage it.",
        ),
        dg.define_asset_job(
            f"{model}_promote",
            selection=live,
            tags=tags,
            description="Let production serve what staging serves, or another version; by policy or approval alone.",
        ),
    ]
