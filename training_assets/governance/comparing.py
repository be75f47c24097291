"""Two versions side by side: data, spec, code, parameters, metrics, predictions."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training_assets.assets.features import ROWS
from training_assets.assets.tuning import read_scorer
from training_assets.core import fingerprint
from training_assets.core.bundle import spec_of
from training_assets.core.differences import differences
from training_assets.core.encoding.labels import known_labels
from training_assets.core.errors import InputError
from training_assets.core.evaluation.aims import Aims
from training_assets.core.evaluation.comparison import Scored, Setting, compare, unseen
from training_assets.core.features.table import POSITION
from training_assets.core.scoring import Scorer
from training_assets.core.splitting import dealt_groups
from training_assets.governance.champion import LEARNT_FROM, TARGET
from training_assets.governance.packaging import BUNDLE
from training_assets.governance.proof import tuned_of
from training_assets.governance.recorded_rows import as_made_by
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.ledger import Event
from training_assets.resources.models import Model
from training_assets.resources.packages import package_of
from training_assets.resources.places import Places
from training_assets.resources.registry import Registry
from training_assets.resources.releases import Releases
from training_assets.spec import ModelSpec

SHOWN = 160
"""Marks of a setting's value that people are shown."""


def side_by_side(
    model: Model, places: Places, artifacts: Artifacts, registry: Registry, first: str, second: str
) -> dict[str, Any]:
    """How version `second` differs from `first`, both scored now on the second's test rows that the first never saw.

    Each reads those rows with features as its own spec makes them. Raises InputError E_VERSION for a version that is
    not there, E_PARITY where what it was trained from is gone, and as `package_of` does.
    """
    releases = Releases(places.ledger, model.name)
    events = [releases.version(number) for number in (first, second)]
    tuned = [tuned_of(model.name, artifacts, event) for event in events]
    facts = [each.artifact.facts for each in tuned]
    specs = [_spec(model, registry, event) for event in events]
    batches = [set(each["lineage"]["batches"]) for each in facts]
    return {
        "model": model.name,
        "versions": [first, second],
        "states": [releases.states()[number] for number in (first, second)],
        "data": {
            "dataset_version": [each["lineage"]["dataset"] for each in facts],
            "batches": [len(each) for each in batches],
            "batches_added": len(batches[1] - batches[0]),
            "batches_removed": len(batches[0] - batches[1]),
        },
        "spec": differences(specs[0].model_dump(mode="json"), specs[1].model_dump(mode="json")),
        "code": {
            "commit": [each["made_with"]["commit"] for each in facts],
            "files_that_differ_from_it": [each["made_with"]["changed_files"] for each in facts],
            "training_code": [each["identity"]["code"] for each in facts],
            "lock": [each["made_with"]["lock"] for each in facts],
        },
        "parameters": {
            "family": [each["family"] for each in facts],
            "threshold": [each["threshold"] for each in facts],
            "best_trial": [each["params"] for each in facts],
        },
        **_scored(model, places, artifacts, tuned, specs),
    }


