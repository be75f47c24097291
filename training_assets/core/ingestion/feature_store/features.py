"""Features of a Feast repository beside the rows of a file: those that were known when each row arose."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.core.ingestion.feature_store.repository import INSTALL, View, opened, refusal
from training_assets.core.ingestion.formats.parquet import cast_columns
from training_assets.core.validation.casting import EXACT_FLOAT, FIRST_YEAR, LAST_YEAR, cast
from training_assets.spec import Feast, ModelSpec

# Feast's names for the time of a row; the other is ours, for the number of a question.
TIME = "event_timestamp"
ORDINAL = "_ordinal"
MOMENT = pl.Datetime("ns", "UTC")


def own_columns(spec: ModelSpec) -> list[str]:
    """The spec's columns that are in the files (and the names of their folders): all but those of Feast."""
    others = spec.source.feast.columns if spec.source.feast else []
    return [name for name in spec.columns if name not in others]


def complete_rows(rows: pl.DataFrame, spec: ModelSpec, root: Path, where: str) -> pl.DataFrame:
    """Rows as a reader gives them (text or typed), with the spec's Feast columns in their types, in the spec's order.

    Columns of `rows` that are not the spec's come first. Without `source.feast`, the rows as they are. A row whose time
    or key cannot be read has no features: validation quarantines it, if it may not be so.
    """
    feast = spec.source.feast
    if feast is None:
        return rows
    decimal = spec.source.dialect.decimal
    typed = [cast(rows[name], spec.columns[name], decimal).values for name in own_columns(spec)]
    features = with_features(pl.DataFrame(typed), feast, root, where).select(feast.columns)
    wanted = {name: spec.columns[name] for name in feast.columns if name in spec.columns}
    if len(wanted) < len(feast.columns):
        missing = [name for name in feast.columns if name not in wanted]
        message = f"source.feast gives {listed(missing)}, which `columns` does not have; name them there"
        raise InputError("E_FEAST", message)
    complete = rows.hstack(cast_columns(features, wanted, where).get_columns())
    return complete.select(*(name for name in rows.columns if name not in spec.columns), *spec.columns)


def with_features(rows: pl.DataFrame, feast: Feast, root: Path, where: str) -> pl.DataFrame:
    """Typed rows (n_rows) with a column for each feature: its newest value at or before the row's time, else null.

    Order and number of the rows stay. A view's time to live is obeyed; a row without time or key has no values. Raises
    InputError E_FEAST where Feast is not installed, the repository cannot be read, or a column is missing.
    """
    if importlib.util.find_spec("feast") is None:
        raise InputError("E_FEAST", INSTALL)
    twice = [name for name in feast.columns if name in rows.columns]
    if twice:
        raise InputError("E_FEAST", f"{where} has {listed(twice)}, which source.feast gives as well; leave one out")
    found: dict[str, pl.Series] = {}
    # Feast and Dask warn of their own use of other libraries, and Feast changes what warnings do while it is imported.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with opened(feast, root) as (store, views):
            for view in views:
                questions = _questions(rows, feast.time, view, where)
                answers = _answers(store, view, questions.unique([*view.keys, TIME]), feast.repository)
                known = questions.join(answers, on=[*view.keys, TIME], how="left", maintain_order="left")
                places = rows.select(pl.int_range(pl.len(), dtype=pl.Int64).alias(ORDINAL))
                values = places.join(known, on=ORDINAL, how="left", maintain_order="left", validate="1:1")
                for feature in view.features:
                    found[f"{view.name}:{feature}"] = values[f"{view.name}__{feature}"]
    named = zip(feast.features, feast.columns, strict=True)
    return rows.hstack([found[feature].alias(column) for feature, column in named])


def _questions(rows: pl.DataFrame, time: str, view: View, where: str) -> pl.DataFrame:
    """Key and time of each row that has both, with the row's place."""
    missing = [name for name in (time, *view.keys) if name not in rows.columns]
    if missing:
        message = (
            f"{where} has no column {excerpt(missing[0])}, by which Feast's view {excerpt(view.name)} is looked up; "
            "add it, or mend source.feast"
        )
        raise InputError("E_FEAST", message)
    if not isinstance(rows[time].dtype, pl.Datetime | pl.Date):
        message = f"{where}: column {excerpt(time)} of source.feast.time is {rows[time].dtype}, not a date or a time"
        raise InputError("E_FEAST", message)
    years = pl.col(time).dt.year().is_between(FIRST_YEAR + 1, LAST_YEAR)
    moments = pl.col(time).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(MOMENT).alias(TIME)
    asked = rows.select(pl.int_range(pl.len(), dtype=pl.Int64).alias(ORDINAL), time, *view.keys)
    sound = asked.drop_nulls().filter(years)
    return sound.select(ORDINAL, moments, *view.keys)


def _answers(store: Any, view: View, questions: pl.DataFrame, repository: str) -> pl.DataFrame:
    """Feast's values for distinct questions, one line a question at most; it leaves out those without a value."""
    asked = questions.drop(ORDINAL).with_row_index(ORDINAL)
    names = [f"{view.name}__{feature}" for feature in view.features]
    if not asked.height:
        return asked.drop(ORDINAL).with_columns(pl.lit(None).alias(name) for name in names)
    answers = _historical(store, view, asked, repository)
    numbers = answers[ORDINAL]
    if numbers.null_count() or numbers.n_unique() != numbers.len() or not numbers.is_in(asked[ORDINAL]).all():
        what = f"answers other rows of {excerpt(view.name)} than it was asked for, or twice; see its file for times"
        raise refusal(repository, what)
    values = answers.select(pl.col(ORDINAL).cast(asked[ORDINAL].dtype), *names)
    floats = [name for name in names if values[name].dtype.is_float()]
    values = values.with_columns(pl.col(name).fill_nan(None) for name in floats)
    # Where some are missing, Feast makes floats of whole numbers.
    for feature in view.whole:
        name = f"{view.name}__{feature}"
        if name in floats and (values[name].abs() >= EXACT_FLOAT).any():
            what = f"has numbers in {excerpt(f'{view.name}:{feature}')} that are rounded where others are missing"
            raise refusal(repository, f"{what}; keep such ids as text")
    return asked.join(values, on=ORDINAL, how="left", maintain_order="left").drop(ORDINAL)


def _historical(store: Any, view: View, asked: pl.DataFrame, repository: str) -> pl.DataFrame:
    """What Feast says, or its error in our words: it raises errors of all libraries that it uses."""
    features: Sequence[str] = [f"{view.name}:{feature}" for feature in view.features]
    try:
        job = store.get_historical_features(asked.to_pandas(), list(features), full_feature_names=True)
        return pl.DataFrame(job.to_arrow())
    except Exception as error:  # noqa: BLE001 - whatever a repository makes its libraries raise is told by name
        first = next(iter(str(error).splitlines()), "")
        what = (
            f"cannot answer for {excerpt(view.name)} ({type(error).__name__}: {excerpt(first, 200)}); see that its "
            "keys have the types of the file's columns"
        )
    raise refusal(repository, what)
