"""Which test rows are in which part of a slice, and what a part is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.evaluation.ranking import FloatArray
from training_assets.core.evaluation.scorers import IntArray
from training_assets.core.features.expressions import compile_expression
from training_assets.spec.evaluation import Slice

MOST_PARTS = 200
"""Of one slice; what is smaller than the largest of them becomes one part of its own."""
MOST_LETTERS = 60
"""Of a level's name."""
OTHERS = "all others"
MISSING = "missing"


@dataclass(frozen=True)
class Part:
    """Some test rows of a declared slice, as positions in ascending order, and which ones in words."""

    slice: str
    text: str
    rows: IntArray
    min_rows: int


@dataclass(frozen=True)
class _Coded:
    """What each test row is called by one column: the position (n,) of its name among `names`."""

    codes: IntArray
    names: list[str]


def parts_of(name: str, asked: Slice, train: pl.DataFrame, test: pl.DataFrame) -> Iterator[Part]:
    """The parts of one slice, largest first: no row is in two, and by columns every row is in one.

    There are at most 200: the smaller ones together are the last, which says of how many it is made. Raises
    `InputError` E_SLICE for a column that is not there, and those of an expression for a predicate.
    """
    if asked.where is not None:
        yield Part(name, asked.where, _holding(name, asked.where, test), asked.min_rows)
        return
    columns = [_coded(name, column, asked.bins, train, test) for column in asked.columns]
    if not test.height:
        yield Part(name, " x ".join(asked.columns), np.empty(0, dtype=np.int64), asked.min_rows)
        return
    members = _crossed([each.codes for each in columns])
    named = [(", ".join(each.names[each.codes[rows[0]]] for each in columns), rows) for rows in members]
    named.sort(key=lambda each: (-each[1].size, each[0]))
    kept = len(named) if len(named) <= MOST_PARTS else MOST_PARTS - 1
    for text, rows in named[:kept]:
        yield Part(name, text, rows, asked.min_rows)
    if rest := [rows for _, rows in named[kept:]]:
        yield Part(name, f"{OTHERS} ({len(rest):,} parts)", np.sort(np.concatenate(rest)), asked.min_rows)


def _crossed(codes: list[IntArray]) -> list[IntArray]:
    """The positions of the rows that agree in every column."""
    joint = codes[0]
    for each in codes[1:]:
        # coded anew after each column, so that no product outgrows its 64 bits
        joint = np.unique(joint * (int(each.max()) + 1) + each, return_inverse=True)[1]
    order = np.argsort(joint, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(joint[order])) + 1)


def _holding(name: str, where: str, test: pl.DataFrame) -> IntArray:
    place = f"evaluation.slices.{name}.where"
    values = compile_expression(where, dict(test.schema), {}, place).values(test)
    if values.dtype != pl.Boolean:
        message = f"{place}: it gives {values.dtype}, and a slice needs true or false; compare with something"
        raise InputError("E_SLICE", message)
    return np.flatnonzero(values.fill_null(value=False).to_numpy())


def _coded(name: str, column: str, bins: int, train: pl.DataFrame, test: pl.DataFrame) -> _Coded:
    for rows in (train, test):
        if column not in rows.columns:
            known = ", ".join(rows.columns[:20])
            message = f"evaluation.slices.{name} names '{column}', which is no feature; known: {known}"
            raise InputError("E_SLICE", message)
    values = test.get_column(column)
    if values.dtype.is_numeric():
        cuts = _cuts(train.get_column(column), bins)
        if cuts.size:
            return _binned(column, cuts, values)
    return _levels(column, values)


def _cuts(known: pl.Series, bins: int) -> FloatArray:
    """Quantiles of the training rows; none where they have so few values that each is a part of its own."""
    numbers = known.drop_nulls().cast(pl.Float64)
    numbers = numbers.filter(numbers.is_finite())
    if numbers.n_unique() <= bins:
        return np.empty(0)
    return np.unique(np.quantile(numbers.to_numpy(), np.arange(1, bins) / bins))


def _binned(column: str, cuts: FloatArray, values: pl.Series) -> _Coded:
    shown = _told_apart(cuts)
    names = [f"{column} <= {shown[0]}", *(f"{low} < {column} <= {high}" for low, high in pairwise(shown))]
    names += [f"{column} > {shown[-1]}", f"{column} {MISSING}"]
    numbers = values.cast(pl.Float64).to_numpy()
    codes = np.where(np.isnan(numbers), len(names) - 1, np.searchsorted(cuts, numbers, side="left"))
    return _Coded(codes.astype(np.int64), names)


def _told_apart(cuts: FloatArray) -> list[str]:
    """The cuts in as few digits (4 or more) as keep different ones different."""
    shown: list[str] = []
    for digits in range(4, 18):
        shown = [f"{cut:,.{digits}g}" for cut in cuts]
        if len(set(shown)) == len(shown):
            break
    return shown


def _levels(column: str, values: pl.Series) -> _Coded:
    seen: dict[str | None, int] = {}
    codes = [seen.setdefault(text, len(seen)) for text in values.cast(pl.String).to_list()]
    names = [f"{column} {MISSING}" if text is None else f"{column}={_short(text)}" for text in seen]
    return _Coded(np.array(codes, dtype=np.int64), names)


def _short(text: str) -> str:
    """One line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"
