"""Sensors after training: what is approved or free by policy becomes a run; aliases moved by hand open a case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job

from training_assets.assets.cases import show_cases
from training_assets.assets.live import show_live
from training_assets.automation.decisions import Taken, take_from_git
from training_assets.automation.due import promotions, registrations
from training_assets.automation.requests import INTERVAL_SECONDS, result, running
from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.governance.deciding import close_agreed
from training_assets.resources.aliases import Aliases
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.models import Models
from training_assets.resources.outbox import FAILED, Outbox, wait_after
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry

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
        asked = (context.instance, about, places, artifacts)
        for wanted in [*registrations(*asked), *promotions(*asked)]:
            if isinstance(wanted, dg.RunRequest):
                return dg.SensorResult(run_requests=[wanted])
            said.append(wanted)
        return result("; ".join(said) or "nothing is approved, or free by policy, that is not done", None)

    return sensor


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
            gone = "; ".join(
                f"version {number} ('{alias}') was deleted in it" for alias, number in aliases.gone().items()
            )
            right = "the registry's aliases are as the ledger says"
            return dg.SensorResult(skip_reason=f"{right}, but {gone}" if gone else right)
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
