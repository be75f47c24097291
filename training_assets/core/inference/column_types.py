"""What type each column has, over all of its values: numbers, truth values, dates, else text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.inference.dates import dates_in
from training_assets.core.inference.notes import Notes
from training_assets.core.ingestion.delimited.text import with_nulls
from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.core.ingestion.formats.parquet import cast_column, logical_type
from training_assets.core.validation.casting import cast
from training_assets.spec import Column, Csv, Validation

INTEGER = r"^[+-]?\d+$"
NUMBERS = {
    ".": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$",
    ",": r"^[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?$",
}
# `1,234` may be a thousand: on its own it proves no decimal comma.
COMMA_PROOF = r"^[+-]?\d*,(\d{1,2}|\d{4,})$"
LEADING_ZERO = r"^[+-]?0\d"
# Words that hardly ever are a value, and words that are one unless everything else in the column is a number or a date.
NULL_WORDS = ("NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NULL", "Null", "null", "NaN", "nan", "\\N", "?")
MAYBE_NULL_WORDS = (
    *("None", "NONE", "none", "nil", "Nil", "na", "-", "--", "---", ".", "..", "*", "missing", "Missing"),
    *("unknown", "Unknown", "undefined", "#VALUE!", "#DIV/0!", "#REF!"),
)
# A number column may hold so few words that quarantining their rows is better than reading it as text.
MAX_STRAY_SHARE = 0.002


@dataclass(frozen=True)
class Table:
    """Columns with type and format alone, all rows in logical types, and the dialect with null words and decimal."""

    columns: dict[str, Column]
    rows: pl.DataFrame
    dialect: Csv | None


def types_of_text(
    rows: pl.DataFrame, dialect: Csv | None, notes: Notes, known: Mapping[str, Column] | None = None
) -> Table:
    """Types of text cells (every column String), over all rows; `known` are columns that are already declared.

    Without a dialect there are no words for 'no value', and numbers have a decimal point.
    """
    known = known or {}
    distinct = {name: rows[name].unique().drop_nulls() for name in rows.columns}
    if dialect is None:
        _ask_about_words(distinct, notes)
    else:
        dialect = _with_words(distinct, dialect, notes)
        rows = with_nulls(rows, dialect.null_values)
    decimal, words = (dialect.decimal, dialect.null_values) if dialect is not None else (".", [])
    columns = {
        name: known.get(name) or _column(name, texts.filter(~texts.is_in(words)), rows[name], decimal, notes)
        for name, texts in distinct.items()
    }
    return Table(columns, _typed(rows, columns, decimal, notes), dialect)


def _with_words(distinct: Mapping[str, pl.Series], dialect: Csv, notes: Notes) -> Csv:
    """The dialect with its words for 'no value' and its decimal mark, both found by looking."""
    decimal = "," if dialect.delimiter != "," and _has_decimal_commas(distinct.values()) else "."
    if decimal == ",":
        notes.assume("numbers have a decimal comma")
    words = _null_words(distinct, decimal)
    for word in words:
        holders = [name for name, values in distinct.items() if word in set(values)]
        notes.assume(f"{excerpt(word)} means 'no value' (in {listed(holders, 5)})")
    return dialect.model_copy(update={"null_values": ["", *words], "decimal": decimal})


def _ask_about_words(distinct: Mapping[str, pl.Series], notes: Notes) -> None:
    words = [word for word in _null_words(distinct, ".") if word.strip()]
    if words:
        holders = [name for name, values in distinct.items() if set(words) & set(values)]
        notes.ask(
            "source",
            f"{listed(words)} in {listed(holders, 5)} may mean 'no value', which the format can say itself",
            "text like any other; rows where it stands for a number go to quarantine, unless the file has nulls there",
        )


def types_of_parquet(rows: pl.DataFrame, where: str, notes: Notes) -> Table:
    """Types of a Parquet or Arrow file's columns; text that is dates becomes dates. Raises InputError E_TYPE."""
    columns, exact = {}, []
    for name, dtype in rows.schema.items():
        kind = logical_type(dtype)
        if kind is None:
            message = (
                f"{where}, column {excerpt(name)}: {dtype} is not read; write it as 64-bit integers, floats, text or "
                "timestamps, or leave it out"
            )
            raise InputError("E_TYPE", message)
        column = Column(type=kind)
        if kind == "string":
            texts = rows[name].cast(pl.String).unique().drop_nulls()
            column = _dated(name, texts, notes) or column
        columns[name] = column
        exact.append(cast_column(rows[name], column, where))
    return Table(columns, _typed(pl.DataFrame(exact), columns, ".", notes), None)


