"""What a source has that the raw table has not: taken batch by batch, or refused by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import dagster as dg
import polars as pl

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.core.inference.own_columns import has_own_columns, own_rows
from training_assets.core.ingestion.arrivals import whole
from training_assets.core.ingestion.databases.reader import query_rows, result_at
from training_assets.core.ingestion.deliveries import Delivery
from training_assets.core.ingestion.discovery import BatchFile, identify, stamps
from training_assets.core.ingestion.feature_store.features import complete_rows
from training_assets.core.ingestion.readers import open_reader
from training_assets.core.ingestion.reading import read_batch
from training_assets.resources.failures import clear_failures
from training_assets.resources.locks import exclusively
from training_assets.resources.models import Model
from training_assets.resources.places import Places
from training_assets.resources.retractions import retracted
from training_assets.resources.schema_cases import refused_at_reading
from training_assets.resources.seen_files import SeenFiles
from training_assets.spec import ModelSpec

RAW = "raw_data"


def raw_table(spec: ModelSpec) -> str:
    """Name of the table that batches are read into; another way of reading is another table."""
    return f"{RAW}-{fingerprint.digest(spec.reading_part())[: fingerprint.SHORT]}"


@dataclass(frozen=True)
class Standing:
    """Digests of the batches whose rows are the model's, and of those whose place they took, oldest first."""

    batches: list[str]
    replaced: list[str]

    @classmethod
    def of(cls, model: str, spec: ModelSpec, places: Places) -> Standing:
        """All batches in the raw table but the retracted ones; of whole results the one that was read last.

        A result that is read again, after another one, stands as it did: what came in between took no place of it.
        """
        table, gone = raw_table(spec), retracted(places.ledger, model)
        there = [batch for batch in places.tables.batches(model, table) if batch not in gone]
        if not spec.source.is_replaced:
            return cls(there, [])
        read = (result_at(position) for position in reversed(places.tables.positions(model, table)))
        newest = next((batch for batch in read if batch in there), None)
        return cls([], []) if newest is None else cls([newest], there[: there.index(newest)])


