"""Stage 1: what arrives becomes batches in an append-only table, each exactly once."""

import dagster as dg

from training_assets.assets.intake import RAW, Intake, Standing
from training_assets.assets.showing import shown
from training_assets.core import fingerprint
from training_assets.core.artifact_format import Made
from training_assets.core.code_identity import code_version
from training_assets.core.errors import InputError
from training_assets.resources.artifacts import Artifacts, Result
from training_assets.resources.failures import clear_failures
from training_assets.resources.models import Models
from training_assets.resources.places import Places
from training_assets.spec import ModelSpec

SHOWN_BATCHES = 12


@dg.asset(kinds={"deltalake", "polars"}, code_version=code_version("assets/intake.py", packages=("polars",)))
def raw_data(
    context: dg.AssetExecutionContext,
    models: dg.ResourceParam[Models],
    places: dg.ResourceParam[Places],
    artifacts: Artifacts,
) -> dg.MaterializeResult[Result]:
    """Every batch exactly as read, with batch id and position; append only, one commit a batch, once by content."""
    model = models.of(context)
    intake = Intake(context, places, model)
    if model.spec.source.kind == "files":
        intake.take_files()
    else:
        intake.take_deliveries()
    table, gone, refused = intake.table, intake.retracted, intake.refused
    standing, sizes = Standing.of(model.name, model.spec, places), places.tables.sizes(model.name, table)
    batches = standing.batches
    if not batches and not refused:
        with clear_failures():
            raise InputError("E_MISSING", _nothing(model.spec, places, retracted=bool(gone)))
    names = _names(places, model.name)
    # Only a file can be gone when it is to be read in another way; any other source is read anew from its start.
    left_behind = [name for batch, name in names.items() if batch not in sizes and batch not in gone]
    left_behind = left_behind if model.spec.source.kind == "files" else []
    facts = {
        "table": table,
        "batches": batches,
        "replaced": standing.replaced,
        "here": sorted(intake.here),
        "refused": refused,
        "left_behind": sorted(left_behind),
        "names": names,
    }
    version = fingerprint.digest([table, batches])
    result = artifacts.once(context, facts, lambda _: {RAW: Made(facts, version)})[RAW]
    return shown(
        result,
        model.key(RAW),
        {
            "dagster/row_count": sum(sizes[batch] for batch in batches),
            "dagster/uri": str(places.tables.path(model.name, table)),
            "batches": len(batches),
            "replaced": len(standing.replaced),
            "refused": len(refused),
            "retracted": len(gone),
            "arriving_files": intake.arriving,
        },
        tables={
            "newest_batches": [
                {"batch": batch[: fingerprint.SHORT], "name": names.get(batch, ""), "rows": sizes[batch]}
                for batch in reversed(batches[-SHOWN_BATCHES:])
            ],
            **({"refused": refused} if refused else {}),
        },
    )


def _nothing(spec: ModelSpec, places: Places, *, retracted: bool) -> str:
    """Why there is no batch at all, and what to do."""
    if retracted:
        return "every batch is retracted; deliver others, or take a retraction back"
    if spec.source.kind != "files":
        return f"the {spec.source.kind} has no rows yet; see that the first arrive, or mend `source`"
    where = ", ".join(spec.source.paths)
    return f"no file matches {where} under {places.root}; put the first batch there, or mend source.path"


def _names(places: Places, model: str) -> dict[str, str]:
    """Name of each batch, as it arrived."""
    return {event.subject: str(event.data["name"]) for event in places.ledger.events(model, "batch_ingested")}
