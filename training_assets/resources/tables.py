"""Delta tables that only grow: one atomic commit a batch, exactly once by the batch's digest, verified when read."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction

from training_assets.core import fingerprint
from training_assets.core.artifact_format import flush, write_file
from training_assets.core.errors import InputError
from training_assets.resources.commits import BATCH, Commit, commit_to, properties
from training_assets.resources.locks import exclusively

SUFFIX = ".parquet"
# By default a Delta log forgets commits after 30 days, and with them how far an idle source was read.
LOG = {
    "delta.logRetentionDuration": "interval 5200 weeks",
    "delta.enableExpiredLogCleanup": "false",
    # Opening a table reads what was committed since its last checkpoint.
    "delta.checkpointInterval": "10",
}


@dataclass(frozen=True)
class Tables:
    """The tables of all models, under one folder: `<folder>/<model>/<table>`.

    A batch is a partition, so that it can be read or taken out alone, and a transaction id in the table's own log, so
    that whoever appends it again, after a crash or at the same time, appends nothing. A data file is named by the
    sha256 of its bytes, so that the log, which every engine reads, pins every byte that a model stands on.
    """

    folder: Path

    def path(self, model: str, table: str) -> Path:
        """Folder of a table."""
        return self.folder / model / table

    def append(
        self,
        model: str,
        table: str,
        rows: pl.DataFrame,
        batch: str,
        position: str | None = None,
        name: str = "",
        size: int | None = None,
    ) -> bool:
        """Commit a batch's rows in one step; false where the table has that batch already.

        `position` says how far the source was read once this batch is in; it is part of the same commit, as are the
        name and the size in bytes that the batch arrived with.
        """
        known = self.open(model, table)
        if known is not None and known.transaction_version(batch) is not None:
            return False
        path = self.path(model, table)
        if known is None:
            known = self._made(model, table, rows)
        added = _written(path, rows, batch)
        commit = Commit(batch, added.path, rows.height, position, name=name, size=size)
        once = [Transaction(batch, known.version() + 1)]
        try:
            commit_to(known, [added], commit, once)
        except CommitFailedError:
            now = self.open(model, table)
            if now is None or now.transaction_version(batch) is None:
                raise
            return False
        flush(path / "_delta_log")
        return True

    def _made(self, model: str, table: str, rows: pl.DataFrame) -> DeltaTable:
        """The table, made by the first who comes; of two who make it at once, Delta lets both commit."""
        columns = rows.head(0).to_arrow().schema
        with exclusively(self.folder / ".locks", f"{model}-{table}"):
            made = self.open(model, table)
            if made is not None:
                return made
            place = self.path(model, table)
            return DeltaTable.create(place, columns, mode="error", partition_by=[BATCH], configuration=LOG)

    def move_on(self, model: str, table: str, position: str) -> None:
        """Note how far the source was read where all that it had is in the table already; a commit without rows."""
        known = self.open(model, table)
        if known is not None and self.position(model, table) != position:
            commit_to(known, [], Commit(position=position))

    def open(self, model: str, table: str) -> DeltaTable | None:
        """The table, or none before its first batch; raises `InputError` (`E_HASH`) where its log is damaged."""
        with self._readable(model, table):
            try:
                return DeltaTable(self.path(model, table))
            except TableNotFoundError:
                return None

    def version(self, model: str, table: str) -> int:
        """Version of the table: the number of its last commit, -1 before the first."""
        table_now = self.open(model, table)
        return -1 if table_now is None else table_now.version()

    def batches(self, model: str, table: str) -> list[str]:
        """Digests of the batches in the table, in the order in which they were committed."""
        return list(self.present(model, table))

    def position(self, model: str, table: str) -> str | None:
        """How far the source was read, as the newest commit that says so has it."""
        return next(reversed(self.positions(model, table)), None)

    def positions(self, model: str, table: str) -> list[str]:
        """How far the source was read, each time that it was read further, oldest first."""
        commits = self._commits(model, table, self.open(model, table))
        return [commit.position for commit in commits if commit.position is not None]

    def sizes(self, model: str, table: str) -> dict[str, int]:
        """Rows of each batch in the table, in the order in which they were committed; from its log alone."""
        return {batch: commit.rows for batch, commit in self.present(model, table).items()}

    def rows(self, model: str, table: str) -> int:
        """Rows in the table, counted from its log alone."""
        return sum(self.sizes(model, table).values())

    def read(
        self, model: str, table: str, batches: Sequence[str], columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Rows of some batches (some columns of them), in the order of batches and of rows in them.

        Raises `InputError` (`E_HASH`), with the file's name, where a byte is not what was written.
        """
        now = self.open(model, table)
        if now is None:
            message = f"table {model}/{table} is gone; restore it, or remove its model's folder and ingest anew"
            raise InputError("E_HASH", message)
        present, folder = self.present(model, table), self.path(model, table)
        wanted = [present[batch] for batch in batches if batch in present]
        with self._readable(model, table):
            empty = pl.DataFrame(schema=pl.Schema(now.schema().to_arrow()))
            empty = empty if columns is None else empty.select(columns)
            return pl.concat([empty, *(_verified(folder, each, empty.columns) for each in wanted)])

    def held(self, model: str, table: str) -> set[str]:
        """Batches in the table, and those of which files are in its folder that no commit, or none any more, names."""
        files = self.path(model, table).glob(f"{BATCH}=*/*")
        return {*self.batches(model, table), *(file.parent.name.removeprefix(f"{BATCH}=") for file in files)}

    def erase(self, model: str, table: str, batch: str) -> int:
        """Remove a batch's rows for good, files included, and say how many they were; its id stays taken.

        What an attempt that was stopped left in the batch's folder goes, too.
        """
        now, path = self.open(model, table), self.path(model, table)
        if now is None:
            return 0
        came = next((commit for commit in self._commits(model, table, now) if commit.batch == batch), Commit())
        present = batch in self.present(model, table)
        rows = came.rows if present or (path / came.file).is_file() else 0
        if present:
            now.delete(f"{BATCH} = '{batch}'", commit_properties=properties(Commit(batch, came.file, erased=True)))
            flush(path / "_delta_log")
        for file in path.glob(f"{BATCH}={batch}/*"):
            file.unlink(missing_ok=True)
        return rows

    def present(self, model: str, table: str) -> dict[str, Commit]:
        """The commit of each batch that is in the table, in order; what the log says twice must agree."""
        now = self.open(model, table)
        found: dict[str, Commit] = {}
        for commit in self._commits(model, table, now):
            if commit.erased:
                found.pop(commit.batch, None)
            elif commit.batch:
                found[commit.batch] = commit
        with self._readable(model, table):
            partitions = set() if now is None else {partition[BATCH] for partition in now.partitions()}
        if partitions != set(found):
            raise self._damaged(model, table, f"it lists {len(partitions)} batches and commits {len(found)}")
        return found

    def _commits(self, model: str, table: str, now: DeltaTable | None) -> list[Commit]:
        """What each commit says of itself, oldest first, unsealed; the first made the table."""
        with self._readable(model, table):
            history = [] if now is None else sorted(now.history(), key=lambda entry: int(entry["version"]))
        if now is not None and [entry["version"] for entry in history] != list(range(now.version() + 1)):
            raise self._damaged(model, table, "commits are missing in it")
        commits = [Commit.unsealed(entry) for entry in history[1:]]
        if None in commits:
            raise self._damaged(model, table, f"commit {commits.index(None) + 1} has changed since it was written")
        return [commit for commit in commits if commit is not None]

    @contextmanager
    def _readable(self, model: str, table: str) -> Iterator[None]:
        """Whatever a reader of the log cannot make sense of is a damaged log."""
        try:
            yield
        except InputError:
            raise
        except (DeltaError, TypeError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
            raise self._damaged(model, table, str(error)[:200]) from error

    @staticmethod
    def _damaged(model: str, table: str, how: str) -> InputError:
        return InputError("E_HASH", f"the log of table {model}/{table} is damaged ({how}); restore {table}/_delta_log")


def _verified(folder: Path, commit: Commit, columns: Sequence[str]) -> pl.DataFrame:
    """Rows of a batch's file, whose bytes are those that its name says."""
    path, remedy = folder / commit.file, f"restore it, or retract batch {commit.batch[:12]}"
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("E_HASH", f"{path} is gone; {remedy}") from error
    if fingerprint.digest_bytes(data) != path.name.removesuffix(SUFFIX):
        raise InputError("E_HASH", f"{path} has changed since it was written; {remedy}")
    wanted = [column for column in columns if column != BATCH]
    rows = pl.read_parquet(io.BytesIO(data), columns=wanted, hive_partitioning=False)
    return rows.with_columns(pl.lit(commit.batch).alias(BATCH)).select(columns)


def _written(folder: Path, rows: pl.DataFrame, batch: str) -> AddAction:
    """The rows as a data file, flushed, named by its content; what the log has to say of it."""
    buffer = io.BytesIO()
    rows.drop(BATCH).write_parquet(buffer)
    data = buffer.getvalue()
    name = f"{BATCH}={batch}/{fingerprint.digest_bytes(data)}{SUFFIX}"
    write_file(folder / name, data)
    partition: Mapping[str, str | None] = {BATCH: batch}
    stats = json.dumps({"numRecords": rows.height})
    return AddAction(name, len(data), partition, time.time_ns() // 1_000_000, data_change=True, stats=stats)
