"""How features become numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from training_assets.spec.section import Section

Scale = Literal["standard", "min_max", "robust", "quantile", "none"]
Impute = Literal["median", "mean", "zero"]
DatePart = Literal["year", "month", "day", "weekday", "day_of_year", "hour", "elapsed"]
DATE_PARTS: tuple[DatePart, ...] = ("year", "month", "day", "weekday", "day_of_year", "hour", "elapsed")


class AsQuantity(Section):
    """A number: tree families read it as it is, the linear one clipped, imputed, its logarithm taken, and scaled."""

    method: Literal["quantity"]
    impute: Impute | Literal["constant"] | None = Field(
        None, description="What stands for a missing value; default: encoding.impute."
    )
    value: float | None = Field(None, allow_inf_nan=False, description="impute constant: the constant.")
    scale: Scale | None = Field(None, description="Scaling; default: encoding.scale.")
    log: bool = Field(False, description="Scale sign(x) log(1 + |x|) instead of x: for long tails.")
    clip: list[Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None, min_length=2, max_length=2, description="Quantiles of training values to cut at, e.g. [0.01, 0.99]."
    )
    indicator: bool | None = Field(None, description="Whether a 0/1 column says where it is missing.")

    @model_validator(mode="after")
    def _options_agree(self) -> AsQuantity:
        if (self.impute == "constant") != (self.value is not None):
            message = "'value' goes with `impute: constant`, and only with it"
            raise ValueError(message)
        if self.clip is not None and not self.clip[0] < self.clip[1]:
            message = "clip is [lower, upper], both quantiles from 0 to 1; the first must be below the second"
            raise ValueError(message)
        return self


class Levels(Section):
    """What categories with levels have in common."""

    max_levels: int | None = Field(None, ge=1, le=100_000, description="Most levels kept; default: encoding's.")
    min_level_rows: int | None = Field(None, ge=1, description="Fewest training rows of a level; default: encoding's.")


class AsOneHot(Levels):
    """A category: a 0/1 column a level for the linear family, its code for trees."""

    method: Literal["one_hot"]


class AsTarget(Levels):
    """A category: the cross-fitted mean label of its level for the linear family, its code for trees."""

    method: Literal["target"]


class AsNative(Levels):
    """A category that trees read as its code; the linear family reads few levels one-hot, many target encoded."""

    method: Literal["native"]


class AsCount(Section):
    """How many training rows had the level: 0 for one never seen."""

    method: Literal["count"]


class AsOrdinal(Section):
    """The level's place in a stated order; one that is not in it is missing."""

    method: Literal["ordinal"]
    order: list[str] = Field(min_length=2, max_length=1000, description="The levels, lowest first.")

    @field_validator("order")
    @classmethod
    def _levels_once(cls, order: list[str]) -> list[str]:
        if len(set(order)) < len(order):
            message = "order names a level twice"
            raise ValueError(message)
        return order


class AsEmbedded(Section):
    """A text as a few numbers that lie close for alike texts: n-grams, weighed (tf-idf) and reduced (SVD) by skrub."""

    method: Literal["embedded"]
    components: int = Field(30, ge=1, le=300, description="Numbers that a text becomes.")


class AsMultiHot(Section):
    """A list in a text, such as `rock, jazz`: a 0/1 column for each common item, and how many others there are."""

    method: Literal["multi_hot"]
    separator: str = Field(",", min_length=1, max_length=10, description="What stands between items.")
    max_items: int = Field(50, ge=1, le=1000, description="Most items with a column of their own.")


class AsDate(Section):
    """A date or time: its parts, those that come round as sine and cosine too, and days elapsed since another one."""

    method: Literal["date"]
    parts: list[DatePart] | None = Field(
        None, min_length=1, description="Parts; default: all that vary among training rows, and elapsed."
    )
    cyclic: bool = Field(True, description="Sine and cosine of month, weekday, day of year and hour for linear models.")
    since: str | None = Field(
        None, description="elapsed: an ISO date, or another date feature; default: the earliest of the training rows."
    )


AnyEncoding = Annotated[
    AsQuantity | AsOneHot | AsTarget | AsNative | AsCount | AsOrdinal | AsEmbedded | AsMultiHot | AsDate,
    Field(discriminator="method"),
]


class Encoding(Section):
    """Scaling, imputation and category encoding; all fitted on the training split alone.

    Tree families read quantities as they are and categories as codes; the linear family reads quantities imputed and
    scaled, and categories one-hot or target encoded. Dates become their parts, texts of many words become dense
    vectors; under `columns`, a feature gets an encoding of its own.
    """

    scale: Scale = Field("standard", description="Scaling of quantities; quantile: to a normal distribution.")
    impute: Impute = Field("median", description="What stands for a missing quantity.")
    indicator: bool = Field(
        True,
        description="Tell the linear family in a 0/1 column where a quantity is missing, if training rows lack it.",
    )
    categorical: Literal["auto", "one_hot", "target"] = Field(
        "auto",
        description="auto: one-hot up to `one_hot_max_levels`, target encoding above, texts of many words embedded.",
    )
    one_hot_max_levels: int = Field(32, ge=2, le=1000, description="auto: most levels that are still one-hot.")
    max_levels: int = Field(1000, ge=2, le=100_000, description="Most levels kept; rarer ones are pooled as unknown.")
    min_level_rows: int = Field(
        1, ge=1, description="Fewest training rows of a level; rarer ones are pooled as unknown."
    )
    columns: dict[str, AnyEncoding] = Field(default_factory=dict, description="Encodings of single features.")
