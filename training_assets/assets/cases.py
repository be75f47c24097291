"""What waits for a person, as an asset: its page shows every case, its state and what it is about."""

import dagster as dg

from training_assets.assets.showing import Markdown, markdown_table
from training_assets.core import fingerprint
from training_assets.core.code_identity import code_version
from training_assets.core.pages.markdown import literal
from training_assets.resources.cases import Case
from training_assets.resources.models import Models
from training_assets.resources.places import Places

CASES = "review_cases"


@dg.asset(kinds={"sql"}, code_version=code_version("assets/cases.py"))
def review_cases(
    context: dg.AssetExecutionContext, models: dg.ResourceParam[Models], places: dg.ResourceParam[Places]
) -> dg.MaterializeResult[None]:
    """Questions to people about this model, newest first; decide by `training-assets review` or the job `*_review`."""
    model = models.of(context).name
    return dg.MaterializeResult(
        asset_key=dg.AssetKey([model, CASES]), metadata=_metadata(places, model), data_version=_version(places, model)
    )


def show_cases(instance: dg.DagsterInstance, places: Places, model: str) -> None:
    """Let the asset's page show the cases as they stand now, whoever changed them."""
    tags = {"dagster/data_version": _version(places, model).value}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(dg.AssetKey([model, CASES]), metadata=_metadata(places, model), tags=tags)
    )


def _version(places: Places, model: str) -> dg.DataVersion:
    cases = places.reviews.cases(model)
    return dg.DataVersion(fingerprint.digest([[case.name, case.state, len(case.votes)] for case in cases]))


def _metadata(places: Places, model: str) -> dict[str, dg.MetadataValue]:
    cases = places.reviews.cases(model)[::-1]
    waiting = [case for case in cases if case.state == "OPEN"]
    found: dict[str, dg.MetadataValue] = {
        "open": dg.MetadataValue.int(len(waiting)),
        "cases": dg.MetadataValue.md(markdown_table([_line(case) for case in cases])),
        "waiting": dg.MetadataValue.md(markdown_table([_links(case, places) for case in waiting], most=len(waiting))),
    }
    for case in waiting[:5]:
        found[case.name] = dg.MetadataValue.md(_question(case))
        if case.page is not None:
            found[f"{case.name}-report"] = dg.MetadataValue.path(places.home / case.page)
        if case.run_id:
            found[f"{case.name}-run"] = dg.MetadataValue.dagster_run(case.run_id)
    return found


def _line(case: Case) -> dict[str, str]:
    decided = "" if case.decided_by is None else f"{case.decided_by}: {case.comment}"
    agreed = ", ".join(vote.actor for vote in case.votes)
    return {"case": case.name, "state": case.state, "opened": case.opened_at[:16], "agreed": agreed, "decided": decided}


def _links(case: Case, places: Places) -> dict[str, Markdown | str | None]:
    """Where to read on: the report's page, and the run behind it."""
    page = None if case.page is None else Markdown(f"`{places.home / case.page}`")
    url = places.run_url(case.run_id) or f"/runs/{case.run_id}"  # of the UI that shows it
    return {"case": case.name, "report": page, "run": Markdown(f"[{case.run_id}]({url})") if case.run_id else None}


def _question(case: Case) -> str:
    decide = f"training-assets review {case.model} {case.name} --approve --comment TEXT"
    due = "" if case.due is None else f" It expires {case.due[:16]} UTC: time never approves."
    return (
        f"{literal(case.text)}.{due}\n\nTo decide: `{decide}` (or `--reject`), or launch the job `{case.model}_review`."
    )
