"""What format files are written in, by their bytes, and the rows of all of them with the types of their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.inference.column_types import Table, types_of_parquet, types_of_text
from training_assets.core.inference.notes import Notes
from training_assets.core.ingestion.delimited.decoding import decoded
from training_assets.core.ingestion.delimited.dialect import has_header, sniff
from training_assets.core.ingestion.delimited.text import CsvText
from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.core.ingestion.formats import magic
from training_assets.core.ingestion.formats.arff import open_arff
from training_assets.core.ingestion.formats.arff_header import Attribute
from training_assets.core.ingestion.formats.arrow import open_arrow
from training_assets.core.ingestion.formats.compression import compression_of, unpacked
from training_assets.core.ingestion.formats.excel import DATE_FORMAT, MIDNIGHT, open_excel, sheets_of
from training_assets.core.ingestion.formats.jsonl import open_jsonl
from training_assets.core.ingestion.formats.parquet import open_parquet
from training_assets.core.ingestion.formats.partitions import Values, as_text, refuse_in_file
from training_assets.core.ingestion.header import sound_names
from training_assets.core.ingestion.matching import same_columns
from training_assets.spec import Column, Csv

Format = Literal["csv", "parquet", "arrow", "jsonl", "arff", "excel"]
# So many words are a list to choose from; more are names.
MOST_VALUES = 50
TRUTH = {"true", "false"}


@dataclass(frozen=True)
class Raw:
    """A file: its name, its bytes, and what its folders say of it."""

    name: str
    data: bytes
    partition: Values = ()


def format_of(data: bytes) -> Format:
    """The format that the first bytes show; delimited text where they show none."""
    known: tuple[tuple[Callable[[bytes], bool], Format], ...] = (
        (magic.is_parquet, "parquet"),
        (magic.is_arrow, "arrow"),
        (magic.is_excel, "excel"),
        (magic.is_arff, "arff"),
        (magic.is_json, "jsonl"),
    )
    return next((name for fits, name in known if fits(data)), "csv")


def table_in(raws: Sequence[Raw], notes: Notes) -> tuple[dict[str, Any], Table]:
    """What `source` says beside the path, and the rows of all files, below each other.

    Raises InputError for the first file that is not sound, of another format, or has other columns than the first.
    """
    compression = compression_of(raws[0].data)
    files = [Raw(raw.name, unpacked(raw.data, compression, raw.name), raw.partition) for raw in raws]
    found = format_of(files[0].data)
    said: dict[str, Any] = {"format": found}
    if compression is not None:
        said["compression"] = compression
        notes.assume(f"the files are packed ({compression})")
    if found in {"parquet", "arrow"}:
        return said, _typed(files, open_parquet if found == "parquet" else open_arrow, notes)
    if found == "csv":
        rows, dialect = _delimited(files)
        table = types_of_text(rows, dialect, notes)
        if table.dialect != Csv():
            said["csv"] = table.dialect
        return said, table
    if found == "jsonl":
        parts = [open_jsonl(raw.data, raw.name) for raw in files]
        return said, types_of_text(_joined(files, parts, missing_is_null=True), None, notes)
    if found == "arff":
        return said, _declared(files, notes)
    return _sheets(files, said, notes)


def _typed(files: Sequence[Raw], read: Callable[[bytes, str], pl.DataFrame], notes: Notes) -> Table:
    """Types of columns that have one, and of what folders say."""
    parts: list[pl.DataFrame] = []
    for raw in files:
        rows = read(raw.data, raw.name)
        rows.columns = sound_names(rows.columns, raw.name)
        refuse_in_file(rows.columns, dict(raw.partition), raw.name)
        same_columns(rows.columns, parts[0].columns if parts else rows.columns, raw.name)
        parts.append(rows.select(parts[0].columns) if parts else rows)
    table = types_of_parquet(_stacked(parts), files[0].name, notes)
    if not files[0].partition:
        return table
    said = [pl.DataFrame(as_text(dict(raw.partition), part.height)) for raw, part in zip(files, parts, strict=True)]
    folders = types_of_text(pl.concat(said), None, notes)
    return Table({**folders.columns, **table.columns}, folders.rows.hstack(table.rows), None)


def _joined(files: Sequence[Raw], parts: Sequence[pl.DataFrame], *, missing_is_null: bool = False) -> pl.DataFrame:
    """Text cells of all files, with what their folders say first, then the first file's columns in its order."""
    whole = []
    for raw, part in zip(files, parts, strict=True):
        refuse_in_file(part.columns, dict(raw.partition), raw.name)
        if not missing_is_null:
            same_columns(part.columns, parts[0].columns, raw.name)
        whole.append(pl.DataFrame([*as_text(dict(raw.partition), part.height), *part]))
    return pl.concat(whole, how="diagonal")


