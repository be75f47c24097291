"""The two specs that a new user reads first are sound, fit the example's data, and keep what comes later out."""

from __future__ import annotations

import re

import polars as pl
import pytest
import yaml

from training_assets.spec import ModelSpec
from training_assets_tests.conftest import ROOT

DEFS = ROOT / "training_assets" / "defs"
BATCHES = sorted((ROOT / "examples" / "flights" / "batches").glob("*.parquet"))
KNOWN_LATER = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
TYPES = {"integer": pl.Int16, "string": pl.String, "datetime": pl.Datetime("us")}


def spec_of(model: str) -> ModelSpec:
    """The spec in a model's `defs.yaml`."""
    content = yaml.safe_load((DEFS / model / "defs.yaml").read_text())
    assert set(content) == {"type", "attributes"}
    assert content["type"] == "training_assets.TrainingPipeline"
    return ModelSpec.model_validate(content["attributes"])


@pytest.fixture(params=["flight_delays", "flight_delay_minutes"])
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    """Either spec."""
    return spec_of(request.param)


@pytest.fixture(scope="module")
def flights() -> pl.DataFrame:
    """All twelve batches."""
    return pl.concat([pl.read_parquet(path) for path in BATCHES])


def test_every_model_folder_holds_a_sound_spec() -> None:
    assert {path.parent.name for path in DEFS.glob("*/defs.yaml")} >= {"flight_delays", "flight_delay_minutes"}


@pytest.mark.parametrize("model", ["flight_delays", "flight_delay_minutes"])
def test_a_spec_fits_on_a_page(model: str) -> None:
    assert len((DEFS / model / "defs.yaml").read_text().splitlines()) <= 80


def test_both_models_read_the_same_rows() -> None:
    late, minutes = spec_of("flight_delays"), spec_of("flight_delay_minutes")
    assert late.source == minutes.source
    assert late.raw_features == minutes.raw_features
    assert late.features == minutes.features
    assert {**late.columns, "arr_delay": None} == {**minutes.columns, "arr_delay": None}


def test_the_schema_names_exactly_the_columns_of_the_files(spec: ModelSpec, flights: pl.DataFrame) -> None:
    assert set(spec.columns) == set(flights.columns)
    assert {name: TYPES[column.type] for name, column in spec.columns.items()} == dict(flights.schema)


def test_every_row_obeys_the_rules(spec: ModelSpec, flights: pl.DataFrame) -> None:
    for name, rules in spec.columns.items():
        values = flights[name]
        assert rules.nullable or not values.null_count(), name
        assert not rules.unique or values.n_unique() == values.len(), name
        if rules.min is not None and rules.max is not None:
            assert values.drop_nulls().is_between(rules.min, rules.max).all(), name
        if rules.values is not None:
            assert set(values.unique()) == set(rules.values), name
        if rules.pattern is not None:
            assert values.str.contains(f"^(?:{rules.pattern})$").all(), name


def test_nothing_known_after_departure_can_be_read(spec: ModelSpec) -> None:
    assert set(spec.hidden) == KNOWN_LATER
    assert not KNOWN_LATER & set(spec.raw_features)
    for expression in spec.features.derived.values():
        assert not KNOWN_LATER & set(re.findall(r"\w+", expression))


def test_every_column_that_is_no_feature_says_why(spec: ModelSpec) -> None:
    silent = [name for name, column in spec.columns.items() if column.role in {"leaking", "ignored"}]
    assert all(spec.columns[name].because for name in silent if name != spec.target.column)


def test_weather_is_joined_by_when_it_was_known(spec: ModelSpec) -> None:
    (join,) = spec.features.joins
    weather = pl.read_parquet(ROOT / join.table)
    assert set(join.columns) | set(join.keys) <= set(weather.columns)
    assert join.as_of is not None
    assert (join.as_of.time, join.as_of.table_time) == ("time_hour", "known_at")


def test_derived_columns_read_the_local_clock(spec: ModelSpec, flights: pl.DataFrame) -> None:
    derived = [pl.sql_expr(expression).alias(name) for name, expression in spec.features.derived.items()]
    made = flights.with_columns(derived)
    local = pl.col("time_hour").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    assert made.select((pl.col("weekday") == local.dt.weekday()).all()).item()
    assert made.select((pl.col("departure_minute") // 60 == local.dt.hour()).all()).item()
    assert made["scheduled_minutes"].is_between(30, 24 * 60).all()


def test_late_flights_are_the_positive_class(flights: pl.DataFrame) -> None:
    target = spec_of("flight_delays").target
    assert target.expression is not None
    assert (target.classes, target.positive) == (["false", "true"], "true")
    label = flights.select(pl.sql_expr(target.expression).alias("label"))["label"]
    assert label.null_count() == flights["arr_delay"].null_count()
    assert label.sum() / (label.len() - label.null_count()) == pytest.approx(0.237, abs=0.001)


def test_both_models_have_gates(spec: ModelSpec) -> None:
    assert [gate.kind for gate in spec.evaluation.gates].count("beats_dummy") >= 1
    assert all(gate.otherwise == "reject" for gate in spec.evaluation.gates)


@pytest.mark.parametrize("written", ["on: [origin]", "off: 1"])
def test_a_key_that_yaml_reads_as_true_or_false_is_explained(written: str) -> None:
    join = yaml.safe_load(f"{{table: weather.parquet, {written}, columns: [temp]}}")
    with pytest.raises(ValueError, match="put the key in quotes"):
        type(spec_of("flight_delays").features.joins[0]).model_validate(join)
