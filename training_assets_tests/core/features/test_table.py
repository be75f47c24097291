"""The feature table: what the model may read, in its order and kinds, and nothing that it may not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.core.errors import InputError
from training_assets.core.features.table import feature_table
from training_assets.core.validation.quarantine import sort_rows
from training_assets.spec import ModelSpec
from training_assets_tests.core.small_spec import raw_rows, small_spec

at = datetime.fromisoformat
COLUMNS: dict[str, Any] = {
    "id": {"type": "string", "role": "key"},
    "when": {"type": "datetime", "role": "time"},
    "who": {"type": "string", "role": "group"},
    "n": "integer",
    "x": "number",
    "s": "string",
    "b": "boolean",
    "code": {"type": "number", "categorical": True},
    "flag": {"type": "boolean", "categorical": False},
    "delay": {"type": "integer", "role": "leaking", "because": "it is measured on arrival"},
    "note": {"type": "string", "role": "ignored"},
}
CELLS = {
    "id": ["i1", "i2", "i3"],
    "when": ["2013-01-01 05:30", "2013-01-01 06:10", "2013-01-02 00:00"],
    "who": ["p", None, "q"],
    "n": ["1", "2", None],
    "x": ["0.5", None, "0"],
    "s": ["u", "v", None],
    "b": ["true", "false", None],
    "code": ["1", "2.5", None],
    "flag": ["true", None, "false"],
    "delay": ["20", "3", "99"],
    "note": ["a", "b", "c"],
}
TARGET = {"expression": "delay > 15", "task": "binary"}


def spec_with(columns: dict[str, Any] | None = None, **sections: Any) -> ModelSpec:
    return small_spec(COLUMNS if columns is None else columns, sections.pop("target", TARGET), **sections)


def validated(spec: ModelSpec) -> pl.DataFrame:
    rows = sort_rows(raw_rows({name: CELLS[name] for name in spec.columns}), spec)
    assert rows.counts["kept"] == 3, rows.quarantined
    return rows.rows


def test_raw_features_come_with_their_kinds(tmp_path: Path) -> None:
    spec = spec_with()
    table = feature_table(validated(spec), spec, tmp_path)
    assert table.rows.columns == [
        *("_batch", "_row", "_key", "_target", "when", "who"),
        *("n", "x", "s", "b", "code", "flag"),
    ]
    assert table.kinds == {
        "n": "numeric",
        "x": "numeric",
        "s": "categorical",
        "b": "categorical",
        "code": "categorical",
        "flag": "numeric",
    }
    assert table.rows["_target"].to_list() == ["true", "false", "true"]
    assert table.classes == ["false", "true"]
    assert table.rows.select("n", "x", "s", "b", "code", "flag").rows() == [
        (1, 0.5, "u", "true", "1", 1),
        (2, None, "v", "false", "2.5", None),
        (None, 0.0, None, None, None, 0),
    ]


def test_derived_columns_see_joined_and_earlier_ones(tmp_path: Path) -> None:
    (tmp_path / "weather.csv").write_text("seen,place,temp\n2013-01-01T05:00:00Z,u,10\n2013-01-01T06:00:00Z,v,NA\n")
    features = {
        "joins": [
            {
                "table": "weather.csv",
                "keys": ["s"],
                "columns": ["temp"],
                "prefix": "w_",
                "as_of": {"time": "when", "table_time": "seen"},
            }
        ],
        "derived": {"hour": "EXTRACT(hour FROM when)".replace("when", '"when"'), "warm": "w_temp > hour", "r": "n / x"},
    }
    (tmp_path / "weather.csv").write_text("seen,s,temp\n2013-01-01T05:00:00Z,u,10\n2013-01-01T06:00:00Z,v,NA\n")
    spec = spec_with(features=features)
    table = feature_table(validated(spec), spec, tmp_path)
    assert table.rows.columns[-4:] == ["w_temp", "hour", "warm", "r"]
    assert list(table.kinds) == sorted(table.kinds)
    assert table.rows.select("w_temp", "hour", "warm", "r").rows() == [
        (10, 5, "true", 2.0),
        (None, 6, None, None),
        (None, 0, None, None),
    ]
    assert table.kinds["warm"] == "categorical"


def test_a_division_by_zero_has_no_value(tmp_path: Path) -> None:
    spec = spec_with(features={"derived": {"r": "1 / x", "nan": "x / x"}})
    table = feature_table(validated(spec), spec, tmp_path)
    assert table.rows.select("r", "nan").rows() == [(2.0, 1.0), (None, None), (None, None)]


def test_durations_are_seconds_and_dates_may_lead_to_others(tmp_path: Path) -> None:
    derived = {"day": "DATE_TRUNC('day', \"when\")", "since": '"when" - day'}
    spec = spec_with(features={"derived": derived})
    table = feature_table(validated(spec), spec, tmp_path)
    assert "day" not in table.kinds
    assert "day" not in table.rows.columns
    assert table.rows["since"].to_list() == [5.5 * 3600, 6 * 3600 + 600, 0.0]


def test_dates_are_features_unless_they_are_a_step_on_the_way(tmp_path: Path) -> None:
    columns = {**COLUMNS, "when": "datetime"}
    derived = {"day": "DATE_TRUNC('day', \"when\")", "moment": '"when"', "hour": "EXTRACT(hour FROM day)"}
    spec = spec_with(columns, features={"derived": derived})
    table = feature_table(validated(spec), spec, tmp_path)
    assert [name for name, kind in table.kinds.items() if kind == "date"] == ["moment", "when"]
    assert table.rows["when"].to_list() == [at("2013-01-01 05:30"), at("2013-01-01 06:10"), at("2013-01-02 00:00")]
    assert table.rows["when"].equals(table.rows["moment"])
    assert table.rows.schema["moment"] == pl.Datetime("us")


def test_a_derived_time_can_be_what_a_join_looks_up(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("s,seen,v\nu,2013-01-01T00:00:00,1\nv,2013-01-01T00:00:00,2\n")
    as_of = {"time": "day", "table_time": "seen"}
    joins = [{"table": "t.csv", "keys": ["s"], "columns": ["v"], "as_of": as_of}]
    spec = spec_with(features={"joins": joins, "derived": {"day": "DATE_TRUNC('day', \"when\")", "more": "v + 1"}})
    table = feature_table(validated(spec), spec, tmp_path)
    assert table.rows.select("v", "more").rows() == [(1, 2), (2, 3), (None, None)]
    assert "day" not in table.kinds


def test_the_order_and_number_of_rows_stay(tmp_path: Path) -> None:
    spec = spec_with(features={"derived": {"r": "n + 1"}})
    rows = validated(spec)
    whole = feature_table(rows, spec, tmp_path).rows
    assert feature_table(rows.reverse(), spec, tmp_path).rows.equals(whole.reverse())
    chunks = pl.concat([rows[:1], rows[1:]], rechunk=False)
    assert feature_table(chunks, spec, tmp_path).rows.equals(whole)


def test_a_regression_has_numbers_and_no_classes(tmp_path: Path) -> None:
    spec = spec_with(target={"column": "delay", "task": "regression"})
    table = feature_table(validated(spec), spec, tmp_path)
    assert table.rows["_target"].to_list() == [20.0, 3.0, 99.0]
    assert table.rows["_target"].dtype == pl.Float64
    assert table.classes == []
    assert "delay" not in table.rows.columns


def test_the_split_column_is_there_for_the_deal_alone(tmp_path: Path) -> None:
    columns = {**COLUMNS, "note": {"type": "string", "role": "split"}}
    spec = spec_with(columns, split={"method": "column"})
    table = feature_table(validated(spec), spec, tmp_path)
    assert "note" in table.rows.columns
    assert "note" not in table.kinds


def test_declared_classes_keep_their_order_though_rows_lack_one(tmp_path: Path) -> None:
    target = {"expression": "CASE WHEN delay > 15 THEN 'late' ELSE 'ok' END", "task": "multiclass"}
    spec = spec_with(target={**target, "classes": ["ok", "late", "never"]})
    assert feature_table(validated(spec), spec, tmp_path).classes == ["ok", "late", "never"]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            {"derived": {"clock": 'CAST("when" AS TIME)'}},
            r"E_FEATURE_TYPE: feature 'clock' is Time.*EXTRACT\(hour",
        ),
        (
            {"derived": {"r": "delay + 1"}},
            "E_LEAKING: features.derived.r: it reads 'delay', .*: it is measured on arrival",
        ),
        ({"derived": {"r": "AVG(n)"}}, "E_AGGREGATE"),
        ({"derived": {"r": "later + 1", "later": "n + 1"}}, "E_EXPRESSION: .*unknown column 'later'"),
    ],
)
def test_what_no_model_may_read_is_refused(tmp_path: Path, features: dict[str, Any], message: str) -> None:
    good = spec_with()
    spec = spec_with(features=features)
    with pytest.raises(InputError, match=message):
        feature_table(validated(good), spec, tmp_path)


def test_rows_of_one_class_are_refused(tmp_path: Path) -> None:
    spec = spec_with(target={"expression": "delay > 0", "task": "binary"})
    with pytest.raises(InputError, match="E_LABEL_CONST: all 3 labels are 'true'"):
        feature_table(validated(spec), spec, tmp_path)


def test_rows_without_a_label_cannot_get_this_far(tmp_path: Path) -> None:
    spec = spec_with()
    rows = validated(spec).with_columns(pl.lit(None, dtype=pl.Int64).alias("delay"))
    with pytest.raises(InputError, match="E_LABEL: 3 validated rows have no label"):
        feature_table(rows, spec, tmp_path)


@pytest.mark.parametrize("name", ["CO2(tCO2)", "subject#", "Source Port", "Größe", "a.b", 'say "hi"', "select"])
def test_names_of_any_kind_are_features_and_can_be_derived_from(tmp_path: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    spec = small_spec({name: "number", "y": "string"}, features={"derived": {"twice": f"{quoted} * 2"}})
    rows = sort_rows(raw_rows({name: ["1", "2"], "y": ["a", "b"]}), spec).rows
    table = feature_table(rows, spec, tmp_path)
    assert table.rows.select(pl.col([name, "twice"])).rows() == [(1.0, 2.0), (2.0, 4.0)]
