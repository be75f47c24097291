"""Sets to plant leaks in, and sets that are clean: real ones where they are there, one made by code everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training_assets.core.inference.draft import draft
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.spec import ModelSpec

MOST_ROWS = 15_000
# File and label of each real set.
REAL = {
    "air_quality": ("various/air_quality/AirQualityUCI.csv", "C6H6(GT)"),
    "bank_marketing": ("timed/bank_marketing/bank-additional-full.csv", "y"),
    "bike_sharing": ("various/bike_sharing/hour.csv", "cnt"),
    "census_employment": ("various/census_employment_ma/employment_MA_reference.pq", "employed"),
    "cover_outlier": ("various/cover_outlier/10_cover.parquet", "y"),
    "diamonds": ("various/diamonds/diamonds.csv", "price"),
    "elec2": ("various/elec2/elec.csv", "target"),
    "firewall": ("various/firewall/log2.csv", "Action"),
    "flights": ("timed/nycflights13/flights.parquet", "arr_delay"),
    "german_credit": ("various/german_credit/german.data", "last"),
    "hotel_bookings": ("timed/hotel_bookings/hotel_bookings.parquet", "is_canceled"),
    "iris": ("various/iris/iris.csv", "last"),
    "letter": ("various/letter/letter-recognition.data", "Letter"),
    "loans": ("various/loans/loans_full_schema.csv", "interest_rate"),
    "mammography": ("various/mammography/mammography.csv", "last"),
    "parkinsons": ("various/parkinsons_telemonitoring/parkinsons_updrs.data", "total_UPDRS"),
    "pd_speech": ("various/pd_speech/pd_speech.csv", "class"),
    "penguins": ("various/penguins/penguins.csv", "species"),
    "sms_spam": ("various/sms_spam/SMSSpamCollection", "column_1"),
    "steel_energy": ("various/steel_energy/Steel_industry_data.csv", "Usage_kWh"),
    "telco_churn": ("various/telco_churn/Telco-Customer-Churn.csv", "Churn"),
}


@dataclass(frozen=True)
class Set:
    """Raw rows as a reader hands them over, and a spec for them."""

    name: str
    raw: pl.DataFrame
    spec: ModelSpec
    root: Path

    def column(self, name: str, values: Any, **rules: Any) -> Set:
        """The set with one more column (or another one of that name), written as the others are."""
        made = pl.Series(name, values)
        text = self.raw.schema[next(iter(self.spec.columns))] == pl.String
        raw = self.raw.with_columns(made.cast(pl.String) if text or made.dtype == pl.String else made)
        return Set(self.name, raw, self.with_columns({name: rules}), self.root)

    def change(self, name: str, **rules: Any) -> Set:
        """The set with other rules for a column."""
        return Set(self.name, self.raw, self.with_columns({name: rules}), self.root)

    def rows(self, raw: pl.DataFrame) -> Set:
        """The set with other rows, numbered anew."""
        numbered = raw.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_row"))
        return Set(self.name, numbered, self.spec, self.root)

    def sections(self, **sections: Any) -> Set:
        """The set with other sections in its spec."""
        spec = ModelSpec.model_validate({**self.spec.model_dump(mode="json"), **sections})
        return Set(self.name, self.raw, spec, self.root)

    def with_columns(self, changes: dict[str, dict[str, Any]]) -> ModelSpec:
        whole = self.spec.model_dump(mode="json")
        for name, rules in changes.items():
            whole["columns"][name] = {**whole["columns"].get(name, {}), **rules}
        return ModelSpec.model_validate(whole)

    @property
    def label(self) -> pl.Series:
        """The label as it was read."""
        return self.raw[str(self.spec.target.column)]

    @property
    def y(self) -> pl.Series:
        """The label of a regression."""
        return self.label.cast(pl.Float64)

    @property
    def height(self) -> int:
        return self.raw.height


@cache
def real(name: str, data: Path) -> Set:
    """A real set as `init` drafts it; of a big one, the same sample each time."""
    path, label = REAL[name]
    spec = draft(data / path, label, name=None, root=data).spec
    raw = pl.concat([read_batch(identify(stamp), spec) for stamp in stamps(spec.source, data)])
    if raw.height > MOST_ROWS:
        raw = raw.sample(MOST_ROWS, seed=0)
    return Set(name, raw, spec, data)


@cache
def made(task: str = "binary") -> Set:
    """Customers whose label follows from age and plan with much noise; a quantity or two classes."""
    rng = np.random.default_rng(5)
    n = 4000
    age, plan = rng.integers(18, 80, n), rng.choice(["basic", "plus", "pro"], n)
    signal = (age - 50) / 15 + (plan == "basic") * 1.5 + rng.logistic(size=n)
    label = np.where(signal > 0.5, "yes", "no") if task == "binary" else (100 + 20 * signal).round(2)
    began = np.datetime64("2024-01-01") + np.sort(rng.integers(0, 700, n)).astype("timedelta64[D]")
    raw = pl.DataFrame(
        {
            "age": age,
            "income": rng.normal(40_000, 9_000, n).round(2),
            "visits": rng.poisson(3, n),
            "plan": plan,
            "town": rng.choice([f"town {number}" for number in range(300)], n),
            "began": began.astype(str),
            "y": label,
        }
    ).select(pl.all().cast(pl.String))
    target = {"column": "y", "task": task} | ({"classes": ["no", "yes"], "positive": "yes"} if task == "binary" else {})
    spec = ModelSpec.model_validate(
        {
            "source": {"path": "made.csv", "format": "csv"},
            "columns": {
                "age": {"type": "integer"},
                "income": {"type": "number"},
                "visits": {"type": "integer"},
                "plan": {"type": "string"},
                "town": {"type": "string"},
                "began": {"type": "date", "role": "time"},
                "y": {"type": "string" if task == "binary" else "number", "nullable": False},
            },
            "target": target,
        }
    )
    numbered = raw.select(pl.lit("made").alias("_batch"), pl.int_range(1, pl.len() + 1).alias("_row"), pl.all())
    return Set(f"made ({task})", numbered, spec, Path())
