"""Stage 8: a candidate that passed becomes a version; whatever else is asked for is refused here, again."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from training_assets.assets.showing import shown
from training_assets.assets.tuning import GOLDEN, read_scorer
from training_assets.core import fingerprint
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.errors import InputError
from training_assets.core.evaluation.gates import Verdict
from training_assets.core.lineage import checked_subjects
from training_assets.governance.judging import REPORT_FILE, VERDICT_CASE, anew, approved_verdict, judged
from training_assets.governance.packaging import bundled_code, package
from training_assets.governance.pages import write_pages
from training_assets.governance.recorded_rows import batches_behind
from training_assets.resources.artifacts import MADE_FROM, Artifacts, Result
from training_assets.resources.failures import clear_failures
from training_assets.resources.locks import exclusively
from training_assets.resources.models import Model, Models
from training_assets.resources.packages import files_of, parts_of, without_compiled_code
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import Releases
from training_assets.resources.retractions import retracted
from training_assets.resources.tracking import Tracking
from training_assets.serving import PACKAGE

REGISTERED = "registered_version"
PRESENT = "registered"
"""Pointer to the version that the newest passing run stands on: what staging is to serve."""


@dg.asset(kinds={"mlflow"}, code_version=code_version("assets/registration.py"))
def registered_version(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    tracking: Tracking,
    registry: dg.ResourceParam[Registry],
    tuned_model: Result,
    evaluation_report: Result,
) -> dg.MaterializeResult[Result]:
    """One registry version a candidate: model, preprocessor, signature, digests; only with verdict PASS or approved."""
    model = models.of(context)
    with clear_failures():
        report = evaluation_report.artifact.json(REPORT_FILE)
        tuned_model.artifact.verified_folder()
    verdict = judged(model, evaluation_report, report)
    batches = batches_behind(context.run, model.name, tuned_model, artifacts)
    why_not = refusal(verdict, report, evaluation_report, tuned_model, batches, places, model)
    if why_not:
        metadata = {"verdict": verdict.name, "candidate": tuned_model.digest}
        message = f"{model.name}: not registered: {why_not}"
        raise dg.Failure(message, metadata=metadata, allow_retries=False)
    tags: dict[str, Any] = {
        "candidate": tuned_model.digest,
        "scorer": tuned_model.artifact.facts["identity"]["scorer"],
        "preprocessor": tuned_model.artifact.facts[MADE_FROM]["preprocessor"],
        "report": evaluation_report.digest,
        "policy": verdict.policy,
        "verdict": verdict.digest,
        "dataset_version": tuned_model.artifact.facts["lineage"]["dataset"],
        "trained_in": tuned_model.made_in,
        "freed_by": _freed_by(verdict, places, model),
    }
    by = {"run_id": context.run.run_id, "actor": REGISTERED}
    registered = places.ledger.latest(model.name, "registered", tuned_model.digest)
    if registered is None:
        _require_its_own_files(tuned_model, model, places)
        with (
            exclusively(places.locks, f"register-{model.name}"),  # finding a version and making it are one step
            tempfile.TemporaryDirectory() as scratch,
        ):
            folder = Path(scratch) / "model"
            (folder / PACKAGE).mkdir(parents=True)
            pages = write_pages(model, places, artifacts, verdict, report, evaluation_report, tuned_model)
            package(folder / PACKAGE, model, verdict, pages, evaluation_report, tuned_model)
            code = bundled_code(Path(scratch) / "code")
            tags |= {
                "model_files": fingerprint.digest(fingerprint.digests_of(folder / PACKAGE)),
                "code_files": fingerprint.digest(fingerprint.digests_of(code)),
            }
            taken = Releases(places.ledger, model.name).versions()
            files = tags["model_files"], tags["code_files"]
            version = registry.version_of(model.name, tuned_model.digest, *files, taken=taken)
            if version is None:
                example = tuned_model.artifact.frame(GOLDEN)
                page = tracking.page_of_report(model.name, evaluation_report.digest)
                described = _described(verdict, page)
                with clear_failures(), tracking.run(context, model.name) as mlflow:
                    version = registry.register(mlflow, model.name, folder, code, example, tags, described, taken=taken)
            with clear_failures():
                tags["files"] = _files(registry, model.name, version, tags, Path(scratch) / "fetched")
        once = f"{model.name}/registered/{tuned_model.digest}"
        arrival = {"version": version, **tags}
        registered = places.ledger.record(model.name, "registered", tuned_model.digest, arrival, once=once, **by)
        context.log.info(f"{model.name}: registered version {version}")
    present, version = places.ledger.pointer(model.name, PRESENT), str(registered.data["version"])
    if present != version:
        places.ledger.move(model.name, PRESENT, expected=present, to=version, data={}, **by)
    facts: dict[str, Any] = dict(registered.data)
    made_from = {"candidate": tuned_model.digest, "event": registered.hash}
    result = artifacts.once(context, made_from, lambda _: {REGISTERED: Made(facts, fingerprint.digest(facts))})[
        REGISTERED
    ]
    uri = f"models:/{model.name}/{facts['version']}"
    return shown(
        result, model.key(REGISTERED), {"version": int(facts["version"]), "model_uri": uri, "verdict": verdict.name}
    )


def _files(registry: Registry, model: str, version: str, logged: dict[str, Any], folder: Path) -> str:
    """Digest of all files of a version as others will fetch it; refuses one that does not hold what was logged."""
    folder.mkdir()
    local = registry.download(model, version, folder)
    without_compiled_code(local)
    if any(logged[name] != digest for name, digest in parts_of(local).items()):
        message = f"the files of version {version} are not those that were logged; delete it in MLflow and run again"
        raise InputError("E_HASH", message)
    return files_of(local)


def _described(verdict: Verdict, page: str | None) -> str:
    """What people read on the version's page in MLflow, as Markdown; quoted words of data cannot break it."""
    report = "" if page is None else f"[Evaluation report]({page})\n\n"
    said = verdict.explanation.replace("`", "'")[:800]
    return f"{report}`{said}`\n\nReport, model card, study and lineage are among the version's files, in `package/`."


