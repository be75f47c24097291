"""Features come from a real Feast repository as they were known when each row arose, and nothing of it is run."""

from __future__ import annotations

import socket
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.ingestion.discovery import identify, stamps
from training_assets.core.ingestion.feature_store import features as feast_features
from training_assets.core.ingestion.feature_store.features import complete_rows, own_columns, with_features
from training_assets.core.ingestion.reading import read_batch
from training_assets.spec import Feast, ModelSpec
from training_assets_tests.core.small_spec import small_spec

NOON = datetime.fromisoformat("2026-03-10T12:00:00")
HOUR = timedelta(hours=1)
FEAST = Feast(
    repository="features", time="at", features=["driver_stats:rating", "driver_stats:trips", "cities:population"]
)
DRIVERS = {
    "driver": [1, 1, 1, 2, 2],
    "at": [NOON - 48 * HOUR, NOON - 2 * HOUR, NOON + HOUR, NOON + HOUR, NOON - 30 * HOUR],
    "created": [NOON - 48 * HOUR] * 5,
    "rating": [1.0, 2.0, 99.0, 99.0, 5.0],
    "trips": [10, 20, 990, 990, None],
}
CITIES = {"city": ["Ulm", "Köln"], "at": [NOON - 9000 * HOUR] * 2, "population": [126_000, 1_087_000]}


def write(path: Path, columns: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).with_columns(pl.col("at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")).write_parquet(
        path
    )


def apply(folder: Path, *more: Any) -> None:
    """A repository as its own tools make it, with its views applied to a registry."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
        from feast.types import Float64, Int64

        driver = Entity(name="driver_id", join_keys=["driver"], value_type=ValueType.INT64)
        city = Entity(name="city", join_keys=["city"], value_type=ValueType.STRING)
        drivers = FileSource(
            name="drivers", path="data/drivers.parquet", timestamp_field="at", created_timestamp_column="created"
        )
        cities = FileSource(name="cities_file", path="data/cities.parquet", timestamp_field="at")
        views = [
            FeatureView(
                name="driver_stats",
                entities=[driver],
                ttl=timedelta(hours=40),
                schema=[Field(name="rating", dtype=Float64), Field(name="trips", dtype=Int64)],
                source=drivers,
            ),
            FeatureView(name="cities", entities=[city], schema=[Field(name="population", dtype=Int64)], source=cities),
        ]
        made = [make(views[0]) for make in more]
        config = RepoConfig(
            project="trips",
            provider="local",
            registry=str(folder / "data" / "registry.db"),
            offline_store={"type": "file"},
            online_store=None,
            entity_key_serialization_version=3,
            repo_path=folder,
        )
        FeatureStore(config=config).apply([driver, city, drivers, cities, *views, *made])
    settings_ = {"project": "trips", "registry": "data/registry.db", "offline_store": {"type": "file"}}
    (folder / "feature_store.yaml").write_text(yaml.safe_dump(settings_))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's root with a repository in it."""
    folder = tmp_path_factory.mktemp("root")
    write(folder / "features" / "data" / "drivers.parquet", DRIVERS)
    write(folder / "features" / "data" / "cities.parquet", CITIES)
    apply(folder / "features")
    return folder


def rows(*lines: tuple[int | None, str | None, datetime | None]) -> pl.DataFrame:
    schema = {"driver": pl.Int64, "city": pl.String, "at": pl.Datetime("us")}
    numbered = pl.DataFrame(lines, schema=schema, orient="row")
    return numbered.with_columns(pl.Series("y", ["a", "b"] * 50)[: len(lines)])


