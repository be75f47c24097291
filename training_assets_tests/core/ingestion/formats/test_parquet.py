"""Parquet: logical types without loss, or a refusal that names column and row."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.formats import parquet
from training_assets.core.ingestion.formats.parquet import cast_column, cast_columns, logical_type, open_parquet
from training_assets.core.validation.casting import POLARS_TYPES
from training_assets.spec import Column
from training_assets_tests.core.ingestion.made_files import parquet_bytes, result_or_refusal

DAY, TIME = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 12, 30, 1, 5)  # noqa: DTZ001 -- naive is UTC here


def cast(values: pl.Series, **column: Any) -> pl.Series:
    return cast_column(values.alias("x"), Column(**column), "rows.parquet")


def refusal(values: pl.Series, **column: Any) -> str:
    with pytest.raises(InputError) as caught:
        cast(values, **column)
    assert caught.value.code == "E_TYPE"
    assert "rows.parquet, column 'x'" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        *((pl.Series([1, None], dtype=dtype), "integer", [1, None]) for dtype in parquet.INTEGERS),
        *((pl.Series([1.5, None], dtype=dtype), "number", [1.5, None]) for dtype in parquet.FLOATS),
        (pl.Series([1, 2]), "number", [1.0, 2.0]),
        (pl.Series([1.0, None, -3.0]), "integer", [1, None, -3]),
        (pl.Series(["a", None]), "string", ["a", None]),
        (pl.Series(["a", None], dtype=pl.Categorical), "string", ["a", None]),
        (pl.Series(["a", None], dtype=pl.Enum(["b", "a"])), "string", ["a", None]),
        (pl.Series([True, None]), "boolean", [True, None]),
        (pl.Series([DAY]), "date", [DAY]),
        (pl.Series([dt.datetime(2024, 2, 29)]), "date", [DAY]),  # noqa: DTZ001 -- naive is UTC here
        (pl.Series([DAY]), "datetime", [dt.datetime(2024, 2, 29)]),  # noqa: DTZ001 -- naive is UTC here
        (pl.Series([TIME]).dt.cast_time_unit("ns"), "datetime", [TIME]),
        (
            pl.Series([TIME.replace(microsecond=5000)]).dt.cast_time_unit("ms"),
            "datetime",
            [TIME.replace(microsecond=5000)],
        ),
        (pl.Series(["2024-02-29"]), "date", [DAY]),
        (pl.Series(["2024-02-29T12:30:01"]), "datetime", [TIME.replace(microsecond=0)]),
        (pl.Series([None, None]), "number", [None, None]),
        (pl.Series([None]), "datetime", [None]),
    ],
)
def test_types_become_logical_ones(values: pl.Series, kind: str, expected: list[Any]) -> None:
    done = cast(values, type=kind)
    assert done.dtype == POLARS_TYPES[kind]
    assert done.to_list() == expected


def test_times_with_a_zone_become_utc() -> None:
    berlin = pl.Series([TIME]).dt.replace_time_zone("Europe/Berlin")
    assert cast(berlin, type="datetime").to_list() == [TIME - dt.timedelta(hours=1)]
    text = pl.Series(["2024-02-29 12:30+02:00"])
    assert cast(text, type="datetime", format="%Y-%m-%d %H:%M%z").to_list() == [dt.datetime(2024, 2, 29, 10, 30)]  # noqa: DTZ001 -- naive is UTC here


@pytest.mark.parametrize(
    ("values", "column", "said"),
    [
        (pl.Series([1, 2], dtype=pl.UInt64), {"type": "integer"}, "UInt64"),
        (pl.Series([1, 2], dtype=pl.Int128), {"type": "integer"}, "Int128"),
        (pl.Series([decimal.Decimal("1.10")]), {"type": "number"}, "Decimal"),
        (pl.Series([[1], [2]]), {"type": "integer"}, "List"),
        (pl.Series([{"a": 1}]), {"type": "string"}, "Struct"),
        (pl.Series([b"x"]), {"type": "string"}, "Binary"),
        (pl.Series([dt.timedelta(1)]), {"type": "number"}, "Duration"),
        (pl.Series([dt.time(1)]), {"type": "string"}, "Time"),
        (pl.Series([1, 2]), {"type": "string"}, "set its type to integer"),
        (pl.Series(["1"]), {"type": "integer"}, "set its type to string"),
        (pl.Series([True]), {"type": "integer"}, "Boolean"),
        (pl.Series([1]), {"type": "date"}, "Int64"),
        (pl.Series([1.0, None, 2.5]), {"type": "integer"}, "row 3: '2.5'"),
        (pl.Series([1.0, float("nan")]), {"type": "integer"}, "row 2: 'nan'"),
        (pl.Series([1.0, float("inf")]), {"type": "integer"}, "row 2: 'inf'"),
        (pl.Series([0.0, 2.0**53 + 2]), {"type": "integer"}, "row 2"),
        (pl.Series([0, 2**53 + 1]), {"type": "number"}, "row 2: '9007199254740993'"),
        (pl.Series([DAY, None, TIME], dtype=pl.Datetime("us"), strict=False), {"type": "date"}, "row 3"),
        (pl.Series([1, 1500], dtype=pl.Int64).cast(pl.Datetime("ns")), {"type": "datetime"}, "row 1"),
        (pl.Series(["2024-02-29", "2024-02-30"]), {"type": "date"}, "row 2: '2024-02-30'"),
        (pl.Series(["29/02/2024"]), {"type": "date"}, "row 1"),
    ],
)
def test_what_would_lose_something_is_refused(values: pl.Series, column: dict[str, Any], said: str) -> None:
    assert said in refusal(values, **column)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**60), 2**60).map(float))))
def test_floats_become_integers_only_where_they_come_back(values: list[float | None]) -> None:
    series = pl.Series("x", values, dtype=pl.Float64)
    try:
        done = cast(series, type="integer")
    except InputError:
        assert any(each is not None and not (each.is_integer() and abs(each) <= 2**53) for each in values)
    else:
        assert done.cast(pl.Float64).to_list() == values


def test_columns_come_in_the_order_of_the_spec() -> None:
    rows = pl.DataFrame({"b": [1], "a": ["x"]})
    done = cast_columns(rows, {"a": Column(type="string"), "b": Column(type="number")}, "rows.parquet")
    assert done.schema == {"a": pl.String(), "b": pl.Float64()}


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        (pl.Int8(), "integer"),
        (pl.Float32(), "number"),
        (pl.Categorical(), "string"),
        (pl.Null(), "string"),
        (pl.Boolean(), "boolean"),
        (pl.Date(), "date"),
        (pl.Datetime("ns", "UTC"), "datetime"),
        (pl.UInt64(), None),
        (pl.List(pl.Int8()), None),
        (pl.Decimal(10, 2), None),
    ],
)
def test_logical_types(dtype: pl.DataType, kind: str | None) -> None:
    assert logical_type(dtype) == kind


ROWS = pl.DataFrame({"a": range(1000), "b": [f"text {at}" for at in range(1000)]})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("at", [5, 12, 100, 1000, -1, -4, -9, -100])
def test_a_file_that_is_cut_short_is_corrupt(at: int) -> None:
    with pytest.raises(InputError, match="E_CORRUPT"):
        open_parquet(parquet_bytes(ROWS)[:at], "rows.parquet")


@pytest.mark.parametrize("seed", range(40))
def test_damage_is_refused_or_leaves_a_table_and_never_kills(seed: int) -> None:
    """Polars panics on some of these; an InputError is all that a caller may see."""
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    data = bytearray(parquet_bytes(ROWS))
    for _ in range(4):
        data[chance.randrange(4, len(data))] ^= 1 << chance.randrange(8)
    done = result_or_refusal(lambda: open_parquet(bytes(data), "rows.parquet"))
    if isinstance(done, InputError):
        assert done.code in {"E_CORRUPT", "E_RATIO", "E_MAGIC", "E_NO_ROWS"}
        assert len(str(done)) < 2000


def test_other_files_and_empty_ones_are_refused() -> None:
    with pytest.raises(InputError, match="E_MAGIC"):
        open_parquet(b"a,b\n1,2\n", "rows.parquet")
    with pytest.raises(InputError, match="E_MAGIC"):
        open_parquet(b"", "rows.parquet")
    with pytest.raises(InputError, match="E_NO_ROWS"):
        open_parquet(parquet_bytes(ROWS.clear()), "rows.parquet")


def test_a_footer_that_claims_too_much_is_not_unpacked() -> None:
    """A constant column of 80 million rows takes some kB: 640 MB once it is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    column = pa.repeat(pa.scalar(1, pa.int64()), 8_000_000)
    with pq.ParquetWriter(buffer, pa.schema([("a", pa.int64())])) as writer:
        for _ in range(10):
            writer.write_table(pa.table({"a": column}))
    with pytest.raises(InputError, match=r"E_RATIO: rows\.parquet has .* 80,000,000 rows"):
        open_parquet(buffer.getvalue(), "rows.parquet")
