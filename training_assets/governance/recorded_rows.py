"""The rows that a version was made of, read again; and what changed where those that are dealt are others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import polars as pl

from training_assets.assets.features import FEATURES, ROWS, counted
from training_assets.core.errors import InputError
from training_assets.core.features.joins import table_digest
from training_assets.core.features.table import POSITION, feature_table
from training_assets.core.validation.duplicates import Kept
from training_assets.resources.artifacts import MADE_FROM, Artifacts, Result
from training_assets.resources.launches import OF_RUN_TAG
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec


def validated_rows(
    model: str, run: str, spec: ModelSpec, places: Places, artifacts: Artifacts
) -> tuple[Kept, list[str]]:
    """The validated rows of a run's batches, sorted by whether they count, and the batches that were dealt, in order.

    Raises InputError E_REPRODUCE where the run's record or a batch is gone.
    """
    validated = artifacts.of_run(model, run, "validated_data")
    if validated is None:
        raise InputError(
            "E_REPRODUCE", f"the record of the rows of run {run[:8]} is gone; nothing can be built from it"
        )
    facts = validated.artifact.facts
    batches, name = list(facts["batches"]), str(facts["table"])
    missing = set(batches) - set(places.tables.batches(model, name))
    if missing:
        message = f"{len(missing)} of {len(batches)} batches are no longer in the table (first: {min(missing)[:12]})"
        raise InputError("E_REPRODUCE", message)
    return counted(facts, model, spec, places)


def erased_results(model: str, run: str, places: Places, artifacts: Artifacts) -> list[str]:
    """A sentence where results that a newer one replaced are erased: by their keys a run's rows were dealt."""
    validated = artifacts.of_run(model, run, "validated_data")
    facts = {} if validated is None else validated.artifact.facts
    replaced = set(facts.get("replaced", ()))
    erased = replaced and replaced - set(places.tables.batches(model, str(facts["table"])))
    return [f"{len(erased)} earlier result(s), by whose keys rows were dealt, are erased"] if erased else []


def batches_behind(run: dg.DagsterRun, model: str, tuned: Result, artifacts: Artifacts) -> list[str]:
    """Batches whose rows a run's candidate stands on: those that it was made of, or others that give equal rows.

    Another batch may have brought no row that counts, or only such a one was taken back: the candidate of before is
    found again then. Others count only where the run's own feature table is the one that the candidate's splits are of.
    """
    lineage = tuned.artifact.facts["lineage"]
    dealt = artifacts.of_run(model, tuned.made_in, "train_split")
    if dealt is None or dealt.digest != lineage["train_split"]:
        return list(lineage["batches"])
    for run_id in (run.run_id, run.tags.get(OF_RUN_TAG), run.parent_run_id, run.root_run_id):
        table = artifacts.of_run(model, run_id, FEATURES) if run_id else None
        if table is not None and table.digest == dealt.artifact.facts[MADE_FROM][FEATURES]:
            return list(table.artifact.facts["lineage"]["batches"])
    return list(lineage["batches"])


def as_made_by(
    other: ModelSpec, rows: pl.DataFrame, model: str, run: str, spec: ModelSpec, places: Places, artifacts: Artifacts
) -> pl.DataFrame:
    """Rows (n,) of a run's split with features as another spec makes them of the validated rows they come from.

    `spec` is the run's. Raises as `validated_rows` does, and InputError or polars errors for columns that are gone.
    """
    if other.feature_part() == spec.feature_part():
        return rows
    place = list(POSITION[:2])
    kept, _ = validated_rows(model, run, spec, places, artifacts)
    made = feature_table(kept.rows.join(rows, on=place, how="semi"), other, places.root).rows
    return rows.select(place).join(made, on=place, how="left", maintain_order="left")


def changed_rows(
    model: str, run: str, splits: Mapping[str, pl.DataFrame], recorded: Mapping[str, str], artifacts: Artifacts
) -> list[str]:
    """A sentence for each split (`train`, …) whose rows are not those of the run; `recorded` are the bundle's digests.

    Digests pin the bytes of files, which another version of polars writes otherwise: so the rows themselves are
    compared, where the run's own are still there and have that digest.
    """
    causes = []
    for name, now in splits.items():
        then = _rows(model, run, f"{name}_split", recorded, artifacts)
        if then is None:
            causes.append(f"the recorded {name} rows are gone or changed, so nobody knows whether these are the same")
        elif how := _how(then, now):
            causes.append(f"the {name} rows differ: {how}; a joined table, a feature or the table changed")
    return causes


def changed_tables(model: str, run: str, spec: ModelSpec, artifacts: Artifacts, root: Path) -> list[str]:
    """A sentence for each joined table whose bytes are not those that the run read; none where that is not known."""
    made = artifacts.of_run(model, run, FEATURES)
    then = [] if made is None else list(made.artifact.facts[MADE_FROM]["joined"])
    joins = spec.features.joins
    if len(then) != len(joins):
        return []
    changed = [join.table for join, digest in zip(joins, then, strict=True) if table_digest(join, root) != digest]
    return [f"the joined table {table} was another one" for table in dict.fromkeys(changed)]


def _rows(model: str, run: str, split: str, recorded: Mapping[str, str], artifacts: Artifacts) -> pl.DataFrame | None:
    """The rows of a run's split, where they are there and are what the bundle says."""
    try:
        found = artifacts.of_run(model, run, split)
        return None if found is None or found.digest != recorded[split] else found.artifact.frame(ROWS)
    except (InputError, FileNotFoundError):
        return None


def _how(then: pl.DataFrame, now: pl.DataFrame) -> str:
    """How rows differ; empty where they do not. The order of columns says nothing: a bundle's spec has it sorted."""
    if then.height != now.height:
        return f"{then.height:,} were dealt, and {now.height:,} are"
    names = dict.fromkeys([*then.columns, *now.columns])
    one_sided = [name for name in names if name not in then.columns or name not in now.columns]
    unlike = [name for name in names if name not in one_sided and not then[name].equals(now[name])]
    return f"in {', '.join([*one_sided, *unlike][:5])}" if one_sided or unlike else ""
