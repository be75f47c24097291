"""What a spec declares about features: what it reads, and everything that can be refused before there are rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.encodable import refuse_unfitting
from training_assets.core.features.expressions import Expression, compile_expression
from training_assets.core.features.joins import check_columns, check_names, table_schema
from training_assets.core.features.logical import Kind, as_feature, kind_of, logical
from training_assets.core.features.sql_words import words
from training_assets.core.validation.casting import POLARS_TYPES
from training_assets.spec import Join, ModelSpec

Schema = Mapping[str, pl.DataType | None]


def hidden_columns(spec: ModelSpec) -> dict[str, str]:
    """The columns that no feature may be made from, each with the reason."""
    reasons = {name: spec.columns[name].because or "it is known only after the outcome" for name in spec.hidden}
    reasons |= dict.fromkeys(spec.with_role("split"), "it says which split the row is in")
    reasons |= dict.fromkeys(spec.with_role("weight"), "it says how much the row counts")
    if spec.target.column is not None:
        reasons[spec.target.column] = "it is the label"
    return reasons


def feature_names(spec: ModelSpec) -> list[str]:
    """Raw, joined and derived columns that are declared, in that order; dates among them may turn out to be none."""
    added = [join.prefix + name for join in spec.features.joins for name in join.columns]
    return [*spec.raw_features, *added, *spec.features.derived]


def needed_before(join: Join, spec: ModelSpec, there: list[str]) -> list[str]:
    """The derived columns that a join looks rows up by, and that are not there yet."""
    return [name for name in row_columns(join) if name in spec.features.derived and name not in there]


def row_columns(join: Join) -> list[str]:
    """The columns of the rows that a join looks rows up by."""
    return [*join.keys, *([join.as_of.time] if join.as_of else [])]


def intermediates(spec: ModelSpec) -> set[str]:
    """Columns that a derived column is made from or a join looks rows up by."""
    read = {word.text for sql in spec.features.derived.values() for word in words(sql) if word.kind == "name"}
    return read | {name for join in spec.features.joins for name in row_columns(join)}


def is_step(name: str, dtype: pl.DataType, spec: ModelSpec) -> bool:
    """Whether an added column is a date (or clock time) on the way to others, and no feature itself."""
    return dtype.is_temporal() and not isinstance(dtype, pl.Duration) and name in intermediates(spec)


def compile_derived(name: str, spec: ModelSpec, known: Schema) -> Expression:
    """The expression of a derived column over the columns that are there.

    Raises InputError as `compile_expression` does, and `E_NAME` where the name is reserved or taken.
    """
    _check_derived_name(name, known)
    hidden = hidden_columns(spec)
    visible = {column: dtype for column, dtype in known.items() if column not in hidden}
    return compile_expression(spec.features.derived[name], visible, hidden, f"features.derived.{name}")


def no_feature(name: str, what: str) -> InputError:
    """The refusal of a column whose values no model reads."""
    message = (
        f"feature '{name[:80]}' is {what}, which no model reads; derive a number, a text or a date of it under "
        f'features.derived, e.g. EXTRACT(hour FROM "{name[:40]}"), and leave the column itself out'
    )
    return InputError("E_FEATURE_TYPE", message)


def check_expressions(spec: ModelSpec, root: Path) -> None:
    """Refuse whatever is wrong with label, joins and derived columns already in the spec; reads no rows.

    Joined tables are looked at for their column names only, and only where the files exist. Raises InputError: those of
    `compile_expression` and of joins' names; `E_LEAKING` also where a join looks rows up by a hidden column, or where
    the label can be computed from features; `E_FEATURE_TYPE` for a feature of a type that no model reads; `E_ENCODING`
    for an encoding that does not fit its feature; `E_NAME` for a derived name that is reserved or taken.
    """
    raw: Schema = {name: POLARS_TYPES[column.type] for name, column in spec.columns.items()}
    _check_raw_features(spec)
    known = dict(raw)
    read: set[str] = set()
    made: set[str] = set()

    def derive(name: str) -> None:
        expression = compile_derived(name, spec, known)
        read.update(expression.columns)
        known[name] = expression.dtype
        made.add(name)

    for join in spec.features.joins:
        for name in needed_before(join, spec, list(known)):
            derive(name)
        _check_hidden(join, spec)
        read.update(row_columns(join))
        known |= _joined_schema(join, known, root)
    for name in spec.features.derived:
        if name not in made:
            derive(name)
    _check_encodings(spec, known)
    if spec.target.expression is not None:
        label = compile_expression(spec.target.expression, raw, {}, "target.expression")
        _check_label(label, {*spec.raw_features, *read})


def _check_raw_features(spec: ModelSpec) -> None:
    for name in spec.raw_features:
        column = spec.columns[name]
        if column.type == "string" and column.categorical is False:
            message = f"columns.{name[:80]}: text is no quantity; remove `categorical: false` or change its type"
            raise InputError("E_FEATURE_TYPE", message)


def _check_derived_name(name: str, known: Schema) -> None:
    if name in known or name.startswith("_") or not name.strip() or not name.isprintable():
        reason = "has the name of another column" if name in known else "has a name that is reserved or does not print"
        message = f"features.derived.{name[:80].encode('unicode_escape').decode()} {reason}; choose another"
        raise InputError("E_NAME", message)


def _check_hidden(join: Join, spec: ModelSpec) -> None:
    hidden = hidden_columns(spec)
    for name in row_columns(join):
        if name in hidden:
            message = (
                f"features.joins, table '{join.table[:120]}': it looks rows up by '{name[:80]}', which no feature may "
                f"be made from: {hidden[name]}"
            )
            raise InputError("E_LEAKING", message)


def _joined_schema(join: Join, known: Schema, root: Path) -> Schema:
    """Names and, where they are stated, types of the columns that a join adds."""
    check_names(join, list(known))
    table = table_schema(join, root)
    if table is None:
        return {join.prefix + name: None for name in join.columns}
    check_columns(join, list(known), list(table))
    return {join.prefix + name: table[name] for name in join.columns}


def _check_encodings(spec: ModelSpec, known: Schema) -> None:
    """Refuse added columns that no model reads, and encodings that do not fit; types that no table told yet may fit."""
    kinds: dict[str, Kind] = {}
    untold = set()
    for name in feature_names(spec):
        dtype = known.get(name)
        if name in spec.columns:
            kinds[name] = kind_of(spec.columns[name])
        elif dtype is None:
            untold.add(name)
        elif not is_step(name, dtype, spec):
            made = as_feature(pl.Series(name, [], dtype))
            if made is None:
                raise no_feature(name, str(logical(pl.Series(name, [], dtype)).dtype))
            kinds[name] = made[1]
    refuse_unfitting(kinds, spec.encoding, untold)


def _check_label(label: Expression, visible: set[str]) -> None:
    if set(label.columns) <= visible:
        names = ", ".join(name[:80] for name in label.columns)
        message = (
            f"target.expression reads only what features read ({names}), so that the model could compute the label; "
            "give what is known only after the outcome `role: leaking`"
        )
        raise InputError("E_LEAKING", message)
