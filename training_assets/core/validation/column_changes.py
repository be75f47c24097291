"""How one known column of the rows differs from its committed schema, by the very rules that rows are sorted by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt, listed
from training_assets.core.validation.casting import cast
from training_assets.core.validation.changes import SHOWN_VALUES, Change, Kind, described, described_type, number
from training_assets.core.validation.label import class_text, declared_classes
from training_assets.core.validation.schema import Broken, rule_breaks
from training_assets.spec import Column, ModelSpec

# More new values than a person reads through are no list any more.
MOST_NEW_VALUES = 50
NOT_READ = ("type", "date")


class Look:
    """A look at one known column: its values in the committed type, and which rows break what."""

    def __init__(self, name: str, column: Column, rows: pl.DataFrame, found: Column, spec: ModelSpec) -> None:
        """Read the column's raw rows (`_batch`, `_row` and the cells) in the committed type."""
        self.name, self.column, self.rows, self.found, self.spec = name, column, rows, found, spec
        self.cells = rows[name]
        self.broken: list[Broken] = []
        try:
            done = cast(self.cells, column, spec.source.dialect.decimal)
        except InputError:
            self.values = None
            return
        self.values = done.values
        self.broken = [Broken(name, rule, mask) for rule, mask in done.failures]

    def changes(self) -> list[Change]:
        """The differences of this column."""
        if self.values is None:
            # The file's own type cannot be read as the committed one: no cell of it can.
            everything = pl.repeat(value=True, n=self.rows.height, dtype=pl.Boolean, eager=True)
            return [self._change("type", self.column.type, self.found.type, everything, self._retyped())]
        return [*self._unread(), *self._breaking(), *self._labels()]

    def _change(
        self, kind: Kind, was: str, now: str, mask: pl.Series, update: Mapping[str, Any] | None = None
    ) -> Change:
        return shown_by(self.name, kind, was, now, self.rows, mask, update)

    def _unread(self) -> Iterator[Change]:
        for item in self.broken:
            words = listed(dict.fromkeys(self._texts(item.rows)), 3)
            retyped = (self.found.type, self.found.format) != (self.column.type, self.column.format)
            if item.rule in NOT_READ and retyped:
                now = f"{described(Column(type=self.found.type, format=self.found.format))}, e.g. {words}"
                yield self._change("type", described_type(self.column), now, item.rows, self._retyped())
            else:
                now = f"values that are none ({item.rule}), e.g. {words}"
                yield self._change("value", described_type(self.column), now, item.rows)

    def _retyped(self) -> dict[str, Any]:
        """The column in the type that was found, without rules that only the old type has."""
        update: dict[str, Any] = {"type": self.found.type, "format": self.found.format}
        numeric = self.found.type in {"integer", "number"}
        update |= {} if numeric else dict.fromkeys(("min", "max"))
        update |= {} if self.found.type == "string" else {"pattern": None}
        update |= {"values": None} if self.column.values is not None and self.found.type != "string" else {}
        dated = self.found.type in {"date", "datetime"}
        return update | ({"categorical": None} if dated else {})

    def _breaking(self) -> Iterator[Change]:
        assert self.values is not None  # noqa: S101 - `changes` looked
        column = self.column.model_copy(update={"unique": False})
        alone = self.spec.model_copy(update={"columns": {self.name: column}})
        found = rule_breaks(self.values.to_frame(), alone)
        if self.column.unique:
            key = self.rows.select("_batch").with_columns(self.values)
            again = key.is_duplicated() & self.values.is_not_null()
            found += [Broken(self.name, "unique", again)] if again.any() else []
        for item in found:
            mask = item.rows & self.cells.is_null() if item.rule == "null" else item.rows
            if mask.any():
                self.broken.append(Broken(self.name, item.rule, mask))
                yield from self._broken_rule(item.rule, mask)

    def _broken_rule(self, rule: str, mask: pl.Series) -> Iterator[Change]:
        assert self.values is not None  # noqa: S101 - `changes` looked
        column = self.column
        if rule == "null":
            yield self._change("null", "never empty", "empty", mask, {"nullable": True})
        elif rule == "unique":
            yield self._change("unique", "unique", "repeated", mask, {"unique": False})
        elif rule == "pattern":
            words = listed(dict.fromkeys(self._texts(mask)), 3)
            yield self._change("pattern", f"like {excerpt(str(column.pattern))}", words, mask, {"pattern": None})
        elif rule == "domain":
            strange = sorted(class_text(self.values.filter(mask)).cast(pl.String).unique())
            values = [*(column.values or []), *strange]
            update = {"values": values} if len(strange) <= MOST_NEW_VALUES else None
            was = f"one of {listed(column.values or [], SHOWN_VALUES)}"
            yield self._change("domain", was, f"also {listed(strange, SHOWN_VALUES)}", mask, update)
        elif rule == "range":
            yield from self._out_of_range()

    def _out_of_range(self) -> Iterator[Change]:
        assert self.values is not None  # noqa: S101 - `changes` looked
        if self.column.min is not None:
            below = (self.values < self.column.min).fill_null(value=False)
            if below.any():
                least = _bound(self.values.min())
                was, now = f"at least {number(self.column.min)}", f"from {number(least)}"
                yield self._change("range", was, now, below, {"min": least})
        if self.column.max is not None:
            above = (self.values > self.column.max).fill_null(value=False)
            if above.any():
                most = _bound(self.values.max())
                was, now = f"at most {number(self.column.max)}", f"up to {number(most)}"
                yield self._change("range", was, now, above, {"max": most})

    def _labels(self) -> Iterator[Change]:
        target = self.spec.target
        if target.column != self.name or self.values is None:
            return
        unread = _any([item.rows for item in self.broken], self.rows.height)
        if target.missing == "quarantine":
            empty = self.values.is_null() & ~unread
            if empty.any():
                yield self._change("label", "a label in every row", "empty", empty)
        yield from foreign_classes(self.name, class_text(self.values), self.rows, self.spec)

    def _texts(self, mask: pl.Series) -> list[str]:
        return [str(cell)[:80] for cell in self.cells.filter(mask).head(100)]


