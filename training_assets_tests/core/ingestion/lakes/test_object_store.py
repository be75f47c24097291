"""Files in an object store are found, identified and read as files of this machine are; its errors hold no secret."""

from __future__ import annotations

import hashlib
import socket
import time
import traceback
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from training_assets.core.errors import InputError
from training_assets.core.ingestion import discovery
from training_assets.core.ingestion.arrivals import look, whole
from training_assets.core.ingestion.discovery import FileStamp, identify, read_identified, stamps
from training_assets.core.ingestion.lakes.object_store import _fits, open_store
from training_assets.core.ingestion.lakes.store_access import store_error
from training_assets.core.ingestion.reading import read_batch
from training_assets.spec import ObjectStore, Source
from training_assets_tests.core.small_spec import small_spec
from training_assets_tests.s3_server import ACCESS_KEY, SECRET_KEY, S3Server, secret

ROWS = "n,y\n1,a\n2,b\n"


def found(s3: S3Server, *paths: str, **store: str) -> list[FileStamp]:
    source = Source.model_validate({"path": list(paths), "format": "csv", "store": {**s3.store, **store}})
    return stamps(source, Path("/nowhere"), secret)


def refusal(s3: S3Server, *paths: str, **store: str) -> InputError:
    with pytest.raises(InputError) as caught:
        found(s3, *paths, **store)
    return caught.value


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from chain(error.__cause__)
        error = error.__context__


def assert_keeps_secrets(error: InputError) -> None:
    """Neither message nor traceback nor any cause, shown or hidden, repeats a key."""
    text = "".join(traceback.format_exception(error)) + "".join(repr(each) for each in chain(error))
    assert SECRET_KEY not in text
    assert ACCESS_KEY not in text
    assert [each for each in chain(error) if not isinstance(each, InputError)] == []


@pytest.fixture(scope="module")
def folder(s3: S3Server) -> str:
    for key in (
        "found/b.csv",
        "found/a.csv",
        "found/é x.csv",
        "found/c.txt",
        "found/.hidden.csv",
        "found/a.csv.tmp",
        "found/deep/er/d.csv",
        "found/.trash/e.csv",
        "found/year=2025/month=01/f.csv",
        "found/year=2025/month=02/f.csv",
    ):
        s3.put(key, ROWS)
    return "s3://rows/found"


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["/*.csv"], ["a.csv", "b.csv", "é x.csv"]),
        (["/?.csv", "/a.csv"], ["a.csv", "b.csv"]),
        (["/[b-z].csv"], ["b.csv"]),
        (["/year=*/month=*/*.csv"], ["year=2025/month=01/f.csv", "year=2025/month=02/f.csv"]),
        (["/year=2025/**"], ["year=2025/month=01/f.csv", "year=2025/month=02/f.csv"]),
        (["/**/d.csv"], ["deep/er/d.csv"]),
        (["/**/b.csv"], ["b.csv"]),
        (["/*.parquet"], []),
        (["/none/*.csv"], []),
    ],
)
def test_objects_are_found_by_pattern_sorted_each_once(
    s3: S3Server, folder: str, patterns: list[str], names: list[str]
) -> None:
    stamps_ = found(s3, *(folder + pattern for pattern in patterns))
    assert [str(stamp.path) for stamp in stamps_] == [f"rows/found/{name}" for name in names]
    assert {stamp.size for stamp in stamps_} <= {len(ROWS)}


def test_files_of_this_machine_and_objects_stand_side_by_side(s3: S3Server, folder: str, tmp_path: Path) -> None:
    (tmp_path / "here.csv").write_text(ROWS)
    paths = [str(tmp_path / "*.csv"), f"{folder}/a.csv"]
    both = stamps(Source.model_validate({"path": paths, "format": "csv", "store": s3.store}), tmp_path, secret)
    assert {stamp.path.name for stamp in both} == {"here.csv", "a.csv"}
    assert {identify(stamp).digest for stamp in both} == {hashlib.sha256(ROWS.encode()).hexdigest()}