def _delimited(files: Sequence[Raw]) -> tuple[pl.DataFrame, Csv]:
    """Rows of all files, and the one dialect in which each of them is sound."""
    found = sniff(files[0].data, files[0].name)
    parts, dialect = [found.rows], found.dialect
    for raw in files[1:]:
        other = sniff(raw.data, raw.name).dialect
        dialect = dialect.model_copy(
            update={
                key: "skip"
                for key in ("blank_lines", "trailing")
                if "skip" in (getattr(dialect, key), getattr(other, key))
            }
        )
        as_written = dialect.model_copy(update={"null_values": []})
        text = CsvText(decoded(raw.data, dialect.encoding, raw.name), as_written, raw.name)
        names = sound_names(text.first(), raw.name) if dialect.header else found.names
        same_columns(names, found.names, raw.name)
        parts.append(text.rows(names).select(found.names))
    return _joined(files, parts), dialect


def _declared(files: Sequence[Raw], notes: Notes) -> Table:
    """Types of ARFF columns; a short list of words that the header declares becomes the column's values."""
    opened = [open_arff(raw.data, raw.name) for raw in files]
    attributes = opened[0].attributes
    known = {each.name: Column(type="string", values=list(each.values)) for each in attributes if _is_choice(each)}
    table = types_of_text(_joined(files, [each.rows for each in opened]), None, notes, known)
    if known:
        notes.assume(f"sound values are those that the header declares (of {listed(known, 5)})")
    codes = [each.name for each in attributes if each.kind == "nominal" and table.columns[each.name].type == "integer"]
    columns = {
        name: column.model_copy(update={"categorical": True}) if name in codes else column
        for name, column in table.columns.items()
    }
    return Table(columns, table.rows, None)


def _is_choice(attribute: Attribute) -> bool:
    """Whether a column's declared values are words to choose from, rather than numbers or truth values."""
    folded = {value.casefold() for value in attribute.values}
    numbers = pl.Series(list(attribute.values), dtype=pl.String).cast(pl.Float64, strict=False)
    few = attribute.kind == "nominal" and 0 < len(attribute.values) <= MOST_VALUES
    return few and not folded <= TRUTH and numbers.null_count() > 0


def _sheets(files: Sequence[Raw], said: Mapping[str, Any], notes: Notes) -> tuple[dict[str, Any], Table]:
    """Rows of one sheet of each workbook: its only one, else the first, which is asked about."""
    names = sheets_of(files[0].data, files[0].name)
    sheet = None if len(names) == 1 else names[0]
    if sheet is not None:
        notes.ask("source.sheet", f"the workbook has the sheets {listed(names)}; which holds the rows?", sheet)
    parts = [open_excel(raw.data, sheet, raw.name)[1] for raw in files]
    if not has_header(parts[0].columns, parts[0].with_columns(pl.all().fill_null(""))):
        message = f"{files[0].name}: the first row is one of values, not of names; put the names of columns above it"
        raise InputError("E_SCHEMA", message)
    table = types_of_text(_joined(files, parts), None, notes)
    columns, rows = dict(table.columns), table.rows
    cells = _joined(files, parts)
    for name, column in table.columns.items():
        if column.type == "datetime" and cells[name].drop_nulls().str.contains(MIDNIGHT).all():
            notes.assume(f"{excerpt(name)} is dates without a time")
            columns[name] = Column(type="date", format=DATE_FORMAT)
            rows = rows.with_columns(pl.col(name).dt.date())
    return {**said, **({"sheet": sheet} if sheet is not None else {})}, Table(columns, rows, None)


def _stacked(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The parts below each other; files may differ in the width of their numbers."""
    try:
        return pl.concat(parts, how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        message = f"the files have columns of different types ({str(error).splitlines()[0][:200]}); write them alike"
        raise InputError("E_SCHEMA", message) from error
