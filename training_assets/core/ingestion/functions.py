"""Rows that a function of the project gives, under a version of the data that it names."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.content import content_digest
from training_assets.core.ingestion.databases.sessions import MAX_BYTES
from training_assets.core.ingestion.deliveries import Delivery, Reader
from training_assets.core.ingestion.excerpt import excerpt
from training_assets.core.ingestion.fitting import arrow_rows, fitted
from training_assets.core.ingestion.reading import typed_rows
from training_assets.core.project_code import imported, is_below, project_file
from training_assets.spec import ModelSpec

LONGEST_VERSION = 200
SPEC_KEY = ("source.function", "E_FUNCTION")


def open_function(reference: str, spec: ModelSpec, root: Path) -> Reader:
    """A reader of what `module:function`, a file below the project's root, returns: `(version, rows)`.

    `version` is a text that names the version of the data; `rows` a Polars, pandas or Arrow table. A version that
    was read is read no more; one that was read with other content is refused (E_VERSION). Raises InputError E_FUNCTION
    where there is no such file; it is run when rows are asked for, not before.
    """
    module, _, function = reference.partition(":")
    return _Function(module, function, project_file(module, root, *SPEC_KEY), spec, root)


class _Function:
    def __init__(self, module: str, function: str, file: Path, spec: ModelSpec, root: Path) -> None:
        self._module, self._function, self._file, self._spec, self._root = module, function, file, spec, root
        self._where = f"function {module}:{function}"

    def news(self, position: str | None) -> str | None:  # noqa: ARG002 - what a function would say is not asked
        """None: a function may be costly, so no sensor calls it. Launch the job, or schedule it."""
        return None

    def deliveries(self, position: str | None) -> Iterator[Delivery]:
        """What the function returns now, unless that version was read."""
        version, rows = self._returned()
        where = f"{self._where}, version {excerpt(version)[1:-1]}"
        typed = typed_rows(fitted(rows, self._spec.columns, where), self._spec, where)
        digest = content_digest(typed)
        read: dict[str, str] = {} if position is None else json.loads(position)["versions"]
        if read.get(version, digest) != digest:
            message = f"{where} was read before with other rows; data that changed has another version"
            raise InputError("E_VERSION", message)
        if version in read or not typed.height:
            return
        kept = json.dumps({"version": version, "digest": digest, "versions": {**read, version: digest}}, sort_keys=True)
        yield Delivery(where, digest, kept, int(typed.estimated_size()), typed)

    def _returned(self) -> tuple[str, pl.DataFrame]:
        """Version and rows; what the function raises becomes InputError, without its text: it may hold secrets."""
        try:
            returned = getattr(imported(self._module, self._root, *SPEC_KEY), self._function)()
            version, rows = self._taken_apart(returned)
            return version, _frame(rows, self._spec, self._where)
        except InputError as known:
            wrong = known
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a function may raise anything
            wrong = self._failed(error)
        raise wrong

    def _failed(self, error: BaseException) -> InputError:
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__) if is_below(Path(frame.filename), self._root)
        ]
        place = (
            f"{Path(frames[-1].filename).resolve().relative_to(self._root.resolve())}, line {frames[-1].lineno}"
            if frames
            else self._file.name
        )
        kind = type(error).__name__
        if isinstance(error, AttributeError) and not frames:
            message = f"{self._where}: {self._file.name} has no function {self._function}; mend source.function"
        else:
            message = (
                f"{self._where} raised {kind} at {place}; mend it, and see what it says (it is not shown here, as it "
                f"may hold secrets) by python -c 'import {self._module} as m; m.{self._function}()'"
            )
        return InputError("E_FUNCTION", message)

    def _taken_apart(self, returned: object) -> tuple[str, Any]:
        if isinstance(returned, tuple) and len(returned) == 2:
            version, rows = returned
            if isinstance(version, str) and version.strip() and len(version) <= LONGEST_VERSION:
                return version, rows
            what = f"a version that is {_kind(version)}"
        else:
            what = _kind(returned)
        message = (
            f"{self._where} returned {what}; return (version, rows): a text of at most {LONGEST_VERSION} characters "
            "that names the version of the data, and a Polars, pandas or Arrow table"
        )
        raise InputError("E_FUNCTION", message)


def _frame(rows: Any, spec: ModelSpec, where: str) -> pl.DataFrame:
    """Rows as Polars; raises InputError E_FUNCTION for what is no table, E_SIZE for one that is too large."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(rows, pl.LazyFrame):
        rows = rows.collect()
    frame: pl.DataFrame
    if isinstance(rows, pl.DataFrame):
        frame = rows
    elif isinstance(rows, pd.DataFrame):
        frame = _of_pandas(rows, where)
    elif hasattr(rows, "__arrow_c_stream__"):
        frame = arrow_rows(pa.RecordBatchReader.from_stream(rows).read_all(), spec.columns, where)
    else:
        message = f"{where} returned rows that are {_kind(rows)}; return a Polars, pandas or Arrow table"
        raise InputError("E_FUNCTION", message)
    if frame.estimated_size() > MAX_BYTES:
        message = f"{where} returned rows of more than {MAX_BYTES:,} bytes; a batch has at most that: return fewer"
        raise InputError("E_SIZE", message)
    return frame


def _of_pandas(rows: Any, where: str) -> pl.DataFrame:
    """Its columns, without the index; NaN is null, as pandas means it."""
    import pyarrow as pa

    try:
        frame: pl.DataFrame = pl.from_pandas(rows)
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
    else:
        return frame
    message = (
        f"{where} returned a pandas table that is not read ({reason}); give each column one type and a text as name"
    )
    raise InputError("E_FUNCTION", message)


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
