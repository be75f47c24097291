"""Stage 7: the candidate is measured on the test split, and judged by the spec's rules."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from training_assets.assets.cases import show_cases
from training_assets.assets.drift import drift_report
from training_assets.assets.encoding import PREPROCESSOR_FILE
from training_assets.assets.features import ROWS
from training_assets.assets.report_lines import change_lines, headline, measured, metric_lines, slice_lines
from training_assets.assets.showing import shown
from training_assets.assets.tuning import GOLDEN, GOLDEN_SCORES, SCORER, STUDY, TUNED, read_scorer
from training_assets.core import fingerprint, plots
from training_assets.core.artifact_format import Artifact, Made
from training_assets.core.code_identity import code_version
from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.evaluation.aims import Aims
from training_assets.core.evaluation.comparison import Scored
from training_assets.core.evaluation.permutation import permutation_importance
from training_assets.core.evaluation.report import evaluate
from training_assets.core.evaluation.served import parity, runtime
from training_assets.core.evaluation.verdict import Verdict
from training_assets.core.families.data import Data
from training_assets.core.splitting import dealt_groups
from training_assets.governance.champion import against, live
from training_assets.governance.judging import REPORT, REPORT_FILE, ask_people, judged
from training_assets.governance.pages import write_pages
from training_assets.governance.production import launched_by_of
from training_assets.governance.recorded_rows import as_made_by, batches_behind
from training_assets.resources.artifacts import Artifacts, Result, require_origin
from training_assets.resources.failures import clear_failures
from training_assets.resources.launches import OF_RUN_TAG
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.resources.tracking import Tracking
from training_assets.spec.evaluation import CARD_FIELDS


@dg.asset(
    deps=[drift_report],  # its page tells of it
    kinds={"scikitlearn", "mlflow"},
    code_version=code_version("assets/evaluation.py", "governance/champion.py", packages=("scikit-learn",)),
)
def evaluation_report(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    tracking: Tracking,
    preprocessor: Result,
    encoded_features: Result,
    tuned_model: Result,
    train_split: Result,
    test_split: Result,
) -> dg.MaterializeResult[Result]:
    """Metrics with intervals on the test split, pictures, and the verdict of the spec's rules, kept in the ledger."""
    model = models.of(context)
    spec = model.spec
    aims = Aims.of(spec)
    splits = {"train_split": train_split, "test_split": test_split}
    require_origin("encoded_features", encoded_features, preprocessor=preprocessor, **splits)
    require_origin("tuned_model", tuned_model, encoded_features=encoded_features, preprocessor=preprocessor)

    champion = live(model, places, artifacts)
    if champion is not None and champion.candidate == tuned_model.digest:
        champion = None  # nothing to be held against: it is in production itself

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        fitted = Preprocessor.from_json(preprocessor.artifact.json(PREPROCESSOR_FILE))
        train, test = (
            Data.of(encoded_features.artifact.frame(f"{name}.parquet"), fitted.layout) for name in ("train", "test")
        )
        scorer = read_scorer(tuned_model, model, places.root)
        rows = {name: split.artifact.frame(ROWS) for name, split in splits.items()}
        predictions = scorer.predict_encoded(test)
        groups = dealt_groups(rows["test_split"], spec.split, spec.one_with_role("group"))
        report = evaluate(
            spec.target.task,
            test.labels,
            predictions,
            classes=fitted.classes,
            threshold=scorer.threshold,
            spec=spec.evaluation,
            train_target=train.labels,
            seed=spec.search.seed,
            groups=groups,
            aims=aims,
        )
        challenger = Scored(predictions, scorer.threshold)
        test_run = (model.name, test_split.made_in, spec, places, artifacts)
        report |= against(
            champion, spec, fitted.classes, test.labels, challenger, rows, groups,
            lambda other: as_made_by(other, rows["test_split"], *test_run),
        )  # fmt: skip
        golden = (tuned_model.artifact.frame(name) for name in (GOLDEN, GOLDEN_SCORES))
        folder = tuned_model.artifact.verified_folder() / SCORER
        report |= {
            "runtime": runtime(scorer, rows["test_split"], folder),
            "parity": parity(scorer, *golden),
            "importance": permutation_importance(
                spec.target.task,
                rows["test_split"],
                test.labels,
                scorer.predict,
                tuned_model.artifact.facts["importances"],
                classes=fitted.classes,
                threshold=scorer.threshold,
                seed=spec.search.seed,
                aims=aims,
            ),
            "card": {"fields": {name: bool(getattr(spec.card, name)) for name in CARD_FIELDS}},
            "candidate": tuned_model.digest,
        }
        (folders[REPORT] / REPORT_FILE).write_bytes(fingerprint.canonical(report))
        for name, picture in plots.plots_for(report).items():
            (folders[REPORT] / f"{name}.png").write_bytes(picture)
        return {REPORT: Made({"candidate": tuned_model.digest}, fingerprint.digest(report))}

    made_from = {
        "tuned_model": tuned_model.digest,
        "test_split": test_split.digest,
        "champion": None if champion is None else champion.candidate,
        "card": spec.card.model_dump(mode="json"),
        "measured_by": spec.evaluation.model_dump(mode="json", exclude={"gates"}),
        "aims": aims.to_json(),
    }
    result = artifacts.once(context, made_from, make)[REPORT]
    with clear_failures():
        report = result.artifact.json(REPORT_FILE)
    # Also where this asset was materialised alone, what people approve is registered from the results of this one run.
    artifacts.stand_on(model.name, context.run.run_id, TUNED, tuned_model)
    verdict = judged(model, result, report)
    judged_by = {"run_id": context.run.run_id, "actor": REPORT}
    _note_verdict(model.name, places, verdict, judged_by)
    batches = batches_behind(context.run, model.name, tuned_model, artifacts)
    _note_judged(model.name, places, tuned_model.digest, batches, judged_by)
    pages = write_pages(model, places, artifacts, verdict, report, result, tuned_model)  # first: a case leads to them
    launcher, run_id = launched_by_of(context.instance, tuned_model.made_in), context.run.run_id
    case = ask_people(
        model, places, verdict, launcher=launcher, report_run=run_id, run_id=run_id,
        is_newest=OF_RUN_TAG not in context.run.tags,
    )  # fmt: skip
    show_cases(context.instance, places, model.name)
    if places.ledger.latest(model.name, "tracked", verdict.digest) is None:
        with tracking.run(context, model.name) as mlflow:
            mlflow.log_params(_params(tuned_model.artifact))
            mlflow.log_metrics({name: value for name, value in measured(report).items() if value is not None})
            digests = {"candidate": verdict.candidate, "report": verdict.report, "policy": verdict.policy}
            mlflow.set_tags({"verdict": verdict.name, **digests})
            for folder in (result.artifact.verified_folder(), pages):
                mlflow.log_artifacts(str(folder), "evaluation")
            mlflow.log_dict(tuned_model.artifact.json(STUDY), "study.json")
        places.ledger.record(model.name, "tracked", verdict.digest, {}, **judged_by)
    context.log.info(f"verdict {verdict.explanation}")
    return shown(
        result,
        model.key(REPORT),
        {
            "verdict": verdict.name,
            "why": verdict.explanation,
            "page": dg.MetadataValue.path(places.report_page(model.name, verdict.digest)),
            "card": dg.MetadataValue.path(pages / "card.html"),
            **({} if case is None else {"case": case.name}),
            "test_rows": report["rows"],
            **headline(report),
        },
        tables={
            "metrics": metric_lines(report),
            "against_champion": change_lines(report),
            "slices": slice_lines(report),
            "rules": [{"rule": each.text, "outcome": each.outcome} for each in verdict.results],
        },
    )


