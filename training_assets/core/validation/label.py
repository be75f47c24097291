"""The label of each row: read from its column or made by the spec's expression, as class text or as a quantity."""

from __future__ import annotations

import unicodedata

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.features.expressions import compile_expression
from training_assets.core.validation.casting import EXACT_FLOAT, POLARS_TYPES
from training_assets.spec import ModelSpec, Target

TARGET = "_target"
SHOWN_CLASSES = 10


def targets(rows: pl.DataFrame, spec: ModelSpec) -> pl.Series:
    """Labels of typed rows (n_rows), named `_target`: String class text, or Float64 in a regression.

    Null where a row has no label; an expression's NaN or infinity is no label either. Raises InputError `E_LABEL`
    where a regression's label is text, `E_EXPRESSION` where the label's expression fails.
    """
    label = _raw_label(rows, spec)
    if spec.target.task != "regression":
        return class_text(label).alias(TARGET)
    if not (label.dtype.is_numeric() or label.dtype in (pl.Boolean, pl.Null)):
        message = f"a regression needs a number as its label, not {label.dtype}; change target.task or the label"
        raise InputError("E_LABEL", message)
    numbers = label.cast(pl.Float64)
    return pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series().alias(TARGET)


def _raw_label(rows: pl.DataFrame, spec: ModelSpec) -> pl.Series:
    if spec.target.column is not None:
        return rows[spec.target.column]
    schema = {name: POLARS_TYPES[column.type] for name, column in spec.columns.items()}
    expression = compile_expression(str(spec.target.expression), schema, {}, "target.expression")
    return expression.values(rows)


def class_text(label: pl.Series) -> pl.Series:
    """Values as text that reads the same whether they came as text, integers, whole floats or booleans.

    `1`, `1.0` and "1" are all "1"; booleans are "true" and "false"; text is in NFC; NaN and infinities are null.
    """
    if label.dtype == pl.String:
        return label.str.normalize("NFC")
    if not label.dtype.is_float():
        return label.cast(pl.String)
    finite = pl.select(pl.when(label.is_finite()).then(label)).to_series()
    whole = ((finite == finite.floor()) & (finite.abs() <= EXACT_FLOAT)).fill_null(value=False)
    integers = pl.select(pl.when(whole).then(finite)).to_series().cast(pl.Int64).cast(pl.String)
    return pl.select(pl.when(whole).then(integers).otherwise(finite.cast(pl.String))).to_series().alias(label.name)


def declared_classes(target: Target) -> list[str] | None:
    """The spec's classes in NFC, in its order; None where it leaves them to the data."""
    if target.classes is None:
        return None
    return [unicodedata.normalize("NFC", name) for name in target.classes]


def ordered_classes(labels: pl.Series, target: Target) -> list[str]:
    """Classes in the order of their codes; a binary target's positive class is the second.

    Declared classes keep the spec's order; otherwise the distinct labels are sorted, by number where all are numbers.
    Raises InputError `E_LABEL_CONST` under two classes, `E_LABEL` where a binary target has more or lacks `positive`.
    """
    if target.task == "regression":
        return []
    classes = declared_classes(target) or sorted(labels.drop_nulls().unique().to_list(), key=_numbers_first)
    if len(classes) < 2:
        message = f"all {labels.len()} labels are '{_shown(classes)}'; a model needs at least two classes"
        raise InputError("E_LABEL_CONST", message)
    if target.task != "binary":
        return classes
    if len(classes) != 2:
        message = (
            f"target.task is binary and the label has {len(classes)} classes ({_shown(classes)}); name the two under "
            "target.classes, or make the task multiclass"
        )
        raise InputError("E_LABEL", message)
    if target.positive is None:
        return classes
    positive = unicodedata.normalize("NFC", target.positive)
    if positive not in classes:
        message = f"target.positive '{positive[:40]}' is not among the classes {_shown(classes)}"
        raise InputError("E_LABEL", message)
    return [next(name for name in classes if name != positive), positive]


def _numbers_first(name: str) -> tuple[int, float, str]:
    """Numbers in numeric order, then words; '10' comes after '9'."""
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)


def _shown(classes: list[str]) -> str:
    text = ", ".join(name[:20] for name in classes[:SHOWN_CLASSES])
    return text if len(classes) <= SHOWN_CLASSES else f"{text}, …"
