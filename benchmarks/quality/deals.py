"""A set's rows through the project's own stages, dealt to Parquet files that every system reads."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.quality.sets import ROOT, SETS, Set
from training_assets.core.features.table import FeatureTable, feature_table
from training_assets.core.fingerprint import digest
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.core.splitting import deal
from training_assets.core.validation.duplicates import counting
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import ModelSpec

SPLITS = ("train", "validation", "test")
POSITION = ("_batch", "_row", "_key")


def write_deals(each: Set, seeds: Sequence[int], folder: Path) -> None:
    """A folder `<set>-<seed>` for each seed, whole or not at all, in the place of one that there is."""
    spec = each.spec()
    files = [identify(stamp) for stamp in stamps(spec.source, ROOT)]
    rows = pl.concat([sort_rows(read_batch(file, spec), spec).rows for file in files])
    rows = counting(rows, spec).rows
    table = feature_table(rows, spec, ROOT)
    beside = [name for name in each.beside if name not in table.kinds]
    every = table.rows.hstack(rows.select(name for name in beside if name not in table.rows.columns))
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        with tempfile.TemporaryDirectory(dir=folder) as made:
            place = Path(made) / "deal"
            place.mkdir()
            _write(place, every, table, _seeded(spec, seed), [file.digest for file in files], each, beside)
            final = folder / f"{each.name}-{seed}"
            if final.exists():
                final.rename(Path(made) / "old")
            place.rename(final)


def _seeded(spec: ModelSpec, seed: int) -> ModelSpec:
    """The spec with its deal, and its search, by that seed."""
    return spec.model_copy(
        update={
            "split": spec.split.model_copy(update={"salt": str(seed)}),
            "search": spec.search.model_copy(update={"seed": seed}),
        }
    )


def _write(
    place: Path,
    rows: pl.DataFrame,
    table: FeatureTable,
    spec: ModelSpec,
    batches: list[str],
    each: Set,
    beside: list[str],
) -> None:
    dealt_by = {role: spec.one_with_role(role) for role in ("group", "time")}
    dealt = deal(
        table.rows, spec.split, spec.target.task,
        column=spec.one_with_role("split"), left_out=None,
        batch_order=batches, **dealt_by,
    )  # fmt: skip
    splits = {name: rows.filter(dealt == name).select(*POSITION, "_target", *table.kinds, *beside) for name in SPLITS}
    for name, part in splits.items():
        part.write_parquet(place / f"{name}.parquet")
    # What decides whether two systems were given the same rows: which ones, with which labels.
    dealt_rows = [part.select(*POSITION[:2], "_target").sort(*POSITION[:2]).write_csv() for part in splits.values()]
    meta: dict[str, Any] = {
        "set": each.name,
        "task": spec.target.task,
        "kinds": table.kinds,
        "beside": beside,
        "classes": table.classes,
        "positive": spec.target.positive,
        "rows": {name: part.height for name, part in splits.items()},
        "deal": digest(dealt_rows),
        # Without what is a default, so that later defaults hold.
        "spec": spec.model_dump(mode="json", exclude_defaults=True),
    }
    (place / "meta.json").write_text(json.dumps(meta, indent=1, ensure_ascii=False), encoding="utf-8")


def main() -> None:
    """Deal one set; a process of its own, so that its memory goes with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seeds", type=int, nargs="+")
    asked = parser.parse_args()
    write_deals(next(each for each in SETS if each.name == asked.name), asked.seeds, asked.folder)


if __name__ == "__main__":
    main()
