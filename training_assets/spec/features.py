"""Feature engineering: derived columns and joins to other tables."""

from __future__ import annotations

from pydantic import Field

from training_assets.spec.section import Section


class AsOf(Section):
    """A point-in-time join: the newest row of the other table that is not later than this row."""

    time: str = Field(description="Time column of the rows (role time, or a derived one).")
    table_time: str = Field(description="Time column of the joined table.")
    tolerance: str | None = Field(None, pattern=r"^\d+(ms|s|m|h|d|w)$", description="Oldest sound match, e.g. `2h`.")


class Join(Section):
    """Columns of another table, added to each row by key; rows are never multiplied or lost."""

    table: str = Field(
        description="CSV or Parquet file, relative to the project's root; `NA` in a CSV is no value, save in text keys."
    )
    keys: list[str] = Field(min_length=1, description="Key columns, of the same name in both tables.")
    columns: list[str] = Field(min_length=1, description="Columns to add; they become features.")
    prefix: str = Field("", description="Put before the names of the added columns.")
    as_of: AsOf | None = Field(None, description="Point-in-time match; without it, keys must match exactly.")


class Features(Section):
    """What is added to the raw columns before the model reads them."""

    joins: list[Join] = Field(default_factory=list, description="Other tables, joined in order, before `derived`.")
    derived: dict[str, str] = Field(
        default_factory=dict,
        description="New feature: SQL expression over columns of the same row, e.g. `EXTRACT(hour FROM time)`.",
    )
