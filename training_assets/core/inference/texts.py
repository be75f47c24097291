"""What a model can read of free text without a language model: how long it is, and what is in it."""

from __future__ import annotations

import polars as pl

from training_assets.core.inference.notes import Notes
from training_assets.core.inference.times import free_name, working
from training_assets.spec import Column

FREE_TEXT = "free text"
MOST_TEXTS = 3
MEASURES = {
    "length": "LENGTH({})",
    "words": "LENGTH({0}) - LENGTH(REPLACE({0}, ' ', ''))",
    "number": "REGEXP_LIKE({}, '[0-9]{{3}}')",
    "link": "REGEXP_LIKE({}, 'https?:|www[.]')",
    "money": "REGEXP_LIKE({}, '[$£€]')",
    "shouting": "REGEXP_LIKE({}, '[A-Z]{{4}}')",
}


def text_features(
    columns: dict[str, Column], rows: pl.DataFrame, label: str, notes: Notes
) -> tuple[dict[str, Column], dict[str, str]]:
    """The columns, and features derived from those that are free text.

    Where nothing but text is left, the first text is the key: it is what tells rows apart, so that equal texts get into
    the same split.
    """
    texts = [name for name, column in columns.items() if column.because == FREE_TEXT][:MOST_TEXTS]
    derived: dict[str, str] = {}
    for name in texts:
        for measure, template in MEASURES.items():
            sql = working(template, name, rows)
            if sql is not None:
                derived[free_name(f"{name}_{measure}", {*columns, *derived})] = sql
    others = [name for name, column in columns.items() if column.role in {"feature", "key", "time"} and name != label]
    if texts and not others:
        notes.assume(
            f"'{texts[0]}' identifies a row, since there is nothing else; its length and signs are the features"
        )
        columns = {**columns, texts[0]: columns[texts[0]].model_copy(update={"role": "key", "because": None})}
    return columns, derived
