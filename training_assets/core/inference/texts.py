"""What a model can read of free text without a language model: its words, how long it is, and what is in it."""

from __future__ import annotations

import polars as pl

from training_assets.core.inference.times import free_name, working
from training_assets.spec import Column
from training_assets.spec.encoding import AnyEncoding, AsEmbedded

FREE_TEXT = "free text"
MOST_MEASURED = 3
MEASURES = {
    "length": "LENGTH({})",
    "words": "LENGTH({0}) - LENGTH(REPLACE({0}, ' ', ''))",
    "number": "REGEXP_LIKE({}, '[0-9]{{3}}')",
    "link": "REGEXP_LIKE({}, 'https?:|www[.]')",
    "money": "REGEXP_LIKE({}, '[$£€]')",
    "shouting": "REGEXP_LIKE({}, '[A-Z]{{4}}')",
}


def text_features(
    columns: dict[str, Column], rows: pl.DataFrame
) -> tuple[dict[str, Column], dict[str, str], dict[str, AnyEncoding]]:
    """The columns with free texts as features, what is derived from them, and how they are encoded."""
    texts = [name for name, column in columns.items() if column.because == FREE_TEXT]
    features = {name: columns[name].model_copy(update={"role": "feature", "because": None}) for name in texts}
    derived: dict[str, str] = {}
    for name in texts[:MOST_MEASURED]:
        for measure, template in MEASURES.items():
            sql = working(template, name, rows)
            if sql is not None:
                derived[free_name(f"{name}_{measure}", {*columns, *derived})] = sql
    return {**columns, **features}, derived, {name: AsEmbedded(method="embedded") for name in texts}
