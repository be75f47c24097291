"""Sensors: level-triggered, so that nothing is missed, and every tick says why it did or did not launch a run."""

import time
from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job

from training_assets.assets.registration import PRESENT
from training_assets.automation.news import new_deliveries, new_files
from training_assets.automation.releases import release_sensors
from training_assets.automation.requests import INTERVAL_SECONDS, request, result
from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.resources.launches import MODEL_TAG
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.resources.releases import STAGING
from training_assets.resources.retractions import retracted
from training_assets.resources.schema_cases import mend

BATCHES_TAG = "training_assets/batches"
REGISTRATION_TAG = "training_assets/registration"


def sensors(model: str, jobs: Sequence[Job]) -> Sequence[dg.SensorDefinition]:
    """From files that arrive to a verdict, from a version to staging, and on to production: each step has its own."""
    return [_new_batches(model), _new_version(model), *release_sensors(model, jobs)]


def _new_batches(model: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{model}_new_batches",
        job_name=f"{model}_train",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="One training run for all batches that are new, whole and not yet carried to a verdict.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, models: dg.ResourceParam[Models], places: dg.ResourceParam[Places]
    ) -> dg.SensorResult:
        spec = models.named(model).spec
        judged = [event.subject for event in places.ledger.events(model, "batch_judged")]
        refused = {event.subject for event in places.ledger.events(model, "batch_refused")}.difference(judged)
        gone = retracted(places.ledger, model)
        try:
            if spec.source.kind == "files":
                found = new_files(spec, places, context.cursor, gone.union(judged), time.time_ns())
            else:
                # A result that stands once more is carried once more: only the verdict of last counts.
                done = judged[-1:] if spec.source.is_replaced else judged
                found = new_deliveries(model, spec, places, gone.union(done))
        except InputError as error:
            return dg.SensorResult(skip_reason=str(error), cursor=context.cursor)
        held_up = sorted(batch[:12] for batch in found.here if batch in refused - gone)
        if held_up:
            to_do = f"mend the spec and launch the job; or {mend(model, spec.source, held_up[0])}"
            return dg.SensorResult(
                skip_reason=f"refused before: {', '.join(held_up[:5])}; {to_do}", cursor=found.cursor
            )
        if not found.new:
            return dg.SensorResult(skip_reason=found.nothing, cursor=found.cursor)
        asked = request(
            context.instance, f"{model}_train", {MODEL_TAG: model, BATCHES_TAG: fingerprint.digest(found.new)[:40]}
        )
        return result(asked, found.cursor)

    return sensor


def _new_version(model: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{model}_new_version",
        job_name=f"{model}_stage",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Stages the version of the newest passing run; compares two pointers, so no event is missed.",
    )
    def sensor(context: dg.SensorEvaluationContext, places: dg.ResourceParam[Places]) -> dg.SensorResult:
        version = places.ledger.pointer(model, PRESENT)
        if version is None:
            return dg.SensorResult(skip_reason="no version is registered yet")
        if places.ledger.pointer(model, STAGING) == version:
            return dg.SensorResult(skip_reason=f"version {version} is staged already")
        moved = places.ledger.latest(model, f"{PRESENT}_moved")
        asked_for = "" if moved is None else moved.hash[:40]
        return result(
            request(context.instance, f"{model}_stage", {MODEL_TAG: model, REGISTRATION_TAG: asked_for}), None
        )

    return sensor
