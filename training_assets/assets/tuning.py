"""Stage 6: trials over model families; the best one is kept with its operating point and its study."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from training_assets.assets.encoding import PREPROCESSOR_FILE
from training_assets.assets.features import ROWS
from training_assets.assets.showing import shown
from training_assets.assets.splits import PROFILE
from training_assets.core import fingerprint, plots
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.families.base import Data
from training_assets.core.lineage import SPLITS
from training_assets.core.operating_point import best_threshold
from training_assets.core.scoring import Scorer, table
from training_assets.core.search import Study, Tuned, search
from training_assets.resources.artifacts import MADE_FROM, Artifacts, Result, require_origin
from training_assets.resources.models import Models

TUNED = "tuned_model"
SCORER = "scorer"
STUDY = "study.json"
GOLDEN, GOLDEN_SCORES = "golden_rows.parquet", "golden_scores.parquet"
GOLDEN_ROWS = 64
CODE = code_version("assets/tuning.py", packages=("catboost", "optuna", "scikit-learn"))


@dg.asset(kinds={"catboost", "scikitlearn", "optuna"}, code_version=CODE)
def tuned_model(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    artifacts: Artifacts,
    preprocessor: Result,
    encoded_features: Result,
    train_split: Result,
    validation_split: Result,
) -> dg.MaterializeResult[Result]:
    """The best of all trials, each stopped early on the validation split, with operating point and learning curves."""
    model = models.of(context)
    spec = model.spec
    stands_on = {"preprocessor": preprocessor, "train_split": train_split, "validation_split": validation_split}
    require_origin("encoded_features", encoded_features, **stands_on)

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        folder = folders[TUNED]
        fitted = Preprocessor.from_json(preprocessor.artifact.json(PREPROCESSOR_FILE))
        train, validation = (
            Data.of(encoded_features.artifact.frame(f"{name}.parquet"), fitted.layout)
            for name in ("train", "validation")
        )
        cores = len(os.sched_getaffinity(0))
        tuned = search(train, validation, spec.search, spec.target.task, cores=cores, progress=context.log.info)
        threshold = None
        if spec.target.task == "binary":
            threshold = best_threshold(validation.y, tuned.model.predict(validation))
        scorer = Scorer(fitted, tuned.model, threshold)
        scorer.save(folder / SCORER)
        golden = validation_split.artifact.frame(ROWS).sample(fraction=1, shuffle=True, seed=0).head(GOLDEN_ROWS)
        golden = golden.select(list(fitted.kinds))
        golden.write_parquet(folder / GOLDEN)
        table(scorer, golden).write_parquet(folder / GOLDEN_SCORES)
        study = tuned.study
        (folder / STUDY).write_bytes(fingerprint.canonical(study.to_json()))
        (folder / PROFILE).write_bytes(train_split.artifact.read(PROFILE))
        _draw(folder, tuned)
        facts = {
            "family": tuned.model.family,
            "best_iteration": tuned.model.best_iteration,
            "importances": tuned.model.importances(),
            "threshold": threshold,
            "metric": study.metric,
            "score": study.best_trial.score,
            "params": study.best_trial.params,
            "trials": len(study.trials),
            "seconds": study.seconds,
            "lineage": {
                **train_split.artifact.facts["lineage"],
                **{split: encoded_features.artifact.facts[MADE_FROM][split] for split in SPLITS},
            },
            "identity": {**made_from, "code": CODE, "scorer": scorer.digest},
        }
        return {TUNED: Made(facts, fingerprint.digest(facts["identity"]))}

    made_from = {
        "encoded_features": encoded_features.digest,
        **{name: each.digest for name, each in stands_on.items()},
        "search": spec.search.model_dump(mode="json"),
    }
    result = artifacts.once(context, made_from, make)[TUNED]
    facts = result.artifact.facts
    return shown(
        result,
        model.key(TUNED),
        {
            "family": facts["family"],
            facts["metric"]: facts["score"],
            "trials": facts["trials"],
            "best_iteration": facts["best_iteration"] or 0,
            "search_seconds": facts["seconds"],
            "candidate": result.digest,
        },
        tables={
            "parameters": [{"parameter": name, "value": value} for name, value in facts["params"].items()],
            "best_trials": _best_trials(result),
        },
    )


def _draw(folder: Path, tuned: Tuned) -> None:
    """Pictures of the search and of the winner's training."""
    study, winner = tuned.study, tuned.model
    trials = [trial.to_json() for trial in study.trials]
    (folder / "search_history.png").write_bytes(plots.search_history(trials, study.metric, study.direction))
    if winner.curves:
        curves = plots.learning_curves(winner.curves, winner.best_iteration, winner.curve_metric)
        (folder / "learning_curves.png").write_bytes(curves)


def _best_trials(result: Result, most: int = 10) -> list[dict[str, Any]]:
    """The best trials of the study, best first."""
    study = Study.from_json(result.artifact.json(STUDY))
    sign = -1 if study.direction == "higher" else 1
    scored = [(sign * trial.score, trial) for trial in study.trials if trial.score is not None]
    done = [trial for _, trial in sorted(scored, key=lambda pair: pair[0])]
    return [
        {
            "trial": trial.number,
            "family": trial.family,
            study.metric: trial.score,
            "iterations": trial.best_iteration,
            "seconds": round(trial.seconds, 1),
        }
        for trial in done[:most]
    ]
