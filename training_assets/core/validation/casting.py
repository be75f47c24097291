"""One column's cells to its logical type: what cannot be read exactly is named by a rule, never guessed at."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from training_assets.core.errors import InputError
from training_assets.spec import Column

POLARS_TYPES: dict[str, pl.DataType] = {
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "string": pl.String(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}
# The span that nanosecond timestamps hold in full: nothing downstream can overflow, and 1582 or 9999 is a typing error.
FIRST_YEAR, LAST_YEAR = 1678, 2261
A_DAY = {"d": 1, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""Of the years 1 to 9999, counted from 1970-01-01."""
# The largest float below which every integer has a float of its own.
EXACT_FLOAT = 2**53
# Roles whose values are names: two of them must not become one.
NAMING_ROLES = ("key", "group")
PADDED = r"^[+-]?0[0-9]"
# Tabs and line ends are part of text; the other C0 and C1 controls (ANSI escapes among them) are not.
CONTROLS = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}]"
# Marks that change how text looks without being seen: zero-width space and joins, directional overrides. The joiners
# U+200C and U+200D stay: Persian, Indic scripts and emoji are spelt with them.
INVISIBLES = r"[\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{2069}\x{FEFF}]"
ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
ISO_ZONE = r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$"
ISO_DATETIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?$"
)
ISO_DATETIME_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class Cast:
    """A column in its logical type, and for each broken rule which cells broke it; those cells are null."""

    values: pl.Series
    failures: tuple[tuple[str, pl.Series], ...]


def cast(cells: pl.Series, column: Column, decimal: str = ".") -> Cast:
    """Cells (n_rows) in the column's logical type; text is parsed by the spec's format and decimal mark.

    Rules that a cell can break: `type`, `range` (a number beyond what a float holds), `nonfinite` (NaN, infinities),
    `date`, `control`, `unicode`. A key or a group that its number does not name alone (`007`, a float above 2^53)
    breaks `type`. Raises InputError `E_TYPE` where the file's own type cannot hold the column's.
    """
    cells = _plain(cells)
    found = _read(cells, column, decimal)
    if found is None:
        message = (
            f"column '{cells.name}' is {cells.dtype} in the file and {column.type} in the spec; change the file or "
            f"columns.{cells.name}.type"
        )
        raise InputError("E_TYPE", message)
    target = POLARS_TYPES[column.type]
    failures = tuple((rule, mask) for rule, mask in found.failures if mask.any())
    values = found.values.cast(target)
    for _, mask in failures:
        values = pl.select(pl.when(mask).then(None).otherwise(values)).to_series()
    return Cast(values.alias(cells.name), failures)


def _read(cells: pl.Series, column: Column, decimal: str) -> Cast | None:
    """The cells as the column's type, or None where their own type cannot be."""
    match column.type:
        case "integer":
            return _named_exactly(_integers(cells), cells, column)
        case "number":
            return _named_exactly(_numbers(cells, decimal), cells, column)
        case "string":
            return _strings(cells)
        case "boolean":
            return _booleans(cells)
        case "date":
            return _dates(cells, column.format)
        case "datetime":
            return _datetimes(cells, column.format)


def _plain(cells: pl.Series) -> pl.Series:
    """Text as String and an untyped column of nulls as text: two families of input less."""
    if isinstance(cells.dtype, pl.Categorical | pl.Enum | pl.Null):
        return cells.cast(pl.String)
    return cells


def _unread(cells: pl.Series, values: pl.Series) -> pl.Series:
    """Where a cell has content and its value none."""
    return cells.is_not_null() & values.is_null()


def _integers(cells: pl.Series) -> Cast | None:
    if cells.dtype == pl.String or cells.dtype.is_integer():
        values = cells.cast(pl.Int64, strict=False)
        return Cast(values, (("type", _unread(cells, values)),))
    if cells.dtype.is_float():
        whole = (cells == cells.floor()) & (cells.abs() <= EXACT_FLOAT)
        values = pl.select(pl.when(whole).then(cells)).to_series().cast(pl.Int64)
        finite = cells.is_finite()
        return Cast(values, (("nonfinite", ~finite.fill_null(value=True)), ("type", finite & _unread(cells, values))))
    return None


def _named_exactly(found: Cast | None, cells: pl.Series, column: Column) -> Cast | None:
    """The cast, with cells of a key or group as broken where another cell could become the same number."""
    if found is None or column.role not in NAMING_ROLES:
        return found
    alike = cells.str.contains(PADDED) if cells.dtype == pl.String else cells.is_null()
    if found.values.dtype.is_float():
        # 2^53 + 1 is read as 2^53.
        alike |= found.values.abs() >= EXACT_FLOAT
    alike = alike.fill_null(value=False) & cells.is_not_null()
    for _, mask in found.failures:
        alike &= ~mask
    return Cast(found.values, (*found.failures, ("type", alike)))


