"""Stage 6: trials over model families; the best few are blended, refitted, and kept with operating point and study."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from training_assets.assets.encoding import PREPROCESSOR_FILE
from training_assets.assets.features import ROWS
from training_assets.assets.showing import shown
from training_assets.assets.splits import PROFILE
from training_assets.core import fingerprint, own_code, plots
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.golden import golden_rows
from training_assets.core.lineage import SPLITS
from training_assets.core.project_code import project_function
from training_assets.core.scoring import Scorer, table
from training_assets.core.search import Study
from training_assets.core.search.memory import Folder
from training_assets.core.training import train
from training_assets.resources.artifacts import MADE_FROM, Artifacts, Result, require_origin
from training_assets.resources.checkout import made_with
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Model, Models
from training_assets.resources.places import Places
from training_assets.resources.tracking import Tracking
from training_assets.resources.trials import log_trials
from training_assets.spec import ModelSpec
from training_assets.spec.search import Search

TUNED = "tuned_model"
SCORER = "scorer"
STUDY = "study.json"
MADE_BY = "spec"
"""The fact that holds the spec as it was when the model was made: another may stand there when it is registered."""
OF_NOW = ("description", "owners", "evaluation", "card", "release")
GOLDEN, GOLDEN_SCORES = "golden_rows.parquet", "golden_scores.parquet"
CODE = code_version("assets/tuning.py", packages=("catboost", "lightgbm", "optuna", "scikit-learn"))


@dg.asset(kinds={"optuna", "catboost", "lightgbm"}, code_version=CODE)
def tuned_model(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    tracking: Tracking,
    preprocessor: Result,
    encoded_features: Result,
    train_split: Result,
    validation_split: Result,
) -> dg.MaterializeResult[Result]:
    """The best few of all trials, each stopped early on the validation split, blended and refitted into one model."""
    model = models.of(context)
    spec = model.spec
    stands_on = {"preprocessor": preprocessor, "train_split": train_split, "validation_split": validation_split}
    require_origin("encoded_features", encoded_features, **stands_on)
    made_from = {
        "encoded_features": encoded_features.digest,
        **{name: each.digest for name, each in stands_on.items()},
        **{part: spec.model_dump(mode="json")[part] for part in ("training", "search", "decision")},
        "own_code": _own_code(spec.search, places.root),
    }
    unfinished = artifacts.unfinished(context, made_from)

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        folder = folders[TUNED]
        warm, before = _last_members(context, model, artifacts)
        trained = train(
            Preprocessor.from_json(preprocessor.artifact.json(PREPROCESSOR_FILE)),
            {name: encoded_features.artifact.frame(f"{name}.parquet") for name in ("train", "validation")},
            spec,
            places.root,
            cores=len(os.sched_getaffinity(0)),
            memory=Folder(unfinished),
            warm=warm,
            say=context.log.info,
        )
        scorer, study = trained.scorer, trained.tuned.study
        scorer.save(folder / SCORER)
        golden = golden_rows(validation_split.artifact.frame(ROWS).select(list(scorer.preprocessor.kinds)))
        golden.write_parquet(folder / GOLDEN)
        table(scorer, golden).write_parquet(folder / GOLDEN_SCORES)
        (folder / STUDY).write_bytes(fingerprint.canonical(study.to_json()))
        (folder / PROFILE).write_bytes(train_split.artifact.read(PROFILE))
        for name, picture in plots.study_plots(study, trained.tuned.best_model_curves).items():
            (folder / f"{name}.png").write_bytes(picture)
        facts = {
            "family": scorer.model.family,
            "importances": scorer.preprocessor.layout.by_feature(scorer.model.importances()),
            "threshold": scorer.threshold,
            "calibration": None if scorer.calibration is None else scorer.calibration.to_json()["kind"],
            "metric": study.metric,
            "score": study.score,
            "params": study.best_trial.params,
            "trials": len(study.trials),
            "seconds": study.seconds,
            "warm_start": before,
            "made_with": made_with(places.root),
            MADE_BY: spec.model_dump(mode="json"),
            "lineage": {
                **train_split.artifact.facts["lineage"],
                **{split: encoded_features.artifact.facts[MADE_FROM][split] for split in SPLITS},
            },
            "identity": {**made_from, "code": CODE, "scorer": scorer.digest},
        }
        return {TUNED: Made(facts, fingerprint.digest(facts["identity"]))}

    result = artifacts.once(context, made_from, make)[TUNED]
    shutil.rmtree(unfinished, ignore_errors=True)
    facts, study = result.artifact.facts, Study.from_json(result.artifact.json(STUDY))
    if places.ledger.latest(model.name, "trials_tracked", result.digest) is None:
        with tracking.run(context, model.name) as mlflow:
            context.log.info(f"{len(study.trials)} trials go into MLflow as runs")
            log_trials(mlflow, study)
        by = {"run_id": context.run.run_id, "actor": TUNED}
        places.ledger.record(model.name, "trials_tracked", result.digest, {"trials": len(study.trials)}, **by)
    return shown(
        result,
        model.key(TUNED),
        {
            "family": facts["family"],
            facts["metric"]: facts["score"],
            "trials": facts["trials"],
            "members": len(study.members),
            "search_seconds": facts["seconds"],
            "candidate": result.digest,
        },
        tables=plots.study_tables(study),
    )


def spec_that_made(tuned: Result, now: ModelSpec) -> ModelSpec:
    """The spec as it was when a model was made; what it says of judging and releasing is as it is now."""
    then, present = tuned.artifact.facts.get(MADE_BY), now.model_dump(mode="json")
    return now if then is None else ModelSpec.model_validate({**then, **{part: present[part] for part in OF_NOW}})


def read_scorer(tuned: Result, model: Model, root: Path) -> Scorer:
    """The scorer of a tuned model, after its files were verified; code of the user's own is imported for it."""
    search = model.spec.search
    for name in search.own_code:
        project_function(name, root, "search", "E_FAMILY")
    return Scorer.load(tuned.artifact.verified_folder() / SCORER, search.trusted)


def _own_code(search: Search, root: Path) -> dict[str, str]:
    """Identity of each family and metric of the user's own: another one trains anew."""
    with clear_failures():
        return {name: own_code.identity(name, root, search.trust) for name in search.own_code}


def _last_members(
    context: dg.AssetExecutionContext, model: Model, artifacts: Artifacts
) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
    """Families and parameters of the last model's members, and its digest: what the search tries early."""
    if not model.spec.search.warm_start:
        return [], None
    for record in context.instance.fetch_materializations(model.key(TUNED), limit=1).records:
        with clear_failures():
            last = artifacts.of_run(model.name, record.run_id, TUNED)
        if last is not None:
            study = Study.from_json(last.artifact.json(STUDY))
            members = {member.trial for member in study.members}
            return [(each.family, each.params) for each in study.trials if each.number in members], last.digest
    return [], None
