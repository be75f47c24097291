"""The present champion, and a challenger held against it on the test rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import polars as pl
from numpy.typing import NDArray

from training_assets.assets.features import ROWS
from training_assets.assets.tuning import MADE_BY, TUNED, read_scorer
from training_assets.core.errors import InputError
from training_assets.core.evaluation.aims import Aims
from training_assets.core.evaluation.comparison import Scored, Setting, compare, not_compared, unseen, why_apart
from training_assets.core.evaluation.slices import Champion, measure, parts
from training_assets.core.features.table import POSITION
from training_assets.core.scoring import Scorer
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.releases import PRODUCTION, Releases
from training_assets.spec import ModelSpec

LEARNT_FROM = ("train_split", "validation_split")
"""Splits whose rows a model has seen: it was trained on the one and chosen on the other."""
TARGET = {"column", "expression", "task", "positive"}
"""What of a target decides what a prediction says."""


@dataclass(frozen=True)
class Live:
    """The version that production serves, what it predicts, and which rows it has seen."""

    version: str
    candidate: str
    scorer: Scorer
    spec: ModelSpec | None  # that made it; None where the version does not say
    seen: pl.DataFrame  # _batch, _row and _key


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
    seen = pl.concat(split.artifact.frame(ROWS).select(POSITION) for split in splits if split is not None)
    try:
        scorer = read_scorer(tuned, model, places.root)
    except InputError as error:
        message = (
            f"{model.name}: version {version} is in production, and the present spec does not let it be read: {error}; "
            "until another version is live, name under search.trust what its family is made of"
        )
        raise dg.Failure(message, allow_retries=False) from error
    spec = tuned.artifact.facts.get(MADE_BY)
    return Live(version, tuned.digest, scorer, None if spec is None else ModelSpec.model_validate(spec), seen)


def against(
    champion: Live | None,
    spec: ModelSpec,
    classes: list[str],
    y: NDArray[Any],
    challenger: Scored,
    rows: Mapping[str, pl.DataFrame],
    groups: NDArray[Any] | None,
    made_by: Callable[[ModelSpec], pl.DataFrame],
) -> dict[str, Any]:
    """The report's `comparison` with the champion, scored now, and its `slices`.

    `y`, the challenger's predictions and `groups` are of the test rows; `rows` are the splits `train_split` and
    `test_split` before encoding; `made_by` gives the test rows with features as another spec makes them.
    """
    asked, task, test = spec.evaluation, spec.target.task, rows["test_split"]
    setting = Setting(asked.replicates, asked.confidence, spec.search.seed, asked.min_unseen, Aims.of(spec))
    before: Champion | None = None
    comparison: dict[str, Any] | None = None
    if champion is not None:
        asked_now = _before(champion, spec, test, classes, made_by)
        if isinstance(asked_now, Champion):
            before = asked_now
            compared = compare(
                task, y, before.scored, challenger, before.is_unseen, classes=classes, setting=setting, groups=groups
            )
        else:
            compared = not_compared(asked_now)
        comparison = {"champion": champion.version, "candidate": champion.candidate, **compared}
    features = [
        rows[split].select(name for name in rows[split].columns if not name.startswith("_"))
        for split in ("train_split", "test_split")
    ]
    found = parts(asked.slices, *features)
    lines = measure(task, y, challenger, found, before, classes=classes, setting=setting, groups=groups)
    return {"comparison": comparison, "slices": lines}


def _before(
    champion: Live,
    spec: ModelSpec,
    test: pl.DataFrame,
    classes: list[str],
    made_by: Callable[[ModelSpec], pl.DataFrame],
) -> Champion | str:
    """What the champion says of the test rows, or why it cannot be asked."""
    if champion.spec is None:
        return f"the champion, version {champion.version}, keeps no record of its spec: it was trained before there was"
    before, now = (each.target.model_dump(mode="json") for each in (champion.spec, spec))
    changed = [name for name in sorted(TARGET) if before[name] != now[name]]
    if changed:
        told = ", ".join(f"{name} {before[name]!r}" for name in changed)
        return f"the champion, version {champion.version}, predicts another target: its {told}"
    apart = why_apart(champion.scorer.classes, classes)
    if apart is not None:
        return apart
    try:
        predictions = champion.scorer.predict(made_by(champion.spec))
    except (InputError, pl.exceptions.PolarsError) as error:  # a column is gone, or of another type now
        told = error.text if isinstance(error, InputError) else " ".join(str(error).split())[:200]
        return f"the champion, version {champion.version}, cannot read the candidate's rows: {told}"
    return Champion(Scored(predictions, champion.scorer.threshold), unseen(test, champion.seen))
