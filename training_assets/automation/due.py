"""What is free to be registered or promoted and is not yet: runs to ask for, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from training_assets.assets.live import LIVE
from training_assets.assets.registration import refusal
from training_assets.assets.tuning import TUNED
from training_assets.automation.requests import request, running
from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.governance.judging import CANDIDATE, REPORT, REPORT_FILE, VERDICT_CASE, anew, judged, overtaken_by
from training_assets.governance.production import RELEASE_CASE, StaleVerdictError, application
from training_assets.governance.recorded_rows import batches_behind
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.launches import MODEL_TAG, OF_RUN_TAG
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.releases import STAGING, Releases

RELEASE_TAG = "training_assets/release"
GATE_TAG = "training_assets/gate"


def registrations(
    instance: dg.DagsterInstance, model: Model, places: Places, artifacts: Artifacts
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
    if busy := running(instance, f"{model.name}_train"):
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
            yield request(instance, f"{model.name}_register", tags)
    if passed and newest is not None:
        yield _left_behind(instance, model, places, artifacts, newest)


def _left_behind(
    instance: dg.DagsterInstance, model: Model, places: Places, artifacts: Artifacts, newest: Event
) -> dg.RunRequest | str:
    """A run for the newest candidate, which passed and whose own run did not get as far as to register it."""
    said, run = "the newest candidate passed and is no version", instance.get_run_by_id(newest.run_id)
    try:
        tuned, evaluated = (artifacts.of_run(model.name, newest.run_id, asset) for asset in (TUNED, REPORT))
        if run is None or tuned is None or evaluated is None:
            return f"{said}: what its run made is gone"
        report = evaluated.artifact.json(REPORT_FILE)
        batches = batches_behind(run, model.name, tuned, artifacts)
    except InputError as error:
        return f"{said}: {error}"
    if why := refusal(judged(model, evaluated, report), report, evaluated, tuned, batches, places, model):
        return f"{said}: {why}"
    tags = {MODEL_TAG: model.name, OF_RUN_TAG: newest.run_id, RELEASE_TAG: newest.subject[:40]}
    return request(instance, f"{model.name}_register", tags)


def promotions(
    instance: dg.DagsterInstance, model: Model, places: Places, artifacts: Artifacts
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
            yield request(instance, f"{model.name}_evaluate", tags)
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
        yield request(instance, f"{model.name}_promote", tags, config)
