"""Stage 9: a registered version is loaded back in a fresh process; with the same scores, staging serves it."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from training_assets.assets.showing import shown
from training_assets.assets.tuning import GOLDEN, GOLDEN_SCORES, TUNED
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.errors import InputError
from training_assets.core.parity import largest_difference
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model, Models
from training_assets.resources.places import Places
from training_assets.resources.registry import CHALLENGER, Registry

STAGED = "staged_version"
STAGING = "staging"
TOLERANCE = 1e-9


@dg.asset(kinds={"mlflow"}, code_version=code_version("assets/staging.py"))
def staged_version(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    registry: dg.ResourceParam[Registry],
    registered_version: Result,
) -> dg.MaterializeResult[Result]:
    """The version that staging serves: loaded from the registry in a fresh process, it gave the scores of training."""
    model = models.of(context)
    registered = registered_version.artifact.facts
    version, candidate = str(registered["version"]), str(registered["candidate"])
    if places.ledger.latest(model.name, "registered", candidate) is None:
        message = f"{model.name}: version {version} is not in the ledger; only a registered version can be staged"
        raise dg.Failure(message, allow_retries=False)
    staged = places.ledger.pointer(model.name, STAGING)
    parity = places.ledger.latest(model.name, "parity", candidate)
    if parity is None:
        parity = _prove_parity(context, model, places, artifacts, registry, registered)
    if staged != version:
        moved = {
            "candidate": candidate,
            "parity": parity.hash,
            "reason": "registered and loaded back with equal scores",
        }
        by = {"run_id": context.run.run_id, "actor": STAGED}
        places.ledger.move(model.name, STAGING, expected=staged, to=version, data=moved, **by)
        context.log.info(f"{model.name}: staging moved from {staged or 'nothing'} to version {version}")
    _mirror(context, model.name, places, registry)
    facts = {"version": version, "candidate": candidate, **parity.data}
    result = artifacts.once(context, facts, lambda _: {STAGED: Made(facts)})[STAGED]
    return shown(
        result,
        model.key(STAGED),
        {
            "version": int(version),
            "parity_rows": int(parity.data["rows"]),
            "largest_difference": float(parity.data["largest_difference"]),
        },
    )


def _mirror(context: dg.AssetExecutionContext, model: str, places: Places, registry: Registry) -> None:
    """Let the registry's alias say what the pointer says; once a move, also when the move's own run died before it."""
    moved = places.ledger.latest(model, f"{STAGING}_moved")
    if moved is None or places.ledger.latest(model, "alias_set", moved.hash) is not None:
        return
    registry.alias(model, CHALLENGER, moved.subject)
    said = {"alias": CHALLENGER, "version": moved.subject}
    places.ledger.record(model, "alias_set", moved.hash, said, run_id=context.run.run_id, actor=STAGED)


def _prove_parity(
    context: dg.AssetExecutionContext,
    model: Model,
    places: Places,
    artifacts: Artifacts,
    registry: Registry,
    registered: Mapping[str, Any],
) -> Event:
    """Record that the version, loaded in a fresh process, scores as it did in training; fails where it does not."""
    version, candidate = str(registered["version"]), str(registered["candidate"])
    tuned = artifacts.of_run(model.name, str(registered["trained_in"]), TUNED)
    if tuned is None or tuned.digest != candidate:
        message = f"{model.name}: the run that trained version {version} is gone; train anew with force"
        raise dg.Failure(message, allow_retries=False)
    try:
        served = registry.scores_in_a_fresh_process(
            model.name,
            version,
            tuned.artifact.read(GOLDEN),
            str(registered["model_files"]),
            root=places.root,
            trust=model.spec.search.trusted,
        )
    except InputError as error:
        message = f"{model.name}: version {version} is not staged: {error}"
        raise dg.Failure(message, allow_retries=False) from error
    seen = tuned.artifact.frame(GOLDEN_SCORES)
    difference = largest_difference(seen, served)
    if not difference <= TOLERANCE:
        message = (
            f"{model.name}: version {version} is not staged: served scores differ from training's by {difference:g}"
        )
        raise dg.Failure(message, allow_retries=False)
    found = {"version": version, "rows": seen.height, "largest_difference": difference}
    return places.ledger.record(
        model.name,
        "parity",
        candidate,
        found,
        run_id=context.run.run_id,
        actor=STAGED,
        once=f"{model.name}/parity/{candidate}",
    )
