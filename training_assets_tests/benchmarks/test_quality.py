"""The benchmark's arithmetic: errors, ranks, ratios with intervals, and a clock that stands still while others work."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.quality import cpu_clock
from benchmarks.quality.scores import Drawn, Floats, Task, error, ranks, ratio, replicates
from training_assets_tests.conftest import ROOT


def test_errors_by_hand() -> None:
    assert error("binary", np.array([0, 1, 1]), np.array([0.2, 0.1, 0.9])) == pytest.approx(0.5)
    shares = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert error("multiclass", np.array([0, 1]), shares) == pytest.approx((math.log(2) - math.log(0.75)) / 2)
    assert error("regression", np.array([1.0, 2.0]), np.array([1.0, 4.0])) == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_weight_counts_a_row_that_often(task: Task) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3 if task == "multiclass" else (rng.random(60) < 0.5).astype(int)
    predictions = rng.dirichlet([1, 1, 1], 60) if task == "multiclass" else rng.random(60)
    weights = rng.integers(1, 4, 60)
    repeated = error(task, np.repeat(labels, weights), np.repeat(predictions, weights, axis=0))
    assert error(task, labels, predictions, weights.astype(float)) == pytest.approx(repeated)


def test_a_class_that_was_never_predicted_costs_much_but_not_everything() -> None:
    assert 10 < error("multiclass", np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]])) < 50


def test_predictions_that_are_missing_or_not_finite_are_no_result() -> None:
    with pytest.raises(ValueError, match="finite"):
        error("regression", np.array([1.0, 2.0]), np.array([1.0, math.nan]))
    with pytest.raises(ValueError, match="finite"):
        error("regression", np.array([1.0, 2.0]), np.array([1.0]))


def test_equal_errors_share_their_ranks_and_failures_come_last() -> None:
    assert ranks({"a": 0.1, "b": 0.1, "c": 0.05}) == {"a": 2.5, "b": 2.5, "c": 1.0}
    assert ranks({"a": None, "b": 0.3, "c": None}) == {"a": 2.5, "b": 1.0, "c": 2.5}


def _drawn(task: Task, labels: npt.NDArray[Any], predictions: Floats, *, seed: int, count: int = 100) -> Drawn:
    drawn = replicates(task, labels, predictions, seed=seed, count=count)
    return Drawn(error(task, labels, predictions), drawn.tolist())


def test_equal_predictions_have_a_ratio_of_one_without_doubt() -> None:
    labels, predictions = np.arange(50.0), np.arange(50.0) + 0.5
    pair = [_drawn("regression", labels, predictions, seed=0) for _ in range(2)]
    found = ratio([(pair[0], pair[1])])
    assert (found.point, found.low, found.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_replicate_is_the_error_on_rows_drawn_anew(task: Task) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % (3 if task == "multiclass" else 2)
    predictions = rng.dirichlet([1, 1, 1], 60) if task == "multiclass" else rng.random(60)
    weights = np.random.default_rng(7).multinomial(60, np.full(60, 1 / 60)).astype(float)
    wanted = error(task, labels, predictions, weights)
    assert replicates(task, labels, predictions, seed=7, count=1)[0] == pytest.approx(wanted)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Errors of standard deviation 1 and 1.1, so that the true ratio of RMSE is 1 / 1.1.
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        labels = np.zeros(200)
        ours, theirs = rng.normal(size=200), 1.1 * rng.normal(size=200)
        found = ratio(
            [(_drawn("regression", labels, ours, seed=seed), _drawn("regression", labels, theirs, seed=seed))]
        )
        covered += found.low <= 1 / 1.1 <= found.high
    assert 85 <= covered <= 99


def test_more_seeds_make_a_ratio_surer() -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros(300)
    pairs = [
        (
            _drawn("regression", labels, rng.normal(size=300), seed=seed),
            _drawn("regression", labels, rng.normal(size=300), seed=seed),
        )
        for seed in range(4)
    ]
    one, four = ratio(pairs[:1]), ratio(pairs)
    assert four.high - four.low < 0.75 * (one.high - one.low)


def test_ratios_are_averaged_as_ratios() -> None:
    one, two = Drawn(1.0, [1.0] * 9), Drawn(2.0, [2.0] * 9)
    assert ratio([(one, two), (two, one)]).point == pytest.approx(1.0)


def test_the_clock_counts_work_and_not_waiting() -> None:
    began = cpu_clock.budget_seconds()
    time.sleep(0.3)
    assert cpu_clock.budget_seconds() - began < 0.1
    while cpu_clock.budget_seconds() - began < 0.1:
        pass
    assert cpu_clock.Spent().so_far()["peak_mb"] > 10


INSTALLED = """
import signal, time
from benchmarks.quality import cpu_clock
slept = time.sleep
cpu_clock.install()
class Rung(Exception): pass
def ring(*_): raise Rung
signal.signal(signal.SIGALRM, ring)
began = time.time(), time.monotonic(), time.perf_counter()
slept(0.3)
assert all(now() - then < 0.25 for now, then in zip((time.time, time.monotonic, time.perf_counter), began))
signal.alarm(1)
spent = cpu_clock.cpu_seconds()
try:
    while cpu_clock.cpu_seconds() - spent < 10: pass
except Rung:
    assert 1.5 < cpu_clock.cpu_seconds() - spent < 4
    print("rung")
"""


def test_clocks_and_alarms_of_a_process_can_be_made_to_count_work() -> None:
    done = subprocess.run([sys.executable, "-c", INSTALLED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("rung", "")
