"""The files around the code agree with each other: workspace, cloud, pyproject and lock."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster_cloud_cli.config.models import load_dagster_cloud_yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from training_assets_tests.conftest import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
LOCATION = PYPROJECT["tool"]["dg"]["project"]
LOCK = (ROOT / "requirements" / "lock.txt").read_text()
PYTHONS = ["3.11", "3.12", "3.13"]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def locked() -> list[tuple[Requirement, list[str]]]:
    """Each pin of the lock with its hashes."""
    entries = LOCK.replace("\\\n", " ").splitlines()
    lines = [line for line in entries if line.strip() and not line.startswith("#")]
    return [(Requirement(line.split("--hash", 1)[0].strip()), HASH.findall(line)) for line in lines]


def direct() -> list[Requirement]:
    """What pyproject.toml asks for, development and building included."""
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"], *PYPROJECT["build-system"]["requires"]]
    return [Requirement(text) for text in asked]


def holds(marker: Marker | None, python: str) -> bool:
    """Whether a pin counts on this system's kind with a version of Python."""
    return marker is None or marker.evaluate(
        {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    )


def test_workspace_and_pyproject_name_one_code_location() -> None:
    (origin,) = location_origins_from_yaml_paths([str(ROOT / "workspace.yaml")])
    target = origin.loadable_target_origin
    assert target is not None
    assert (origin.location_name, target.module_name) == (
        LOCATION["code_location_name"],
        LOCATION["code_location_target_module"],
    )
    assert (target.module_name, origin.location_name) == ("training_assets.definitions", "training_assets")


def test_the_workspace_works_from_the_project_s_folder() -> None:
    (entry,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert set(entry) == {"python_module"}
    assert set(entry["python_module"]) == {"module_name", "working_directory", "location_name"}
    (origin,) = location_origins_from_yaml_paths([str(ROOT / "workspace.yaml")])
    target = origin.loadable_target_origin
    assert target is not None
    assert target.working_directory is not None
    assert Path(target.working_directory).samefile(ROOT)


def test_the_cloud_s_own_parser_takes_the_cloud_file() -> None:
    (location,) = load_dagster_cloud_yaml((ROOT / "dagster_cloud.yaml").read_text()).locations
    assert location.location_name == LOCATION["code_location_name"]
    assert location.code_source is not None
    assert location.code_source.module_name == LOCATION["code_location_target_module"]


def test_the_cloud_s_own_parser_is_strict() -> None:
    """Says so when it no longer is, since the test above then proves little."""
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        load_dagster_cloud_yaml("locations: [{location_name: a, code_source: {module_name: b}, colour: red}]")


def test_the_named_modules_are_there() -> None:
    assert (ROOT / "training_assets" / "definitions.py").is_file()
    assert LOCATION["defs_module"] == "training_assets.defs"
    assert LOCATION["root_module"] == "training_assets"


def test_the_lock_names_no_index_and_no_address() -> None:
    assert not re.search(r"https?:|file:|git\+|index-url|find-links|@", LOCK)


def test_the_lock_is_the_only_one() -> None:
    others = ["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml"]
    assert not [name for name in others if (ROOT / name).exists()]


def test_every_pin_is_exact_and_hashed() -> None:
    pins = locked()
    assert len(pins) > 100
    for pin, hashes in pins:
        assert [each.operator for each in pin.specifier] == ["=="], pin.name
        assert hashes, pin.name
        assert pin.url is None, pin.name


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_pins_a_name_once_for_each_python(python: str) -> None:
    names = [canonicalize_name(pin.name) for pin, _ in locked() if holds(pin.marker, python)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_pins_every_direct_dependency_as_asked(python: str) -> None:
    pins = {canonicalize_name(pin.name): pin for pin, _ in locked() if holds(pin.marker, python)}
    for asked in direct():
        pin = pins.get(canonicalize_name(asked.name))
        assert pin is not None, f"{asked.name} is not locked; make lock"
        (exact,) = pin.specifier
        assert asked.specifier.contains(Version(exact.version)), f"{asked} is locked at {exact.version}; make lock"


def test_dagster_s_packages_match() -> None:
    """Dagster's libraries count from another start: 1.13.27 goes with 0.29.27."""
    versions = {pin.name: next(iter(pin.specifier)).version for pin, _ in locked()}
    assert versions["dagster"] == versions["dagster-webserver"] == versions["dagster-dg-cli"]
    assert versions["dagster-cloud-cli"] == versions["dagster"]
    assert versions["dagster-mlflow"].split(".")[-1] == versions["dagster"].split(".")[-1]


def test_the_pythons_are_those_that_were_tried() -> None:
    supported = SpecifierSet(PROJECT["requires-python"])
    assert [minor for minor in range(8, 20) if supported.contains(f"3.{minor}.0")] == [11, 12, 13]
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py311"


def test_nothing_that_arises_while_running_can_be_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {".venv/", ".training_assets/", "landing/"} <= set(ignored)
