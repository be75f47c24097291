"""SQL expressions over the columns of one row: checked word by word before they run, then run by Polars.

Polars parses and evaluates; it cannot be asked whether an expression looks at other rows (`is_row_separable` says yes
of `COUNT(*)` and of `SUM(a) OVER ()`), and `sql_expr` cannot compile `a / 2` without the types of columns. So the words
are checked against what is known to work on one row, and the expression runs in a context that holds the columns which
it names and no others.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.sql_words import AGGREGATES, CLOCK, FUNCTIONS, Word, words

MAX_LENGTH = 2000
QUOTED_VALUES = re.compile(r" values: \[.*", re.DOTALL)
FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass(frozen=True)
class Expression:
    """An expression that reads only `columns`, of one row at a time; `dtype` is None until all types are known."""

    sql: str
    columns: tuple[str, ...]
    dtype: pl.DataType | None
    where: str

    def values(self, rows: pl.DataFrame) -> pl.Series:
        """Its value for each row (n_rows); InputError `E_EXPRESSION` where a value cannot be computed."""
        frame = rows.select(self.columns)
        try:
            values = _evaluated(self.sql, frame)
        except FAILURES as error:
            raise _refusal("E_EXPRESSION", self.where, _first_line(error)) from error
        if values.len() != rows.height:
            reason = f"it gives {values.len()} values for {rows.height} rows; each row needs one of its own"
            raise _refusal("E_AGGREGATE", self.where, reason)
        return values


def compile_expression(
    sql: str, known: Mapping[str, pl.DataType | None], hidden: Mapping[str, str], where: str
) -> Expression:
    """The expression, checked against the known columns and their types (None: not known yet).

    `hidden` names the columns that must not be read, each with the reason. Raises InputError, with `where` and the
    remedy: `E_EXPRESSION` (syntax, unknown function or column, no column, a subquery, the clock), `E_LEAKING` (reads a
    hidden column), `E_AGGREGATE` (looks at other rows than its own).
    """
    if len(sql) > MAX_LENGTH:
        raise _refusal("E_EXPRESSION", where, f"it has {len(sql)} characters; {MAX_LENGTH} are allowed")
    columns = _columns(sql, {**dict.fromkeys(known), **dict.fromkeys(hidden)}, hidden, where)
    types = {name: known[name] for name in columns}
    dtype = _type_of(sql, types, where)
    return Expression(sql, columns, dtype, where)


def _columns(sql: str, known: Collection[str], hidden: Mapping[str, str], where: str) -> tuple[str, ...]:
    """The columns that an expression reads, in the order of their names in it; refuses any word that is not known."""
    try:
        found = words(sql)
    except ValueError as error:
        raise _refusal("E_EXPRESSION", where, str(error)) from error
    columns: dict[str, None] = {}
    for word in found:
        if word.kind == "function":
            _check_function(word, where)
        elif word.kind == "query":
            reason = (
                f"{word.text} belongs to a query; an expression reads one row (a column '{word.text}' needs quotes)"
            )
            raise _refusal("E_EXPRESSION", where, reason)
        elif word.kind == "name" and word.text not in known:
            raise _unknown_name(word, known, where)
        elif word.kind == "name":
            columns[word.text] = None
    for name in columns:
        if name in hidden:
            reason = f"it reads '{name}', which no feature may be made from: {hidden[name]}"
            raise _refusal("E_LEAKING", where, reason)
    if not columns:
        raise _refusal("E_EXPRESSION", where, "it reads no column")
    return tuple(columns)


def _check_function(word: Word, where: str) -> None:
    name = word.text.upper()
    if name in AGGREGATES:
        hint = f"; {AGGREGATES[name]}" if AGGREGATES[name] else ""
        reason = f"{name} looks at other rows; an expression may read one row at a time{hint}"
        raise _refusal("E_AGGREGATE", where, reason)
    if name in CLOCK:
        reason = f"{name} reads the clock, so that no two runs would agree; use a column with a time"
        raise _refusal("E_EXPRESSION", where, reason)
    if name not in FUNCTIONS:
        near = difflib.get_close_matches(name, FUNCTIONS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(FUNCTIONS))}"
        raise _refusal("E_EXPRESSION", where, f"unknown function {name[:40]}; {hint}")


def _unknown_name(word: Word, known: Collection[str], where: str) -> InputError:
    near = difflib.get_close_matches(word.text, known, n=1, cutoff=0.5)
    same = [name for name in known if name.lower() == word.text.lower()]
    meant = [*same, *near]
    hint = f"did you mean '{meant[0]}'?" if meant else f"known columns: {', '.join(sorted(known)[:20])}"
    if word.quoted:
        hint += " (text goes into single quotes, names into double quotes)"
    return _refusal("E_EXPRESSION", where, f"unknown column '{word.text[:80]}'; {hint}")


def _type_of(sql: str, types: Mapping[str, pl.DataType | None], where: str) -> pl.DataType | None:
    """The type of the values, by a run over no rows; where types are not known yet, only the syntax is checked."""
    settled = {name: dtype for name, dtype in types.items() if dtype is not None}
    try:
        if len(settled) == len(types):
            return _evaluated(sql, pl.DataFrame(schema=settled)).dtype
        pl.sql_expr(f"({sql})")
    except pl.exceptions.ColumnNotFoundError:
        return None  # what `sql_expr` says of `a / 2`: it cannot see types, and names were checked above
    except FAILURES as error:
        raise _refusal("E_EXPRESSION", where, _first_line(error)) from error
    return None


def _evaluated(sql: str, frame: pl.DataFrame) -> pl.Series:
    # In brackets: whatever is not one expression is a syntax error, never a second column or clause.
    query = f'SELECT ({sql}) AS "value" FROM given'  # noqa: S608 -- the words were checked; no other table is there
    return pl.SQLContext(given=frame).execute(query, eager=True).to_series()


def _first_line(error: BaseException) -> str:
    """What Polars says, without the cell values that it quotes."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return QUOTED_VALUES.sub(" values", line)[:300]


def _refusal(code: str, where: str, reason: str) -> InputError:
    return InputError(code, f"{where}: {reason}")
