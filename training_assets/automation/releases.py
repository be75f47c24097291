"""Sensors after training: what is approved or free by policy becomes a run; aliases moved by hand open a case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job

from training_assets.assets.cases import show_cases
from training_assets.assets.live import LIVE, show_live
from training_assets.assets.registration import refusal
from training_assets.assets.tuning import TUNED
from training_assets.automation.decisions import Taken, take_from_git
from training_assets.automation.requests import INTERVAL_SECONDS, request, result, running
from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.governance.deciding import close_agreed
from training_assets.governance.judging import CANDIDATE, REPORT, REPORT_FILE, VERDICT_CASE, anew, judged, overtaken_by
from training_assets.governance.production import RELEASE_CASE, StaleVerdictError, application
from training_assets.governance.recorded_rows import batches_behind
from training_assets.resources.aliases import Aliases
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.launches import MODEL_TAG, OF_RUN_TAG
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model, Models
from training_assets.resources.outbox import FAILED, Outbox, wait_after
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import STAGING, Releases

RELEASE_TAG = "training_assets/release"
GATE_TAG = "training_assets/gate"
MOST_FAILURES = 10
"""Failed runs in a row that are looked through: after so many the wait does not grow any more."""


def release_sensors(model: str, jobs: Sequence[Job]) -> Sequence[dg.SensorDefinition]:
    """`<model>_releases` launches jobs for what may be released, `_aliases` watches, `_outbox` delivers."""
    return [_releases(model, jobs), _aliases(model), _outbox(model)]


def _releases(model: str, jobs: Sequence[Job]) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{model}_releases",
        jobs=jobs,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Registers what passed or was approved, promotes what policy or people free, has verdicts redone.",
    )
    def sensor(
        context: dg.SensorEvaluationContext,
        models: dg.ResourceParam[Models],
        places: dg.ResourceParam[Places],
        artifacts: Artifacts,
        registry: dg.ResourceParam[Registry],
    ) -> dg.SensorResult:
        about = models.named(model)
        try:
            taken = take_from_git(about, places, registry)
        except InputError as error:
            taken = Taken(refused=[str(error)])
        said = list(taken.refused)
        closed = close_agreed(about, places, registry)
        if taken.cases or closed:
            show_cases(context.instance, places, model)
        wishes = [*_registrations(context, about, places, artifacts), *_promotions(context, about, places, artifacts)]
        for wanted in wishes:
            if isinstance(wanted, dg.RunRequest):
                return dg.SensorResult(run_requests=[wanted])
            said.append(wanted)
        return result("; ".join(said) or "nothing is approved, or free by policy, that is not done", None)

    return sensor


def _registrations(
    context: dg.SensorEvaluationContext, model: Model, places: Places, artifacts: Artifacts
) -> Iterator[dg.RunRequest | str]:
    """A run for each candidate that is free and no version yet; of the newest, why it is not free any more."""
    ledger, newest = places.ledger, places.ledger.latest(model.name, "verdict")
    registered = {event.subject for event in ledger.events(model.name, "registered")}
    waiting = [
        case
        for case in places.reviews.cases(model.name)
        if (case.kind, case.state) == (VERDICT_CASE, "APPROVED") and case.facts[CANDIDATE] not in registered
    ]
    passed = newest is not None and newest.data["name"] == "PASS" and newest.data[CANDIDATE] not in registered
    if not waiting and not passed:
        return
    if busy := running(context.instance, f"{model.name}_train"):
        yield busy  # it may register by itself, what is newer than what waits
        return
    for case in waiting:
        if version := overtaken_by(model.name, ledger, case.subject, case.facts[CANDIDATE]):
            yield f"case {case.name} was approved, and overtaken by version {version}, which was judged later"
        elif lapsed := case.lapsed(model.spec.release.approvals, ledger.now()):
            if newest is not None and newest.subject == case.subject:
                yield f"case {case.name} was approved by {case.decided_by}, and needs {lapsed} now; {anew(model.name)}"
        else:
            tags = {MODEL_TAG: model.name, OF_RUN_TAG: str(case.facts["run"]), RELEASE_TAG: case.name}
            yield request(context.instance, f"{model.name}_register", tags)
    if passed and newest is not None:
        yield _left_behind(context, model, places, artifacts, newest)


def _left_behind(
    context: dg.SensorEvaluationContext, model: Model, places: Places, artifacts: Artifacts, newest: Event
) -> dg.RunRequest | str:
    """A run for the newest candidate, which passed and whose own run did not get as far as to register it."""
    run = context.instance.get_run_by_id(newest.run_id)
    tuned, evaluated = (artifacts.of_run(model.name, newest.run_id, asset) for asset in (TUNED, REPORT))
    if run is None or tuned is None or evaluated is None:
        return "the newest candidate passed and is no version; what its run made is gone"
    report = evaluated.artifact.json(REPORT_FILE)
    batches = batches_behind(run, model.name, tuned, artifacts)
    if why := refusal(judged(model, evaluated, report), report, evaluated, tuned, batches, places, model):
        return f"the newest candidate passed and is no version: {why}"
    tags = {MODEL_TAG: model.name, OF_RUN_TAG: newest.run_id, RELEASE_TAG: newest.subject[:40]}
    return request(context.instance, f"{model.name}_register", tags)


def _promotions(
    context: dg.SensorEvaluationContext, model: Model, places: Places, artifacts: Artifacts
) -> Iterator[dg.RunRequest | str]:
    """A run for staging's version, or for one that people approved, where a way to production is open."""
    releases = Releases(places.ledger, model.name)
    live, staged = releases.live(), places.ledger.pointer(model.name, STAGING)
    approved = [
        str(case.facts["version"])
        for case in places.reviews.cases(model.name)[::-1]
        if (case.kind, case.state) == (RELEASE_CASE, "APPROVED")
    ]
    for number in dict.fromkeys([*([] if staged is None else [staged]), *approved]):
        if live is not None and live.data["to"] == number:
            continue
        since = "nothing" if live is None else live.hash[:40]
        try:
            asked = application(model, places, artifacts, number)
        except StaleVerdictError as error:
            if number != staged:
                continue  # approved once, and overtaken since
            rules = fingerprint.digest(model.spec.evaluation.model_dump(mode="json"))[:12]
            run = str(releases.version(number).data["trained_in"])
            tags = {MODEL_TAG: model.name, OF_RUN_TAG: run, GATE_TAG: f"{number}-{since}-{rules}"}
            yield str(error)
            yield request(context.instance, f"{model.name}_evaluate", tags)
            continue
        except InputError as error:
            if number == staged:
                yield str(error)
            continue
        if asked.way is None or (number != staged and asked.way != "approval"):
            if number == staged:  # of others, an earlier approval was of another state of things
                yield f"version {number} waits for a person: {'; '.join(asked.reasons)}"
            continue
        tags = {MODEL_TAG: model.name, RELEASE_TAG: f"{number}-{asked.subject[:40]}"}
        config = {"ops": {LIVE: {"config": {"version": number}}}}
        yield request(context.instance, f"{model.name}_promote", tags, config)