def test_a_batch_is_its_bytes_wherever_it_lies(s3: S3Server, folder: str) -> None:
    file = identify(found(s3, f"{folder}/a.csv")[0])
    assert (file.name, file.size) == ("a.csv", len(ROWS))
    assert file.digest == hashlib.sha256(ROWS.encode()).hexdigest()
    assert abs(file.modified_ns - time.time_ns()) < 600 * 10**9
    assert read_identified(file) == ROWS.encode()
    rows = read_batch(file, small_spec({"n": "integer"}))
    assert rows["n"].to_list() == ["1", "2"]


def test_large_objects_come_whole(s3: S3Server) -> None:
    data = b"n,y\n" + b"12345,abcdefgh\n" * 1_000_000
    file = identify(found(s3, s3.put("large/a.csv", data))[0])
    assert file.digest == hashlib.sha256(data).hexdigest()
    assert read_identified(file) == data


def test_other_bytes_than_identified_are_not_read(s3: S3Server) -> None:
    path = s3.put("changed/a.csv", ROWS)
    file = identify(found(s3, path)[0])
    s3.put("changed/a.csv", ROWS.replace("1", "9"))
    with pytest.raises(InputError, match="E_UNSTABLE"):
        read_identified(file)


def test_an_object_that_is_replaced_while_it_is_read_is_read_again(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = found(s3, s3.put("replaced/a.csv", ROWS))[0]
    read, left = discovery._read_whole, [1]

    def read_and_replace(file: Any) -> Any:
        before = read(file)
        if left[0]:
            left[0] -= 1
            s3.put("replaced/a.csv", ROWS.replace("1", "8"))
        return before

    monkeypatch.setattr(discovery, "_read_whole", read_and_replace)
    assert identify(stamp).digest == hashlib.sha256(ROWS.replace("1", "8").encode()).hexdigest()


def test_an_object_that_is_gone_is_said(s3: S3Server) -> None:
    stamp = found(s3, s3.put("gone/a.csv", ROWS))[0]
    s3.remove("gone/a.csv")
    with pytest.raises(InputError, match=r"E_MISSING: s3://rows/gone/a\.csv is gone") as caught:
        identify(stamp)
    assert_keeps_secrets(caught.value)


def test_an_object_above_the_limit_is_not_read(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = found(s3, s3.put("big/a.csv", ROWS))[0]
    monkeypatch.setattr(discovery, "MAX_BYTES", len(ROWS) - 1)
    with pytest.raises(InputError, match="E_SIZE"):
        identify(stamp)


def test_objects_are_whole_at_once_and_new_until_they_are_done(s3: S3Server) -> None:
    files = found(s3, s3.put("arriving/a.csv", "n,y\n7,a\n"))
    digest = hashlib.sha256(b"n,y\n7,a\n").hexdigest()
    assert whole(files, time.time_ns(), pytest.fail) == (files, [])
    first = look(files, {}, [], time.time_ns())
    assert (first.new, first.arriving) == ([digest], [])
    later = time.time_ns() + 60 * 10**9
    second = look(files, first.seen, [digest], later)
    assert second.new == []
    assert second.seen["rows/arriving/a.csv"][2] == digest


def test_an_object_that_is_replaced_within_a_second_is_noticed(s3: S3Server) -> None:
    path = s3.put("fast/a.csv", "n,y\n7,a\n")
    files = found(s3, path)
    now = files[0].modified_ns + 10**8
    seen = look(files, {}, [], now).seen
    s3.put("fast/a.csv", "n,y\n8,a\n")
    # A store that tells seconds alone: size and time are those of the first object.
    again = look(files, seen, [], now + 60 * 10**9)
    assert again.new == [hashlib.sha256(b"n,y\n8,a\n").hexdigest()]


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("s3://rows/found/none.csv", "E_MISSING", "does not exist"),
        ("s3://rows/found", "E_NOT_REGULAR", "is a folder"),
        ("s3://rows", "E_NOT_REGULAR", "is a folder"),
        ("s3://no-such-bucket/a.csv", "E_STORE", "no such bucket"),
        ("s3://no-such-bucket/*.csv", "E_STORE", "no such bucket"),
        ("s3://*/a.csv", "E_STORE", "name the bucket"),
        ("s3://", "E_STORE", "names no bucket"),
        ("s3:///a.csv", "E_STORE", "names no bucket"),
        ("s3://rows//a.csv", "E_STORE", "the store refuses"),
    ],
)
def test_paths_that_lead_nowhere_are_named(s3: S3Server, folder: str, path: str, code: str, words: str) -> None:
    assert folder
    error = refusal(s3, path)
    assert error.code == code
    assert words in error.text
    assert path in error.text
    assert_keeps_secrets(error)


