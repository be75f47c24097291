"""When things run: the jobs of a model, and the sensors that launch them."""

import json
import time
from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from training_assets.assets.registration import PRESENT
from training_assets.assets.staging import STAGED, STAGING
from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.core.ingestion.arrivals import look
from training_assets.core.ingestion.discovery import stamps
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec

MODEL_TAG = "training_assets/model"
BATCHES_TAG = "training_assets/batches"
REGISTRATION_TAG = "training_assets/registration"
ATTEMPTS = 3
"""Runs that one set of batches gets before somebody has to look."""
INTERVAL_SECONDS = 10
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in FINISHED_STATUSES]


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


def sensors(model: str) -> Sequence[dg.SensorDefinition]:
    """`<model>_new_batches` trains when files arrive, `<model>_new_version` stages what was registered."""
    return [_new_batches(model), _new_version(model)]


def _new_batches(model: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{model}_new_batches",
        job_name=f"{model}_train",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="One training run for all files that are new, whole and not yet carried to a verdict.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, models: dg.ResourceParam[Models], places: dg.ResourceParam[Places]
    ) -> dg.SensorResult:
        try:
            files = stamps(models.named(model).spec.source, places.root)
        except InputError as error:
            return dg.SensorResult(skip_reason=str(error), cursor=context.cursor)
        judged = {event.subject for event in places.ledger.events(model, "batch_judged")}
        refused = {event.subject for event in places.ledger.events(model, "batch_refused")} - judged
        seen = json.loads(context.cursor) if context.cursor else {}
        found = look(files, seen, judged, time.time_ns())
        cursor = json.dumps(found.seen)
        waiting = f"still arriving: {', '.join(found.arriving[:5])}" if found.arriving else ""
        broken = f"cannot be read: {'; '.join(found.unreadable[:5])}" if found.unreadable else ""
        held_up = sorted({batch[:12] for _, _, batch in found.seen.values() if batch in refused})
        if held_up:
            mend = (
                f"refused before: {', '.join(held_up[:5])}; mend or move the file, or mend the spec and launch the job"
            )
            return dg.SensorResult(skip_reason=mend, cursor=cursor)
        if not found.new:
            nothing = f"nothing new in {len(files)} files" if files else "no file matches the source's path yet"
            return dg.SensorResult(skip_reason="; ".join(filter(None, [waiting, broken])) or nothing, cursor=cursor)
        asked = _request(
            context.instance, f"{model}_train", {MODEL_TAG: model, BATCHES_TAG: fingerprint.digest(found.new)[:40]}
        )
        return _result(asked, cursor)

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
        return _result(
            _request(context.instance, f"{model}_stage", {MODEL_TAG: model, REGISTRATION_TAG: asked_for}), None
        )

    return sensor


def _request(instance: dg.DagsterInstance, job: str, tags: Mapping[str, str]) -> dg.RunRequest | str:
    """A run for work that these tags name, or why there is none: one of the job at a time, a few attempts in all."""
    busy = instance.get_runs(filters=dg.RunsFilter(job_name=job, statuses=UNFINISHED), limit=1)
    if busy:
        return f"run {busy[0].run_id[:8]} is at it; what it does not carry comes next"
    runs = instance.get_runs(filters=dg.RunsFilter(tags=dict(tags)))
    if len(runs) >= ATTEMPTS:
        newest = runs[0].run_id[:8]
        return f"gave up after {len(runs)} runs (newest: {newest}); see why, mend it, and launch the job by hand"
    key = ":".join([*tags.values(), str(len(runs) + 1)])
    return dg.RunRequest(run_key=key, tags=dict(tags))


def _result(asked: dg.RunRequest | str, cursor: str | None) -> dg.SensorResult:
    if isinstance(asked, str):
        return dg.SensorResult(skip_reason=asked, cursor=cursor)
    return dg.SensorResult(run_requests=[asked], cursor=cursor)
