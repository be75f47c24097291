"""The real sets, and what their users would tell the project of them: how a drafted spec is corrected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from training_assets.core.inference.draft import draft
from training_assets.spec import ModelSpec

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
FLIGHTS = "training_assets/defs/flight_delays/defs.yaml"
FLIGHT_BATCHES = "examples/flights/batches"


@dataclass(frozen=True)
class Set:
    """A file of rows, its label, and the columns that must not be read, for what `training-assets init` cannot know.

    `beside` are raw columns (texts, dates) that systems may read besides the features that a spec makes of them.
    """

    name: str
    path: str
    target: str
    leaking: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    features: tuple[str, ...] = ()  # dates that the rows are not dealt by, and that peers read too

    @property
    def where(self) -> Path:
        """The file of rows."""
        return DATA / self.path

    def spec(self) -> ModelSpec:
        """What `training-assets init` writes for the file, with the leaks of DATASETS.md marked."""
        drafted = draft(self.where, self.target, name=self.name, root=ROOT).spec
        columns = dict(drafted.columns)
        for role, names in (("leaking", self.leaking), ("ignored", self.ignored)):
            for name in names:
                columns[name] = columns[name].model_copy(update={"role": role, "because": "as DATASETS.md says"})
        for name in self.features:
            columns[name] = columns[name].model_copy(update={"role": "feature"})
        told = drafted.model_dump(mode="json", exclude_defaults=True)
        told["columns"] = {
            name: column.model_dump(mode="json", exclude_defaults=True) for name, column in columns.items()
        }
        return ModelSpec.model_validate(told)


@dataclass(frozen=True)
class Flights(Set):
    """The example of this project: its own spec, joins and derived features, on every month."""

    @property
    def where(self) -> Path:
        """The folder of batches."""
        return ROOT / FLIGHT_BATCHES

    def spec(self) -> ModelSpec:
        """The example's spec, but for where the batches are and how long the search may last."""
        attributes = yaml.safe_load((ROOT / FLIGHTS).read_text(encoding="utf-8"))["attributes"]
        attributes["source"]["path"] = f"{FLIGHT_BATCHES}/*.parquet"
        del attributes["search"]
        return ModelSpec.model_validate(attributes)


SETS = (
    Set("telco_churn", "various/telco_churn/Telco-Customer-Churn.csv", "Churn"),
    Set("bank_marketing", "timed/bank_marketing/bank-additional-full.csv", "y", leaking=("duration",)),
    Set("diamonds", "various/diamonds/diamonds.csv", "price"),
    Set("letter", "various/letter/letter-recognition.data", "Letter"),
    Set(
        "bike_sharing", "various/bike_sharing/hour.csv", "cnt",
        leaking=("casual", "registered"), ignored=("instant",), features=("dteday",),
    ),
    Set(
        "loans", "various/loans/loans_full_schema.csv", "interest_rate",
        leaking=(
            *("grade", "sub_grade", "installment", "loan_status", "balance"),
            *("paid_total", "paid_principal", "paid_interest", "paid_late_fees"),
        ),
        ignored=("rownames",),
    ),
    Set("sms_spam", "various/sms_spam/SMSSpamCollection", "column_1", beside=("column_2",)),
    Set(
        "hotel_bookings", "timed/hotel_bookings/hotel_bookings.parquet", "is_canceled",
        leaking=(
            *("reservation_status", "reservation_status_date", "assigned_room_type", "booking_changes"),
            *("required_car_parking_spaces", "country", "label_date"),
        ),
        ignored=("booking_id",), beside=("arrival_date", "booked_date"),
    ),
    Set("firewall", "various/firewall/log2.csv", "Action"),
    Flights("flights_late", FLIGHT_BATCHES, "arr_delay > 15"),
    Set(
        "census_employment", "various/census_employment_ma/employment_MA_reference.pq", "employed",
        leaking=("prediction", "predicted_probability"), ignored=("id",),
    ),
    Set("cover_outlier", "various/cover_outlier/10_cover.parquet", "y"),
)  # fmt: skip