def refusal(root: Path, feast: Feast = FEAST, given_rows: pl.DataFrame | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        with_features(rows((1, "Ulm", NOON)) if given_rows is None else given_rows, feast, root, "rows.csv")
    assert caught.value.code == "E_FEAST"
    assert len(caught.value.text) < 2000
    return caught.value


def test_each_row_gets_what_was_known_then_and_nothing_from_later(root: Path) -> None:
    labels = rows(
        (2, "Köln", NOON),
        (1, "Ulm", NOON),
        (1, "Ulm", NOON - 3 * HOUR),
        (1, "Ulm", NOON),  # the same question twice
        (1, "Ulm", NOON + HOUR),  # known at that very time
        (7, "Bonn", NOON),  # nobody knows these
        (2, "Ulm", NOON - 31 * HOUR),  # only later values exist
        (2, "Ulm", NOON + 0 * HOUR + timedelta(minutes=59)),
        (None, "Ulm", NOON),
        (1, None, NOON),
        (1, "Ulm", None),
    )
    complete = with_features(labels, FEAST, root, "rows.csv")
    assert complete.columns == [*labels.columns, "rating", "trips", "population"]
    assert complete.select(labels.columns).equals(labels)
    # The rating of 48 hours before is too old (the view's time to live is 40), that of 2 hours before is not yet known.
    assert complete["rating"].to_list() == [5.0, 2.0, None, 2.0, 99.0, None, None, 5.0, None, 2.0, None]
    assert complete["trips"].to_list() == [None, 20, None, 20, 990, None, None, None, None, 20, None]
    ulm, koeln = 126_000, 1_087_000
    assert complete["population"].to_list() == [koeln, ulm, ulm, ulm, ulm, None, ulm, ulm, ulm, None, None]


def test_a_value_planted_in_the_future_is_in_no_row(root: Path) -> None:
    labels = rows(*[(driver, "Ulm", NOON + timedelta(minutes=minute)) for driver in (1, 2) for minute in range(50)])
    complete = with_features(labels, FEAST, root, "rows.csv")
    assert complete["rating"].to_list() == [2.0] * 50 + [5.0] * 50
    assert 99.0 not in complete["rating"].to_list()


questions = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, None]), st.none() | st.integers(-60, 5)), min_size=1, max_size=25
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(questions)
def test_features_are_those_that_a_search_row_by_row_finds(
    root: Path, asked: list[tuple[int | None, int | None]]
) -> None:
    labels = rows(*[(driver, "Ulm", None if hours is None else NOON + hours * HOUR) for driver, hours in asked])
    expected = []
    for driver, at in labels.select("driver", "at").iter_rows():
        known = [
            (time, rating)
            for who, time, rating in zip(DRIVERS["driver"], DRIVERS["at"], DRIVERS["rating"], strict=True)
            if at is not None and who == driver and at - 40 * HOUR <= time <= at
        ]
        expected.append(max(known)[1] if known else None)
    complete = with_features(labels, FEAST, root, "rows.csv")
    assert complete["rating"].to_list() == expected
    assert complete.select(labels.columns).equals(labels)


def test_a_day_is_its_beginning(root: Path) -> None:
    labels = rows((2, "Ulm", NOON)).with_columns(pl.Series("at", [date(2026, 3, 10)]))
    assert with_features(labels, FEAST, root, "rows.csv")["rating"].to_list() == [5.0]
    with_zone = rows((2, "Ulm", NOON)).with_columns(pl.lit(date(2026, 3, 9)).alias("at"))
    assert with_features(with_zone, FEAST, root, "rows.csv")["rating"].to_list() == [None]


def test_no_rows_are_no_rows_with_the_features_columns(root: Path) -> None:
    assert with_features(rows(), FEAST, root, "rows.csv").columns[-3:] == FEAST.columns


def test_features_of_one_name_are_told_apart_by_their_view(root: Path) -> None:
    feast = Feast(repository="features", time="at", features=["driver_stats:rating", "cities:rating"])
    assert feast.columns == ["driver_stats__rating", "cities__rating"]
    assert "cities:rating" in refusal(root, feast).text
    plain = Feast(repository="features", time="at", features=["cities:population", "driver_stats:trips"])
    assert with_features(rows((1, "Ulm", NOON)), plain, root, "rows.csv").columns[-2:] == ["population", "trips"]


