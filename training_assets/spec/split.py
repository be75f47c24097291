"""How rows are dealt to training, validation and test."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, model_validator

from training_assets.spec.section import Section


class Split(Section):
    """A deal that depends on a row's content alone: a row that was once test is test for ever."""

    method: Literal["stratified", "random", "group", "time", "time+group", "column"] = Field(
        "stratified", description="stratified keeps the label balance (of quantiles, in a regression)."
    )
    train: float = Field(0.70, gt=0, lt=1, description="Share of training rows.")
    validation: float = Field(0.15, gt=0, lt=1, description="Share of validation rows.")
    test: float = Field(0.15, gt=0, lt=1, description="Share of test rows.")
    salt: str = Field("0", max_length=64, description="Another salt deals anew: old test rows become training rows.")
    validation_from: datetime | None = Field(None, description="time: rows from here on are validation rows.")
    test_from: datetime | None = Field(None, description="time: rows from here on are test rows.")
    gap: str | None = Field(None, pattern=r"^\d+(s|m|h|d|w)$", description="time: rows left out before each cut, `7d`.")

    @model_validator(mode="after")
    def _shares_and_cuts(self) -> Split:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            message = f"train + validation + test is {total:g}, not 1"
            raise ValueError(message)
        timed = self.method in {"time", "time+group"}
        if timed and (self.validation_from is None or self.test_from is None):
            message = f"method {self.method} needs 'validation_from' and 'test_from'"
            raise ValueError(message)
        if timed and self.validation_from and self.test_from and self.validation_from >= self.test_from:
            message = "validation_from must be before test_from"
            raise ValueError(message)
        if not timed and (self.validation_from or self.test_from or self.gap):
            message = f"'validation_from', 'test_from' and 'gap' need method time, not {self.method}"
            raise ValueError(message)
        return self