def _freed_by(verdict: Verdict, places: Places, model: Model) -> str | None:
    """What lets the candidate pass: its verdict, or the case of a complete approval; none where nothing does."""
    if verdict.allows("register"):
        return "verdict"
    case = approved_verdict(model, places, verdict)
    return None if case is None else case.name


def _require_its_own_files(tuned: Result, model: Model, places: Places) -> None:
    """Refuse files that are not those of the candidate's identity, even where somebody mended their manifest."""
    identity = tuned.artifact.facts["identity"]
    with clear_failures():
        scorer = read_scorer(tuned, model, places.root)
    if scorer.digest != identity["scorer"] or fingerprint.digest(identity) != tuned.digest:
        message = "the tuned model's files are not those of the candidate that was judged; train anew with force"
        raise dg.Failure(message, allow_retries=False)


def refusal(
    verdict: Verdict,
    report: dict[str, Any],
    evaluated: Result,
    tuned: Result,
    batches: Sequence[str],
    places: Places,
    model: Model,
) -> str | None:
    """Why this candidate, which stands on `batches`, may not be registered: from disk and ledger alone."""
    if report["candidate"] != tuned.digest:
        return "the evaluation report is about another candidate; materialise evaluation_report for this one"
    if fingerprint.digest(report) != evaluated.digest:
        return "the evaluation report is not the one that was judged; materialise evaluation_report again"
    if _freed_by(verdict, places, model) is None:
        return f"verdict {verdict.explanation}{_asked(verdict, places, model)}"
    if places.ledger.latest(model.name, "verdict", verdict.digest) is None:
        return "the ledger holds no verdict for this candidate under the present rules; materialise evaluation_report"
    return _unchecked(tuned, batches, places, model)


def _asked(verdict: Verdict, places: Places, model: Model) -> str:
    """How the verdict's case stands, and what it still needs."""
    case = places.reviews.case(model.name, VERDICT_CASE, verdict.digest)
    if case is None:
        return ""
    lacks = case.lacks(model.spec.release.approvals, places.ledger.now())
    if case.state == "APPROVED":
        return f" (case {case.name} was approved by {case.decided_by}, and needs {lacks} now; {anew(model.name)})"
    needs = f", and needs {lacks}" if case.state == "OPEN" and lacks else ""
    return f" (case {case.name} is {case.state.lower()}{needs})"


def _unchecked(tuned: Result, batches: Sequence[str], places: Places, model: Model) -> str | None:
    """Which blocking data check the rows behind the candidate have not passed, or which were taken back since."""
    if taken_back := retracted(places.ledger, model.name) & set(batches):
        return f"it was trained on batches that are retracted: {', '.join(sorted(each[:12] for each in taken_back))}"
    for asset, subject in checked_subjects(tuned.artifact.facts, model.spec.validation.leakage.waive).items():
        checked = places.ledger.latest(model.name, "checked", subject)
        if checked is None:
            return f"the checks of {asset} have not run for the rows behind this candidate; run them"
        if checked.data["blocked"]:
            return f"the rows behind this candidate failed a check of {asset}: {', '.join(checked.data['blocked'])}"
    return None