def spec_of(format_: str, **columns: Any) -> ModelSpec:
    source = {"path": "rows.csv", "format": format_, "feast": FEAST.model_dump()}
    full = {
        "trips": "integer",
        "driver": "integer",
        "city": "string",
        "at": {"type": "datetime", "role": "time"},
        "y": {"type": "string", "role": "ignored"},
        "rating": "number",
        "population": "integer",
        **columns,
    }
    return small_spec(full, {"column": "y", "task": "binary"}, source=source)


def test_rows_of_text_and_typed_rows_are_completed_in_the_specs_order(root: Path) -> None:
    spec = spec_of("csv")
    assert own_columns(spec) == ["driver", "city", "at", "y"]
    text = pl.DataFrame(
        {
            "_batch": ["b"] * 3,
            "driver": ["1", "one", "2"],
            "city": ["Ulm", "Ulm", "Köln"],
            "at": ["2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z", "2026-03-10T13:00:00+01:00"],
            "y": ["a", "b", "a"],
        }
    )
    complete = complete_rows(text, spec, root, "rows.csv")
    assert complete.columns == ["_batch", *spec.columns]
    assert complete.select(text.columns).equals(text)
    assert complete["trips"].to_list() == [20, None, None]
    assert complete["rating"].to_list() == [2.0, None, 5.0]
    assert complete.schema["population"] == pl.Int64
    typed = complete_rows(rows((1, "Ulm", NOON)), spec_of("parquet"), root, "rows.parquet")
    assert typed.columns == list(spec.columns)
    assert typed["trips"].to_list() == [20]


def test_rows_without_feast_stay_as_they_are() -> None:
    plain = pl.DataFrame({"n": ["1"], "y": ["a"]})
    assert complete_rows(plain, small_spec({"n": "integer"}), Path("/nowhere"), "rows.csv") is plain


def test_features_that_are_not_columns_or_are_in_the_file_too_are_refused(root: Path) -> None:
    spec = spec_of("parquet")
    fewer = spec.model_copy(update={"columns": {k: v for k, v in spec.columns.items() if k != "population"}})
    with pytest.raises(InputError, match="'population'"):
        complete_rows(rows((1, "Ulm", NOON)), fewer, root, "rows.parquet")
    assert "'rating'" in refusal(root, given_rows=rows((1, "Ulm", NOON)).with_columns(rating=pl.lit(1.0))).text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"repository": "none"}, "names a project"),
        ({"repository": "../outside"}, "is no folder under"),
        ({"repository": "s3://bucket/repo"}, "is no folder under"),
        ({"features": ["driver_stat:rating"]}, "did you mean 'driver_stats'"),
        ({"features": ["driver_stats:ratings"]}, "did you mean 'rating'"),
        ({"time": "when"}, "no column 'when'"),
        ({"time": "city"}, "not a date or a time"),
    ],
)
def test_what_the_repository_or_the_rows_do_not_have_is_named(root: Path, changed: dict[str, Any], words: str) -> None:
    assert words in refusal(root, FEAST.model_copy(update=changed)).text


def test_a_missing_key_or_one_of_another_type_is_named(root: Path) -> None:
    assert "no column 'driver'" in refusal(root, given_rows=rows((1, "Ulm", NOON)).drop("driver")).text
    other = rows((1, "Ulm", NOON)).with_columns(pl.col("driver").cast(pl.String))
    text = refusal(root, given_rows=other).text
    assert "'driver_stats'" in text
    assert "types" in text


