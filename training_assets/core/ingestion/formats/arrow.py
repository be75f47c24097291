"""Arrow IPC: a file or a stream, every buffer of it validated before a value is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.formats import magic
from training_assets.core.ingestion.formats.arrow_tables import validated
from training_assets.core.ingestion.formats.compression import most_bytes, too_much

if TYPE_CHECKING:
    import pyarrow as pa


def open_arrow(data: bytes, where: str) -> pl.DataFrame:
    """The rows as they are written; raises InputError E_MAGIC, E_RATIO, E_CORRUPT or E_NO_ROWS."""
    import pyarrow as pa

    if not magic.is_arrow(data):
        what = magic.kind(data) or "no Arrow file or stream"
        message = f"{where} is {what}; mend source.format, or deliver it again"
        raise InputError("E_MAGIC", message)
    try:
        rows = validated(_table(data, where))
    except InputError:
        raise
    except (
        *(pa.ArrowException, OSError, ValueError, OverflowError),
        *(pl.exceptions.PolarsError, pl.exceptions.PanicException),
    ) as error:
        why = str(error)[:200]
        message = f"{where} is damaged or cut short, or Arrow of a kind that is not read ({why}); deliver it again"
        raise InputError("E_CORRUPT", message) from error
    if not rows.height or not rows.width:
        message = f"{where} has no rows; deliver it again with rows"
        raise InputError("E_NO_ROWS", message)
    return rows


def _table(data: bytes, where: str) -> pa.Table:
    """The record batches, counted as they unpack."""
    import pyarrow as pa
    from pyarrow import ipc

    size, batches = 0, []
    if data.startswith(magic.ARROW):
        file = ipc.open_file(pa.BufferReader(data))
        schema, found = file.schema, (file.get_batch(at) for at in range(file.num_record_batches))
    else:
        stream = ipc.open_stream(pa.BufferReader(data))
        schema, found = stream.schema, iter(stream)
    for batch in found:
        batch.validate(full=True)
        size += batch.nbytes
        if size > most_bytes(len(data)):
            raise too_much(where, len(data))
        batches.append(batch)
    return pa.Table.from_batches(batches, schema)
