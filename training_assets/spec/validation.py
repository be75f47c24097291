"""What a batch must satisfy beyond the rules of its columns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from training_assets.spec.drift import Drift
from training_assets.spec.leakage import Leakage
from training_assets.spec.section import Section

RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Duplicates(Section):
    """What to do with rows of the same key, inside a batch and across batches."""

    keys: list[str] = Field(
        default_factory=list, description="Columns that identify a row; default: those with `role: key`."
    )
    keep: Literal["all", "first", "last", "refuse"] = Field(
        "all",
        description="all: count them and warn. first, last: the earliest or latest row of a key counts, the others are "
        "left out, counted. refuse: a batch that repeats a key, its own or of an earlier batch, is refused.",
    )


class Validation(Section):
    """Limits for whole batches."""

    max_quarantined: float = Field(0.01, ge=0, le=1, description="Share of broken rows above which a batch is refused.")
    max_duplicates: float = Field(0.05, ge=0, le=1, description="Share of duplicate rows above which a check warns.")
    min_class_share: float = Field(0.0005, ge=0, lt=0.5, description="Share of the rarest class below which one warns.")
    rules: dict[RuleName, str] = Field(
        default_factory=dict,
        description="Name → SQL expression over the columns of a row that is true of a sound one, e.g. `ended >= "
        "started`; a row of which it is false is quarantined (unknown, for want of a value, is sound).",
    )
    duplicates: Duplicates = Field(default_factory=Duplicates, description="Rows of the same key.")
    drift: Drift = Field(default_factory=Drift, description="Drift against the newest released version.")
    leakage: Leakage = Field(default_factory=Leakage, description="Leaks of the label or between splits.")
