"""The verdict on a report, and what people decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training_assets.core import fingerprint
from training_assets.core.evaluation.gates import Verdict, judge, policy_digest
from training_assets.core.release.approvals import asks_one_more
from training_assets.resources.artifacts import Result
from training_assets.resources.cases import Case
from training_assets.resources.ledger import Ledger
from training_assets.resources.models import Model
from training_assets.resources.places import Places

REPORT = "evaluation_report"
REPORT_FILE = "report.json"
CANDIDATE = "candidate"
VERDICT_CASE = "verdict"


def judged(model: Model, result: Result, report: Mapping[str, Any]) -> Verdict:
    """The verdict of the spec's present rules on a report, bound to candidate, report and policy."""
    rules = model.spec.evaluation
    policy = fingerprint.digest([policy_digest(rules.gates), rules.model_dump(mode="json", exclude={"gates"})])
    return judge(report, rules.gates, candidate=report[CANDIDATE], report_digest=result.digest, policy_digest=policy)


def ask_people(
    model: Model,
    places: Places,
    verdict: Verdict,
    *,
    launcher: str | None,
    report_run: str,
    run_id: str,
    is_newest: bool = True,
) -> Case | None:
    """The case of a verdict that does not register by itself; one on the newest candidate closes those of earlier ones.

    None where the verdict is PASS, or ERROR: what went wrong is mended and judged anew.
    """
    by = {"run_id": run_id, "actor": REPORT}
    because = f"candidate {verdict.candidate[:12]} was judged since, by the present rules"
    if is_newest:
        places.reviews.supersede(model.name, VERDICT_CASE, but=verdict.digest, because=because, **by)
    if not verdict.asks:
        return None
    waiver = ""
    if verdict.overridden:
        waiver = f" Only a waiver by the role risk goes past: {', '.join(verdict.overridden)}."
    one_more = asks_one_more(model.spec.release.approvals, launcher)
    more = f" {one_more}." if one_more else ""
    text = f"may the candidate of {model.name} be registered all the same? {verdict.explanation}.{waiver}{more}"
    facts = {
        CANDIDATE: verdict.candidate, "report": verdict.report, "policy": verdict.policy, "verdict": verdict.name,
        "missed": [each.text for each in verdict.results if each.outcome not in {"PASS", "NOT_APPLICABLE"}],
        "overridden": list(verdict.overridden), "launched_by": launcher, "run": report_run,
        "page": str(places.report_page(model.name, verdict.digest).relative_to(places.home)),
    }  # fmt: skip
    due, approvals = model.spec.release.review.due_days, model.spec.release.approvals
    return places.reviews.open(
        model.name, VERDICT_CASE, verdict.digest, text, facts, due_days=due, asked=approvals, **by
    )


def overtaken_by(model: str, ledger: Ledger, verdict: str, candidate: str) -> str | None:
    """The version of another candidate that was judged after this verdict and registered; none where there is none."""
    judged_in_turn = [event.subject for event in ledger.events(model, "verdict")]
    later = set(judged_in_turn[judged_in_turn.index(verdict) + 1 :]) if verdict in judged_in_turn else set()
    for registered in reversed(ledger.events(model, "registered")):
        if registered.subject != candidate and registered.data["verdict"] in later:
            return str(registered.data["version"])
    return None


def anew(model: str) -> str:
    """What has people asked once more, where an approval has ended."""
    return f"materialise evaluation_report (training-assets run {model}), which asks anew"


def approved_verdict(model: Model, places: Places, verdict: Verdict) -> Case | None:
    """The complete approval of a verdict that is no PASS; none where there is none, or it is not valid any more."""
    if not verdict.asks:
        return None
    return places.reviews.approval(model.name, VERDICT_CASE, verdict.digest, model.spec.release.approvals)
