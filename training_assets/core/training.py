"""From encoded splits to a scorer: the search, then calibration and operating point on the validation split."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from training_assets.core import calibration
from training_assets.core.class_weights import class_weights
from training_assets.core.encoding import Preprocessor
from training_assets.core.encoding.target_transform import TargetTransform
from training_assets.core.families.base import Learning
from training_assets.core.families.data import Data
from training_assets.core.learning import learning
from training_assets.core.operating_point import best_threshold
from training_assets.core.scoring import Scorer
from training_assets.core.search import Tuned, search
from training_assets.core.search.choosing import suitable
from training_assets.core.search.memory import Memory
from training_assets.core.search.replaying import replay
from training_assets.core.search.scores import metric
from training_assets.core.search.study import Study
from training_assets.spec import ModelSpec


@dataclass(frozen=True)
class Trained:
    """What training leaves: the scorer, and the search that it came from."""

    scorer: Scorer
    tuned: Tuned


def train(
    preprocessor: Preprocessor,
    encoded: Mapping[str, pl.DataFrame],
    spec: ModelSpec,
    root: Path,
    *,
    cores: int,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    memory: Memory | None = None,
    warm: Sequence[tuple[str, dict[str, Any]]] = (),
) -> Trained:
    """Search within the spec's budget on the frames `train` and `validation`; nothing else is read.

    `root` is where a family or metric of the user's own lies below; the others are as for `search`. Raises
    `InputError` as the parts do.
    """
    task = spec.target.task
    rows, validation, learnt = _data(preprocessor, encoded, spec)
    transform = rows.transform
    wanted = list(spec.search.grid) if spec.search.grid is not None else spec.search.families
    tuned = search(
        rows,
        validation,
        spec.search,
        learnt,
        metric(spec.search.metric, task, learnt, root),
        families=suitable(wanted, preprocessor.layout, learnt, root, spec.search.trusted),
        cores=cores,
        clock=clock,
        memory=memory,
        warm=warm,
        exchangeable=spec.split.method in {"stratified", "random"},
        say=say,
    )
    predicted = tuned.validation_predictions
    calibrated = calibration.fit(spec.decision.calibration, predicted, validation)
    threshold = None
    if task == "binary":
        probability = predicted if calibrated is None else calibrated.apply(predicted)
        threshold = best_threshold(validation.labels, probability, spec.decision)
    return Trained(Scorer(preprocessor, tuned.model, threshold, transform=transform, calibration=calibrated), tuned)


def rebuilt(
    preprocessor: Preprocessor,
    encoded: Mapping[str, pl.DataFrame],
    spec: ModelSpec,
    root: Path,
    study: Study,
    original: Scorer,
    *,
    cores: int,
    say: Callable[[str], None],
) -> tuple[Scorer, list[str]]:
    """The scorer that a study led to, fitted again; and why it may differ from the first.

    What is made of predictions (threshold, calibration) is the original's: it was chosen by what trials said of
    validation rows, which is not kept.
    """
    rows, validation, learnt = _data(preprocessor, encoded, spec)
    wanted = sorted({trial.family for trial in study.trials})
    families = suitable(wanted, preprocessor.layout, learnt, root, spec.search.trusted)
    model, doubts = replay(study, rows, validation, spec.search, learnt, families, cores=cores, say=say)
    threshold, calibrated = original.threshold, original.calibration
    return Scorer(preprocessor, model, threshold, transform=rows.transform, calibration=calibrated), doubts


def _data(
    preprocessor: Preprocessor, encoded: Mapping[str, pl.DataFrame], spec: ModelSpec
) -> tuple[Data, Data, Learning]:
    """Training and validation rows with their weights and the target's transform, and what is learnt of them."""
    task, layout = spec.target.task, preprocessor.layout
    learnt = learning(spec.training, task, layout)
    labels = encoded["train"].get_column("_target").to_numpy()
    weights = None if task == "regression" else class_weights(spec.training, preprocessor.classes, labels)
    transform = (
        TargetTransform.fit(spec.training.target_transform, labels) if task == "regression" else TargetTransform()
    )
    rows, validation = (
        Data.of(encoded[name], layout, class_weights=weights, transform=transform) for name in ("train", "validation")
    )
    return rows, validation, learnt
