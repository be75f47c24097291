"""What each column of the raw rows is: its type, its role and the rules that its values obey."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from training_assets.spec.section import Section

ColumnType = Literal["integer", "number", "string", "boolean", "date", "datetime"]
Role = Literal["feature", "key", "time", "group", "split", "weight", "leaking", "ignored"]


class Column(Section):
    """One column of the raw rows."""

    type: ColumnType = Field(description="Type of the values.")
    role: Role = Field(
        "feature",
        description="feature: the model may read it. key: identifies a row. time: when the row arose. group: rows of a "
        "group stay in one split. split: names the row's split. weight: how much the row counts in training and "
        "calibration; a number above 0, or the row is quarantined. leaking: known only after the outcome, refused as a "
        "feature. ignored: kept, never read by the model.",
    )
    because: str | None = Field(None, description="Why the column leaks or is ignored; shown on the asset.")
    nullable: bool = Field(True, description="Whether a row without a value is sound; if not, it is quarantined.")
    max_null_share: float | None = Field(None, ge=0, le=1, description="Largest sound share of nulls in a batch.")
    min: float | None = Field(None, description="Smallest sound value (inclusive).")
    max: float | None = Field(None, description="Largest sound value (inclusive).")
    values: list[str] | None = Field(None, description="The sound values, as text.")
    pattern: str | None = Field(None, max_length=200, description="Regular expression that the whole text obeys.")
    unique: bool = Field(False, description="Whether a value may appear once only within a batch.")
    format: str | None = Field(None, description="strptime format of dates and times that are text in the file.")
    categorical: bool | None = Field(None, description="Read a number as a category (a code), not as a quantity.")

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                message = f"pattern is no regular expression: {error}"
                raise ValueError(message) from error
        return pattern

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> Column:
        numeric = self.type in {"integer", "number"}
        for rule in ("min", "max"):
            if getattr(self, rule) is not None and not numeric:
                message = f"'{rule}' needs type integer or number, not {self.type}"
                raise ValueError(message)
        if self.min is not None and self.max is not None and self.min > self.max:
            message = f"min {self.min} is above max {self.max}"
            raise ValueError(message)
        if self.pattern is not None and self.type != "string":
            message = f"'pattern' needs type string, not {self.type}"
            raise ValueError(message)
        if self.role == "weight" and not numeric:
            message = f"`role: weight` needs type integer or number, not {self.type}"
            raise ValueError(message)
        if self.categorical and self.type in {"date", "datetime"}:
            message = "a date is no category; leave `categorical` out, its parts are made for you"
            raise ValueError(message)
        return self

    @property
    def is_categorical(self) -> bool:
        """Whether the model reads the column as categories rather than quantities."""
        if self.categorical is not None:
            return self.categorical
        return self.type in {"string", "boolean"}
