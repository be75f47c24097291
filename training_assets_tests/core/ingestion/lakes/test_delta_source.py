"""A Delta table delivers a version whole, or exactly the rows appended since then; what it cannot do it says."""

from __future__ import annotations

import json
import shutil
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.content import content_digest
from training_assets.core.ingestion.deliveries import Delivery, Reader
from training_assets.core.ingestion.lakes import delta_source
from training_assets.core.ingestion.lakes.delta_source import open_delta
from training_assets.spec import Delta, ModelSpec, ObjectStore
from training_assets_tests.core.small_spec import small_spec
from training_assets_tests.s3_server import ACCESS_KEY, SECRET_KEY, S3Server, secret

SPEC = small_spec({"n": "integer", "y": "string"}, {"column": "y", "task": "binary"})
SCHEMA = {"n": pl.Int64, "y": pl.String}


def rows(numbers: Sequence[int]) -> pl.DataFrame:
    return pl.DataFrame({"n": list(numbers), "y": ["a" if n % 2 else "b" for n in numbers]}, schema=SCHEMA)


def append(path: Path | str, numbers: Sequence[int], **how: Any) -> None:
    write_deltalake(path, rows(numbers).to_arrow(), mode="append", **how)


def reader(root: Path, path: str = "table", version: int | None = None, spec: ModelSpec = SPEC) -> Reader:
    return open_delta(Delta(path=path, version=version), None, spec, root, None)


def numbers_of(deliveries: Sequence[Delivery]) -> list[list[int]]:
    return [sorted(each.rows["n"].to_list()) for each in deliveries]


def read(source: Reader, position: str | None = None) -> Delivery:
    [delivery] = source.deliveries(position)
    return delivery


