"""Raw rows sorted into those that obey the schema and those that do not, with every broken rule named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import polars as pl

from training_assets.core.row_keys import row_keys
from training_assets.core.validation.arrival import future_breaks
from training_assets.core.validation.casting import in_calendar
from training_assets.core.validation.cross_rules import cross_breaks
from training_assets.core.validation.label import TARGET, declared_classes, targets
from training_assets.core.validation.schema import Broken, rule_breaks, typed
from training_assets.spec import ModelSpec

QUARANTINE_SCHEMA = {
    "_batch": pl.String(),
    "_row": pl.Int64(),
    "column": pl.String(),
    "rule": pl.String(),
    "value": pl.String(),
}
LONGEST_VALUE = 100
# What Python's `isprintable` refuses is escaped; this finds the texts that may hold such a character at all, which
# plain ASCII and Latin letters (without the soft hyphen) are not.
NOT_PLAIN = r"[^\x20-\x5B\x5D-\x7E\x{A1}-\x{AC}\x{AE}-\x{24F}]"


@dataclass(frozen=True)
class Sorted:
    """The rows of a batch after sorting: kept + quarantined + unlabelled = read."""

    rows: pl.DataFrame
    quarantined: pl.DataFrame
    counts: dict[str, int]


@dataclass(frozen=True)
class BatchFacts:
    """What sorting one batch came to; `rules` counts broken rows by `column: rule`."""

    name: str
    digest: str
    read: int
    kept: int
    quarantined: int
    unlabelled: int
    rules: dict[str, int]

    @classmethod
    def of(cls, name: str, digest: str, rows: Sorted) -> BatchFacts:
        """The facts of a batch (its name for people, its sha256) once its rows are sorted."""
        lines = (
            rows.quarantined.group_by("column", "rule")
            .len()
            .sort("len", "column", "rule", descending=[True, False, False])
        )
        rules = {f"{column}: {rule}": count for column, rule, count in lines.iter_rows()}
        counts = rows.counts
        return cls(name, digest, counts["read"], counts["kept"], counts["quarantined"], counts["unlabelled"], rules)

    @property
    def share_quarantined(self) -> float:
        """Broken rows per row read, from 0 to 1; a batch without rows counts as wholly broken."""
        return self.quarantined / self.read if self.read else 1.0

    def to_json(self) -> dict[str, Any]:
        """The facts as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> BatchFacts:
        """The facts that `to_json` wrote."""
        return cls(**line)


def sort_rows(raw: pl.DataFrame, spec: ModelSpec, arrived: datetime | None = None) -> Sorted:
    """Rows that obey the schema, and a line for each rule that another row breaks.

    `rows` has the spec's columns in logical types, then `_batch`, `_row` and `_key`, in the order given. `quarantined`
    has `_batch`, `_row`, `column`, `rule` and the escaped `value`, in the order of rows. Counts: `read`, `kept`,
    `quarantined` (distinct rows) and `unlabelled` (rows without a label, left out because `target.missing` is drop).
    `unique` holds within a batch; all rows that share a value break it. `arrived` says when the rows came (naive UTC):
    rows that arose later break `future`. Raises InputError where whole columns are
    missing or of another type (`E_SCHEMA`, `E_TYPE`), or where the spec is at fault.
    """
    batches = raw.partition_by("_batch", maintain_order=True) or [raw]
    parts = [_sort_batch(batch, spec, arrived) for batch in batches]
    if len(parts) == 1:
        return parts[0]
    counts = {name: sum(part.counts[name] for part in parts) for name in parts[0].counts}
    return Sorted(pl.concat([part.rows for part in parts]), pl.concat([part.quarantined for part in parts]), counts)


def _sort_batch(raw: pl.DataFrame, spec: ModelSpec, arrived: datetime | None) -> Sorted:
    read = typed(raw, spec)
    late = [] if arrived is None else future_breaks(read.rows, spec, arrived)
    broken = _without_repeats([*read.broken, *rule_breaks(read.rows, spec), *late])
    labels = targets(read.rows, spec)
    label_breaks, unlabelled = _label_breaks(labels, spec, broken)
    broken += label_breaks
    broken += cross_breaks(read.rows, spec, broken)
    bad = _any_of([item.rows for item in broken], raw.height)
    dropped = unlabelled & ~bad
    kept = read.rows.filter(~bad & ~dropped)
    counts = {"read": raw.height, "kept": kept.height, "quarantined": int(bad.sum()), "unlabelled": int(dropped.sum())}
    return Sorted(kept.with_columns(row_keys(kept, spec)), _lines(raw.with_columns(labels), broken, spec), counts)