def copied(root: Path, to: Path, settings_: dict[str, Any] | None = None) -> Path:
    """Another root with the same repository, and settings of its own."""
    for path in (root / "features").rglob("*"):
        if path.is_file():
            target = to / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    if settings_ is not None:
        (to / "features" / "feature_store.yaml").write_text(yaml.safe_dump({"project": "trips", **settings_}))
    return to


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"provider": "gcp"}, "provider 'gcp'"),
        ({"provider": "os.system"}, "provider 'os.system'"),
        ({"offline_store": {"type": "snowflake.offline"}}, "offline_store 'snowflake.offline'"),
        ({"offline_store": {"type": "remote", "host": "127.0.0.1"}}, "offline_store 'remote'"),
        ({"registry": {"registry_type": "sql", "path": "sqlite://"}}, "registry 'sql'"),
        ({"registry": "s3://bucket/registry.db"}, "local files alone"),
        ({"registry": "data/none.db"}, "run `feast apply`"),
        ({"project": "others"}, "has no feature view"),
        ({"project": ""}, "names a project"),
    ],
)
def test_remote_stores_and_registries_are_refused(
    root: Path, tmp_path: Path, settings_: dict[str, Any], words: str
) -> None:
    assert words in refusal(copied(root, tmp_path, settings_)).text


@pytest.mark.parametrize("store", ["duckdb", "dask", {"type": "duckdb"}])
def test_stores_over_the_same_files_are_read(root: Path, tmp_path: Path, store: Any) -> None:
    other = copied(root, tmp_path, {"offline_store": store, "online_store": {"type": "redis"}})
    assert with_features(rows((1, "Ulm", NOON)), FEAST, other, "rows.csv")["rating"].to_list() == [2.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda source: setattr(source.file_options, "uri", "s3://bucket/drivers.parquet"), "local Parquet files"),
        (lambda source: source.file_options.file_format.delta_format.SetInParent(), "local Parquet files"),
        (lambda source: setattr(source, "type", 2), "local Parquet files"),  # BATCH_BIGQUERY
        (lambda source: setattr(source, "data_source_class_type", "os.path"), None),
        (lambda source: setattr(source.file_options, "s3_endpoint_override", "http://127.0.0.1:1"), None),
    ],
)
def test_views_of_other_sources_are_refused_and_what_they_would_import_is_not(
    root: Path, tmp_path: Path, change: Callable[[Any], Any], words: str | None
) -> None:
    from feast.protos.feast.core.Registry_pb2 import Registry

    other = copied(root, tmp_path)
    path = other / "features" / "data" / "registry.db"
    registry = Registry()
    registry.ParseFromString(path.read_bytes())
    for view in registry.feature_views:
        change(view.spec.batch_source)
    path.write_bytes(registry.SerializeToString())
    if words is None:
        assert with_features(rows((1, "Ulm", NOON)), FEAST, other, "rows.csv")["rating"].to_list() == [2.0]
    else:
        assert words in refusal(other).text


def test_damage_is_named(root: Path, tmp_path: Path) -> None:
    other = copied(root, tmp_path)
    drivers, registry = other / "features/data/drivers.parquet", other / "features/data/registry.db"
    whole = drivers.read_bytes()
    drivers.write_bytes(whole[:50])
    assert "'driver_stats'" in refusal(other).text
    drivers.unlink()
    assert "has lost the file of 'driver_stats'" in refusal(other).text
    drivers.write_bytes(whole)
    registry.write_bytes(b"\xff" * 50)
    assert "damaged" in refusal(other).text
    (other / "features/feature_store.yaml").write_text("a: [")
    assert "cannot be read" in refusal(other).text