def refusal(source: Reader, position: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        list(source.deliveries(position))
    assert len(caught.value.text) < 2000
    return caught.value


@pytest.fixture
def table(tmp_path: Path) -> Path:
    folder = tmp_path / "table"
    append(folder, [1, 2])
    append(folder, [3])
    return folder


def test_the_first_batch_is_the_whole_table_and_the_next_what_was_appended(tmp_path: Path, table: Path) -> None:
    source = reader(tmp_path)
    assert source.news(None) == "delta version 1"
    first = read(source)
    assert (first.name, sorted(first.rows["n"].to_list())) == ("delta version 1", [1, 2, 3])
    assert first.rows.schema == SCHEMA
    assert first.digest == content_digest(rows([3, 1, 2]))
    assert first.size == first.rows.estimated_size()
    assert source.news(first.position) is None
    assert list(source.deliveries(first.position)) == []

    append(table, [4])
    append(table, [5, 6])
    assert source.news(first.position) == "delta version 3"
    second = read(source, first.position)
    assert (second.name, sorted(second.rows["n"].to_list())) == ("delta version 2 to 3", [4, 5, 6])
    append(table, [7])
    third = read(source, second.position)
    assert (third.name, third.rows["n"].to_list()) == ("delta version 4", [7])
    assert list(source.deliveries(third.position)) == []


def test_the_same_rows_appended_twice_are_two_batches(tmp_path: Path, table: Path) -> None:
    source = reader(tmp_path)
    first = read(source)
    append(table, [4])
    second = read(source, first.position)
    append(table, [4])
    third = read(source, second.position)
    assert second.rows.equals(third.rows)
    assert len({first.digest, second.digest, third.digest}) == 3


def test_a_pinned_version_is_one_batch_for_good(tmp_path: Path, table: Path) -> None:
    source = reader(tmp_path, version=0)
    only = read(source)
    assert (only.name, sorted(only.rows["n"].to_list())) == ("delta version 0", [1, 2])
    DeltaTable(table).delete("n = 1")
    append(table, [9])
    assert read(source).digest == only.digest
    assert source.news(None) == "delta version 0"
    assert source.news(only.position) is None
    assert list(source.deliveries(only.position)) == []


def test_a_table_without_rows_delivers_nothing_until_it_has_some(tmp_path: Path) -> None:
    DeltaTable.create(tmp_path / "table", rows([]).to_arrow().schema)
    assert list(reader(tmp_path).deliveries(None)) == []
    append(tmp_path / "table", [1])
    assert numbers_of(list(reader(tmp_path).deliveries(None))) == [[1]]


@pytest.mark.parametrize("change", ["delete", "update", "merge", "overwrite", "restore"])
def test_what_changed_rows_that_were_read_is_named_with_its_version(tmp_path: Path, table: Path, change: str) -> None:
    source = reader(tmp_path)
    position = read(source).position
    append(table, [4])
    now = DeltaTable(table)
    if change == "delete":
        now.delete("n = 1")
    elif change == "update":
        now.update(updates={"y": "'c'"}, predicate="n = 2")
    elif change == "merge":
        merge = now.merge(rows([3]).to_arrow(), "s.n = t.n", source_alias="s", target_alias="t")
        merge.when_matched_update_all().execute()
    elif change == "overwrite":
        write_deltalake(table, rows([1]).to_arrow(), mode="overwrite")
    else:
        now.restore(0)
    said = source.news(position)
    assert said is not None
    assert said.startswith("delta version")
    error = refusal(source, position)
    assert error.code == "E_DELTA"
    assert "by version 3 (" in error.text
    assert "source.delta.version" in error.text
    assert numbers_of(list(reader(tmp_path, version=2).deliveries(None))) == [[1, 2, 3, 4]]


def test_moving_rows_to_other_files_delivers_nothing(tmp_path: Path, table: Path) -> None:
    source = reader(tmp_path)
    position = read(source).position
    DeltaTable(table).optimize.compact()
    DeltaTable(table).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    DeltaTable(table).create_checkpoint()
    assert DeltaTable(table).version() > 1
    assert source.news(position) is None
    assert list(source.deliveries(position)) == []
    assert sorted(read(source).rows["n"].to_list()) == [1, 2, 3]


def test_rows_that_were_appended_and_then_moved_are_still_delivered_alone(tmp_path: Path, table: Path) -> None:
    source = reader(tmp_path)
    position = read(source).position
    append(table, [4])
    DeltaTable(table).optimize.compact()
    append(table, [5])
    DeltaTable(table).optimize.z_order(["n"])
    append(table, [6])
    assert sorted(read(source, position).rows["n"].to_list()) == [4, 5, 6]
    DeltaTable(table).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert "lost a data file" in refusal(source, position).text


def test_partitions_and_columns_that_came_later_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "table"
    columns = {
        "p": "string",
        "day": "date",
        "n": "integer",
        "at": "datetime",
        "late": {"type": "number", "nullable": True},
    }
    spec = small_spec({**columns, "y": "string"}, {"column": "y", "task": "binary"})
    odd = ["a b", "c/d", "é%", "=", None, "x:y"]

    def frame(start: int) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "p": odd,
                "day": [date(2026, 1, 1 + at) for at in range(6)],
                "n": range(start, start + 6),
                "at": [datetime(2026, 1, 1, 12, tzinfo=UTC)] * 6,
                "y": ["a", "b"] * 3,
            }
        )

    write_deltalake(folder, frame(0).to_arrow(), partition_by=["p", "day"])
    complete = frame(100).with_columns(late=pl.lit(0.5))
    write_deltalake(folder, complete.to_arrow(), mode="append", schema_mode="merge")
    source = reader(tmp_path, spec=spec)
    first = read(source)
    assert first.rows.columns == [*columns, "y"]
    assert first.rows.sort("n")["late"].to_list() == [None] * 6 + [0.5] * 6
    assert first.rows.sort("n")["p"].to_list() == odd * 2
    assert first.rows["at"].unique().to_list() == [datetime.fromisoformat("2026-01-01T12:00:00")]
    write_deltalake(folder, frame(200).to_arrow(), mode="append", schema_mode="merge")
    second = read(source, first.position)
    expected = frame(200).with_columns(pl.col("at").dt.replace_time_zone(None), late=pl.lit(None, pl.Float64))
    assert second.rows.sort("n").equals(expected.select(second.rows.columns))


