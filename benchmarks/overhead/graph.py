"""The same work as assets, in a home of its own: the training job of the example's model, with progress on the way."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

import dagster as dg

from benchmarks.overhead.flights import MODEL, ROOT, spec
from training_assets.cli.progress import Progress
from training_assets.component import assemble
from training_assets.definitions import resources
from training_assets.instance.home import prepare
from training_assets.resources.models import Models
from training_assets.resources.places import Places


def main(home: Path, trials: int) -> None:
    """Run the job once; the last line is the seconds of each stage as JSON."""
    model = spec(trials)
    outside = dg.Definitions(
        resources=resources(Models({MODEL: model}), Places(ROOT, home)), executor=dg.in_process_executor
    )
    job = dg.Definitions.merge(assemble(MODEL, model), outside).resolve_job_def(f"{MODEL}_train")
    progress = Progress(print)
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.from_config(str(prepare(home))) as instance:
        instance.add_event_listener(run_id, progress.on_event)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        job.execute_in_process(instance=instance, run_id=run_id, run_config=quiet)
    print(json.dumps(progress.seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
