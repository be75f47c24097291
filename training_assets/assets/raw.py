"""Stage 1: files become batches in an append-only table, each exactly once."""

import time
from typing import Any

import dagster as dg

from training_assets.assets.showing import shown
from training_assets.core import fingerprint
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.errors import InputError
from training_assets.core.ingestion.arrivals import whole
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Models
from training_assets.resources.places import Places

RAW = "raw_data"


@dg.asset(kinds={"deltalake", "polars"}, code_version=code_version("assets/raw.py", packages=("polars",)))
def raw_data(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
) -> dg.MaterializeResult[Result]:
    """Every batch exactly as read, with batch id and position; append only, one commit a batch, once by content."""
    model = models.of(context)
    table = f"{RAW}-{fingerprint.digest(model.spec.reading_part())[: fingerprint.SHORT]}"
    known = set(places.tables.batches(model.name, table))
    noted = {event.subject for event in places.ledger.events(model.name, "batch_ingested")}
    refused: list[dict[str, str]] = []
    here: list[str] = []
    with clear_failures():
        files, arriving = whole(stamps(model.spec.source, places.root), time.time_ns(), time.sleep)
    for stamp in arriving:
        context.log.warning(f"{stamp.path.name} is still being written; it waits for the next run")
    for stamp in files:
        batch = stamp.path.name
        try:
            file = identify(stamp)
            batch = file.digest
            here.append(batch)
            if batch not in known:
                rows = read_batch(file, model.spec)
                places.tables.append(model.name, table, rows, batch)
                known.add(batch)
                context.log.info(f"{file.name}: {rows.height:,} rows appended as batch {batch[:12]}")
            if batch not in noted:
                _note(context, places, "batch_ingested", batch, {"name": file.name, "bytes": file.size})
        except InputError as error:
            refusal = {"name": stamp.path.name, "code": error.code, "reason": str(error)}
            refused.append(refusal)
            _note(context, places, "batch_refused", batch, refusal)
            context.log.warning(f"{stamp.path.name} refused: {error}")
    batches = places.tables.batches(model.name, table)
    if not batches and not refused:
        where = ", ".join(model.spec.source.paths)
        message = f"no file matches {where} under {places.root}; put the first batch there, or mend source.path"
        with clear_failures():
            raise InputError("E_MISSING", message)
    names = _names(places, model.name)
    facts = {
        "table": table,
        "batches": batches,
        "here": sorted(here),
        "refused": refused,
        "left_behind": sorted(name for batch, name in names.items() if batch not in batches),
        "names": names,
    }
    version = fingerprint.digest([table, batches])
    result = artifacts.once(context, facts, lambda _: {RAW: Made(facts, version)})[RAW]
    return shown(
        result,
        model.key(RAW),
        {
            "dagster/row_count": places.tables.rows(model.name, table),
            "dagster/uri": str(places.tables.path(model.name, table)),
            "batches": len(batches),
            "refused_files": len(refused),
            "arriving_files": len(arriving),
        },
        tables={"refused": refused} if refused else None,
    )


def _names(places: Places, model: str) -> dict[str, str]:
    """File name of each batch, as it arrived."""
    return {event.subject: str(event.data["name"]) for event in places.ledger.events(model, "batch_ingested")}


def _note(context: dg.AssetExecutionContext, places: Places, kind: str, batch: str, data: dict[str, Any]) -> None:
    """Record, once, what became of a batch."""
    model = next(iter(context.selected_asset_keys)).path[0]
    once = f"{model}/{kind}/{fingerprint.digest([batch, data])}"
    places.ledger.record(model, kind, batch, data, run_id=context.run.run_id, actor=RAW, once=once)
