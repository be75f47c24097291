"""Planted leaks: what is planted into a set, and the claim that must find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from training_assets.core.encoding.preprocessor import Preprocessor
from training_assets.core.splitting import SPLITS
from training_assets.core.validation.findings import Finding
from training_assets_tests.core.leakage.dealing import dealt
from training_assets_tests.core.leakage.sets import Set, made, real

LABEL, DATES, CONTENT = (
    "no_column_gives_the_label_away",
    "no_column_is_dated_after_the_outcome",
    "splits_share_no_content",
)
GROUPS, TIME = "groups_stay_together", "splits_keep_time_order"
POISON, SHUFFLED = "preprocessor_saw_training_rows_alone", "shuffled_labels_fall_to_chance"


@dataclass(frozen=True)
class Planted:
    """A leak: its set (`made`, or a real one's name), what is done to it, who must find it, and a word it must say."""

    kind: str
    source: str
    claim: str
    plant: Callable[[Set], Set]
    says: str
    look: Callable[[Set], list[Finding]] | None = None

    @property
    def name(self) -> str:
        return f"{self.kind} in {self.source}"

    def findings(self, data: Path | None) -> list[Finding]:
        if self.source.startswith("made"):
            base = made("regression" if self.source == "made regression" else "binary")
        else:
            assert data is not None
            base = real(self.source, data)
        planted = self.plant(base)
        return self.look(planted) if self.look else dealt(planted.raw, planted.spec, planted.root).about_splits()


def as_is(base: Set) -> Set:
    return base


def copied_rows(share: float) -> Callable[[Set], Set]:
    """Some rows once more, under keys of their own."""

    def plant(base: Set) -> Set:
        names = [name for name, column in base.spec.columns.items() if column.role == "key"]
        copies = base.raw.sample(fraction=share, seed=1)
        whole = base.rows(pl.concat([base.raw, copies]))
        keys = [f"key-{number}" for number in range(whole.height)]
        return whole.column(names[0] if names else "ticket", keys, type="string", role="key")

    return plant


def parted_subjects(base: Set) -> Set:
    """People measured again and again, each with a level of their own, dealt row by row."""
    rng = np.random.default_rng(0)
    who = rng.integers(0, 60, base.height)
    level = rng.normal(0, 60, 60)[who]
    changed = base.column("y", (base.y.to_numpy() + level).round(2))
    return changed.column("patient_id", [f"p{each}" for each in who], type="string", role="ignored")


def parted_patients_of_parkinsons(base: Set) -> Set:
    return base.sections(split={"method": "stratified"}).change("subject#", role="ignored")


def disordered(time: str, share: float = 0.05) -> Callable[[Set], Set]:
    """The user's own split by time, of which some old rows are test rows."""

    def plant(base: Set) -> Set:
        rng = np.random.default_rng(0)
        place = base.raw[time].str.strptime(pl.Date, None, strict=False).rank("ordinal").to_numpy() / base.height
        part = np.where(place < 0.7, "train", np.where(place < 0.85, "validation", "test"))
        part[rng.random(base.height) < share] = "test"
        return base.column("part", part, type="string", role="split").sections(split={"method": "column"})

    return plant


def numbered(base: Set) -> Set:
    order = np.random.default_rng(3).permutation(base.height)
    return base.column("row_number", order + 1, type="integer")


def named(base: Set) -> Set:
    return base.column("reference", [f"r{number}" for number in range(base.height)], type="string")


def as_feature(*names: str) -> Callable[[Set], Set]:
    """Columns that the draft keeps from the model, given to it."""

    def plant(base: Set) -> Set:
        for name in names:
            base = base.change(name, role="feature")
        return base

    return plant


def of_label(make: Callable[[Set, np.random.Generator], Any], kind: str) -> Callable[[Set], Set]:
    def plant(base: Set) -> Set:
        return base.column("planted", make(base, np.random.default_rng(0)), type=kind)

    return plant


def converted(base: Set, rng: np.random.Generator) -> Any:
    spread = float(base.y.std())  # type: ignore[arg-type]
    return (0.92 * base.y.to_numpy() + 0.01 * spread * rng.normal(size=base.height)).round(4)


def logged(base: Set, rng: np.random.Generator) -> Any:
    del rng
    return np.log(base.y.to_numpy() - base.y.min() + 1)


def classes_with_typos(base: Set, rng: np.random.Generator) -> Any:
    """The label in other words, wrong in one row of two hundred."""
    words = base.label.cast(pl.String).to_numpy()
    wrong = rng.random(base.height) < 0.005
    return [f"status {word}" for word in np.where(wrong, rng.permutation(words), words)]


def scores(base: Set, rng: np.random.Generator) -> Any:
    """A score that is above a threshold for the rarest class alone."""
    counts = base.label.value_counts(sort=True, name="_rows")
    rare = (base.label == counts[base.label.name][-1]).to_numpy()
    return (rng.random(base.height) + rare * 1.0).round(6)


def filled_afterwards(base: Set, rng: np.random.Generator) -> Any:
    """A quantity that is known for one class alone; which, says only whether it is there."""
    counts = base.label.value_counts(sort=True, name="_rows")
    kept = (base.label == counts[base.label.name][-1]).to_numpy()
    return pl.Series(rng.normal(size=base.height)).scatter(np.flatnonzero(~kept).tolist(), None)


def filled_for_large(base: Set, rng: np.random.Generator) -> Any:
    small = np.flatnonzero(base.y.to_numpy() <= float(base.y.median()))  # type: ignore[arg-type]
    return pl.Series(rng.normal(size=base.height)).scatter(small.tolist(), None)


def mean_label(*by: str) -> Callable[[Set, np.random.Generator], Any]:
    """The mean label (or the share of the positive class) of all rows with the same values, test rows as well."""

    def make(base: Set, rng: np.random.Generator) -> Any:
        del rng
        positive = base.spec.target.positive
        y = base.y if positive is None else (base.label.cast(pl.String) == positive).cast(pl.Float64)
        return base.raw.with_columns(y.alias("_y")).select(pl.col("_y").mean().over(by)).to_series()

    return make


def dated_afterwards(base: Set, role: str = "ignored") -> Set:
    rng = np.random.default_rng(0)
    days = pl.Series("days", rng.integers(1, 90, base.height))
    closed = base.raw.select(pl.col("began").str.to_date().dt.offset_by(pl.format("{}d", days))).to_series()
    changed = base.column("closed", closed, type="date", role=role)
    if role == "feature":
        return changed
    return changed.sections(features={"derived": {"closed_month": "EXTRACT(month FROM closed)"}})


def feature_dated_afterwards(base: Set) -> Set:
    return dated_afterwards(base, "feature")


def status_month(base: Set) -> Set:
    return base.sections(features={"derived": {"status_month": "EXTRACT(month FROM reservation_status_date)"}})


def fitted_on_all(splits: Mapping[str, pl.DataFrame], *settings: Any) -> Preprocessor:
    return Preprocessor.fit(pl.concat([splits[name] for name in SPLITS if name in splits]), *settings)


def seen_by_function(base: Set) -> list[Finding]:
    return dealt(base.raw, base.spec, base.root).about_the_pipeline(fitted_on_all)


def seen_by_asset(base: Set) -> list[Finding]:
    """The function is sound; whoever calls it hands it all rows as training rows."""
    done = dealt(base.raw, base.spec, base.root)
    return done.about_the_pipeline(handed_to_the_asset={"train": pl.concat(list(done.splits.values()))})


class LabelInFeatures(Preprocessor):
    """An encoder that lets the row's label into a quantity."""

    def encode(self, rows: pl.DataFrame) -> pl.DataFrame:
        encoded = super().encode(rows)
        name = next(iter(self.quantities))
        return encoded.with_columns((pl.col("_target") + 0.5 * pl.col(f"{name}__scaled")).alias(f"{name}__scaled"))

    def encode_training(self, train: pl.DataFrame) -> pl.DataFrame:
        return self.encode(train)


class NotCrossFitted(Preprocessor):
    """Target encoding of training rows that has seen each row's own label."""

    def encode_training(self, train: pl.DataFrame) -> pl.DataFrame:
        return self.encode(train)


def fitted_as(kind: type[Preprocessor]) -> Callable[[Set], list[Finding]]:
    def look(base: Set) -> list[Finding]:
        def fit(splits: Mapping[str, pl.DataFrame], *settings: Any) -> Preprocessor:
            return replace(kind.fit(splits["train"], *settings))

        return dealt(base.raw, base.spec, base.root).about_the_pipeline(fit)

    return look


MADE = [
    Planted("copied rows under new keys", "made", CONTENT, copied_rows(0.1), "repeat an earlier split's row"),
    Planted("groups in several splits", "made regression", GROUPS, parted_subjects, "patient_id"),
    Planted("time disorder", "made", TIME, disordered("began"), "began"),
    Planted("row numbers", "made", LABEL, numbered, "row_number"),
    Planted("names of rows", "made", LABEL, named, "reference"),
    Planted("copy with noise", "made regression", LABEL, of_label(converted, "number"), "planted"),
    Planted("copy in another form", "made regression", LABEL, of_label(logged, "number"), "planted"),
    Planted("category that decides", "made", LABEL, of_label(classes_with_typos, "string"), "planted"),
    Planted("threshold that decides", "made", LABEL, of_label(scores, "number"), "planted"),
    Planted("nulls that decide", "made", LABEL, of_label(filled_afterwards, "number"), "whether 'planted' has a value"),
    Planted("nulls that decide", "made regression", LABEL, of_label(filled_for_large, "number"), "whether 'planted'"),
    Planted("mean label of a town", "made", LABEL, of_label(mean_label("town"), "number"), "made from the label"),
    Planted("mean label of a town", "made regression", LABEL, of_label(mean_label("town"), "number"), "made from"),
    Planted("date after the outcome", "made", DATES, dated_afterwards, "closed"),
    Planted("date after the outcome as a feature", "made", DATES, feature_dated_afterwards, "closed"),
    Planted("preprocessor fitted on all rows", "made", POISON, as_is, "changes with the rows", seen_by_function),
    Planted("preprocessor handed all rows", "made", POISON, as_is, "not the one that the training", seen_by_asset),
    Planted("label in a feature", "made", SHUFFLED, as_is, "still predicted", fitted_as(LabelInFeatures)),
    Planted("label in a feature", "made regression", SHUFFLED, as_is, "still predicted", fitted_as(LabelInFeatures)),
    Planted("own label in an encoding", "made", SHUFFLED, as_is, "training rows held out", fitted_as(NotCrossFitted)),
]
FROM_REAL = [
    Planted("copied rows under new keys", "german_credit", CONTENT, copied_rows(0.1), "repeat"),
    Planted("copied rows under new keys", "telco_churn", CONTENT, copied_rows(0.1), "customerID"),
    Planted("copied rows under new keys", "letter", CONTENT, copied_rows(0.2), "ticket"),
    Planted("groups in several splits", "parkinsons", GROUPS, parted_patients_of_parkinsons, "subject#"),
    Planted("time disorder", "bike_sharing", TIME, disordered("dteday"), "dteday"),
    Planted("row numbers", "diamonds", LABEL, numbered, "row_number"),
    Planted("a customer's id as a feature", "telco_churn", LABEL, as_feature("customerID"), "customerID"),
    Planted("names of rows", "german_credit", LABEL, named, "reference"),
    Planted("copy with noise", "diamonds", LABEL, of_label(converted, "number"), "planted"),
    Planted("copy in another form", "steel_energy", LABEL, of_label(logged, "number"), "planted"),
    Planted("a proxy as a feature", "air_quality", LABEL, as_feature("PT08.S2(NMHC)"), "PT08.S2(NMHC)"),
    Planted("parts of the label", "bike_sharing", LABEL, as_feature("casual", "registered"), "casual + registered"),
    Planted("status as a feature", "hotel_bookings", LABEL, as_feature("reservation_status"), "reservation_status"),
    Planted("category that decides", "firewall", LABEL, of_label(classes_with_typos, "string"), "planted"),
    Planted("threshold that decides", "mammography", LABEL, of_label(scores, "number"), "planted"),
    Planted("nulls that decide", "telco_churn", LABEL, of_label(filled_afterwards, "number"), "whether 'planted'"),
    Planted("nulls that decide", "bank_marketing", LABEL, of_label(filled_afterwards, "number"), "whether 'planted'"),
    Planted("nulls that decide", "bike_sharing", LABEL, of_label(filled_for_large, "number"), "whether 'planted'"),
    Planted("date after the outcome", "hotel_bookings", DATES, status_month, "reservation_status_date"),
    Planted(
        "mean label of equal stones", "diamonds", LABEL, of_label(mean_label("carat", "cut"), "number"), "made from"
    ),
    Planted("mean label of a job", "bank_marketing", LABEL, of_label(mean_label("age", "job"), "number"), "made from"),
    Planted("preprocessor fitted on all rows", "penguins", POISON, as_is, "changes with the rows", seen_by_function),
    Planted("preprocessor handed all rows", "telco_churn", POISON, as_is, "not the one that", seen_by_asset),
    Planted("label in a feature", "german_credit", SHUFFLED, as_is, "still predicted", fitted_as(LabelInFeatures)),
]
