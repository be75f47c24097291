"""Whether a version may go to production: judged from the ledger and the evaluation report whenever it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from training_assets.assets.cases import show_cases
from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.core.evaluation.verdict import Verdict
from training_assets.core.release.approvals import asks_one_more
from training_assets.core.release.policy import Standing, Way, open_way
from training_assets.governance.judging import CANDIDATE, REPORT, REPORT_FILE, anew, approved_verdict, judged
from training_assets.governance.proof import tuned_of
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.cases import Case
from training_assets.resources.launches import OF_RUN_TAG, launched_by
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.releases import Releases
from training_assets.resources.retractions import retracted

RELEASE_CASE = "release"


class StaleVerdictError(InputError):
    """The version was not judged by the present rules against the present champion: the gate has to run again."""


@dataclass(frozen=True)
class Application:
    """A version that asks for production, with everything that decides."""

    registered: Event
    live: Event | None
    verdict: Verdict
    standing: Standing
    subject: str
    """Digest of version, verdict, live version, quarantine and retractions: an approval of one frees no other."""
    way: Way | None
    reasons: tuple[str, ...]

    @property
    def version(self) -> str:
        """Its number."""
        return str(self.registered.data["version"])


def application(model: Model, places: Places, artifacts: Artifacts, number: str) -> Application:
    """What decides about a version, as it stands now.

    Raises InputError E_RELEASE where the version is not proved or its verdict does not let it in, E_VERSION where there
    is none, E_PARITY where what it was made of is gone, and `StaleVerdictError` where the gate has to run again.
    """
    releases = Releases(places.ledger, model.name)
    registered, live = releases.version(number), releases.live()
    if places.ledger.latest(model.name, "parity", registered.subject) is None:
        raise InputError("E_RELEASE", f"version {number} was never proved in staging; run {model.name}_stage first")
    verdict = _present_verdict(model, places, artifacts, registered, live)
    if not verdict.allows("register") and approved_verdict(model, places, verdict) is None:
        message = (
            f"version {number} is not free any more: {verdict.explanation}, and no approval or waiver of it is valid; "
            f"{anew(model.name)}"
        )
        raise InputError("E_RELEASE", message)
    pulled = releases.pulled().get(number)
    batches = tuned_of(model.name, artifacts, registered).artifact.facts["lineage"]["batches"]
    taken_back = sorted(retracted(places.ledger, model.name) & set(batches))
    decided_by = {
        "version": number, "candidate": registered.subject, "verdict": verdict.digest, "retracted": taken_back,
        "live": None if live is None else live.hash, "pulled": None if pulled is None else pulled.hash,
    }  # fmt: skip
    subject = fingerprint.digest(decided_by)
    approvals = model.spec.release.approvals
    standing = Standing(
        verdict=verdict.name,
        risk=model.spec.card.risk,
        is_first=live is None,
        was_live=releases.was_live(number),
        retracted=len(taken_back),
        frozen_until=releases.frozen_until(),
        pulled=None if pulled is None else str(pulled.data["reason"]),
        is_approved=places.reviews.approval(model.name, RELEASE_CASE, subject, approvals) is not None,
        now=places.ledger.now(),
    )
    return Application(registered, live, verdict, standing, subject, *open_way(model.spec.release, standing))


def open_case(model: Model, places: Places, asked: Application, *, launcher: str | None, run_id: str) -> Case:
    """The case that asks people to let a version into production; what asks about another state of things is closed."""
    version, now = asked.version, "nothing" if asked.live is None else f"version {asked.live.data['to']}"
    one_more = asks_one_more(model.spec.release.approvals, launcher)
    text = (
        f"may version {version} of {model.name} take the place of {now} in production? It needs a person because "
        f"{'; '.join(asked.reasons)}. Verdict: {asked.verdict.explanation}{f'. {one_more}' if one_more else ''}"
    )
    judged_in = places.ledger.latest(model.name, "verdict", asked.verdict.digest)
    facts: Mapping[str, Any] = {
        "version": version, "candidate": asked.registered.subject, "verdict": asked.verdict.digest,
        "report": asked.verdict.report, "launched_by": launcher,
        "page": str(places.report_page(model.name, asked.verdict.digest).relative_to(places.home)),
        "run": None if judged_in is None else judged_in.run_id,
    }  # fmt: skip
    by = {"run_id": run_id, "actor": RELEASE_CASE}
    because = f"version {version} asks now, or production or its verdict changed"
    places.reviews.supersede(model.name, RELEASE_CASE, but=asked.subject, because=because, **by)
    due, approvals = model.spec.release.review.due_days, model.spec.release.approvals
    return places.reviews.open(
        model.name, RELEASE_CASE, asked.subject, text, facts, due_days=due, asked=approvals, **by
    )


def ask_for_production(
    context: dg.AssetExecutionContext, model: Model, places: Places, artifacts: Artifacts, version: str
) -> None:
    """After staging: open the case, where no way to production is open without a person."""
    releases = Releases(places.ledger, model.name)
    live = releases.live()
    if (live is not None and live.data["to"] == version) or version in releases.pulled():
        return
    try:
        asked = application(model, places, artifacts, version)
    except InputError as error:
        context.log.warning(f"{model.name}: version {version} does not ask for production: {error}")
        return
    if asked.way is None:
        launcher = launched_by_of(context.instance, str(asked.registered.data["trained_in"]))
        case = open_case(model, places, asked, launcher=launcher, run_id=context.run.run_id)
        show_cases(context.instance, places, model.name)
        context.log.info(f"{model.name}: case {case.name} is {case.state.lower()}: {case.text}")


def launched_by_of(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """Who launched an earlier run, where that is known."""
    run = instance.get_run_by_id(run_id)
    return None if run is None else launched_by(run)


def _present_verdict(
    model: Model, places: Places, artifacts: Artifacts, registered: Event, live: Event | None
) -> Verdict:
    """The verdict by the present rules, from the newest report that held a version against the present champion.

    A report that was judged by other rules alone is passed over: the present ones may be those of before.
    """
    champion = None if live is None else str(live.data["candidate"])
    against = "an empty production" if live is None else f"version {live.data['to']}, which is live now"
    number, run = registered.data["version"], registered.data["trained_in"]
    why = f"version {number} was never judged against {against}"
    for event in reversed(places.ledger.events(model.name, "verdict")):
        if event.data[CANDIDATE] != registered.subject:
            continue
        result = artifacts.of_run(model.name, event.run_id, REPORT)
        if result is None or result.digest != event.data["report"]:
            continue
        report = result.artifact.json(REPORT_FILE)
        compared = report["comparison"]
        held_against = None if compared is None else compared[CANDIDATE]
        if champion not in {held_against, registered.subject}:
            continue
        verdict = judged(model, result, report)
        if places.ledger.latest(model.name, "verdict", verdict.digest) is not None:
            return verdict
        why = f"the rules changed since version {number} was judged"
    again = (
        f"training-assets promote {model.name} {number} has it judged anew first, and so does the job "
        f"{model.name}_evaluate with the tag {OF_RUN_TAG}={run}"
    )
    raise StaleVerdictError("E_RELEASE", f"{why}; {again}")
