"""How the columns of each batch moved: a heat map over all batches, and the most moved columns of the newest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from training_assets.assets.showing import shown
from training_assets.assets.splits import PROFILE
from training_assets.core import fingerprint, plots
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.drift import Bins, Comparison, against_reference, against_window, table, unique_names, weights
from training_assets.core.statistics import BatchStatistics, merge
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.batch_statistics import kept
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec

REPORT = "drift_report"
LINES = "drift.json"
MAX_BATCHES, OVERLAYS = 26, 4
CODE = code_version("assets/drift.py", packages=("datasketches", "scipy"))


@dataclass(frozen=True)
class Reference:
    """What batches are compared with: a released version's training data, the batches it knows and what it uses."""

    name: str
    digest: str
    statistics: BatchStatistics
    batches: Sequence[str]
    importances: Mapping[str, float] | None


@dg.asset(kinds={"polars", "matplotlib"}, code_version=CODE)
def drift_report(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
    validated_data: Result,
) -> dg.MaterializeResult[Result]:
    """PSI of each column in each batch against the released version's training data, as a heat map and in numbers."""
    model = models.of(context)
    facts = validated_data.artifact.facts
    released = released_reference(model.name, places, artifacts)

    def make(folders: Mapping[str, Path]) -> dict[str, Made]:
        names = unique_names([(line["digest"], line["name"]) for line in facts["facts"]])
        order, window = facts["batches"], model.spec.validation.drift.window
        if not order:
            return {REPORT: Made({"batches": 0, "reference": "no batch is sound"})}
        reference = released
        if reference is None:
            first = order[: max(window, 1)]
            reference = first_window(kept(artifacts, places, model, facts, first))
        newest = kept(artifacts, places, model, facts, order[-(MAX_BATCHES + window) :])
        known = {names.get(digest, digest) for digest in reference.batches}
        found = _written(folders[REPORT], {names[each]: newest[each] for each in newest}, reference, known, model.spec)
        return {REPORT: Made({"batches": len(order), **found})}

    made_from = {
        "validated_data": validated_data.digest,
        "names": [[line["digest"], line["name"]] for line in facts["facts"]],
        "reference": None if released is None else [released.name, released.digest],
        "drift": model.spec.validation.drift.model_dump(mode="json"),
        "features": model.spec.feature_part(),
    }
    result = artifacts.once(context, made_from, make)[REPORT]
    found = {name: value for name, value in result.artifact.facts.items() if name not in {"made_from", "worst"}}
    return shown(result, model.key(REPORT), found, tables={"worst_columns": result.artifact.facts.get("worst", [])})


def released_reference(model: str, places: Places, artifacts: Artifacts) -> Reference | None:
    """What the newest released (live, else staged) version was trained on; None before the first release.

    Raises `dagster.Failure` where a version is released and what it was trained on is gone: that is no clean pass.
    """
    version = places.ledger.pointer(model, "production") or places.ledger.pointer(model, "staging")
    if version is None:
        return None
    registered = [event for event in places.ledger.events(model, "registered") if str(event.data["version"]) == version]
    tuned = artifacts.of_run(model, str(registered[-1].data["trained_in"]), "tuned_model") if registered else None
    if tuned is None:
        message = f"what version {version} was trained on is gone, so drift cannot be judged; restore the artifacts"
        raise dg.Failure(message, allow_retries=False)
    facts = tuned.artifact.facts
    with clear_failures():
        statistics = BatchStatistics.from_json(tuned.artifact.json(PROFILE))
    name = f"version {version}'s training data"
    return Reference(name, tuned.digest, statistics, facts["lineage"]["batches"], facts["importances"])


def first_window(batches: Mapping[str, BatchStatistics]) -> Reference:
    """The first batches together, which later ones are compared with as long as nothing is released."""
    many = "batch" if len(batches) == 1 else f"{len(batches)} batches"
    name = f"the first {many}, as no version is released yet"
    return Reference(name, "", merge(list(batches.values())), list(batches), None)


def _written(
    folder: Path, batches: Mapping[str, BatchStatistics], reference: Reference, known: set[str], spec: ModelSpec
) -> dict[str, Any]:
    """Draw the report into a folder; its facts."""
    importances = reference.importances
    newest = list(batches)[-MAX_BATCHES:]
    lines = against_reference(
        {name: batches[name] for name in newest}, reference.statistics, spec, named=reference.name,
        importances=importances,
    )  # fmt: skip
    new = [name for name in newest if name not in known]
    windows = against_window(batches, new, spec, importances=importances)
    judged = [*(each for each in lines if each.batch in new), *windows]
    last = lines[-1]
    (folder / LINES).write_bytes(fingerprint.canonical([_json(each) for each in [*lines, *windows]]))
    _draw_map(folder, lines, reference, spec)
    _draw_overlays(folder, last, batches[last.batch], reference)
    facts: dict[str, Any] = {
        "reference": reference.name,
        "new_batches": len(new),
        "newest_batch": last.batch,
        "drifted_columns": len(last.drifted),
        "worst": table(judged or [last])[:20],
    }
    if last.columns:
        facts["largest_psi"] = last.columns[0].psi
    if last.overall is not None:
        facts["overall_psi"] = last.overall
    return facts


def _draw_map(folder: Path, lines: Sequence[Comparison], reference: Reference, spec: ModelSpec) -> None:
    by_batch = [{column.column: column for column in each.columns} for each in lines]
    columns = list(dict.fromkeys(name for each in by_batch for name in each))
    if not columns:
        return
    used = None if reference.importances is None else weights(reference.importances, spec)
    limit = spec.validation.drift.max_psi
    picture = plots.drift_map(
        {name: [each[name].psi if name in each else None for each in by_batch] for name in columns},
        [Path(each.batch).stem for each in lines],
        limit,
        alarms={name: [name in each and each[name].state != "stable" for each in by_batch] for name in columns},
        importances=used,
        note=f"against {reference.name}; orange: over {limit:g}; dot: more than chance"
        + ("" if used is None else "; %: importance to the model"),
    )
    (folder / "drift_map.png").write_bytes(picture)


def _draw_overlays(folder: Path, last: Comparison, newest: BatchStatistics, reference: Reference) -> None:
    for place, line in enumerate(last.columns[:OVERLAYS], start=1):
        before, now = reference.statistics.columns[line.column], newest.columns[line.column]
        bins = Bins.of(before)
        kind = "bins: deciles" if bins.levels is None else "bins: commonest values"
        picture = plots.drift_overlay(
            line.column, bins.names, bins.counts(before).tolist(), bins.counts(now).tolist(), psi=line.psi,
            limit=line.limit, names=("reference", f"batch {last.batch}"), in_order=bins.levels is None,
            note=f"reference: {reference.name}, {before.count:,} rows; batch: {now.count:,} rows; {kind} of the "
            "reference; grey: gain in points",
        )  # fmt: skip
        (folder / f"overlay_{place}.png").write_bytes(picture)


def _json(each: Comparison) -> dict[str, Any]:
    numbers = {"batch": each.batch, "against": each.against, "rows": each.rows, "overall": each.overall}
    return {**numbers, "columns": [column.to_json() for column in each.columns]}
