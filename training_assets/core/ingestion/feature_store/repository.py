"""A Feast repository, opened without running anything of it: only views of local Parquet files are let in.

Feast unpickles the code of on-demand and stream views while it loads a registry, and imports whatever classes a
repository names. So the registry is read as the plain message that it is, and Feast is given a copy that holds the
wanted views alone.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from training_assets.core.errors import InputError
from training_assets.core.ingestion.excerpt import excerpt, listed, nearest
from training_assets.spec import Feast

SETTINGS = "feature_store.yaml"
REGISTRY = "data/registry.db"
# Stores whose features lie in local Parquet files; Feast's own reader of such files serves them all.
FILE_STORES = ("file", "dask", "duckdb")
NO_KEY = "__dummy_id"
COMPUTED = "is computed by code of the repository's own, which is not run; derive it under features.derived"
INSTALL = "Feast is not installed; pip install training-assets[feast]"


@dataclass(frozen=True)
class View:
    """A feature view: the columns that its values are looked up by, and its wanted features."""

    name: str
    keys: tuple[str, ...]
    features: tuple[str, ...]
    whole: tuple[str, ...]
    """Those that are whole numbers, by the view's own schema."""


@contextlib.contextmanager
def opened(feast: Feast, root: Path) -> Iterator[tuple[Any, list[View]]]:
    """Feast's FeatureStore over the wanted views, and these views; raises InputError E_FEAST."""
    folder = _folder(feast.repository, root)
    settings = _settings(folder, feast.repository)
    registry = _registry(folder, settings, feast.repository)
    chosen = _chosen(registry, str(settings["project"]), folder, feast)
    from feast import FeatureStore, RepoConfig

    with tempfile.TemporaryDirectory(prefix="feast-") as place:
        path = Path(place) / "registry.db"
        path.write_bytes(chosen.SerializeToString())
        config = RepoConfig(
            project=str(settings["project"]),
            provider="local",
            registry=str(path),
            offline_store={"type": "file"},
            online_store=None,
            entity_key_serialization_version=3,
            repo_path=folder,
        )
        yield FeatureStore(config=config), _views(chosen, feast)


def _folder(repository: str, root: Path) -> Path:
    folder = (root / repository).resolve()
    if "://" in repository or not (Path(repository).is_absolute() or folder.is_relative_to(root.resolve())):
        raise refusal(repository, f"is no folder under {root}; write its whole path")
    return folder


