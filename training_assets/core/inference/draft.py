"""A first spec for a user's rows, for review: what was inferred, what was taken for granted, and what is open."""

from __future__ import annotations

import glob
import itertools
import re
from dataclasses import dataclass
from pathlib import Path, PurePath

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.inference.column_types import Table, types_of_parquet
from training_assets.core.inference.copies import without_copied_keys
from training_assets.core.inference.files import source_path, suffix_of, table_of
from training_assets.core.inference.groups import with_group
from training_assets.core.inference.labels import label_column, target_of
from training_assets.core.inference.leaks import with_leaks
from training_assets.core.inference.notes import Notes, Question
from training_assets.core.inference.roles import with_roles
from training_assets.core.inference.sentinels import ask_about_sentinels
from training_assets.core.inference.spec_text import to_yaml
from training_assets.core.inference.texts import text_features
from training_assets.core.inference.times import with_time
from training_assets.core.ingestion.excerpt import listed
from training_assets.spec import (
    BeatsDummyRule,
    Column,
    Duplicates,
    Encoding,
    Evaluation,
    Features,
    ModelSpec,
    Source,
    Validation,
)
from training_assets.spec.target import Task

__all__ = ["Draft", "Question", "draft", "draft_rows", "to_yaml"]

GATE_METRIC: dict[Task, str] = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "rmse"}
LONGEST_NAME = 63


@dataclass(frozen=True)
class Draft:
    """A spec, how it came about, and the number of rows that it was inferred from."""

    spec: ModelSpec
    assumptions: list[str]
    questions: list[Question]
    rows: int


def draft(data: Path, target: str | None, *, name: str | None, root: Path) -> Draft:
    """A spec for a file, a folder of files or a pattern, inferred from all rows.

    `target` names the label (`last` for the last column). Raises InputError: E_TARGET where the label is open, with the
    columns; E_LABEL or E_LABEL_CONST where it says nothing; and what reading the files raises.
    """
    _refuse_odd_name(name)
    notes = Notes()
    path = source_path(data, root)
    source, table = table_of(path, root, notes)
    return _drafted(source, table, target, name or model_name(path), notes)


def draft_rows(source: Source, rows: pl.DataFrame, target: str | None, *, name: str) -> Draft:
    """A spec for rows that come from elsewhere than files, all of them at hand; raises InputError as `draft` does."""
    _refuse_odd_name(name)
    if not rows.height:
        message = "there are no rows to infer a spec from; widen the query, or wait for the first rows"
        raise InputError("E_NO_ROWS", message)
    notes = Notes()
    if source.is_replaced:
        notes.assume(
            "a run reads the whole result, which takes the place of the one before; --watermark: what is new, to add"
        )
    return _drafted(source, types_of_parquet(rows, "the rows", notes), target, name, notes)


def _refuse_odd_name(name: str | None) -> None:
    if name is not None and model_name(name) != name:
        message = f"a model's name has lower-case letters, digits and underscores; --name {model_name(name)} would do"
        raise InputError("E_NAME", message)


def _drafted(source: Source, table: Table, target: str | None, name: str, notes: Notes) -> Draft:
    header = source.dialect.header
    if not header:
        notes.assume("the file has no header: columns are named column_1 and so on")
    label = label_column(target, list(table.columns), header=header)
    aim, label_rules = target_of(label, table.rows, table.columns[label], notes)
    columns = with_roles({**table.columns, label: label_rules}, table.rows, label, notes)
    columns, derived = with_time(columns, table.rows, label, notes)
    columns = with_leaks(columns, table.rows, aim, notes)
    columns = without_copied_keys(columns, table.rows, aim, notes)
    columns, split = with_group(columns, table.rows, aim, notes)
    ask_about_sentinels(columns, table.rows, label, notes, text=source.format == "csv")
    columns, made, encodings = text_features(columns, table.rows)
    derived |= made
    if not derived and not any(column.role == "feature" for each, column in columns.items() if each != label):
        reasons = _reasons(columns, label)
        message = f"no column beside '{label}' can be a feature: {reasons}; add columns, or choose another label"
        raise InputError("E_NO_FEATURE", message)
    again = Duplicates()
    if keys := [each for each, column in columns.items() if column.role == "key"]:
        again = Duplicates(keep="last")
        notes.assume(f"where {listed(keys, 3)} comes again in later rows, the latest row counts")
    spec = ModelSpec(
        name=name,
        source=source,
        columns=columns,
        target=aim,
        features=Features(derived=derived),
        encoding=Encoding(columns=encodings),
        split=split,
        validation=Validation(duplicates=again),
        evaluation=Evaluation(gates=[BeatsDummyRule(kind="beats_dummy", metric=GATE_METRIC[aim.task])]),
    )
    return Draft(spec, notes.assumptions, notes.questions, table.rows.height)


def model_name(path: str) -> str:
    """A model's name made from a file's or a folder's: lower case, digits and underscores, starting with a letter."""
    where = PurePath(path)
    fixed = list(itertools.takewhile(lambda part: not glob.has_magic(part), where.parts))
    if len(fixed) < len(where.parts):
        text = fixed[-1] if fixed and fixed != [where.anchor] else ""
    else:
        text = where.name.removesuffix(suffix_of(where.name))
    name = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_") or "model"
    return (name if name[0].isalpha() else f"model_{name}")[:LONGEST_NAME].strip("_")


def _reasons(columns: dict[str, Column], label: str) -> str:
    return "; ".join(f"{name}: {column.because or column.role}" for name, column in columns.items() if name != label)[
        :500
    ]