def foreign_classes(name: str, labels: pl.Series, rows: pl.DataFrame, spec: ModelSpec) -> Iterator[Change]:
    """Labels (n_rows) of classes that the target does not declare."""
    classes = declared_classes(spec.target)
    if classes is None or spec.target.task == "regression":
        return
    foreign = (~labels.is_in(classes)).fill_null(value=False)
    if foreign.any():
        now = f"also {listed(sorted(labels.filter(foreign).unique()), SHOWN_VALUES)}"
        yield shown_by(name, "label", f"classes {listed(classes, SHOWN_VALUES)}", now, rows, foreign)


def shown_by(
    column: str,
    kind: Kind,
    was: str,
    now: str,
    rows: pl.DataFrame,
    mask: pl.Series,
    update: Mapping[str, Any] | None = None,
) -> Change:
    """A difference that a mask over rows (n) shows."""
    shown = rows.select("_batch", "_row").with_columns(mask.alias("_shows"))
    first = shown.filter("_shows").row(0)
    shares = shown.group_by("_batch").agg(pl.col("_shows").mean())["_shows"]
    return Change(
        column, kind, was, now, str(first[0]), int(first[1]), int(mask.sum()), float(str(shares.max())), update
    )


def _bound(value: object) -> float:
    """The smallest or largest value of a column of numbers; whole ones stay whole."""
    assert isinstance(value, int | float)  # noqa: S101 - a column with a range holds numbers
    return value


def _any(masks: Sequence[pl.Series], rows: int) -> pl.Series:
    combined = pl.repeat(value=False, n=rows, dtype=pl.Boolean, eager=True)
    for mask in masks:
        combined |= mask
    return combined
