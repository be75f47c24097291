"""Reproduction: a version, built again from its recorded rows, spec and study, held against the registered one."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from training_assets.assets.tuning import CODE, GOLDEN, GOLDEN_SCORES, STUDY
from training_assets.core import fingerprint
from training_assets.core.bundle import dependencies, spec_of
from training_assets.core.differences import differences
from training_assets.core.encoding import Preprocessor
from training_assets.core.encoding.fitting import fit_preprocessor
from training_assets.core.encoding.labels import known_labels
from training_assets.core.evaluation.aims import NONE, Aims
from training_assets.core.evaluation.metrics import reported
from training_assets.core.evaluation.report import evaluate
from training_assets.core.features.table import feature_table, labelled
from training_assets.core.parity import largest_difference
from training_assets.core.scoring import Scorer, table
from training_assets.core.search.study import Study
from training_assets.core.splitting import deal
from training_assets.core.training import rebuilt
from training_assets.governance.packaging import BUNDLE
from training_assets.governance.recorded_rows import changed_rows, changed_tables, erased_results, validated_rows
from training_assets.resources.artifacts import Artifacts
from training_assets.resources.checkout import made_with
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model
from training_assets.resources.packages import package_of
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import Releases
from training_assets.serving import SCORER
from training_assets.spec import ModelSpec

SAME = 1e-9
TOLD = ("commit", "changed_files", "lock", "python", "machine", "cores")


@dataclass(frozen=True)
class Reproduction:
    """How far a version could be built again: 1 equal model, 2 equal predictions, 3 equal metrics, none not at all."""

    level: int | None
    seen: tuple[str, ...]
    """What was compared, in sentences."""
    causes: tuple[str, ...]
    """What is not as it was when the version was made."""


def sentences(number: str, found: Reproduction) -> str:
    """How far a version was built again, for people."""
    level = f"reproduced at level {found.level}" if found.level else "not reproduced"
    changed = [f"changed since: {line}" for line in found.causes]
    return "\n  ".join([f"version {number} {level}", *found.seen, *changed])


def reproduce(
    model: Model,
    places: Places,
    artifacts: Artifacts,
    registry: Registry,
    number: str,
    *,
    say: Callable[[str], None],
) -> Reproduction:
    """Build a version again with the code at hand, by the spec in its bundle, from the recorded batches.

    Raises InputError E_VERSION for a version that is not there, E_REPRODUCE where there is nothing to build it from: a
    batch or the table is gone.
    """
    registered = Releases(places.ledger, model.name).version(number)
    with tempfile.TemporaryDirectory() as scratch:
        packed = package_of(model.name, registry, registered, Path(scratch))
        statement = fingerprint.read_json(packed / BUNDLE)
        bundle = statement["predicate"]["buildDefinition"]
        spec = spec_of(statement)
        causes = _changes(model, places, bundle, spec)
        trusted = spec.search.trusted
        original = Scorer.load(packed / SCORER, trusted)
        study = Study.from_json(fingerprint.read_json(packed / STUDY))
        golden, scores = (pl.read_parquet(packed / name, glob=False) for name in (GOLDEN, GOLDEN_SCORES))
        report = fingerprint.read_json(packed / "report.json")
        say("dealing the recorded rows again")
        splits, kinds, classes = _splits(model, places, artifacts, registered, spec)
        run, recorded = str(registered.data["trained_in"]), dependencies(statement)
        causes += erased_results(model.name, run, places, artifacts)
        causes += changed_tables(model.name, run, spec, artifacts, places.root)
        causes += changed_rows(model.name, run, splits, recorded, artifacts)
        say(f"fitting the preprocessor on {splits['train'].height:,} rows again")
        fitted = fit_preprocessor(
            {"train": splits["train"]}, kinds, spec.encoding, spec.target.task, classes, spec.search.seed
        )
        seen = [_preprocessor(fitted, original, recorded)]
        encoded = {"train": fitted.encode_training(splits["train"]), "validation": fitted.encode(splits["validation"])}
        cores = len(os.sched_getaffinity(0))
        scorer, doubts = rebuilt(fitted, encoded, spec, places.root, study, original, cores=cores, say=say)
        return _compared(scorer, original, seen, doubts, causes, golden, scores, report, splits["test"], spec)


def _compared(
    scorer: Scorer,
    original: Scorer,
    seen: list[str],
    doubts: list[str],
    causes: list[str],
    golden: pl.DataFrame,
    scores: pl.DataFrame,
    report: Mapping[str, Any],
    test: pl.DataFrame,
    spec: ModelSpec,
) -> Reproduction:
    """Level by level, from the strictest on."""
    same_model = scorer.digest == original.digest
    seen.append("the canonical model is equal" if same_model else "the canonical model differs")
    again = table(scorer, golden)
    difference = largest_difference(scores, again)
    seen.append(_apart(scores, again, difference))
    metric, apart, allowed = _metric_apart(scorer, test, report, spec)
    seen.append(
        f"{metric} on {test.height:,} test rows differs by {apart:g}, one standard error is {allowed:g}"
        if math.isfinite(apart)
        else f"{metric} on {test.height:,} test rows has no value, then or now"
    )
    level = 1 if same_model else 2 if difference <= SAME else 3 if apart <= allowed else None
    return Reproduction(level, tuple(seen), (*causes, *(doubts if level != 1 else [])))


def _apart(scores: pl.DataFrame, again: pl.DataFrame, difference: float) -> str:
    """How far predictions of the golden rows are from the recorded ones."""
    rows = scores.height
    if math.isfinite(difference):
        return f"predictions of {rows} golden rows differ by {difference:g} at most"
    if scores.columns != again.columns:
        return f"predictions of {rows} golden rows cannot be compared: they are of other classes"
    texts = [name for name in scores.columns if not scores[name].dtype.is_float()]
    other = sum(int(scores[name].ne_missing(again[name]).sum()) for name in texts)
    return f"of {rows} golden rows {other} are of another class, or a score is missing"


def _metric_apart(
    scorer: Scorer, test: pl.DataFrame, report: Mapping[str, Any], spec: ModelSpec
) -> tuple[str, float, float]:
    """The first metric that the report has: how far it is from the report's, and the report's standard error."""
    task = spec.target.task
    labels = known_labels(test, task, scorer.classes).to_numpy()
    aims = Aims.from_json(report["aims"]) if "aims" in report else NONE  # made before there were any
    few = spec.evaluation.model_copy(update={"replicates": 50})
    again = evaluate(
        task, labels, scorer.predict(test), classes=scorer.classes, threshold=scorer.threshold, spec=few,
        train_target=labels, seed=spec.search.seed, groups=None, aims=aims,
    )  # fmt: skip
    name = reported(report)[0]
    before, now = report["metrics"][name], again["metrics"][name]["value"]
    if before["value"] is None or now is None:
        return name, float("inf"), 0.0
    return name, abs(float(before["value"]) - float(now)), float(before["standard_error"] or 0.0)


def _splits(
    model: Model, places: Places, artifacts: Artifacts, registered: Event, spec: ModelSpec
) -> tuple[dict[str, pl.DataFrame], dict[str, Any], list[str]]:
    """The recorded batches' rows as features, dealt anew."""
    run = str(registered.data["trained_in"])
    kept, batches = validated_rows(model.name, run, spec, places, artifacts)
    built, left_out = feature_table(kept.rows, spec, places.root), labelled(kept.left_out, spec)
    by = {role: spec.one_with_role(role) for role in ("group", "time")}
    column = spec.one_with_role("split")
    dealt = deal(built.rows, spec.split, spec.target.task, column=column, batch_order=batches, left_out=left_out, **by)
    splits = {split: built.rows.filter(dealt == split) for split in ("train", "validation", "test")}
    return splits, dict(built.kinds), built.classes


def _changes(model: Model, places: Places, bundle: Mapping[str, Any], spec: ModelSpec) -> list[str]:
    """What is not as it was: code, lock, machine, and the present spec."""
    then, now = bundle["internalParameters"], made_with(places.root)
    causes = [
        f"{name.replace('_', ' ')} was {_short(then.get(name))} and is {_short(now[name])}"
        for name in TOLD
        if then.get(name) != now[name]
    ]
    if then.get("changed_files"):
        causes.append(f"it was made with {then['changed_files']} files that differ from its commit")
    if then.get("training_code") not in {None, CODE}:
        causes.append(f"the training code was {then['training_code']} and is {CODE}")
    changed = differences(spec.model_dump(mode="json"), model.spec.model_dump(mode="json"))
    if changed:
        causes.append(f"the present spec differs in {', '.join(list(changed)[:5])}; the recorded one was used")
    return causes


def _preprocessor(fitted: Preprocessor, original: Scorer, recorded: Mapping[str, str]) -> str:
    same = fitted.digest == original.preprocessor.digest == recorded["preprocessor"]
    return "the preprocessor is equal" if same else "the preprocessor differs: rows, spec or encoding code changed"


def _short(value: object) -> str:
    return "unknown" if value is None else str(value)[:12]