@dataclass
class Intake:
    """One look at a source: what is new goes into the table, what cannot be read is refused by name."""

    context: dg.AssetExecutionContext
    places: Places
    model: Model
    refused: list[dict[str, str]] = field(default_factory=list)
    here: list[str] = field(default_factory=list)
    arriving: int = 0

    def __post_init__(self) -> None:
        """See what is known already."""
        name, ledger = self.model.name, self.places.ledger
        self.table = raw_table(self.model.spec)
        self.retracted = retracted(ledger, name)
        self._known = set(self.places.tables.batches(name, self.table))
        self._noted = {event.subject: str(event.data["name"]) for event in ledger.events(name, "batch_ingested")}

    def take_files(self) -> None:
        """Each whole file that matches the source's paths is a batch; one that is still being written waits."""
        source, root = self.model.spec.source, self.places.root
        with clear_failures():
            files, arriving = whole(stamps(source, root, self.places.secrets), time.time_ns(), time.sleep)
        self.arriving = len(arriving)
        for stamp in arriving:
            self.context.log.warning(f"{stamp.path.name} is still being written; it waits for the next run")
        seen = SeenFiles.open(self.places.seen / f"{self.model.name}.json")
        new: list[str] = []
        for stamp in files:
            known = seen.batch_of(stamp)
            if known is not None and known in self._known and known in self._noted:
                self.here += [known] if known not in self.retracted else []
                continue
            batch, file = stamp.path.name, None
            try:
                file = identify(stamp)
                batch = file.digest
                seen.note(stamp, file, time.time_ns())
                if batch in self.retracted:
                    continue
                self.here.append(batch)
                new += [file.name] if batch not in self._noted else []
                self._take(batch, file.name, file.size, partial(self._rows_of, file))
            except InputError as error:
                self._refuse(batch, stamp.path.name, error)
                own = None if file is None else partial(own_rows, file, self.model.spec)
                self._open_case(batch, stamp.path.name, error, own if has_own_columns(self.model.spec) else None)
        seen.save()
        self._note_orphans()
        self._tell_of_the_overwritten(new)

    def _tell_of_the_overwritten(self, new: Collection[str]) -> None:
        """Batches of files that have other bytes now: their rows count beside the new ones, which may not be meant."""
        if self.model.spec.validation.duplicates.keep != "all":
            return
        for batch, name in self._noted.items():
            if name in new and batch in self._known and batch not in {*self.here, *self.retracted}:
                self.context.log.warning(
                    f"{name} was read before with other content, batch {batch[:12]}, and the rows of both count; where "
                    f"the new file takes the place of the old one: training-assets retract {self.model.name} "
                    f"{batch[:12]} --because TEXT"
                )

    def _rows_of(self, file: BatchFile) -> pl.DataFrame:
        """A file's rows, with the feature store's columns where the spec asks for them."""
        spec = self.model.spec
        return complete_rows(read_batch(file, spec), spec, self.places.root, file.name)

    def take_deliveries(self) -> None:
        """Each delivery since the position that the table has is a batch; a batch and its position are one commit.

        Of two runs at once, one reads on where the other ended: windows of one position would share rows.
        """
        name, tables = self.model.name, self.places.tables
        with exclusively(self.places.locks, f"reading-{name}"):
            self._known = set(tables.batches(name, self.table))
            try:
                reader = open_reader(self.model.spec, self.places.root, self.places.secrets)
                for delivery in reader.deliveries(tables.position(name, self.table)):
                    rows = partial(_as_batch, delivery)
                    self._take(delivery.digest, delivery.name, delivery.size, rows, delivery.position)
            except InputError as error:
                kind, database = self.model.spec.source.kind, self.model.spec.source.database
                self._refuse(kind, kind, error)
                if database is not None:
                    own = partial(query_rows, database, self.places.root, self.places.secrets)
                    self._open_case(fingerprint.digest([kind, str(error)]), "the query", error, own)
        self._note_orphans()
        self.here += Standing.of(name, self.model.spec, self.places).batches

    def _take(
        self, batch: str, name: str, size: int, read: Callable[[], pl.DataFrame], position: str | None = None
    ) -> None:
        if batch in self._known and position is not None:
            self.places.tables.move_on(self.model.name, self.table, position)
        if batch not in self._known:
            rows = read()
            if self.places.tables.append(self.model.name, self.table, rows, batch, position, name, size):
                self.context.log.info(f"{name}: {rows.height:,} rows appended as batch {batch[:12]}")
            elif position is not None:
                self.places.tables.move_on(self.model.name, self.table, position)
                self.context.log.warning(f"{name}: batch {batch[:12]} was there before, and is not read again")
            self._known.add(batch)
        if batch not in self._noted:
            self._note("batch_ingested", batch, {"name": name, "bytes": size})
            self._noted[batch] = name

    def _note_orphans(self) -> None:
        """Record what is in the table and not in the ledger: a run that was killed committed it."""
        for batch, commit in self.places.tables.present(self.model.name, self.table).items():
            if batch not in self._noted:
                name = commit.name or f"{self.model.spec.source.kind}, batch {batch[: fingerprint.SHORT]}"
                self._note("batch_ingested", batch, {"name": name, "bytes": commit.size})

    def _refuse(self, batch: str, name: str, error: InputError) -> None:
        refusal = {"name": name, "code": error.code, "reason": str(error)}
        self.refused.append(refusal)
        self._note("batch_refused", batch, refusal)
        self.context.log.warning(f"{name} refused: {error}")

    def _open_case(self, batch: str, name: str, error: InputError, own: Callable[[], pl.DataFrame] | None) -> None:
        """Ask people about columns that are not the committed ones."""
        refused_at_reading(self.places, self.model, batch, name, error, run_id=self.context.run.run_id, own=own)

    def _note(self, kind: str, batch: str, data: dict[str, Any]) -> None:
        """Record, once, what became of a batch."""
        model = self.model.name
        once = f"{model}/{kind}/{fingerprint.digest([batch, data])}"
        self.places.ledger.record(model, kind, batch, data, run_id=self.context.run.run_id, actor=RAW, once=once)


def _as_batch(delivery: Delivery) -> pl.DataFrame:
    """A delivery's rows as the table keeps them, with batch id and position."""
    position = pl.int_range(1, delivery.rows.height + 1, dtype=pl.Int64, eager=True).alias("_row")
    return delivery.rows.select(pl.lit(delivery.digest).alias("_batch"), position, pl.all())