def _scored(
    model: Model, places: Places, artifacts: Artifacts, tuned: list[Result], specs: list[ModelSpec]
) -> dict[str, Any]:
    """Metrics and predictions of both on the test rows of the second that the first never saw."""
    scorers = [read_scorer(each, model, places.root) for each in tuned]
    runs = [each.made_in for each in tuned]
    test = _split(artifacts, model.name, runs[1], "test_split")
    seen = pl.concat(_split(artifacts, model.name, runs[0], name).select(POSITION) for name in LEARNT_FROM)
    mask = unseen(test, seen)
    if scorers[0].classes != scorers[1].classes:
        return {"metrics": {}, "predictions": {"reason": "the versions know other classes"}}
    targets = [spec.target.model_dump(mode="json", include=TARGET) for spec in specs]
    if targets[0] != targets[1]:
        return {"metrics": {}, "predictions": {"reason": "the versions predict another target"}}
    spec = specs[1]
    try:
        rows = as_made_by(specs[0], test, model.name, runs[1], spec, places, artifacts)
        predicted = [scorers[0].predict(rows), scorers[1].predict(test)]
    except (InputError, pl.exceptions.PolarsError) as error:
        return {"metrics": {}, "predictions": {"reason": f"they cannot read the same rows: {error}"}}
    setting = Setting(spec.evaluation.replicates, spec.evaluation.confidence, spec.search.seed, 1, Aims.of(spec))
    labels = known_labels(test, spec.target.task, scorers[1].classes).to_numpy()
    one, two = (Scored(each, scorer.threshold) for each, scorer in zip(predicted, scorers, strict=True))
    classes = scorers[1].classes
    groups = dealt_groups(test, spec.split, spec.one_with_role("group"))
    compared = compare(spec.target.task, labels, one, two, mask, classes=classes, setting=setting, groups=groups)
    return {"metrics": compared["metrics"], "predictions": _apart(scorers, predicted, mask)}


def _apart(scorers: list[Scorer], predicted: list[Any], mask: Any) -> dict[str, Any]:
    """How far predictions lie apart on the rows that both may be judged by."""
    one, two = (np.asarray(each)[mask] for each in predicted)
    if not len(one):
        return {"rows": 0, "reason": "the first version has seen all of these rows"}
    found: dict[str, Any] = {"rows": len(one), "mean_difference": float(np.abs(one - two).mean())}
    found["largest_difference"] = float(np.abs(one - two).max())
    if scorers[0].task == "binary":
        decided = [each >= (scorer.threshold or 0.5) for each, scorer in zip((one, two), scorers, strict=True)]
        found["decided_otherwise"] = float((decided[0] != decided[1]).mean())
    elif scorers[0].task == "multiclass":
        found["decided_otherwise"] = float((one.argmax(axis=1) != two.argmax(axis=1)).mean())
    return found


def _split(artifacts: Artifacts, model: str, run: str, name: str) -> pl.DataFrame:
    found = artifacts.of_run(model, run, name)
    if found is None:
        raise InputError("E_PARITY", f"the {name} of run {run[:8]} is gone, so that the versions cannot be compared")
    return found.artifact.frame(ROWS)


def _spec(model: Model, registry: Registry, registered: Event) -> ModelSpec:
    """The spec that a version was made by, from its bundle."""
    with tempfile.TemporaryDirectory() as scratch:
        packed = package_of(model.name, registry, registered, Path(scratch))
        return spec_of(fingerprint.read_json(packed / BUNDLE))


def _told(value: Any) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def table(found: Mapping[str, Any]) -> str:
    """The comparison, for people."""
    first, second = found["versions"]
    lines = [f"{found['model']}: version {first} ({found['states'][0]}) and version {second} ({found['states'][1]})"]
    for title in ("data", "spec", "code", "parameters"):
        lines.append(title)
        every = found[title].items()
        different = {name: pair for name, pair in every if not isinstance(pair, list) or pair[0] != pair[1]}
        for name, pair in different.items():
            lines.append(f"  {name}: {f'{_told(pair[0])}  ->  {_told(pair[1])}' if isinstance(pair, list) else pair}")
        if not different:
            lines.append("  the same")
    lines.append(f"metrics, scored now (a change above 0 is better for version {second})")
    for name, each in found["metrics"].items():
        values = (each["champion"], each["challenger"], each["difference"], each["low"], each["high"])
        one, two, change, low, high = ("undefined" if value is None else f"{value:.4g}" for value in values)
        lines.append(f"  {name:<20}{one:>11}{two:>11}   {change:>10} ({low} to {high})")
    lines.append("predictions")
    for name, value in found["predictions"].items():
        lines.append(f"  {name}: {value:.4g}" if isinstance(value, float) else f"  {name}: {value}")
    return "\n".join(lines)
