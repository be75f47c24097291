"""Every run that is queued carries its model's name, whoever launched it."""

from __future__ import annotations

from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.run_coordinator.base import SubmitRunContext

from training_assets.instance.coordinator import JOB_ENDINGS, MODEL_TAG, ModelRunCoordinator, model_of
from training_assets_tests.instance.conftest import MakeRun, flights_train

SPLIT = dg.AssetKey(["flights", "train_split"])
OTHER = dg.AssetKey(["boats", "train_split"])
CHECK = dg.AssetCheckKey(SPLIT, "splits_share_no_rows")


def submitted(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun:
    """The run after it went through the instance's coordinator."""
    coordinator = instance.run_coordinator
    assert isinstance(coordinator, ModelRunCoordinator)
    workspace = cast("Any", None)  # the queue is filled without one
    return coordinator.submit_run(SubmitRunContext(run, workspace))


def selecting(
    *keys: dg.AssetKey, checks: frozenset[dg.AssetCheckKey] = frozenset(), job: str = "__ASSET_JOB"
) -> dg.DagsterRun:
    """A run over some assets and checks."""
    return dg.DagsterRun(job, asset_selection=frozenset(keys) or None, asset_check_selection=checks or None)


@pytest.mark.parametrize(
    ("run", "model"),
    [
        (selecting(SPLIT), "flights"),
        (selecting(SPLIT, dg.AssetKey(["flights", "validation_split"])), "flights"),
        (selecting(SPLIT, job="boats_train"), "flights"),
        (selecting(checks=frozenset({CHECK})), "flights"),
        (selecting(SPLIT, OTHER), "boats"),
        (selecting(job="flights_train"), "flights"),
        (selecting(job="flights_stage"), "flights"),
        (selecting(job="nightly_cleaning"), None),
        (selecting(dg.AssetKey("lonely")), None),
        (selecting(), None),
    ],
)
def test_the_model_is_read_from_what_the_run_is_about(run: dg.DagsterRun, model: str | None) -> None:
    assert model_of(run) == model


def test_a_queued_run_is_tagged(instance: dg.DagsterInstance, make_run: MakeRun) -> None:
    run = submitted(instance, make_run())
    assert run.status == dg.DagsterRunStatus.QUEUED
    assert run.tags[MODEL_TAG] == "flights"


def test_the_tag_can_be_found_again(instance: dg.DagsterInstance, make_run: MakeRun) -> None:
    run = submitted(instance, make_run())
    make_run()
    found = instance.get_runs(filters=dg.RunsFilter(tags={MODEL_TAG: "flights"}))
    assert [each.run_id for each in found] == [run.run_id]


def test_a_tag_that_is_there_is_kept(instance: dg.DagsterInstance, make_run: MakeRun) -> None:
    run = submitted(instance, make_run(tags={MODEL_TAG: "named_by_its_sensor"}))
    assert run.tags[MODEL_TAG] == "named_by_its_sensor"


def test_a_run_of_no_model_is_queued_without_a_tag(instance: dg.DagsterInstance, make_run: MakeRun) -> None:
    @dg.job
    def clean() -> None:
        pass

    run = submitted(instance, make_run(clean))
    assert run.status == dg.DagsterRunStatus.QUEUED
    assert MODEL_TAG not in run.tags


def test_submitting_twice_queues_once(instance: dg.DagsterInstance, make_run: MakeRun) -> None:
    run = submitted(instance, make_run())
    assert submitted(instance, run).status == dg.DagsterRunStatus.QUEUED
    enqueued = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_ENQUEUED)
    assert len(enqueued) == 1


def test_a_cancelled_run_leaves_the_queue(instance: dg.DagsterInstance, make_run: MakeRun) -> None:
    run = submitted(instance, make_run())
    assert instance.run_coordinator.cancel_run(run.run_id)
    cancelled = instance.get_run_by_id(run.run_id)
    assert cancelled is not None
    assert cancelled.status == dg.DagsterRunStatus.CANCELED


def test_jobs_and_sensors_use_the_same_tag_and_names() -> None:
    from training_assets.resources import launches

    assert launches.MODEL_TAG == MODEL_TAG
    assert flights_train.name.endswith(JOB_ENDINGS)
