"""What the command line says while a run goes on."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from operator import gt

import dagster as dg

from training_assets.cli.progress import Progress
from training_assets.core.search.reporting import Progress as SearchProgress
from training_assets.core.search.study import Trial


@dg.asset
def tuned(context: dg.AssetExecutionContext) -> None:
    """A search whose trials run in threads and tell of themselves from there, a second each."""
    seconds = count()
    told = SearchProgress(context.log.info, lambda: float(next(seconds)), 600, "roc_auc", gt)

    def trial(number: int) -> None:
        told.started(number, "linear")
        told.iteration(number, 10, 0.5)
        told.finished(Trial(number, "linear", {}, "sampler", 0.5, "complete", 1.0, 0.0, None, None))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(trial, range(20)))
    told.phase("choosing the blend")


@dg.asset
def warned(context: dg.AssetExecutionContext) -> None:
    """What is worth knowing, what is worth acting on, and what is for developers alone."""
    context.log.info("3 rows")
    context.log.warning("1.csv is still being written")
    context.log.debug("in detail")


def lines_of(asset: dg.AssetsDefinition) -> list[str]:
    """What a run of an asset says."""
    said: list[str] = []
    run_id = str(uuid.uuid4())
    job = dg.Definitions(assets=[asset], jobs=[dg.define_asset_job("train")]).resolve_job_def("train")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_event_listener(run_id, Progress(said.append).on_event)
        assert job.execute_in_process(instance=instance, run_id=run_id, run_config=quiet).success
    return said


def test_warnings_are_said_and_marked() -> None:
    assert lines_of(warned)[:2] == ["    3 rows", "  ! 1.csv is still being written"]
    assert len(lines_of(warned)) == 3


def test_lines_of_a_search_come_through_from_its_threads() -> None:
    lines = [line for line in lines_of(tuned) if line.startswith("    ")]
    assert lines[0].startswith("    1 trial (")
    assert lines[-2].startswith("    20 trials (")
    assert " · best roc_auc 0.5000 (trial 0, linear) · " in lines[-2]
    assert lines[-1].startswith("    choosing the blend · ")