def _typed(rows: pl.DataFrame, columns: dict[str, Column], decimal: str, notes: Notes) -> pl.DataFrame:
    """The rows in logical types, by the very cast that batches go through; says how many rows that would quarantine."""
    casts = {name: cast(rows[name], column, decimal) for name, column in columns.items()}
    failures = [(name, rule, mask) for name, done in casts.items() for rule, mask in done.failures]
    if failures:
        broken = pl.DataFrame([mask.alias(str(at)) for at, (_, _, mask) in enumerate(failures)])
        count = int(broken.select(pl.any_horizontal(pl.all().fill_null(value=False))).to_series().sum())
        rules = listed(dict.fromkeys(f"{name}: {rule}" for name, rule, _ in failures), 5)
        text = f"{count:,} of {rows.height:,} rows break a rule and would go to quarantine ({rules})"
        if count > Validation().max_quarantined * rows.height:
            key = "validation.max_quarantined"
            notes.ask(key, f"{text}: too many, so that the file would be refused", "mend the file, or raise the limit")
        else:
            notes.assume(text)
    return pl.DataFrame([done.values for done in casts.values()])


def _column(name: str, texts: pl.Series, cells: pl.Series, decimal: str, notes: Notes) -> Column:
    """Type of a column from its distinct texts, nulls left out."""
    dated = _dated(name, texts, notes)
    if dated is not None:
        return dated
    if texts.len() and texts.str.contains(INTEGER).all():
        return _whole(name, texts, notes)
    if texts.len() and texts.str.to_lowercase().is_in(["true", "false"]).all():
        return Column(type="boolean")
    return _number_or_text(name, texts, cells, decimal, notes)


def _number_or_text(name: str, texts: pl.Series, cells: pl.Series, decimal: str, notes: Notes) -> Column:
    strays = texts.filter(~texts.str.contains(NUMBERS[decimal]))
    if texts.len() and not strays.len():
        return Column(type="number")
    if strays.len() < texts.len() and cells.is_in(strays.implode()).sum() <= MAX_STRAY_SHARE * cells.len():
        notes.ask(
            f"columns.{name}.type",
            f"'{name}' is a number but for {listed(strays, 3)}; rows with these words go to quarantine. Is that right?",
            "number; list the words under source.csv.null_values where they mean 'no value'",
        )
        return Column(type="number")
    return Column(type="string")


def _whole(name: str, texts: pl.Series, notes: Notes) -> Column:
    if texts.str.contains(LEADING_ZERO).any():
        notes.assume(f"'{name}' is text: its digits start with zeros, which a number would lose")
        return Column(type="string")
    if texts.cast(pl.Int64, strict=False).null_count():
        notes.assume(f"'{name}' is text: its digits are more than a 64-bit integer holds")
        return Column(type="string")
    return Column(type="integer")


def _dated(name: str, texts: pl.Series, notes: Notes) -> Column | None:
    found = dates_in(texts, name)
    if found is None:
        return None
    if found.alternative is not None:
        notes.ask(
            f"columns.{name}.format",
            f"every value of '{name}' fits {found.format} and {found.alternative}; which is the day?",
            found.format,
        )
    return Column(type=found.type, format=found.format)


def _has_decimal_commas(distinct: Iterable[pl.Series]) -> bool:
    """Whether some column is numbers only if its commas are decimal marks, and none is only if its points are."""
    proved = False
    for texts in distinct:
        filled = texts.filter(~_may_be_null(texts))
        if filled.str.contains(NUMBERS["."]).all() and filled.str.contains(".", literal=True).any():
            return False
        proved |= bool(filled.str.contains(NUMBERS[","]).all() and filled.str.contains(COMMA_PROOF).any())
    return proved


def _may_be_null(texts: pl.Series) -> pl.Series:
    return texts.is_in([*NULL_WORDS, *MAYBE_NULL_WORDS]) | (texts.str.strip_chars() == "")


def _null_words(distinct: Mapping[str, pl.Series], decimal: str) -> list[str]:
    """Words for 'no value', beside the empty cell: the plain ones, and those that alone keep a column from a type."""
    found: set[str] = set()
    for name, texts in distinct.items():
        found |= set(texts.filter(texts.is_in(NULL_WORDS)))
        words = texts.filter(_may_be_null(texts))
        if words.len() in {0, texts.len()}:
            continue
        others = texts.filter(~_may_be_null(texts))
        if others.str.contains(NUMBERS[decimal]).all() or dates_in(others, name) is not None:
            found |= set(words)
    return sorted(found - {""})
