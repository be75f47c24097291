"""Columns of another table, looked up for each row: rows are never multiplied, lost or reordered."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import polars as pl

from training_assets.core import fingerprint
from training_assets.core.errors import InputError
from training_assets.core.features.logical import logical
from training_assets.spec import AsOf, Join

NULL_WORD = "NA"
SAMPLE = 3
# Names inside this module; a user's column never starts with an underscore.
ROW, MATCH, TIME = "_left_row", "_match", "_time"


def joined(rows: pl.DataFrame, join: Join, root: Path) -> pl.DataFrame:
    """Rows with the join's columns added (null where nothing matches); their number and order stay.

    Without `as_of`, keys must be equal. With it, the match is the newest row of the table that is not later than the
    row's time and not older than the tolerance. A null key or time matches nothing. Raises InputError: `E_TABLE`
    (missing or unreadable), `E_JOIN_COLUMN` (a column that is missing or exists already), `E_JOIN_TYPE` (keys of
    different types), `E_JOIN_KEY` (a key, or key and time, that the table holds more than once).
    """
    check_names(join, rows.columns)
    _present(rows.columns, _row_columns(join), join, "rows")
    table = _read(join, root, rows)
    _present(table.columns, _table_columns(join), join, "table")
    table = table.select(_table_columns(join)).with_columns(logical(table[name]) for name in _table_columns(join))
    pairs = [(name, name) for name in join.keys] + ([(join.as_of.time, join.as_of.table_time)] if join.as_of else [])
    for ours, theirs in pairs:
        _same_type(rows[ours], table[theirs], join)
    keys = _unique_keys(table, join)
    match = _matches(rows, keys, join)
    return rows.with_columns(table[name].gather(match).alias(join.prefix + name) for name in join.columns)


def table_digest(join: Join, root: Path) -> str:
    """Sha256 of the joined table's bytes; InputError `E_TABLE` where the file is missing."""
    return fingerprint.digest_file(table_file(join, root))


def table_there(join: Join, root: Path) -> bool:
    """Whether the table's file exists; InputError `E_TABLE` where its path leads out of the project."""
    parts = PurePosixPath(join.table)
    if parts.is_absolute() or ".." in parts.parts:
        message = f"{_place(join)}: the path must stay inside the project, relative to its root"
        raise InputError("E_TABLE", message)
    return (root / parts).is_file()


def table_file(join: Join, root: Path) -> Path:
    """The table's file; InputError `E_TABLE` where it is missing or its path leads out of the project."""
    if not table_there(join, root):
        raise InputError("E_TABLE", f"{_place(join)}: there is no such file; put it there or change the path")
    return root / join.table


def check_names(join: Join, taken: list[str]) -> None:
    """InputError `E_JOIN_COLUMN` where an added column has a name that is taken or reserved."""
    for name in join.columns:
        added = join.prefix + name
        if added in taken or join.columns.count(name) > 1:
            message = f"{_place(join)}: column '{added[:80]}' exists already; give the join a `prefix`, e.g. weather_"
            raise InputError("E_JOIN_COLUMN", message)
        if added.startswith("_"):
            message = (
                f"{_place(join)}: column '{added[:80]}' starts with '_', which is reserved; give the join a `prefix`"
            )
            raise InputError("E_JOIN_COLUMN", message)


def table_schema(join: Join, root: Path) -> dict[str, pl.DataType | None] | None:
    """Names of the table's columns; types only where the file states them (Parquet), else None.

    None where there is no file, or none that can be read: what is wrong with one model's data is said by that model's
    run, and keeps no other model from being rolled back. InputError `E_TABLE` where the path leads out of the project.
    """
    if not table_there(join, root):
        return None
    file = root / join.table
    try:
        if file.suffix.lower() == ".parquet":
            stated = pl.scan_parquet(file, glob=False).collect_schema()
            return {name: logical(pl.Series(name, [], dtype)).dtype for name, dtype in stated.items()}
        return dict.fromkeys(pl.read_csv(file, n_rows=0, glob=False).columns)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None


def _row_columns(join: Join) -> list[str]:
    return [*join.keys, *([join.as_of.time] if join.as_of else [])]


def _table_columns(join: Join) -> list[str]:
    named = [*join.keys, *([join.as_of.table_time] if join.as_of else []), *join.columns]
    return list(dict.fromkeys(named))


