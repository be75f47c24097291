"""The shipped dagster.yaml is read by Dagster as it is meant, and comes into place whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.runs.sqlite import SqliteRunStorage

from training_assets.instance.coordinator import MODEL_TAG, ModelRunCoordinator
from training_assets.instance.home import SETTINGS, prepare
from training_assets.instance.launcher import WatchedRunLauncher


def test_runs_are_launched_and_queued_by_our_own_classes(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_launcher, WatchedRunLauncher)
    assert isinstance(instance.run_coordinator, ModelRunCoordinator)


def test_one_run_a_model_at_a_time(instance: dg.DagsterInstance) -> None:
    queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_concurrent_runs == 2
    assert queue.tag_concurrency_limits == [{"key": MODEL_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 1}]


def test_runs_are_watched_and_none_runs_for_ever(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert 0 < instance.run_monitoring_poll_interval_seconds <= 15
    assert instance.run_monitoring_start_timeout_seconds > 0
    assert instance.run_monitoring_cancel_timeout_seconds > 0
    assert instance.run_monitoring_max_runtime_seconds > 0


def test_dead_runs_run_again_and_failed_gates_do_not(instance: dg.DagsterInstance) -> None:
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 2
    assert not instance.run_retries_retry_on_asset_or_op_failure


def test_nothing_is_told_to_anybody(instance: dg.DagsterInstance) -> None:
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled


@pytest.mark.parametrize("kind", [InstigatorType.SENSOR, InstigatorType.SCHEDULE])
def test_idle_ticks_are_forgotten_soon(instance: dg.DagsterInstance, kind: InstigatorType) -> None:
    kept = instance.get_tick_retention_settings(kind)
    assert kept[TickStatus.SKIPPED] == 3
    assert kept[TickStatus.FAILURE] == 90


def test_everything_lies_under_the_instance_s_folder(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    assert isinstance(instance.run_storage, SqliteRunStorage)
    assert Path(instance.root_directory) == tmp_path.resolve() / "dagster"
    assert Path(instance.storage_directory()).is_relative_to(tmp_path.resolve())


def test_the_settings_name_no_place_and_no_secret() -> None:
    settings = yaml.safe_load(SETTINGS.read_text())
    assert set(settings) == {
        *("run_launcher", "run_coordinator", "concurrency", "run_monitoring", "run_retries", "retention"),
        *("telemetry", "nux"),
    }
    assert "http" not in SETTINGS.read_text()


def test_the_folder_is_made_with_the_settings_in_it(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "deep" / "home")
    assert folder == (tmp_path / "deep" / "home" / "dagster").resolve()
    assert (folder / "dagster.yaml").read_bytes() == SETTINGS.read_bytes()


def test_a_relative_home_gives_an_absolute_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepare(Path("home")) == tmp_path.resolve() / "home" / "dagster"


def test_old_settings_are_replaced(tmp_path: Path) -> None:
    target = prepare(tmp_path) / "dagster.yaml"
    target.write_text("telemetry: {enabled: true}\n")
    prepare(tmp_path)
    assert target.read_bytes() == SETTINGS.read_bytes()


def test_equal_settings_are_left_alone(tmp_path: Path) -> None:
    target = prepare(tmp_path) / "dagster.yaml"
    before = target.stat()
    prepare(tmp_path)
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_no_part_of_a_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        prepare(tmp_path)
    assert not list((tmp_path / "dagster").iterdir())


def test_the_daemon_s_classes_load_without_the_stack() -> None:
    """Webserver and daemon import these at each start; mlflow and the model families would cost seconds."""
    code = (
        "import sys; from training_assets.instance import coordinator, home, launcher;"
        "print([name for name in ('mlflow', 'catboost', 'sklearn', 'polars', 'pandas') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