def _aliases(model: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{model}_aliases",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Opens a review case for aliases moved by hand; finishes what a move's own run did not live to do.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, places: dg.ResourceParam[Places], registry: dg.ResourceParam[Registry]
    ) -> dg.SensorResult:
        before = len(places.ledger.events(model, "case_opened")) + len(places.ledger.events(model, "case_decided"))
        aliases = Aliases(places, registry, model)
        aliases.mirror(run_id="", actor="aliases")
        case = aliases.watch()
        if all(running(context.instance, f"{model}_{job}") is None for job in ("promote", "rollback")):
            show_live(context.instance, places, model)
        after = len(places.ledger.events(model, "case_opened")) + len(places.ledger.events(model, "case_decided"))
        if after != before:
            show_cases(context.instance, places, model)
        if case is None:
            return dg.SensorResult(skip_reason="the registry's aliases are as the ledger says")
        return dg.SensorResult(skip_reason=f"case {case.name} is {case.state.lower()}: {case.text}")

    return sensor


def _outbox(model: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{model}_outbox",
        job_name=f"{model}_deliver",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Delivers moves and open cases that have not arrived; who is down is tried again later.",
    )
    def sensor(
        context: dg.SensorEvaluationContext,
        models: dg.ResourceParam[Models],
        places: dg.ResourceParam[Places],
        registry: dg.ResourceParam[Registry],
    ) -> dg.SensorResult:
        outbox = Outbox(models.named(model), places, registry)
        due = outbox.due()
        if not due:
            waiting = len(outbox.waiting())
            later = f"{waiting} letters wait for their next attempt" if waiting else "everything has arrived"
            return dg.SensorResult(skip_reason=later)
        busy = running(context.instance, f"{model}_deliver")
        if busy is not None:
            return dg.SensorResult(skip_reason=busy)
        runs, rests_until = _ended(context.instance, f"{model}_deliver")
        if places.ledger.now() < rests_until:
            reason = f"the last run of {model}_deliver failed; the next one comes after {rests_until:%H:%M:%S} UTC"
            return dg.SensorResult(skip_reason=reason)
        attempts = len(places.ledger.events(model, FAILED))
        key = fingerprint.digest([*(letter.key for letter in due), attempts, runs])  # a known key starts no run
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=key)])

    return sensor


def _ended(instance: dg.DagsterInstance, job: str) -> tuple[int, datetime]:
    """How many runs of a job there were, and until when it rests, after runs that failed by themselves."""
    asked = dg.RunsFilter(job_name=job)
    records = instance.get_run_records(asked, limit=MOST_FAILURES)
    failed = list(takewhile(lambda each: each.dagster_run.status is not dg.DagsterRunStatus.SUCCESS, records))
    ended = max((each.end_time or 0.0 for each in failed), default=0.0)
    rest = wait_after(len(failed)) if failed else timedelta()
    return instance.get_runs_count(asked), datetime.fromtimestamp(ended, UTC) + rest
