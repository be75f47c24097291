"""Jobs with a form: what a person decides in the UI's launchpad, the same as on the command line."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum

import dagster as dg
from pydantic import Field

from training_assets.assets.cases import show_cases
from training_assets.assets.live import finish
from training_assets.core.release.dates import moment
from training_assets.governance.deciding import Decision, asked_of, decide
from training_assets.governance.rollback import roll_back, told_of
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Models
from training_assets.resources.outbox import Outbox
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry


class Says(Enum):
    """Yes or no."""

    approve = "approve"
    reject = "reject"


class ReviewForm(dg.Config):
    """A decision about a case; the page of the asset `review_cases` lists them."""

    case: str = Field(description="Name of the case, or its beginning, e.g. verdict-1f2e3d.")
    decision: Says = Field(description="approve or reject")
    by: str = Field(description="Who decides: a name or an e-mail address, as release.approvals.roles lists it.")
    comment: str = Field(description="Why.")
    waive: list[str] = Field([], description="Failed rules that this overrides, each by name (role risk only).")
    until: str = Field("", description="When a waiver ends, e.g. 2027-06-30.")


class RollbackForm(dg.Config):
    """What to pull, what to go back to, and why."""

    reason: str = Field(description="Why the present version is pulled.")
    by: str = Field(description="Who pulls it.")
    to: str = Field("", description="Version to go back to; empty: the newest sound one before the present.")
    of: str = Field("", description="Version to pull; empty: the one that is live. Named, it is pulled once.")


def forms(model: str) -> Sequence[dg.JobDefinition]:
    """`<model>_review`, `<model>_rollback` and, without a form, `<model>_deliver`."""
    return [_review(model), _rollback(model), _deliver(model)]


def _review(model: str) -> dg.JobDefinition:
    @dg.op(name=f"{model}_decide")
    def decide_case(
        context: dg.OpExecutionContext,
        config: ReviewForm,
        models: dg.ResourceParam[Models],
        places: dg.ResourceParam[Places],
        registry: dg.ResourceParam[Registry],
    ) -> None:
        with clear_failures():
            case = places.reviews.named(model, config.case)
            until = _until(config.until)
            said = Decision(config.decision.value, config.by, config.comment, tuple(config.waive), until)
            decided = decide(models.named(model), places, registry, case, said, run_id=context.run.run_id)
        show_cases(context.instance, places, model)
        lacks = decided.lacks(asked_of(models.named(model), decided), places.ledger.now())
        more = f"; it still needs {lacks}" if decided.state == "OPEN" and lacks else ""
        context.log.info(f"case {decided.name} is {decided.state.lower()}{more}")

    @dg.job(name=f"{model}_review", description="Decide a review case: fill in the form in the launchpad.")
    def review() -> None:
        decide_case()

    return review


def _rollback(model: str) -> dg.JobDefinition:
    @dg.op(name=f"{model}_pull")
    def pull(
        context: dg.OpExecutionContext,
        config: RollbackForm,
        models: dg.ResourceParam[Models],
        places: dg.ResourceParam[Places],
        artifacts: Artifacts,
        registry: dg.ResourceParam[Registry],
    ) -> None:
        about, run_id = models.named(model), context.run.root_run_id or context.run.run_id
        first = context.instance.get_run_record_by_id(run_id)
        began = None if first is None or first.start_time is None else datetime.fromtimestamp(first.start_time, UTC)
        with clear_failures():
            moved = roll_back(
                about, places, artifacts, registry, of=config.of or None, to=config.to or None,
                reason=config.reason, actor=config.by, run_id=run_id, asked_at=began,
            )  # fmt: skip
        finish(context.instance, about, places, registry, run_id=context.run.run_id, say=context.log.info)
        context.log.info(told_of(moved, run_id))

    @dg.job(name=f"{model}_rollback", description="Bring an earlier version back; the present one is quarantined.")
    def rollback() -> None:
        pull()

    return rollback


def _deliver(model: str) -> dg.JobDefinition:
    @dg.op(name=f"{model}_send")
    def send(
        context: dg.OpExecutionContext,
        models: dg.ResourceParam[Models],
        places: dg.ResourceParam[Places],
        registry: dg.ResourceParam[Registry],
    ) -> None:
        Outbox(models.named(model), places, registry).send(run_id=context.run.run_id, say=context.log.info)

    @dg.job(name=f"{model}_deliver", description="Bring moves of versions to their targets, and open cases to people.")
    def deliver() -> None:
        send()

    return deliver


def _until(text: str) -> datetime | None:
    return moment(text) if text.strip() else None