def _settings(folder: Path, where: str) -> dict[str, Any]:
    """What `feature_store.yaml` says; refused where anything but local files would be asked."""
    try:
        found = yaml.safe_load((folder / SETTINGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise refusal(where, f"has a {SETTINGS} that cannot be read; mend it") from None
    if not isinstance(found, dict) or not found.get("project"):
        raise refusal(where, f"has no {SETTINGS} that names a project; mend source.feast.repository")
    kinds = {
        "provider": (found.get("provider") or "local", ("local",)),
        "offline_store": (_kind(found, "offline_store", "type"), FILE_STORES),
        "registry": (_kind(found, "registry", "registry_type"), ("file",)),
    }
    for name, (kind, sound) in kinds.items():
        if kind not in sound:
            what = f"has the {name} {excerpt(str(kind))}; features are read from local files alone ({listed(sound)})"
            raise refusal(where, what)
    return found


def _kind(settings: Mapping[str, Any], section: str, key: str) -> Any:
    """The kind of a store; a registry that is a bare text is a path, an offline store a kind."""
    said = settings.get(section) or "file"
    if isinstance(said, Mapping):
        return said.get(key, "file")
    return "file" if section == "registry" else said


def _registry(folder: Path, settings: Mapping[str, Any], where: str) -> Any:
    from feast.protos.feast.core.Registry_pb2 import Registry
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    said = settings.get("registry", REGISTRY)
    path = str(said.get("path", REGISTRY) if isinstance(said, Mapping) else said)
    if "://" in path or "$" in path:
        raise refusal(where, f"has the registry {excerpt(path)}; registries are read from local files alone")
    registry = Registry()
    try:
        registry.ParseFromString((folder / path).read_bytes())
    except OSError:
        raise refusal(where, f"has no registry {excerpt(path)}; run `feast apply` there") from None
    except DecodeError:
        raise refusal(where, f"has a registry {excerpt(path)} that is damaged; run `feast apply` there") from None
    return registry


def _chosen(registry: Any, project: str, folder: Path, feast: Feast) -> Any:
    """A registry of the wanted views and their entities; each of them is judged by its message."""
    from feast.protos.feast.core.Registry_pb2 import Registry

    where = feast.repository
    chosen = Registry(registry_schema_version=registry.registry_schema_version, version_id=registry.version_id)
    chosen.last_updated.CopyFrom(registry.last_updated)
    chosen.projects.extend(each for each in registry.projects if each.spec.name == project)
    chosen.entities.extend(each for each in registry.entities if each.spec.project == project)
    known = {each.spec.name: each for each in registry.feature_views if each.spec.project == project}
    others = (*registry.on_demand_feature_views, *registry.stream_feature_views, *registry.label_views)
    code = {each.spec.name for each in others}
    for name in dict.fromkeys(_view_of(feature) for feature in feast.features):
        if name in code:
            raise refusal(where, f"has a view {excerpt(name)} that {COMPUTED}")
        if name not in known:
            raise refusal(where, f"has no feature view {excerpt(name)}{nearest(name, list(known))}; run `feast apply`")
        view = known[name]
        features = [each.name for each in view.spec.features]
        for feature in feast.features:
            wanted = feature.partition(":")[2]
            if _view_of(feature) == name and wanted not in features:
                raise refusal(where, f"has no feature {excerpt(feature)}{nearest(wanted, features)}")
        chosen.feature_views.append(_plain(view, folder, where))
    return chosen


def _plain(view: Any, folder: Path, where: str) -> Any:
    """The view over one local Parquet file (or a folder of them), with nothing else that Feast would follow."""
    from feast.protos.feast.core.DataSource_pb2 import DataSource
    from feast.protos.feast.core.FeatureView_pb2 import FeatureView

    spec, source = view.spec, view.spec.batch_source
    name = excerpt(spec.name)
    if spec.HasField("feature_transformation") or spec.source_views:
        raise refusal(where, f"has a view {name} that {COMPUTED}")
    options = source.file_options
    kind = options.file_format.WhichOneof("format") or "parquet_format"
    if source.type != DataSource.BATCH_FILE or kind != "parquet_format" or "://" in options.uri.removeprefix("file://"):
        raise refusal(where, f"keeps {name} elsewhere than in local Parquet files, where alone features are read from")
    path = folder / options.uri.removeprefix("file://")
    if not path.exists():
        raise refusal(where, f"has lost the file of {name}, {excerpt(options.uri, 120)}; write it again")
    plain = FeatureView()
    plain.spec.CopyFrom(spec)
    plain.meta.CopyFrom(view.meta)
    plain.spec.ClearField("stream_source")
    plain.spec.batch_source.Clear()
    for field in ("name", "project", "type", "timestamp_field", "created_timestamp_column"):
        setattr(plain.spec.batch_source, field, getattr(source, field))
    plain.spec.batch_source.field_mapping.update(source.field_mapping)
    plain.spec.batch_source.data_source_class_type = "feast.infra.offline_stores.file_source.FileSource"
    plain.spec.batch_source.file_options.uri = str(path)
    plain.spec.batch_source.file_options.file_format.parquet_format.SetInParent()
    return plain


def _views(registry: Any, feast: Feast) -> list[View]:
    from feast.protos.feast.types.Value_pb2 import ValueType

    integers = (ValueType.INT32, ValueType.INT64)
    found = []
    for view in registry.feature_views:
        name = view.spec.name
        features = tuple(each.partition(":")[2] for each in feast.features if _view_of(each) == name)
        keys = tuple(each.name for each in view.spec.entity_columns if each.name != NO_KEY)
        whole = tuple(each.name for each in view.spec.features if each.value_type in integers)
        found.append(View(name, keys, features, tuple(each for each in features if each in whole)))
    return found


def _view_of(feature: str) -> str:
    return feature.partition(":")[0]


def refusal(repository: str, what: str) -> InputError:
    """E_FEAST about a repository."""
    return InputError("E_FEAST", f"the Feast repository {excerpt(repository, 120)} {what}")