def _numbers(cells: pl.Series, decimal: str) -> Cast | None:
    if cells.dtype.is_numeric():
        values = cells.cast(pl.Float64)
        return Cast(values, (("nonfinite", ~values.is_finite().fill_null(value=True)),))
    if cells.dtype != pl.String:
        return None
    text = cells
    if decimal != ".":
        text = _where(~cells.str.contains(".", literal=True), cells).str.replace(decimal, ".", literal=True)
    values = text.cast(pl.Float64, strict=False)
    infinite = ~values.is_finite().fill_null(value=True)
    # A number written out in digits that became infinite or nothing overflowed; one written as a word is no number.
    digits = cells.str.contains("[0-9]").fill_null(value=False)
    vanished = (values == 0).fill_null(value=False)
    if vanished.any():
        vanished &= cells.str.contains(r"^[^eE]*[1-9]").fill_null(value=False)
    return Cast(
        values,
        (
            ("type", _unread(cells, values)),
            ("nonfinite", infinite & ~digits),
            ("range", (infinite & digits) | vanished),
        ),
    )


def _strings(cells: pl.Series) -> Cast | None:
    if cells.dtype.is_integer():
        return Cast(cells.cast(pl.String), ())
    if cells.dtype != pl.String:
        return None
    if (cells.str.len_bytes() != cells.str.len_chars()).any():
        cells = cells.str.normalize("NFC")
        invisible = cells.str.contains(INVISIBLES).fill_null(value=False)
    else:
        invisible = pl.repeat(value=False, n=cells.len(), dtype=pl.Boolean, eager=True)
    return Cast(cells, (("control", cells.str.contains(CONTROLS).fill_null(value=False)), ("unicode", invisible)))


def _booleans(cells: pl.Series) -> Cast | None:
    if cells.dtype == pl.Boolean:
        return Cast(cells, ())
    if cells.dtype != pl.String:
        return None
    word = cells.str.to_lowercase()
    known = word.is_in(["true", "false"])
    return Cast(_where(known, word == "true"), (("type", cells.is_not_null() & ~known.fill_null(value=True)),))


def in_calendar(cells: pl.Series) -> pl.Series:
    """Whether dates or times (n) are of the years 1 to 9999: others, as Postgres' `infinity`, no library writes."""
    day = A_DAY[getattr(cells.dtype, "time_unit", "d")]
    return (cells.to_physical().cast(pl.Int64) // day).is_between(FIRST_DAY, LAST_DAY)


def _dates(cells: pl.Series, pattern: str | None) -> Cast | None:
    if cells.dtype == pl.Date:
        values = cells
    elif cells.dtype == pl.String:
        shape = cells.str.contains(ISO_DATE) if pattern is None else cells == cells.str.strip_chars()
        values = _parsed(_where(shape, cells), pattern or "%Y-%m-%d", pl.Date())
    else:
        return None
    return _within_years(cells, values)


def _datetimes(cells: pl.Series, pattern: str | None) -> Cast | None:
    if cells.dtype == pl.Date or isinstance(cells.dtype, pl.Datetime):
        known = _where(in_calendar(cells), cells)
        values = _naive(known.cast(pl.Datetime("us", getattr(cells.dtype, "time_zone", None))))
    elif cells.dtype != pl.String:
        return None
    elif pattern is not None:
        values = _parsed(_where(cells == cells.str.strip_chars(), cells), pattern, pl.Datetime("us"))
    else:
        values = _iso_datetimes(_where(cells.str.contains(ISO_DATETIME), cells))
    return _within_years(cells, values)


def _iso_datetimes(cells: pl.Series) -> pl.Series:
    """Naive UTC of ISO 8601 text; where some cells name their offset, those that do not are ambiguous and unread."""
    text = cells.str.replace("T", " ", literal=True)
    zoned = text.str.contains(ISO_ZONE)
    marker = "%#z" if zoned.any() else ""
    values = pl.Series(cells.name, [None], dtype=pl.Datetime("us")).new_from_index(0, cells.len())
    for pattern in ISO_DATETIME_FORMATS:
        left = values.is_null() & text.is_not_null()
        if left.any():
            values = values.fill_null(_parsed(_where(left, text), pattern + marker, pl.Datetime("us")))
    return values


def _parsed(text: pl.Series, pattern: str, to: pl.Date | pl.Datetime) -> pl.Series:
    try:
        return _naive(text.str.strptime(to, pattern, strict=False))
    except pl.exceptions.PolarsError as error:
        message = f"columns.{text.name}.format '{pattern[:40]}' is no date format: {str(error).splitlines()[0]}"
        raise InputError("E_FORMAT", message) from error


def _naive(values: pl.Series) -> pl.Series:
    """Date-times as UTC without a zone."""
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is not None:
        return values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return values


def _within_years(cells: pl.Series, values: pl.Series) -> Cast:
    sound = values.dt.year().is_between(FIRST_YEAR, LAST_YEAR).fill_null(value=False)
    return Cast(values, (("date", cells.is_not_null() & ~sound),))


def _where(mask: pl.Series, values: pl.Series) -> pl.Series:
    """Values where the mask holds, else null."""
    return pl.select(pl.when(mask).then(values)).to_series().alias(values.name)
