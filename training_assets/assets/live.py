"""Stage 9: what production serves; a version gets here by policy or by a complete approval, decided here and now."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from training_assets.assets.cases import show_cases
from training_assets.assets.showing import shown
from training_assets.core import fingerprint
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.governance.judging import CANDIDATE
from training_assets.governance.production import RELEASE_CASE, application, launched_by_of, open_case
from training_assets.resources.aliases import Aliases
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.failures import clear_failures
from training_assets.resources.launches import launched_by
from training_assets.resources.ledger import Event, PointerMovedError
from training_assets.resources.models import Model, Models
from training_assets.resources.outbox import Outbox
from training_assets.resources.packages import package_of
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import STAGING, Releases

LIVE = "live_version"


class Promotion(dg.Config):
    """Which version to promote."""

    version: str = Field("", description="A version's number; empty: the one that staging serves.")


@dg.asset(kinds={"mlflow"}, code_version=code_version("assets/live.py"))
def live_version(
    context: dg.AssetExecutionContext,
    config: Promotion,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    registry: dg.ResourceParam[Registry],
    staged_version: Result,
) -> dg.MaterializeResult[Result]:
    """The version that production serves: promoted by policy or approval; otherwise refused here, with a case."""
    model = models.of(context)
    releases = Releases(places.ledger, model.name)
    staged = places.ledger.pointer(model.name, STAGING) or str(staged_version.artifact.facts["version"])
    number = config.version or staged
    live = releases.live()
    if live is None or live.data["to"] != number:
        live = _promoted(context, model, places, artifacts, registry, number)
    Aliases(places, registry, model.name).mirror(run_id=context.run.run_id, actor=LIVE)
    Outbox(model, places, registry).send(run_id=context.run.run_id, say=context.log.info, at_once=True)
    show_cases(context.instance, places, model.name)
    facts = {"version": number, CANDIDATE: live.data[CANDIDATE], "move": live.hash}
    result = artifacts.once(context, facts, lambda _: {LIVE: Made(facts, fingerprint.digest(facts))})[LIVE]
    return shown(result, model.key(LIVE), {"version": int(number), **_told(live)})


def finish(
    instance: dg.DagsterInstance,
    model: Model,
    places: Places,
    registry: Registry,
    *,
    run_id: str,
    say: Callable[[str], None],
) -> None:
    """What follows from the last move of production, as far as its own run has not done it: at once, and once."""
    Aliases(places, registry, model.name).mirror(run_id=run_id, actor=LIVE)
    show_cases(instance, places, model.name)
    show_live(instance, places, model.name)
    Outbox(model, places, registry).send(run_id=run_id, say=say, at_once=True)


def show_live(instance: dg.DagsterInstance, places: Places, model: str) -> None:
    """Let the asset's page, and whoever listens to it, know of the last move, where it shows another one."""
    move, key = Releases(places.ledger, model).live(), dg.AssetKey([model, LIVE])
    newest = instance.get_latest_materialization_event(key)
    shown_now = newest.asset_materialization.metadata if newest and newest.asset_materialization else {}
    if move is not None and ("since" not in shown_now or shown_now["since"].value != move.at):
        metadata = {"version": int(move.data["to"]), **_told(move)}
        instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=metadata))


def _told(move: Event) -> dict[str, Any]:
    return {"way": move.data["way"], "by": move.actor, "reason": move.data["reason"], "since": move.at}


def _promoted(
    context: dg.AssetExecutionContext,
    model: Model,
    places: Places,
    artifacts: Artifacts,
    registry: Registry,
    number: str,
) -> Event:
    """Move production; fails, with the case that is open for it, where no way is open, or where a file has changed."""
    with clear_failures():
        asked = application(model, places, artifacts, number)
    if asked.way is None:
        launcher = launched_by_of(context.instance, str(asked.registered.data["trained_in"]))
        case = open_case(model, places, asked, launcher=launcher, run_id=context.run.run_id)
        show_cases(context.instance, places, model.name)
        message = (
            f"{model.name}: version {number} is not promoted: {'; '.join(asked.reasons)}. Case {case.name} is "
            f"{case.state.lower()}; training-assets review {model.name} {case.name} --approve --comment TEXT frees it"
        )
        raise dg.Failure(message, metadata={"case": case.name}, allow_retries=False)
    with clear_failures(), tempfile.TemporaryDirectory() as scratch:
        package_of(model.name, registry, asked.registered, Path(scratch))  # what staging proved may have changed since
    data = {
        "verdict": asked.verdict.digest, "report": asked.verdict.report, "policy": asked.verdict.policy,
        "case": asked.subject if asked.way == "approval" else None,
        "asked": model.spec.release.approvals.model_dump(mode="json"),
    }  # fmt: skip
    by_policy = asked.way == "policy"
    reason = "verdict PASS and low risk" if by_policy else _comment(places, model.name, asked.subject)
    try:
        with clear_failures():
            moved = Releases(places.ledger, model.name, tuple(model.spec.release.targets)).promote(
                number, asked.way, data, reason=reason, after=asked.live,
                run_id=context.run.run_id, actor=launched_by(context.run) or LIVE,
            )  # fmt: skip
    except PointerMovedError as error:
        message = f"{model.name}: version {number} is not promoted: another release was faster. {error}"
        raise dg.Failure(message, allow_retries=False) from error
    context.log.info(f"{model.name}: production moved to version {number}, {reason}")
    return moved


def _comment(places: Places, model: str, subject: str) -> str:
    case = places.reviews.case(model, RELEASE_CASE, subject)
    return "by approval" if case is None else f"approved by {case.decided_by}: {case.comment}"