def _without_repeats(broken: list[Broken]) -> list[Broken]:
    """Each broken cell under the first rule that names it: a cell that is no number is not also a null."""
    seen: dict[str, pl.Series] = {}
    kept = []
    for item in broken:
        known = seen.get(item.column)
        # `range` of a value and its `pattern` are two facts; `null` on a cell that could not be read is one.
        rows = item.rows & ~known if item.rule == "null" and known is not None else item.rows
        seen[item.column] = item.rows if known is None else known | item.rows
        if rows.any():
            kept.append(Broken(item.column, item.rule, rows))
    return kept


def _label_breaks(labels: pl.Series, spec: ModelSpec, broken: list[Broken]) -> tuple[list[Broken], pl.Series]:
    """Rows whose label breaks `label`, and rows that lack one and are to be left out."""
    place = spec.target.column or TARGET
    named = _any_of([item.rows for item in broken if item.column == place], labels.len())
    if spec.target.column is None:
        # A label that could not be made because a cell it needs is broken is that cell's line, not one more.
        named = _any_of([item.rows for item in broken], labels.len())
    missing = labels.is_null() & ~named
    classes = declared_classes(spec.target)
    foreign = ~labels.is_in(classes).fill_null(value=True) & ~named if classes is not None else missing & ~missing
    refused = foreign | missing if spec.target.missing == "quarantine" else foreign
    unlabelled = missing if spec.target.missing == "drop" else missing & ~missing
    return ([Broken(place, "label", refused)] if refused.any() else []), unlabelled


def _any_of(masks: list[pl.Series], rows: int) -> pl.Series:
    combined = pl.repeat(value=False, n=rows, dtype=pl.Boolean, eager=True)
    for mask in masks:
        combined |= mask
    return combined


def _lines(raw: pl.DataFrame, broken: list[Broken], spec: ModelSpec) -> pl.DataFrame:
    """One line a row and broken rule, in the order of rows, then of the spec's columns."""
    if not broken:
        return pl.DataFrame(schema=QUARANTINE_SCHEMA)
    order = {name: place for place, name in enumerate(spec.columns)}
    found = []
    for item in sorted(broken, key=lambda item: (order.get(item.column, len(order)), item.rule)):
        at = item.rows.arg_true()
        found.append(
            pl.DataFrame(
                {
                    "at": at,
                    "column": pl.repeat(item.column, at.len(), dtype=pl.String, eager=True),
                    "rule": pl.repeat(item.rule, at.len(), dtype=pl.String, eager=True),
                    "value": _shown(raw, item, at),
                }
            )
        )
    lines = pl.concat(found).sort("at", maintain_order=True)
    position = raw.select(pl.col("_batch").cast(pl.String), pl.col("_row").cast(pl.Int64))[lines["at"]]
    return position.with_columns(lines["column"], lines["rule"], lines["value"])


def _shown(raw: pl.DataFrame, item: Broken, at: pl.Series) -> pl.Series:
    """The escaped values (n) that broke a rule; those of a rule across columns are joined, `null` where one is none."""
    if not item.reads:
        return escaped(_texts(raw[item.column].gather(at)))
    cells = [escaped(_texts(raw[name].gather(at))).fill_null("null") for name in item.reads]
    joined = pl.select(pl.concat_str(cells, separator=", ")).to_series()
    cut = joined.str.slice(0, LONGEST_VALUE - 1) + "…"
    return pl.select(pl.when(joined.str.len_chars() <= LONGEST_VALUE).then(joined).otherwise(cut)).to_series()


def _texts(cells: pl.Series) -> pl.Series:
    """Cells (n) as texts; dates and times that no calendar writes, such as Postgres' `infinity`, as their number."""
    if not isinstance(cells.dtype, pl.Date | pl.Datetime):
        return cells.cast(pl.String, strict=False)
    known = in_calendar(cells)
    dates = pl.select(pl.when(known).then(cells)).to_series().cast(pl.String)
    return pl.select(pl.when(known).then(dates).otherwise(cells.to_physical().cast(pl.String))).to_series()


def escaped(texts: pl.Series) -> pl.Series:
    r"""Texts (n) of 100 characters at most, with whatever does not print written as `\x1b` or `\u202e`."""
    short = texts.str.slice(0, LONGEST_VALUE)
    unusual = short.filter(short.str.contains(NOT_PLAIN)).unique()
    if not unusual.len():
        return short
    known = {text: _escaped(text) for text in unusual}
    return short.replace(list(known), list(known.values()))


def _escaped(text: str) -> str:
    shown = "".join(
        mark if mark.isprintable() and mark != "\\" else mark.encode("unicode_escape").decode() for mark in text
    )
    return shown if len(shown) <= LONGEST_VALUE else shown[: LONGEST_VALUE - 1] + "…"