def _note_verdict(model: str, places: Places, verdict: Verdict, by: Mapping[str, str]) -> None:
    """Record a verdict, once, whoever comes to it again."""
    once = f"{model}/verdict/{verdict.digest}"
    places.ledger.record(model, "verdict", verdict.digest, verdict.to_json(), once=once, **by)


def _note_judged(model: str, places: Places, candidate: str, batches: Sequence[str], by: Mapping[str, str]) -> None:
    """Record, once, that batches were carried to a verdict: no sensor need ask for them again.

    The newest record is always of a batch of the newest verdict, so that one batch that replaces others is known.
    """
    known = [event.subject for event in places.ledger.events(model, "batch_judged")]
    for batch in batches:
        if batch not in known:
            once = f"{model}/judged/{batch}"
            places.ledger.record(model, "batch_judged", batch, {"candidate": candidate}, once=once, **by)
    if batches and known and set(batches) <= set(known) and known[-1] not in batches:
        once = f"{model}/judged/{batches[-1]}/{len(known)}"
        places.ledger.record(model, "batch_judged", batches[-1], {"candidate": candidate}, once=once, **by)


def _params(tuned: Artifact) -> dict[str, Any]:
    """What the model is, and the parameters of the best trial, for MLflow."""
    facts = tuned.facts
    return {"family": facts["family"], "trials": facts["trials"], **facts["params"]}
