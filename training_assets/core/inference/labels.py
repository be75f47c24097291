"""Which column is the label, and what is predicted from it: two classes, several, or a quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.inference.notes import Notes
from training_assets.core.ingestion.excerpt import excerpt, listed, nearest
from training_assets.core.validation.label import class_text, ordered_classes
from training_assets.spec import Column, Target
from training_assets.spec.target import Task

# Names that label columns have in public data sets, the likeliest first.
USUAL = ("target", "label", "class", "y", "outcome", "response", "churn", "default")
POSITIVE = (
    *(
        "1",
        "yes",
        "y",
        "true",
        "t",
        "positive",
        "pos",
        "spam",
        "churn",
        "churned",
        "fraud",
        "fraudulent",
        "bad",
        "default",
    ),
    *(
        "defaulted",
        "malignant",
        "sick",
        "ill",
        "disease",
        "diseased",
        "canceled",
        "cancelled",
        "won",
        "success",
        "died",
    ),
)
NEGATIVE = (
    *("0", "-1", "no", "n", "false", "f", "negative", "neg", "ham", "good", "benign", "normal", "healthy", "control"),
    *("legit", "legitimate", "genuine", "survived", "none"),
)
# More distinct whole numbers are a quantity; so are some that repeat too seldom to learn each by itself.
MOST_CODES = 20
LEAST_ROWS_A_CODE = 20
MOST_CLASSES = 200
LEAST_ROWS_A_CLASS = 5
FEW_ROWS = 10
SHOWN = 8


def label_column(wanted: str | None, names: Sequence[str], *, header: bool) -> str:
    """The column that a user means; raises InputError E_TARGET, with the columns, where that is open.

    `last` means the last column, where none has that name; case does not matter where only one name fits.
    """
    if wanted is not None:
        same_but_case = [name for name in names if name.casefold() == wanted.casefold()]
        if wanted in names or len(same_but_case) == 1:
            return wanted if wanted in names else same_but_case[0]
        if wanted == "last":
            return names[-1]
    if wanted is None:
        usual = [name for each in USUAL for name in names if name.casefold() == each]
        guess = f"perhaps {excerpt(usual[0])}; " if usual else ""
        question = f"which column is the label? --target COLUMN; {guess}"
    else:
        question = f"no column is named {excerpt(wanted)}{nearest(wanted, names)}; --target COLUMN; "
    if not header:
        question += "the file has no header, so columns are called column_1 to column_n, and `--target last` works; "
    message = f"{question}columns: {listed(names, 40)}"
    raise InputError("E_TARGET", message)


def target_of(name: str, rows: pl.DataFrame, column: Column, notes: Notes) -> tuple[Target, Column]:
    """The target that a label column makes, and the column's own rules.

    Raises InputError E_LABEL (no value), E_LABEL_CONST (one value) or E_TARGET (text or dates that are no classes).
    """
    labels = rows[name].drop_nulls()
    if not labels.len():
        message = f"the label '{name}' has no value in any row; choose another with --target, or deliver labels"
        raise InputError("E_LABEL", message)
    texts = class_text(labels)
    counts = texts.value_counts(sort=True, name="_rows")
    if counts.height == 1:
        message = f"every row has the label {excerpt(str(texts[0]))} in '{name}'; a model needs at least two values"
        raise InputError("E_LABEL_CONST", message)
    task = _task(name, labels, counts.height, column)
    missing = _missing(name, rows, notes)
    column = column.model_copy(update={"nullable": missing == "drop"})
    if task == "regression":
        notes.assume(f"'{name}' is a quantity ({counts.height:,} different values): a regression")
        return Target(column=name, task=task, missing=missing), column
    share_of = dict(counts.iter_rows())
    if task == "binary":
        positive = _positive(share_of, notes)
        classes = [next(each for each in share_of if each != positive), positive]
        return Target(column=name, task=task, positive=positive, classes=classes, missing=missing), column
    classes = ordered_classes(texts, Target(column=name, task=task))
    if column.type in {"integer", "number"}:
        notes.assume(f"the {len(classes)} numbers in '{name}' are classes; where they are a quantity: task: regression")
    rare = [each for each in classes if share_of[each] < FEW_ROWS]
    if rare:
        notes.assume(f"classes of fewer than {FEW_ROWS} rows can hardly be learnt or measured: {listed(rare, SHOWN)}")
    return Target(column=name, task=task, classes=classes, missing=missing), column


def _task(name: str, labels: pl.Series, distinct: int, column: Column) -> Task:
    if distinct == 2:
        if column.type in {"date", "datetime"}:
            raise _no_label(name, column)
        return "binary"
    if column.type == "string":
        if distinct > MOST_CLASSES or labels.len() < LEAST_ROWS_A_CLASS * distinct:
            message = (
                f"the label '{name}' has {distinct:,} different texts in {labels.len():,} rows: neither classes nor a "
                "number; choose another with --target, or mend its values"
            )
            raise InputError("E_TARGET", message)
        return "multiclass"
    if column.type in {"date", "datetime"}:
        raise _no_label(name, column)
    whole = column.type == "integer" or bool((labels == labels.floor()).all())
    codes = whole and distinct <= MOST_CODES and labels.len() >= LEAST_ROWS_A_CODE * distinct
    return "multiclass" if codes else "regression"


def _no_label(name: str, column: Column) -> InputError:
    message = f"the label '{name}' is a {column.type}; predict a number or classes made from it (target.expression)"
    return InputError("E_TARGET", message)


def _missing(name: str, rows: pl.DataFrame, notes: Notes) -> Literal["quarantine", "drop"]:
    nulls = rows[name].null_count()
    if not nulls:
        return "quarantine"
    notes.ask(
        "target.missing",
        f"{nulls:,} of {rows.height:,} rows have no '{name}': is their outcome still to come, or are they broken?",
        "drop (no outcome yet; the rows are counted and left out)",
    )
    return "drop"


def _positive(counts: dict[str, int], notes: Notes) -> str:
    """The class whose probability is predicted: the one with a word for it, else the rarer one."""
    first, second = sorted(counts, key=lambda each: (counts[each], each))
    said = "the positive class, whose probability is predicted, is"
    for one, other in ((first, second), (second, first)):
        # 1 and 2 are codes, 1 and 0 are not: a number is positive only against a negative one.
        if other.casefold() in NEGATIVE or (one.casefold() in POSITIVE and not one.isdigit()):
            notes.assume(f"{said} {excerpt(one)}, not {excerpt(other)}")
            return one
    notes.assume(f"{said} {excerpt(first)}, the rarer one ({counts[first]:,} of {sum(counts.values()):,} rows)")
    return first
