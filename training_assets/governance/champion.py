"""The present champion, and a challenger held against it on the test rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import polars as pl
from numpy.typing import NDArray

from training_assets.assets.features import ROWS
from training_assets.assets.tuning import TUNED, read_scorer
from training_assets.core.evaluation.comparison import Scored, Setting, compare, unseen
from training_assets.core.evaluation.slices import Champion, measure, parts
from training_assets.core.scoring import Scorer
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.releases import PRODUCTION, Releases
from training_assets.spec import ModelSpec

LEARNT_FROM = ("train_split", "validation_split")
"""Splits whose rows a model has seen: it was trained on the one and chosen on the other."""


@dataclass(frozen=True)
class Live:
    """The version that production serves, and the keys of the rows that it has seen."""

    version: str
    candidate: str
    scorer: Scorer
    seen: pl.Series


def live(model: Model, places: Places, artifacts: Artifacts) -> Live | None:
    """The champion; None where nothing is in production yet. Fails where it is there and cannot be read."""
    version = places.ledger.pointer(model.name, PRODUCTION)
    if version is None:
        return None
    registered = Releases(places.ledger, model.name).version(version)
    run = str(registered.data["trained_in"])
    tuned = artifacts.of_run(model.name, run, TUNED)
    splits = [artifacts.of_run(model.name, run, split) for split in LEARNT_FROM]
    if tuned is None or tuned.digest != registered.subject or not all(splits):
        message = (
            f"{model.name}: version {version} is in production, and what it was trained from is not there any more; "
            "put the artifacts back, or roll back to a version that has them: without it there is no comparison"
        )
        raise dg.Failure(message, allow_retries=False)
    keys = [split.artifact.frame(ROWS)["_key"] for split in splits if split is not None]
    return Live(version, tuned.digest, read_scorer(tuned, model, places.root), pl.concat(keys))


def against(
    champion: Live | None,
    spec: ModelSpec,
    classes: list[str],
    y: NDArray[Any],
    challenger: Scored,
    rows: Mapping[str, pl.DataFrame],
    groups: NDArray[Any] | None,
) -> dict[str, Any]:
    """The report's `comparison` with the champion, scored now, and its `slices`.

    `y`, the challenger's predictions and `groups` are of the test rows; `rows` are the splits `train_split` and
    `test_split` before encoding.
    """
    asked, task, test = spec.evaluation, spec.target.task, rows["test_split"]
    setting = Setting(asked.replicates, asked.confidence, spec.search.seed, asked.min_unseen)
    before = None if champion is None else _before(champion, test, classes)
    comparison: dict[str, Any] | None = None
    if champion is not None:
        compared = (
            {"rows": 0, "pruned": len(y), "reason": "the champion knows other classes", "metrics": {}}
            if before is None
            else compare(
                task, y, before.scored, challenger, before.is_unseen, classes=classes, setting=setting, groups=groups
            )
        )
        comparison = {"champion": champion.version, "candidate": champion.candidate, **compared}
    features = [
        rows[split].select(name for name in rows[split].columns if not name.startswith("_"))
        for split in ("train_split", "test_split")
    ]
    found = parts(asked.slices, *features)
    lines = measure(task, y, challenger, found, before, classes=classes, setting=setting, groups=groups)
    return {"comparison": comparison, "slices": lines}


def _before(champion: Live, test: pl.DataFrame, classes: list[str]) -> Champion | None:
    """What the champion says of the test rows; None where it knows other classes than the challenger."""
    if champion.scorer.classes != classes:
        return None
    scored = Scored(champion.scorer.predict(test), champion.scorer.threshold)
    return Champion(scored, unseen(test["_key"].to_numpy(), champion.seen.to_numpy()))
