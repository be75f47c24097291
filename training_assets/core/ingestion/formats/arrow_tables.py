"""Arrow tables that a file's bytes were read into: validated in full before a value is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa


def validated(table: pa.Table) -> pl.DataFrame:
    """The table's columns as Polars has them, without metadata: names of an index, types of somebody else's.

    Raises what pyarrow raises for a buffer that is not what its type says, and Polars for a type that it lacks.
    """
    table.validate(full=True)
    return pl.DataFrame(pl.from_arrow(table.replace_schema_metadata(None)))
