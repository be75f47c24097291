"""Which reader a source that is not files needs."""

from __future__ import annotations

from pathlib import Path

from training_assets.core.ingestion.deliveries import Reader, SecretReader
from training_assets.spec import ModelSpec


def open_reader(spec: ModelSpec, root: Path, secret: SecretReader) -> Reader:
    """The reader of a database, a Delta table or a function; raises ValueError for a source of files."""
    source = spec.source
    if source.database is not None:
        from training_assets.core.ingestion.databases.reader import open_database

        return open_database(source.database, spec, root, secret)
    if source.delta is not None:
        from training_assets.core.ingestion.lakes.delta_source import open_delta

        return open_delta(source.delta, source.store, spec, root, secret)
    if source.function is not None:
        from training_assets.core.ingestion.functions import open_function

        return open_function(source.function, spec, root)
    message = "files have no reader; see discovery"
    raise ValueError(message)
