"""Append batch after batch, each measured in CPU seconds of this process, and write what was seen."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import dagster as dg
import polars as pl

from benchmarks.append.batches import MODEL, SPEC, write
from training_assets.component import assemble
from training_assets.core.validation.schema import pandera_schema
from training_assets.definitions import resources
from training_assets.instance.home import prepare
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec

RESULTS = Path(__file__).with_name("RESULTS.md")
LONG_AGO = 1_600_000_000
LENGTHS = (1, 2, 5, 10, 20, 30, 40, 50)
APPENDING = ("raw_data", "validated_data", "quarantined_rows")
REWRITTEN = (1, 10, 50)


def main() -> None:
    """One append at each length of history, three times over at the lengths that are shown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    rows = parser.parse_args().rows
    appended: dict[int, list[float]] = {length: [] for length in LENGTHS}
    rewritten: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        model = ModelSpec.model_validate(SPEC)
        outside = dg.Definitions(
            resources=resources(Models({MODEL: model}), Places(root, root / "home")), executor=dg.in_process_executor
        )
        selection = dg.AssetSelection.assets(*([MODEL, asset] for asset in APPENDING))
        job = dg.define_asset_job("append", selection=selection)
        definition = dg.Definitions.merge(assemble(MODEL, model), outside, dg.Definitions(jobs=[job]))
        with dg.DagsterInstance.from_config(str(prepare(root / "home"))) as instance:
            for number in range(LENGTHS[-1] + 3):
                path = write(root / "landing", number, rows)
                os.utime(path, (LONG_AGO, LONG_AGO))
                seconds = _append(definition, instance)
                # The lengths around one that is shown are its repeats: 50 is measured at 50, 51 and 52.
                shown = max((length for length in LENGTHS if length <= number), default=None)
                if shown is not None and number - shown < 3:
                    appended[shown].append(seconds)
                print(f"history {number:>2} batches: {seconds:.2f} CPU s", flush=True)
                if number in REWRITTEN:
                    rewritten[number] = _rewrite(root, model)
    _report(appended, rewritten, rows)


def _append(definitions: dg.Definitions, instance: dg.DagsterInstance) -> float:
    job = definitions.resolve_job_def("append")
    begun = time.process_time()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    done = job.execute_in_process(instance=instance, run_config=quiet)
    seconds = time.process_time() - begun
    failed = [check.check_name for check in done.get_asset_check_evaluations() if not check.passed]
    if not done.success or failed:
        message = f"the append failed: {failed}"
        raise RuntimeError(message)
    return seconds


def _rewrite(root: Path, model: ModelSpec) -> float:
    """Read every file again, validate all rows, write them as one file."""
    begun = time.process_time()
    parts = [
        pl.read_csv(path, schema_overrides={"returned": pl.Boolean}, try_parse_dates=True)
        for path in sorted((root / "landing").glob("*.csv"))
    ]
    every = pl.concat(parts).with_columns(pl.col("placed_at").cast(pl.Datetime("us")))
    pandera_schema(model).validate(every, lazy=True)
    every.write_parquet(root / "every.parquet")
    return time.process_time() - begun


def _report(appended: dict[int, list[float]], rewritten: dict[int, float], rows: int) -> None:
    middle = {length: statistics.median(seconds) for length, seconds in appended.items()}
    lines = [
        f"# Seen: batches of {rows:,} rows x 15 columns, {os.cpu_count()} cores",
        "",
        "| history, in batches | append, CPU s (median; all) | ratio to a history of one | rewrite of all, CPU s |",
        "|---|---|---|---|",
    ]
    for length, seconds in appended.items():
        every = ", ".join(f"{value:.2f}" for value in seconds)
        bare = f"{rewritten[length]:.2f}" if length in rewritten else ""
        lines.append(f"| {length} | {middle[length]:.2f} ({every}) | {middle[length] / middle[1]:.2f} | {bare} |")
    ratio = middle[LENGTHS[-1]] / middle[1]
    growth = rewritten[REWRITTEN[-1]] / rewritten[REWRITTEN[0]]
    lines += [
        "",
        f"append at 50 / append at 1: {ratio:.2f} (wanted: at most 1.5); rewrite of all: {growth:.1f}",
        "",
    ]
    RESULTS.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
