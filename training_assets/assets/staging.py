"""Stage 9: a registered version is loaded back in a fresh process; with the same scores, staging serves it."""

import dagster as dg

from training_assets.assets.showing import shown
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.errors import InputError
from training_assets.governance.production import ask_for_production
from training_assets.governance.proof import prove
from training_assets.resources.aliases import Aliases
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model, Models
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import STAGING

STAGED = "staged_version"


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
    registration = places.ledger.latest(model.name, "registered", candidate)
    if registration is None:
        message = f"{model.name}: version {version} is not in the ledger; only a registered version can be staged"
        raise dg.Failure(message, allow_retries=False)
    by = {"run_id": context.run.run_id, "actor": STAGED}
    staged = places.ledger.pointer(model.name, STAGING)
    parity = places.ledger.latest(model.name, "parity", candidate)
    if parity is None:
        parity = _prove_parity(context, model, places, artifacts, registry, registration)
    if staged != version:
        moved = {
            "candidate": candidate,
            "parity": parity.hash,
            "reason": "registered and loaded back with equal scores",
            "targets": list(model.spec.release.targets),
        }
        places.ledger.move(model.name, STAGING, expected=staged, to=version, data=moved, **by)
        context.log.info(f"{model.name}: staging moved from {staged or 'nothing'} to version {version}")
    Aliases(places, registry, model.name).mirror(**by)
    ask_for_production(context, model, places, artifacts, version)
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


def _prove_parity(
    context: dg.AssetExecutionContext,
    model: Model,
    places: Places,
    artifacts: Artifacts,
    registry: Registry,
    registered: Event,
) -> Event:
    """Record that the version, loaded in a fresh process, scores as it did in training; fails where it does not."""
    try:
        proof = prove(model, places, artifacts, registry, registered)
    except InputError as error:
        message = f"{model.name}: version {registered.data['version']} is not staged: {error}"
        raise dg.Failure(message, allow_retries=False) from error
    by = {"run_id": context.run.run_id, "actor": STAGED}
    once = f"{model.name}/parity/{registered.subject}"
    found = {"version": str(registered.data["version"]), **proof}
    return places.ledger.record(model.name, "parity", registered.subject, found, once=once, **by)
