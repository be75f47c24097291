"""Delta tables that only grow: one atomic commit a batch, exactly once by the batch's digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError

BATCH = "_batch"


@dataclass(frozen=True)
class Tables:
    """The tables of all models, under one folder: `<folder>/<model>/<table>`.

    A batch is a partition, so that it can be read or taken out alone, and a transaction id in the table's own log, so
    that whoever appends it again, after a crash or at the same time, appends nothing.
    """

    folder: Path

    def path(self, model: str, table: str) -> Path:
        """Folder of a table."""
        return self.folder / model / table

    def append(self, model: str, table: str, rows: pl.DataFrame, batch: str) -> bool:
        """Commit a batch's rows in one step; false where the table has that batch already."""
        path = self.path(model, table)
        known = self.open(model, table)
        if known is not None and known.transaction_version(batch) is not None:
            return False
        ordinal = 0 if known is None else known.version() + 1
        try:
            write_deltalake(
                known if known is not None else path,
                rows.to_arrow(),
                mode="append",
                partition_by=[BATCH],
                commit_properties=CommitProperties(app_transactions=[Transaction(batch, ordinal)]),
            )
        except CommitFailedError:
            now = self.open(model, table)
            if now is None or now.transaction_version(batch) is None:
                raise
            return False
        return True

    def open(self, model: str, table: str) -> DeltaTable | None:
        """The table, or none before its first batch."""
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
        now = self.open(model, table)
        if now is None:
            return []
        digests = {partition[BATCH] for partition in now.partitions()}
        return sorted(digests, key=lambda digest: (now.transaction_version(digest), digest))

    def rows(self, model: str, table: str) -> int:
        """Rows in the table, counted from its log alone."""
        now = self.open(model, table)
        return 0 if now is None else int(pl.DataFrame(now.get_add_actions(flatten=True))["num_records"].sum())

    def read(self, model: str, table: str, batches: Sequence[str]) -> pl.DataFrame:
        """Rows of some batches, in the order of batches and of rows in them."""
        order = pl.DataFrame(
            {BATCH: list(batches), "_order": range(len(batches))}, schema={BATCH: pl.String, "_order": pl.Int64}
        )
        rows = pl.scan_delta(str(self.path(model, table))).filter(pl.col(BATCH).is_in(list(batches)))
        return rows.join(order.lazy(), on=BATCH).sort("_order", "_row").drop("_order").collect()
