"""The committed schema: raw rows to logical types, and the rules of the columns compiled to Pandera."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.validation.casting import POLARS_TYPES, cast
from training_assets.spec import Column, ModelSpec

if TYPE_CHECKING:
    import pandera.polars as pa
    from pandera.errors import SchemaError

POSITION = {"_batch": pl.String(), "_row": pl.Int64()}
SHOWN_COLUMNS = 20
# Pandera looks at the whole schema for each column: 2,000 columns took 19.7 s together, 7.8 s fifty at a time.
AT_A_TIME = 50


@dataclass(frozen=True)
class Broken:
    """The rows where one column breaks one rule: a mask over all rows.

    A rule across columns names them all in `reads`, and in `column` for people.
    """

    column: str
    rule: str
    rows: pl.Series
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Typed:
    """Rows in logical types and the spec's column order; a cell that could not be read is null and named."""

    rows: pl.DataFrame
    broken: tuple[Broken, ...]


def typed(raw: pl.DataFrame, spec: ModelSpec) -> Typed:
    """Raw rows (String cells, or a Parquet file's own types) in logical types, with `_batch` and `_row` kept.

    Guarantees that every value is exactly what its cell says (floats: the nearest one), in NFC and naive UTC. Raises
    InputError `E_SCHEMA` with the exact difference where columns are missing or unknown, `E_TYPE` where a type of the
    file cannot hold the spec's.
    """
    _same_columns(raw, spec)
    decimal = spec.source.dialect.decimal
    broken: list[Broken] = []
    columns: list[pl.Series] = []
    for name, column in spec.columns.items():
        done = cast(raw[name], column, decimal)
        columns.append(done.values)
        broken += [Broken(name, rule, mask) for rule, mask in done.failures]
    position = [raw[name].cast(dtype) for name, dtype in POSITION.items()]
    return Typed(pl.DataFrame([*columns, *position]), tuple(broken))


def _same_columns(raw: pl.DataFrame, spec: ModelSpec) -> None:
    missing = [name for name in spec.columns if name not in raw.columns]
    unknown = [name for name in raw.columns if name not in spec.columns and not name.startswith("_")]
    if missing or unknown:
        difference = [
            f"{title}: {', '.join(name[:80] for name in names[:SHOWN_COLUMNS])}"
            for title, names in (("missing", missing), ("not in the spec", unknown))
            if names
        ]
        message = f"the columns of the file differ from the spec; {'; '.join(difference)}; fix the file or `columns`"
        raise InputError("E_SCHEMA", message)


def pandera_schema(spec: ModelSpec, only: Sequence[str] | None = None) -> pa.DataFrameSchema:
    """The rules of all columns, or of some, as a Pandera schema over typed rows; each check is named by its rule.

    Rules: `null`, `unique` (Pandera's own), `range` (min, max, inclusive), `domain` (values), `pattern` (the whole
    text). A weight breaks `null` where it is missing, `range` where it is not above 0. A label's nulls are
    `target.missing`'s business. Raises InputError `E_SPEC` where `values` are not of the column's type.
    """
    import pandera.polars as pa

    def checks(name: str, column: Column) -> list[pa.Check]:
        found = []
        if column.role == "weight":
            found.append(pa.Check.gt(0, name="range"))
        if column.min is not None:
            found.append(pa.Check.ge(column.min, name="range"))
        if column.max is not None:
            found.append(pa.Check.le(column.max, name="range"))
        if column.values is not None:
            found.append(pa.Check.isin(domain(name, column), name="domain"))
        if column.pattern is not None:
            found.append(pa.Check(_matches(column.pattern), name="pattern"))
        return found

    columns = {
        name: pa.Column(
            POLARS_TYPES[column.type],
            checks(name, column),
            nullable=(column.nullable or name == spec.target.column) and column.role != "weight",
            unique=column.unique,
        )
        for name, column in spec.columns.items()
        if only is None or name in only
    }
    return pa.DataFrameSchema(columns)


def domain(name: str, column: Column) -> list[Any]:
    """The sound values of a column in its logical type; InputError `E_SPEC` where one is of another type."""
    texts = pl.Series(f"{name}.values", column.values or [], dtype=pl.String)
    done = cast(texts, column)
    if done.failures:
        wrong = texts.filter(done.failures[0][1])[0]
        message = f"columns.{name}.values holds '{wrong[:40]}', which is no {column.type}"
        raise InputError("E_SPEC", message)
    return done.values.to_list()


def _matches(pattern: str) -> Callable[[Any], pl.LazyFrame]:
    """A check function: the whole text obeys the pattern, by Python's `re` (the spec is checked with it, too)."""
    whole = re.compile(pattern)

    def obeys(data: Any) -> pl.LazyFrame:
        cells = data.lazyframe.select(data.key).collect().to_series()
        distinct = cells.unique().drop_nulls()
        sound = [text for text in distinct if whole.fullmatch(text)]
        return pl.LazyFrame({data.key: cells.is_in(pl.Series(sound, dtype=pl.String))})

    return obeys


def rule_breaks(rows: pl.DataFrame, spec: ModelSpec) -> list[Broken]:
    """Which rows break which rule of which column, found by Pandera over typed rows of one batch.

    A null breaks `null` alone. Raises what Pandera cannot decide: that is a fault of this program, not of the rows.
    """
    from pandera.errors import SchemaErrorReason

    named = {
        SchemaErrorReason.SERIES_CONTAINS_NULLS: "null",
        SchemaErrorReason.SERIES_CONTAINS_DUPLICATES: "unique",
    }
    ruled = [name for name, column in spec.columns.items() if _has_rules(column)]
    broken: dict[tuple[str, str], pl.Series] = {}
    parts = [ruled[at : at + AT_A_TIME] for at in range(0, len(ruled), AT_A_TIME)]
    for error in (error for names in parts for error in _errors(rows, spec, names)):
        if error.check_output is None:
            raise error
        column = str(error.schema.name)
        rule = named.get(error.reason_code) or str(error.check.name)
        mask = ~_boolean(error.check_output)
        if rule != "null":
            mask &= rows[column].is_not_null()
        known = broken.get((column, rule))
        broken[column, rule] = mask if known is None else known | mask
    return [Broken(column, rule, mask) for (column, rule), mask in broken.items() if mask.any()]


def _has_rules(column: Column) -> bool:
    """Whether there is anything to check beyond the type, which `typed` has seen to."""
    bounds = (column.min, column.max, column.values, column.pattern)
    return column.unique or not column.nullable or column.role == "weight" or any(bound is not None for bound in bounds)


def _errors(rows: pl.DataFrame, spec: ModelSpec, names: list[str]) -> list[SchemaError]:
    """What Pandera finds in some columns."""
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaErrors

    # Without the depth, Pandera skips values wherever it is handed a LazyFrame.
    with config_context(validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            pandera_schema(spec, names).validate(rows.select(names), lazy=True)
        except SchemaErrors as errors:
            return list(errors.schema_errors)
    return []


def _boolean(output: Any) -> pl.Series:
    """Pandera's verdict on each row as one column; a null verdict is a pass (the cell has no value)."""
    frame = output.collect() if isinstance(output, pl.LazyFrame) else output
    series: pl.Series = frame.to_series()
    return series.fill_null(value=True)
