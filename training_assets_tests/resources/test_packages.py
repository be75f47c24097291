"""Every file of a version is pinned: whatever is changed, added or removed, nobody gets the version."""

from __future__ import annotations

import py_compile
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from training_assets.core.errors import InputError
from training_assets.governance.packaging import bundled_code
from training_assets.resources.ledger import Event
from training_assets.resources.packages import files_of, package_of
from training_assets.resources.registry import Registry
from training_assets.resources.signing import PUBLIC_KEY, SIGNATURE, SIGNING_KEY
from training_assets.serving import PACKAGE, SCORER
from training_assets_tests.core.encoding.mixed_rows import KINDS, mixed
from training_assets_tests.resources.test_registry import scorer
from training_assets_tests.resources.test_signing import keys

Made = tuple[Registry, Path, Path]
CODE = "code/training_assets"


def made(root: Path) -> tuple[Registry, Path]:
    """A registry with one version of a model, and the folder that it is kept in."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{root}/mlflow.db")
    place = (root / "kept").as_uri()
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("made", artifact_location=place))
    scorer().save(root / "model" / PACKAGE / SCORER)
    code = bundled_code(root / "code")
    registry = Registry(mlflow.get_tracking_uri())
    with mlflow.start_run():
        registry.register(mlflow, "made", root / "model", code, mixed(seed=1).select(*KINDS), {"candidate": "c"}, "")
    mlflow.set_tracking_uri(before)
    (kept,) = (root / "kept").rglob("MLmodel")
    return registry, kept.parent


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A signed version, and the public key."""
    pytest.importorskip("model_signing", reason="the extra `signing` is not installed")
    root = tmp_path_factory.mktemp("signed")
    secret, public = keys(root, "ours")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SIGNING_KEY, str(secret))
        registry, kept = made(root)
    return registry, kept, public


@pytest.fixture
def registered(signed: Made, tmp_path: Path) -> Iterator[Event]:
    """The event of the version; its files are put back afterwards."""
    registry, kept, _ = signed
    (tmp_path / "first").mkdir()
    data = {"version": "1", "files": files_of(registry.download("made", "1", tmp_path / "first"))}
    shutil.copytree(kept, tmp_path / "sound")
    yield Event(1, "", "made", "registered", "c", "", "", data, None, "", "")
    shutil.rmtree(kept)
    shutil.copytree(tmp_path / "sound", kept)


def fetched(signed: Made, registered: Event, folder: Path, *, refuse_compiled: bool = False) -> Path:
    folder.mkdir()
    return package_of("made", signed[0], registered, folder, refuse_compiled=refuse_compiled)


def planted(kept: Path, name: str) -> None:
    """Change, add or remove one file."""
    path = kept / name
    if name == "conda.yaml":
        path.unlink()
        return
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(path.read_text() + " " if path.exists() else "print('planted')")


def compiled(kept: Path, folder: Path) -> Path:
    """Compiled code that Python runs in place of a module, whatever the module says."""
    other = folder / "other.py"
    other.write_text("raise RuntimeError('planted code runs')")
    path = kept / CODE / "__pycache__" / f"serving.{sys.implementation.cache_tag}.pyc"
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(other), cfile=str(path), invalidation_mode=unchecked)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "MLmodel", "requirements.txt", "conda.yaml", "python_env.yaml", "input_example.json", f"{CODE}/serving.py",
        f"data/model/{PACKAGE}/{SCORER}/model.json", "code/planted.py", f"{CODE}/planted.py", "planted.txt", SIGNATURE,
        ".gitignore",
    ],
)  # fmt: skip
def test_a_version_with_one_file_changed_added_or_removed_is_refused(
    signed: Made, registered: Event, tmp_path: Path, name: str
) -> None:
    planted(signed[1], name)
    with pytest.raises(InputError, match="E_HASH: the files of version 1 have changed since it was registered"):
        fetched(signed, registered, tmp_path / "fetched")


def test_what_mlflow_writes_into_a_folder_that_it_loads_from_is_no_change(
    signed: Made, registered: Event, tmp_path: Path
) -> None:
    (signed[1] / "registered_model_meta").write_text("model_name: made\n")
    assert fetched(signed, registered, tmp_path / "fetched", refuse_compiled=True).name == PACKAGE


def test_compiled_code_is_left_out_and_named_when_asked(signed: Made, registered: Event, tmp_path: Path) -> None:
    registry, kept, _ = signed
    name = compiled(kept, tmp_path).relative_to(kept).as_posix()
    local = fetched(signed, registered, tmp_path / "fetched").parents[2]
    assert not [path for path in local.rglob("*") if path.suffix == ".pyc" or path.name == "__pycache__"]
    rows = tmp_path / "rows.parquet"
    mixed(seed=1).select(*KINDS).write_parquet(rows)
    assert registry.scores_in_a_fresh_process("1", lambda: local, rows.read_bytes(), root=tmp_path)["together"].height
    with pytest.raises(InputError, match=f"E_HASH: version 1 has compiled code beside its own, {name}"):
        fetched(signed, registered, tmp_path / "again", refuse_compiled=True)


def test_a_version_registered_before_all_files_were_pinned_is_refused(
    signed: Made, registered: Event, tmp_path: Path
) -> None:
    before = replace(registered, data={"version": "1"})
    with pytest.raises(InputError, match="E_HASH: version 1 was registered before all of its files were pinned"):
        fetched(signed, before, tmp_path / "fetched")


@pytest.mark.parametrize("name", ["MLmodel", f"{CODE}/serving.py", "code/planted.py", "conda.yaml", ".gitignore"])
def test_a_signature_covers_every_file(
    signed: Made, registered: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    registry, kept, public = signed
    monkeypatch.setenv(PUBLIC_KEY, str(public))
    assert fetched(signed, registered, tmp_path / "fetched").name == PACKAGE
    planted(kept, name)
    (tmp_path / "changed").mkdir()
    mended = {"version": "1", "files": files_of(registry.download("made", "1", tmp_path / "changed"))}
    with pytest.raises(InputError, match="E_SIGNATURE"):
        fetched(signed, replace(registered, data=mended), tmp_path / "again")


def test_nobody_gets_a_version_without_the_signature_that_is_asked_for(
    signed: Made, registered: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, kept, public = signed
    (kept / SIGNATURE).unlink()
    (tmp_path / "unsigned").mkdir()
    unsigned = {"version": "1", "files": files_of(registry.download("made", "1", tmp_path / "unsigned"))}
    event = replace(registered, data=unsigned)
    assert fetched(signed, event, tmp_path / "fetched").name == PACKAGE
    monkeypatch.setenv(PUBLIC_KEY, str(public))
    with pytest.raises(InputError, match="E_SIGNATURE: the version carries no signature"):
        fetched(signed, event, tmp_path / "again")