def check_columns(join: Join, rows: list[str], table: list[str]) -> None:
    """InputError `E_JOIN_COLUMN` where the rows or the table lack a column that the join names."""
    _present(rows, _row_columns(join), join, "rows")
    _present(table, _table_columns(join), join, "table")


def _present(columns: list[str], needed: list[str], join: Join, side: str) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        message = (
            f"{_place(join)}: the {side} lack(s) column '{missing[0][:80]}'; "
            f"columns there: {', '.join(name[:80] for name in columns[:20])}"
        )
        raise InputError("E_JOIN_COLUMN", message)


def _read(join: Join, root: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """The whole table; CSV types are inferred over all of its rows, but keys are text where the rows' keys are.

    `NA` in a text key is text (Namibia), in any other column a missing value.
    """
    file = table_file(join, root)
    try:
        if file.suffix.lower() == ".parquet":
            return pl.read_parquet(file, glob=False)
        text_keys = {name: pl.String() for name in join.keys if rows.schema[name] == pl.String}
        names = pl.read_csv(file, n_rows=0, glob=False).columns
        return pl.read_csv(
            file,
            glob=False,
            null_values={name: NULL_WORD for name in names if name not in text_keys},
            infer_schema_length=None,
            try_parse_dates=True,
            schema_overrides=text_keys,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _unreadable(join, error) from error


def _unreadable(join: Join, error: BaseException) -> InputError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return InputError("E_TABLE", f"{_place(join)}: the file cannot be read as CSV or Parquet: {reason}")


def _same_type(ours: pl.Series, theirs: pl.Series, join: Join) -> None:
    if ours.dtype != theirs.dtype:
        message = (
            f"{_place(join)}: '{ours.name[:80]}' is {ours.dtype} in the rows and '{theirs.name[:80]}' is "
            f"{theirs.dtype} in the table; make them the same type"
        )
        raise InputError("E_JOIN_TYPE", message)


def _unique_keys(table: pl.DataFrame, join: Join) -> pl.DataFrame:
    """The table's keys (and times) with the position of their row, each once; rows without a key are left out."""
    columns = [pl.col(name) for name in join.keys]
    if join.as_of is not None:
        columns.append(pl.col(join.as_of.table_time).alias(TIME))
    keys = table.select(columns).with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(MATCH)).drop_nulls()
    names = [name for name in keys.columns if name != MATCH]
    repeated = keys.filter(keys.select(names).is_duplicated()).select(names).unique(maintain_order=True)
    if repeated.height:
        sample = ", ".join(_shown(line) for line in repeated.head(SAMPLE).rows())
        message = (
            f"{_place(join)}: {repeated.height} key(s) over ({', '.join(names).replace(TIME, 'time')}) occur more than "
            f"once, e.g. {sample}; a join may add one row at most: name more key columns or clean the table"
        )
        raise InputError("E_JOIN_KEY", message)
    return keys


def _matches(rows: pl.DataFrame, keys: pl.DataFrame, join: Join) -> pl.Series:
    """For each row the position of its match in the table, or null."""
    left = rows.select(join.keys)
    if join.as_of is None:
        return left.join(keys, on=join.keys, how="left", maintain_order="left")[MATCH]
    return _matches_as_of(left.with_columns(rows[join.as_of.time].alias(TIME)), keys, join.keys, join.as_of)


def _matches_as_of(left: pl.DataFrame, keys: pl.DataFrame, on: list[str], as_of: AsOf) -> pl.Series:
    asked = left.with_row_index(ROW).drop_nulls().sort(TIME, maintain_order=True)
    found = asked.join_asof(
        keys.sort(TIME, maintain_order=True),
        on=TIME,
        by=on,
        strategy="backward",
        tolerance=as_of.tolerance,
        check_sortedness=False,  # both sides were sorted just above
    )
    numbered = left.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
    return numbered.join(found.select(ROW, MATCH), on=ROW, how="left", maintain_order="left")[MATCH]


def _shown(values: tuple[object, ...]) -> str:
    return "/".join(str(value)[:40].encode("unicode_escape").decode() for value in values)


def _place(join: Join) -> str:
    return f"features.joins, table '{join.table[:120]}'"
