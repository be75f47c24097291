"""Sensors: every tick ends in one request or in a reason; exactly once per content, whatever fails in between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from training_assets.automation.requests import ATTEMPTS
from training_assets.automation.sensors import BATCHES_TAG
from training_assets_tests.workplace import MODEL, Workplace, customers, workplace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        (made.root / "landing").mkdir()
        yield made


def settled(place: Workplace, name: str, seed: int) -> None:
    """A file that nobody has written to for a long time."""
    path = place.land(name, customers(200, seed=seed))
    os.utime(path, (1_600_000_000 + seed, 1_600_000_000 + seed))


def launch(place: Workplace, data: dg.SensorExecutionData) -> dg.ExecuteInProcessResult:
    (request,) = data.run_requests
    job = place.definitions().resolve_job_def(f"{MODEL}_train")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return job.execute_in_process(instance=place.instance, tags=request.tags, run_config=quiet, raise_on_error=False)


def test_the_first_tick_without_files_says_so(place: Workplace) -> None:
    data = place.tick("new_batches")
    assert not data.run_requests
    assert "no file matches" in (data.skip_message or "")


def test_one_run_for_all_that_is_new_and_then_none(place: Workplace) -> None:
    for seed in (1, 2, 3):
        settled(place, f"{seed}.csv", seed)
    first = place.tick("new_batches")
    assert len(first.run_requests) == 1
    assert launch(place, first).success
    second = place.tick("new_batches", first.cursor)
    assert not second.run_requests
    assert second.skip_message == "nothing new in 3 files"
    assert second.cursor == first.cursor


def test_the_same_content_asks_with_the_same_key_until_a_run_exists(place: Workplace) -> None:
    settled(place, "1.csv", 1)
    first, again = place.tick("new_batches"), place.tick("new_batches")
    assert first.run_requests[0].run_key == again.run_requests[0].run_key


def test_a_copy_or_a_touch_is_nothing_new(place: Workplace) -> None:
    settled(place, "1.csv", 1)
    first = place.tick("new_batches")
    launch(place, first)
    settled(place, "copy.csv", 1)
    (place.root / "landing" / "1.csv").touch()
    assert not place.tick("new_batches", first.cursor).run_requests


def test_a_file_that_is_still_written_waits_a_tick(place: Workplace) -> None:
    path = place.land("1.csv", customers(200, seed=1), young=True)
    first = place.tick("new_batches")
    assert not first.run_requests
    assert "still arriving: 1.csv" in (first.skip_message or "")
    with path.open("a") as file:
        file.write("c1-x,30,1.0,pro,,no\n")
    second = place.tick("new_batches", first.cursor)
    assert not second.run_requests
    third = place.tick("new_batches", second.cursor)
    assert len(third.run_requests) == 1


def test_while_a_run_is_at_it_no_second_one_is_asked_for(place: Workplace) -> None:
    settled(place, "1.csv", 1)
    first = place.tick("new_batches")
    tags = first.run_requests[0].tags
    job = place.definitions().resolve_job_def(f"{MODEL}_train")
    place.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    second = place.tick("new_batches", first.cursor)
    assert not second.run_requests
    assert "is at it" in (second.skip_message or "")


def test_a_batch_that_arrives_during_a_run_gets_one_run_after_it(place: Workplace) -> None:
    settled(place, "1.csv", 1)
    first = place.tick("new_batches")
    settled(place, "2.csv", 2)
    job = place.definitions().resolve_job_def(f"{MODEL}_train")
    running = place.instance.create_run_for_job(
        job, tags=first.run_requests[0].tags, status=dg.DagsterRunStatus.STARTED
    )
    during = place.tick("new_batches", first.cursor)
    assert "what it does not carry comes next" in (during.skip_message or "")
    place.instance.report_run_canceled(running)
    assert launch(place, place.tick("new_batches", during.cursor)).success
    assert not place.tick("new_batches").run_requests


def test_a_crashed_run_is_tried_again_but_not_for_ever(place: Workplace) -> None:
    settled(place, "1.csv", 1)
    keys = []
    for _ in range(ATTEMPTS):
        data = place.tick("new_batches")
        keys.append(data.run_requests[0].run_key)
        job = place.definitions().resolve_job_def(f"{MODEL}_train")
        place.instance.create_run_for_job(job, tags=data.run_requests[0].tags, status=dg.DagsterRunStatus.FAILURE)
    assert len(set(keys)) == ATTEMPTS
    last = place.tick("new_batches")
    assert not last.run_requests
    assert "gave up after 3 runs" in (last.skip_message or "")


def test_a_refused_file_is_not_tried_again_by_itself(place: Workplace) -> None:
    settled(place, "1.csv", 1)
    path = place.land("broken.csv", customers(20, seed=9).drop("age"))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    first = place.tick("new_batches")
    assert not launch(place, first).success
    held_up = place.tick("new_batches", first.cursor)
    assert not held_up.run_requests
    assert "refused before" in (held_up.skip_message or "")
    path.unlink()
    assert len(place.tick("new_batches", held_up.cursor).run_requests) == 1, "the good batch is still to be carried"


def test_a_source_that_is_gone_is_a_reason(tmp_path: Path) -> None:
    with workplace(tmp_path / "gone") as made:
        place = made.with_spec(source={"path": "landing/one.csv", "format": "csv"})
        data = place.tick("new_batches")
    assert not data.run_requests
    assert "one.csv" in (data.skip_message or "")


def test_registration_is_staged_once(place: Workplace) -> None:
    assert place.tick("new_version").skip_message == "no version is registered yet"
    settled(place, "1.csv", 1)
    launch(place, place.tick("new_batches"))
    asked = place.tick("new_version")
    assert len(asked.run_requests) == 1
    assert place.stage().success
    assert place.tick("new_version").skip_message == "version 1 is staged already"


def test_a_run_that_a_sensor_asked_for_carries_what_it_was_for(place: Workplace) -> None:
    settled(place, "1.csv", 1)
    assert BATCHES_TAG in place.tick("new_batches").run_requests[0].tags


def test_both_sensors_run_from_the_start(place: Workplace) -> None:
    for event in ("new_batches", "new_version"):
        sensor = place.definitions().resolve_sensor_def(f"{MODEL}_{event}")
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