def test_other_columns_than_the_specs_are_refused(tmp_path: Path, table: Path) -> None:
    source = reader(tmp_path)
    position = read(source).position
    extra = rows([8]).with_columns(more=pl.lit(1))
    write_deltalake(table, extra.to_arrow(), mode="append", schema_mode="merge")
    error = refusal(source, position)
    assert error.code == "E_SCHEMA"
    assert "'more'" in error.text


@pytest.mark.usefixtures("table")
def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in ("none", "empty", str(tmp_path / "none")):
        error = refusal(reader(tmp_path, path))
        assert error.code == "E_DELTA"
        assert f"{path} is no Delta table" in error.text
    error = refusal(reader(tmp_path, version=7))
    assert (error.code, "has no version 7; its newest is 1" in error.text) == ("E_DELTA", True)
    with pytest.raises(InputError, match="E_DELTA"):
        reader(tmp_path, "none").news(None)


def test_a_path_does_not_lead_out_of_the_root_unless_it_says_so(tmp_path: Path, table: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(table)
    for path in ("../table", "link", "file:///table", "gs://bucket/table"):
        with pytest.raises(InputError, match="E_DELTA") as caught:
            reader(root, path)
        assert path in caught.value.text
    assert sorted(read(reader(root, str(table))).rows["n"].to_list()) == [1, 2, 3]


@pytest.mark.parametrize("outside", ["../secret.parquet", "/secret.parquet", "file:///secret.parquet", "link.parquet"])
def test_a_log_that_names_files_outside_of_the_table_reads_none_of_them(
    tmp_path: Path, table: Path, outside: str
) -> None:
    pq.write_table(rows([666]).to_arrow(), tmp_path / "secret.parquet")
    if outside == "link.parquet":
        (table / outside).symlink_to(tmp_path / "secret.parquet")
    position = read(reader(tmp_path)).position
    path = outside.replace("/secret", f"{tmp_path}/secret") if outside.startswith(("/", "file")) else outside
    size = (tmp_path / "secret.parquet").stat().st_size
    commit(
        table,
        2,
        {"add": {"path": path, "partitionValues": {}, "size": size, "modificationTime": 0, "dataChange": True}},
    )
    for at in (None, position):
        assert refusal(reader(tmp_path), at).code == "E_DELTA"


def commit(table: Path, version: int, *actions: dict[str, Any]) -> None:
    lines = [json.dumps(action) for action in ({"commitInfo": {"operation": "WRITE"}}, *actions)]
    (table / "_delta_log" / f"{version:020d}.json").write_text("\n".join(lines))


def test_deletion_vectors_and_other_features_are_refused_by_name(tmp_path: Path, table: Path) -> None:
    features = {
        "minReaderVersion": 3,
        "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"],
        "writerFeatures": ["deletionVectors"],
    }
    commit(table, 2, {"protocol": features})
    error = refusal(reader(tmp_path))
    assert error.code == "E_DELTA"
    assert "deletionVectors" in error.text


def test_a_damaged_log_is_named(tmp_path: Path, table: Path) -> None:
    source = reader(tmp_path)
    position = read(source).position
    append(table, [4])
    append(table, [5])
    log = table / "_delta_log"
    whole = (log / f"{2:020d}.json").read_text()
    (log / f"{2:020d}.json").write_text("garbage{")
    assert refusal(source).code == "E_DELTA"
    (log / f"{2:020d}.json").write_text(whole)
    DeltaTable(table).create_checkpoint()
    (log / f"{2:020d}.json").write_text('{"add": {"path": 1}}')
    error = refusal(source, position)
    assert "version 2 is damaged" in error.text
    (log / f"{2:020d}.json").unlink()
    error = refusal(source, position)
    assert "version 2 is no longer in the log" in error.text
    with pytest.raises(InputError, match="E_DELTA"):
        source.news(position)


