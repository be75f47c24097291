"""Which column says when a row arose, and the features that are made from it."""

from __future__ import annotations

import re

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.expressions import compile_expression
from training_assets.core.inference.notes import Notes
from training_assets.core.inference.roles import ignored, words_of
from training_assets.core.ingestion.excerpt import listed
from training_assets.spec import Column

# Words of dates that come later than the row, or tell of something else than when it arose.
OTHER_TIMES = {
    *("label", "outcome", "status", "end", "ended", "finish", "close", "closed", "resolved", "update", "updated"),
    *("modified", "due", "birth", "dob", "birthday", "expiry", "expires", "cancel", "cancelled", "canceled"),
    *("delivered", "discharge"),
}
BIRTH = {"birth", "dob", "birthday"}  # long before the row
PARTS = {"weekday": "dow", "month": "month", "hour": "hour"}
PLAIN_NAME = r"[A-Za-z][A-Za-z0-9_]*"
# Where the default shares of the split would cut.
CUTS = {"validation_from": 0.70, "test_from": 0.85}


def with_time(
    columns: dict[str, Column], rows: pl.DataFrame, label: str, notes: Notes
) -> tuple[dict[str, Column], dict[str, str]]:
    """The columns with one of role time, where there is a date that varies, and derived features from that one.

    Other dates are features where they are never later.
    """
    dates = [name for name, column in columns.items() if column.type in {"date", "datetime"} and name != label]
    changed = dict(columns)
    for name in dates:
        because = "no value in any row" if rows[name].null_count() == rows.height else "a date; derive a part of it"
        changed[name] = columns[name].model_copy(update=ignored(because))
    varying = [name for name in dates if rows[name].drop_nulls().n_unique() > 1]
    if not varying:
        return changed, {}
    time = min(varying, key=lambda name: (bool(OTHER_TIMES & set(words_of(name))), rows[name].null_count() > 0))
    changed[time] = columns[time].model_copy(update={"role": "time"})
    if len(varying) > 1:
        notes.ask(
            f"columns.{time}.role",
            f"several columns are dates ({listed(varying)}); which says when a row arose? Others may be from later",
            f"'{time}' is the time; others are features where they are never later, else ignored",
        )
    cuts = ", ".join(f"{key}: '{_at(rows[time], share)}'" for key, share in CUTS.items())
    earlier = [name for name in varying if name != time and _known_by(name, time, rows)]
    changed |= {name: columns[name] for name in earlier}
    notes.assume(
        f"'{time}' says when a row arose, but the split is stratified, not by time; to test on the newest rows, set "
        f"split: {{method: time, {cuts}}}"
    )
    derived = _derived(time, rows, set(columns))
    for name in earlier:
        sql = working(f'"{time}" - {{}}', name, rows)
        if sql is not None:
            derived[free_name(f"{time}_since_{name}", {*columns, *derived})] = sql
    return changed, derived


def _known_by(name: str, time: str, rows: pl.DataFrame) -> bool:
    """Whether a date is never later than the row's time, and its name does not tell of an outcome."""
    both = rows.select(date=pl.col(name), time=pl.col(time)).drop_nulls()
    kind = pl.Date if pl.Date in both.dtypes else pl.Datetime("us")
    late = both.select((pl.col("date").cast(kind) > pl.col("time").cast(kind)).any()).item()
    return not late and not OTHER_TIMES - BIRTH & set(words_of(name))


def _at(times: pl.Series, share: float) -> str:
    ordered = times.drop_nulls().sort()
    return str(ordered[int(share * (ordered.len() - 1))])


def _derived(time: str, rows: pl.DataFrame, taken: set[str]) -> dict[str, str]:
    """Parts of a time that vary in these rows, each tried on them."""
    found: dict[str, str] = {}
    parts = {part: word for part, word in PARTS.items() if part != "hour" or rows.schema[time] != pl.Date}
    for part, word in parts.items():
        sql = working(f"EXTRACT({word} FROM {{}})", time, rows)
        if sql is not None:
            found[free_name(f"{time}_{part}", taken | set(found))] = sql
    return found


def working(template: str, column: str, rows: pl.DataFrame) -> str | None:
    """The expression with the column's name put in, quoted where it must be; none where it fails or never varies."""
    spellings = [column] if re.fullmatch(PLAIN_NAME, column) else []
    for name in (*spellings, f'"{column}"'):
        sql = template.format(name)
        try:
            values = compile_expression(sql, rows.schema, {}, "features.derived").values(rows)
        except InputError:
            continue
        return sql if values.drop_nulls().n_unique() > 1 else None
    return None


def free_name(wanted: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken."""
    name, number = wanted, 2
    while name.casefold() in {each.casefold() for each in taken}:
        name, number = f"{wanted}_{number}", number + 1
    return name
