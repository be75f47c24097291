"""A study's trials in MLflow: each a run of its own, nested under the training's run."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from training_assets.core.search.study import Study, Trial

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

STATUS = {"complete": "FINISHED", "pruned": "KILLED", "stopped": "KILLED", "failed": "FAILED"}
PARENT, RUN_NAME = "mlflow.parentRunId", "mlflow.runName"
TRIAL = "trial"  # the tag with its number
POINTS = 50  # of a learning curve
PARAMS, TEXT = 100, 500  # most parameters in a batch, which MLflow sets, and characters of one
PAGE = 1_000
MOST = 250
"""Trials of a study that get a run; each is four commits, 40 ms on a quiet machine and 140 ms on one under load."""


def log_trials(mlflow: Any, study: Study) -> int:
    """Give each trial a run under the active MLflow run, and say how many were missing; a second call adds none.

    Of more than `MOST` trials, the best and those of the final model have one; `study.json` has all.
    A run has the trial's parameters, score, seconds and learning curve, its state as a tag, and its weight where it is
    in the final model; it is FINISHED, KILLED (pruned, or stopped by the clock) or FAILED. A run that a crash left half
    written is completed. The runs' times are those of the trials, if the study ended just when the active run began.
    `mlflow` is what `Tracking.run` gives, or the module itself.
    """
    client, above = mlflow.MlflowClient(), mlflow.active_run()
    known = {run.data.tags[TRIAL]: run for run in _below(client, above) if TRIAL in run.data.tags}
    weights = {member.trial: member.weight for member in study.members}
    missing = 0
    for trial in _best(study):
        run = known.get(str(trial.number))
        if run is not None and run.info.end_time == _times(above, study, trial)[1]:
            continue  # the end is written last, and whoever else ends a run does so at another time
        missing += 1
        _log(client, above, run, trial, study, weights.get(trial.number))
    return missing


def _best(study: Study) -> list[Trial]:
    """The trials that get a run, by number."""
    sign = -1 if study.direction == "higher" else 1
    members = {member.trial for member in study.members}

    def rank(trial: Trial) -> tuple[bool, float]:
        return trial.number not in members, math.inf if trial.score is None else sign * trial.score

    ranked = sorted(study.trials, key=rank)
    return sorted(ranked[:MOST], key=lambda trial: trial.number)


def _below(client: MlflowClient, above: Run) -> Iterator[Run]:
    """All runs nested under that one."""
    token = None
    while True:
        found = client.search_runs(
            [above.info.experiment_id], f"tags.`{PARENT}` = '{above.info.run_id}'", max_results=PAGE, page_token=token
        )
        yield from found
        token = found.token
        if not token:
            return


def _log(client: MlflowClient, above: Run, run: Run | None, trial: Trial, study: Study, weight: float | None) -> None:
    """Write one trial, into the run that it has already if it has one: equal values may be logged twice."""
    from mlflow.entities import Metric, Param

    began, ended = _times(above, study, trial)
    if run is None:
        tags: dict[str, str] = {
            PARENT: above.info.run_id,
            RUN_NAME: f"trial {trial.number} · {trial.family}"[:250],
            TRIAL: str(trial.number),
            "family": trial.family,
            "origin": trial.origin,
            "state": trial.state,
            **({"reason": trial.reason[:TEXT]} if trial.reason else {}),
            **{name: above.data.tags[name] for name in ("model", "mlflow.user") if name in above.data.tags},
        }
        run = client.create_run(above.info.experiment_id, began, tags)
    values = {
        study.metric: trial.score,
        "seconds": trial.seconds,
        "best_iteration": trial.best_iteration,
        "iterations": trial.iterations,
        "weight": weight,
    }
    metrics = [
        Metric(_name(name), float(value), ended, 0)
        for name, value in values.items()
        if value is not None and math.isfinite(value)
    ]
    losses = f"validation_{trial.curve_metric or 'loss'}"
    metrics += [Metric(_name(losses), loss, ended, at) for at, loss in _thinned(trial.curve)]
    params = [Param(_name(name), str(value)[:TEXT]) for name, value in list(trial.params.items())[:PARAMS]]
    client.log_batch(run.info.run_id, metrics, params)
    client.set_terminated(run.info.run_id, STATUS[trial.state], ended)


def _times(above: Run, study: Study, trial: Trial) -> tuple[int, int]:
    """When the trial began and ended, in ms since 1970."""
    zero = above.info.start_time - round(1000 * study.seconds)
    return zero + round(1000 * trial.began), zero + round(1000 * (trial.began + trial.seconds))


def _thinned(curve: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most `POINTS` of the curve, the first and the last among them, and none that is not finite."""
    finite = [(at, loss) for at, loss in curve if math.isfinite(loss)]
    if len(finite) <= POINTS:
        return finite
    return [finite[round(place * (len(finite) - 1) / (POINTS - 1))] for place in range(POINTS)]


def _name(text: Any) -> str:
    """A name that MLflow takes."""
    return re.sub(r"[^\w.\- :/]", "_", str(text))[: TEXT // 2]
