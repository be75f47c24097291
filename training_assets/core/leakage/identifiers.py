"""Features that tell rows apart instead of describing them: a model learns them by heart."""

from __future__ import annotations

import polars as pl

from training_assets.core.encoding.choices import is_text
from training_assets.core.inference.roles import CLOCK_NAMES, COUNTER_NAMES, ID_WORDS, NUMBER_WORDS, words_of
from training_assets.core.leakage.evidence import LEAST_ROWS, Evidence, Leak, shown

# Of a category with ten rows a level there is something to learn; with one row a level, nothing.
STRONG, WEAK = 0.95, 0.5
# A counter's numbers lie side by side; a random 70 % of them still fill more than half of their range.
DENSE = 0.5
REMEDY = "give it `role: key` where it identifies a row, else `role: ignored`"


def identifiers(evidence: Evidence) -> list[Leak]:
    """A leak for each feature whose values number or name the rows."""
    if evidence.rows.height < LEAST_ROWS:
        return []
    found = []
    for name, kind in evidence.kinds.items():
        values = evidence.rows[name].drop_nulls()
        if values.len() * 2 < evidence.rows.height or values.len() < LEAST_ROWS:
            continue
        leak = _category(name, values) if kind == "categorical" else _number(name, values)
        if leak is not None:
            found.append(leak)
    return found


def _category(name: str, values: pl.Series) -> Leak | None:
    share = values.n_unique() / values.len()
    if share < WEAK or is_text(values):  # of a text, the model learns parts that other texts have too
        return None
    text = f"'{shown(name)}' is a category with {values.n_unique():,} values in {values.len():,} rows"
    return Leak("identifier", (name,), text, share, strong=share > STRONG, remedy=REMEDY)


def _number(name: str, values: pl.Series) -> Leak | None:
    if not values.dtype.is_integer() or values.n_unique() < values.len() or name.casefold() in CLOCK_NAMES:
        return None
    numbers = values.to_numpy()
    span = int(numbers.max()) - int(numbers.min()) + 1
    words = words_of(name)
    named = bool(words) and (words[-1] in ID_WORDS | NUMBER_WORDS or words[0] in COUNTER_NAMES)
    if values.len() < DENSE * span and not named:
        return None
    what = "names" if values.len() < DENSE * span else "counts"
    text = f"'{shown(name)}' {what} the rows: {values.len():,} rows, {values.n_unique():,} whole numbers"
    return Leak("identifier", (name,), text, 1.0, strong=True, remedy=REMEDY)