def test_a_damaged_data_file_is_named(tmp_path: Path, table: Path) -> None:
    for path in table.glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-20] + b"x" * 20)
    error = refusal(reader(tmp_path))
    assert error.code == "E_DELTA"
    assert "table" in error.text


def test_another_table_in_the_same_place_is_not_taken_for_more_of_it(tmp_path: Path, table: Path) -> None:
    source = reader(tmp_path)
    position = read(source).position
    shutil.rmtree(table)
    append(table, [1])
    assert "another table" in refusal(source, position).text
    for number in range(2, 6):
        append(table, [number])
    assert "another table" in refusal(source, position).text


@pytest.mark.usefixtures("table")
def test_more_bytes_than_a_batch_may_have_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta_source, "MAX_BYTES", 100)
    assert refusal(reader(tmp_path)).code == "E_SIZE"


def test_a_table_in_an_object_store_is_read_alike(s3: S3Server) -> None:
    path = "s3://rows/delta/table"
    append(path, [1, 2], storage_options=s3.delta_options)
    source = open_delta(Delta(path=path), ObjectStore.model_validate(s3.store), SPEC, Path("/nowhere"), secret)
    assert source.news(None) == "delta version 0"
    first = read(source)
    assert sorted(first.rows["n"].to_list()) == [1, 2]
    append(path, [3], storage_options=s3.delta_options)
    assert source.news(first.position) == "delta version 1"
    assert read(source, first.position).rows["n"].to_list() == [3]
    assert SECRET_KEY not in repr(source)
    assert ACCESS_KEY not in repr(source)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from chain(error.__cause__)
        error = error.__context__


@pytest.mark.parametrize(
    ("path", "changed", "code"),
    [
        ("s3://rows/delta/refused", {"secret_key": "env:OTHER_SECRET"}, "E_STORE"),
        ("s3://rows/delta/refused", {"access_key": "env:OTHER_KEY"}, "E_STORE"),
        ("s3://rows/delta/refused", {"endpoint": "http://127.0.0.1:1"}, "E_STORE"),
        ("s3://no-such-bucket/table", {}, "E_STORE"),
        ("s3://rows/delta/none", {}, "E_DELTA"),
    ],
)
def test_refusals_of_a_store_hold_no_secret(s3: S3Server, path: str, changed: dict[str, str], code: str) -> None:
    s3.put("delta/refused/_delta_log/00000000000000000000.json", "{")
    source = open_delta(
        Delta(path=path), ObjectStore.model_validate({**s3.store, **changed}), SPEC, Path("/nowhere"), secret
    )
    error = refusal(source)
    assert error.code == code
    assert path in error.text
    text = "".join(traceback.format_exception(error)) + "".join(repr(each) for each in chain(error))
    assert SECRET_KEY not in text
    assert ACCESS_KEY not in text
    assert [each for each in chain(error) if not isinstance(each, InputError)] == []


steps = st.lists(st.sampled_from(["append", "append", "compact", "checkpoint", "read"]), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(steps)
def test_every_row_is_delivered_exactly_once_whatever_happens_in_between(
    tmp_path_factory: pytest.TempPathFactory, doings: list[str]
) -> None:
    root = tmp_path_factory.mktemp("root")
    written = delivered = 0
    append(root / "table", [0])
    source, position, got = reader(root), None, list[int]()
    for doing in [*doings, "read"]:
        if doing == "append":
            written += 1
            append(root / "table", [written])
        elif doing == "compact":
            DeltaTable(root / "table").optimize.compact()
        elif doing == "checkpoint":
            DeltaTable(root / "table").create_checkpoint()
        else:
            expects_news = source.news(position) is not None
            deliveries = list(source.deliveries(position))
            assert expects_news == bool(deliveries)
            for each in deliveries:
                got += each.rows["n"].to_list()
                position = each.position
                delivered += 1
    assert sorted(got) == list(range(written + 1))
    assert delivered >= 1
