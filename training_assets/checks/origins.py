"""The results that another one was made from, for checks that look further back than the asset they are about."""

import dagster as dg

from training_assets.resources.artifacts import MADE_FROM, RECENT, Artifacts, Result
from training_assets.resources.models import Model


def origin(
    context: dg.AssetCheckExecutionContext, artifacts: Artifacts, model: Model, asset: str, of: Result
) -> Result:
    """The very result of `asset` that `of` was made from, by its digest, whichever run made it.

    Raises `dagster.Failure` where it is gone: a check that cannot look must not pass.
    """
    digest = of.artifact.facts[MADE_FROM][asset]
    latest = context.instance.fetch_materializations(model.key(asset), limit=RECENT).records
    runs = [of.made_in, context.run.run_id, context.run.parent_run_id, context.run.root_run_id]
    for run_id in dict.fromkeys([*runs, *(record.run_id for record in latest)]):
        found = artifacts.of_run(model.name, run_id, asset) if run_id else None
        if found is not None and found.digest == digest:
            return found
    message = f"the {asset} that this was made from is gone; materialise {asset} and what follows from it"
    raise dg.Failure(message, allow_retries=False)