def test_a_view_that_computes_is_refused_and_its_code_is_never_loaded(tmp_path: Path) -> None:
    """The pickled function of an on-demand view would make a folder when it is loaded, whatever is asked for."""
    witness = tmp_path / "witness"

    def on_demand(view: Any) -> Any:
        from feast import Field
        from feast.on_demand_feature_view import on_demand_feature_view
        from feast.types import Float64

        @on_demand_feature_view(sources=[view], schema=[Field(name="double", dtype=Float64)], mode="pandas")
        def doubled(inputs: pd.DataFrame) -> pd.DataFrame:
            return inputs[["rating"]].rename(columns={"rating": "double"}) * 2

        return doubled

    folder = tmp_path / "root" / "features"
    write(folder / "data" / "drivers.parquet", DRIVERS)
    write(folder / "data" / "cities.parquet", CITIES)
    apply(folder, on_demand)
    registry_file = folder / "data" / "registry.db"
    plant(registry_file, witness)
    feast = FEAST.model_copy(update={"features": ["doubled:double"]})
    assert "which is not run" in refusal(tmp_path / "root", feast).text
    complete = with_features(rows((1, "Ulm", NOON)), FEAST, tmp_path / "root", "rows.csv")
    assert complete["rating"].to_list() == [2.0]
    assert not witness.exists()
    # Feast itself would have run it, whatever it then made of the function that is none; in a process of its own, whose
    # state no test before has touched.
    asked = "import sys, feast; feast.FeatureStore(repo_path=sys.argv[1]).list_on_demand_feature_views()"
    command = [sys.executable, "-W", "ignore", "-c", asked, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert witness.exists(), done.stderr[-2000:]


def plant(registry_file: Path, witness: Path) -> None:
    """Put a pickle into the registry that makes a folder when it is loaded."""
    from feast.protos.feast.core.Registry_pb2 import Registry

    registry = Registry()
    registry.ParseFromString(registry_file.read_bytes())
    body = b"cos\nmkdir\n(V" + str(witness).encode() + b"\ntR."
    for view in registry.on_demand_feature_views:
        for of in (view.spec, view.spec.feature_transformation):
            of.user_defined_function.body, of.user_defined_function.body_text = body, ""
    registry_file.write_bytes(registry.SerializeToString())


def test_no_connection_is_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        message = "no connection is needed"
        raise AssertionError(message)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert with_features(rows((1, "Ulm", NOON)), FEAST, root, "rows.csv")["rating"].to_list() == [2.0]


def test_without_feast_installed_it_is_said_what_to_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feast_features.importlib.util, "find_spec", lambda _: None)
    assert "pip install training-assets[feast]" in refusal(root).text


def test_feast_is_imported_by_those_alone_who_use_it() -> None:
    names = "feature_store.features", "feature_store.repository", "lakes.delta_source", "lakes.object_store"
    code = "; ".join([*(f"import training_assets.core.ingestion.{name}" for name in names), "import sys"])
    heavy = "{'feast', 'dask', 'deltalake', 'duckdb'}"
    code += f"; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


def test_large_whole_numbers_with_gaps_are_not_changed_silently(root: Path, tmp_path: Path) -> None:
    """Feast makes floats of whole numbers where some are missing; beyond 2^53 that is refused, not rounded."""
    other = copied(root, tmp_path)
    large = {**DRIVERS, "trips": [2**53 + 1, 2**53 + 1, 2, 2, None]}
    write(other / "features" / "data" / "drivers.parquet", large)
    both = rows((1, "Ulm", NOON), (2, "Ulm", NOON))
    assert "'driver_stats:trips'" in refusal(other, given_rows=both).text


def test_a_file_without_the_features_columns_is_a_batch_with_them(root: Path, tmp_path: Path) -> None:
    text = "driver,city,at,y\n2,Köln,2026-03-10T12:00:00,a\n1,Ulm,2026-03-10T12:00:00,b\n"
    (tmp_path / "rows.csv").write_text(text)
    rows((2, "Köln", NOON), (1, "Ulm", NOON)).write_parquet(tmp_path / "rows.parquet")
    for format_ in ("csv", "parquet"):
        spec = spec_of(format_)
        found = stamps(spec.source.model_copy(update={"path": f"rows.{format_}"}), tmp_path)
        batch = complete_rows(read_batch(identify(found[0]), spec), spec, root, f"rows.{format_}")
        assert batch.columns == ["_batch", "_row", *spec.columns]
        assert batch["_row"].to_list() == [1, 2]
        assert batch["rating"].to_list() == [5.0, 2.0]
        assert batch["population"].to_list() == [1_087_000, 126_000]