@pytest.mark.parametrize("pattern", ["a.csv", "*.csv"])
@pytest.mark.parametrize("wrong", [{"secret_key": "env:OTHER_SECRET"}, {"access_key": "env:OTHER_KEY"}])
def test_wrong_keys_are_refused_and_never_shown(s3: S3Server, folder: str, pattern: str, wrong: dict[str, str]) -> None:
    error = refusal(s3, f"{folder}/{pattern}", **wrong)
    assert error.code == "E_STORE"
    assert "source.store" in error.text
    assert_keeps_secrets(error)


def test_a_dead_endpoint_is_said_within_seconds(s3: S3Server) -> None:
    begun = time.monotonic()
    error = refusal(s3, "s3://rows/found/*.csv", endpoint="http://127.0.0.1:1")
    assert error.code == "E_STORE"
    assert "cannot be reached" in error.text
    assert time.monotonic() - begun < 10
    assert_keeps_secrets(error)


@pytest.mark.slow
def test_a_server_that_accepts_and_never_answers_is_given_up(s3: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        error = refusal(s3, "s3://rows/found/*.csv", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert error.code == "E_STORE"
    assert time.monotonic() - begun < 60


def test_keys_are_read_by_reference_alone(s3: S3Server) -> None:
    with pytest.raises(ValidationError) as caught:
        ObjectStore(access_key="AKIA", secret_key=SECRET_KEY)
    assert SECRET_KEY not in str(caught.value)
    with pytest.raises(ValidationError, match="go together"):
        ObjectStore(access_key="env:S3_KEY")
    with pytest.raises(ValidationError) as caught:
        ObjectStore(endpoint=f"https://user:{SECRET_KEY}@host")
    assert SECRET_KEY not in str(caught.value)
    with pytest.raises(InputError, match="E_SECRET"):
        stamps(Source.model_validate({"path": "s3://rows/a.csv", "format": "csv", "store": s3.store}), Path())


def test_an_open_store_shows_no_key(s3: S3Server, folder: str) -> None:
    stamp = found(s3, f"{folder}/a.csv")[0]
    shown = repr(stamp) + repr(identify(stamp)) + repr(open_store(ObjectStore.model_validate(s3.store), secret))
    assert SECRET_KEY not in shown
    assert ACCESS_KEY not in shown


def test_an_unknown_refusal_is_told_by_its_kind_and_not_in_the_stores_words() -> None:
    error = store_error("s3://rows/a", f"AWS Error SLOW_DOWN during GetObject operation: {SECRET_KEY}")
    assert "SLOW_DOWN" in error.text
    assert SECRET_KEY not in error.text


def test_the_server_of_these_tests_listens_on_loopback_alone(s3: S3Server) -> None:
    port = int(s3.endpoint.rpartition(":")[2])
    mine = [each for child in psutil.Process().children(recursive=True) for each in child.net_connections("inet")]
    listening = [each.laddr for each in mine if each.status == psutil.CONN_LISTEN]
    assert port in {address.port for address in listening}
    assert {address.ip for address in listening} == {"127.0.0.1"}


names = st.sampled_from(["a", "b", "ab", ".a", "year=1"])


@given(
    st.lists(names, min_size=1, max_size=4), st.lists(st.sampled_from(["*", "**", "a", "?", "a*", "[ab]"]), max_size=4)
)
def test_patterns_of_objects_mean_what_they_mean_for_files(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], pattern: list[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    path = root.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    local = discovery._matching("/".join(pattern), root) if pattern else []
    files = {each.relative_to(root).as_posix() for each in local if each.is_file()}
    assert _fits(PurePosixPath(*parts).parts, pattern) == ("/".join(parts) in files)
