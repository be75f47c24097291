"""What a search says while it runs: enough, soon, and never a line for each of many trials."""

from __future__ import annotations

import itertools
import math
import threading
import time
from operator import gt, lt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from training_assets.core.search.reporting import OFTEN, SELDOM, Progress
from training_assets.core.search.study import State, Trial


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def trial(number: int, score: float | None, family: str = "catboost", state: State = "complete", **more: Any) -> Trial:
    return Trial(number, family, {}, "sampler", score, state, 1.0, 0.0, None, None, **more)


def progress(budget: float = 60, **more: Any) -> tuple[list[str], Clock, Progress]:
    said: list[str] = []
    clock = Clock()
    return said, clock, Progress(said.append, clock, budget, "roc_auc", gt, **more)


def test_a_line_says_all_that_somebody_waiting_wants_to_know() -> None:
    said, clock, told = progress()
    for number in range(31):
        clock.now += 0.1
        told.finished(
            trial(number, 0.8123 if number == 17 else 0.7, state="pruned" if number in {3, 4} else "complete")
        )
    told.started(31, "lightgbm")
    told.started(32, "catboost")
    told.started(33, "extra_trees")
    told.iteration(31, 1400, 0.4312)
    told.iteration(32, 120, math.nan)
    clock.now = 1038
    told.tick()
    assert said[-1] == (
        "31 trials (600 /min), 2 pruned · best roc_auc 0.8123 (trial 17, catboost) · "
        "running lightgbm iteration 1,400 (loss 0.4312), catboost 120, extra_trees · 38 s of 60 s, about 22 s left"
    )


def test_the_first_trial_and_every_early_one_are_said() -> None:
    said, clock, told = progress()
    for number in range(6):
        clock.now += OFTEN
        told.finished(trial(number, 0.5))
    assert [line.split(" (")[0] for line in said] == ["1 trial", *(f"{many} trials" for many in range(2, 7))]


def test_a_better_score_is_said_soon_and_a_worse_one_late() -> None:
    said, clock, told = progress()
    for number in range(20):
        told.finished(trial(number, 0.5))
    clock.now += SELDOM
    told.tick()
    lines = len(said)
    clock.now += OFTEN
    told.finished(trial(20, 0.4))
    assert len(said) == lines
    told.finished(trial(21, 0.6))
    assert len(said) == lines + 1
    assert "best roc_auc 0.6000 (trial 21" in said[-1]


def test_a_better_score_within_a_second_of_a_line_is_said_after_it() -> None:
    said, clock, told = progress()
    told.finished(trial(0, 0.5))
    told.finished(trial(1, 0.6))
    assert len(said) == 1
    clock.now += OFTEN
    told.iteration(2, 1, 0.1)
    assert "0.6000" in said[-1]


def test_a_long_fit_is_heard_of_every_few_seconds() -> None:
    said, clock, told = progress()
    told.started(0, "catboost")
    for iteration in range(1, 2101):
        clock.now += 1 / 128  # exact in binary
        told.iteration(0, iteration, 1 / iteration)
    assert len(said) == 3
    assert said[0] == "0 trials · running catboost iteration 640 (loss 0.0016) · 5 s of 60 s, about 55 s left"


def test_the_last_trial_is_said_with_the_next_phase() -> None:
    said, _, told = progress()
    for number in range(3):
        told.finished(trial(number, 0.5))
    told.phase("blend")
    assert said[1].startswith("3 trials")
    assert said[2] == "blend · 0 s of 60 s, about 60 s left"
    told.phase("refit of\n2 members")
    assert said[3:] == ["refit of 2 members · 0 s of 60 s, about 60 s left"]


def test_a_final_fit_is_shown_until_it_is_over() -> None:
    said, clock, told = progress()
    told.phase("refit")
    told.started(4, "catboost")
    told.iteration(4, 10, math.nan)
    clock.now += SELDOM
    told.tick()
    assert said[-1].startswith("refit · 0 trials · running catboost iteration 10 · ")
    told.over(4)
    clock.now += SELDOM
    told.tick()
    assert "running" not in said[-1]


def test_a_failure_is_said_once_a_family_and_on_one_line() -> None:
    said, clock, told = progress()
    for number in range(4):
        told.finished(trial(number, None, "mine:make", "failed", reason="ValueError: no\n\tgood " + 500 * "x"))
    clock.now += SELDOM
    told.tick()
    failures = [line for line in said if "failed: " in line]
    assert len(failures) == 1
    assert failures[0].startswith("trial 0 · mine:make failed: ValueError: no good xxx")
    assert len(failures[0]) < 300
    assert "4 trials, 4 failed · 5 s of" in said[-1]


def test_lower_can_be_better_and_the_first_of_equals_is_named() -> None:
    said: list[str] = []
    clock = Clock()
    told = Progress(said.append, clock, 60, "rmse", lt)
    for number, score in ((2, 42_967.123), (1, 42_967.123), (0, 50_000.0), (3, None), (4, math.nan)):
        told.finished(trial(number, score))
    told.phase("blend")
    assert "best rmse 42,967 (trial 1, catboost)" in said[-2]


def test_where_there_are_few_trials_left_the_end_is_near() -> None:
    said, clock, told = progress(budget=3600, trials=10)
    for number in range(9):
        clock.now += 10
        told.finished(trial(number, 0.5))
    assert said[-1].startswith("9 of 10 trials (6.0 /min)")
    assert said[-1].endswith("90 s of 60 min, about 10 s left")


def test_an_earlier_attempt_has_spent_its_seconds() -> None:
    said, _, told = progress(spent=40)
    told.finished(trial(0, 0.5))
    assert said[-1].endswith("40 s of 60 s, about 20 s left")


def test_past_the_budget_nothing_is_left() -> None:
    said, clock, told = progress(budget=7300)
    clock.now += 8000
    told.tick()
    assert said == ["0 trials · 2 h 13 min of 2 h 1 min"]


def test_more_fits_than_a_line_holds_are_counted() -> None:
    said, clock, told = progress()
    for number in range(64):
        told.started(number, 100 * "f")
    clock.now += SELDOM
    told.tick()
    assert "… and 60 more ·" in said[0]
    assert len(said[0]) < 300


@given(
    st.lists(st.tuples(st.floats(0, 3), st.none() | st.floats(allow_nan=True), st.integers(0, 3)), max_size=200),
)
def test_lines_are_a_second_apart_whatever_happens(events: list[tuple[float, float | None, int]]) -> None:
    said: list[float] = []
    lines: list[str] = []
    clock = Clock()

    def say(line: str) -> None:
        said.append(clock.now)
        lines.append(line)

    told = Progress(say, clock, 60, "rmse", lt)
    for number, (passed, score, kind) in enumerate(events):
        clock.now += passed
        told.started(number, "linear")
        told.iteration(number, kind, score if score is not None else math.nan)
        if kind:
            told.finished(trial(number, score))
    gaps = [later - earlier for earlier, later in itertools.pairwise(said)]
    assert all(gap >= OFTEN - 1e-9 for gap in gaps)
    assert all("\n" not in line and len(line) < 400 for line in lines)
    told.phase("blend")
    finished = sum(1 for _, _, kind in events if kind)
    assert not finished or any(line.startswith(f"{finished} trial") for line in lines)


def test_many_threads_may_tell_at_once() -> None:
    said: list[str] = []
    told = Progress(said.append, time.monotonic, 60, "roc_auc", gt)

    def run(first: int) -> None:
        for number in range(first, first + 200):
            told.started(number, "linear")
            for iteration in range(5):
                told.iteration(number, iteration, 0.5)
            told.finished(trial(number, number / 2000))

    threads = [threading.Thread(target=run, args=(first,)) for first in range(0, 1600, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.phase("blend")
    assert said[-2].startswith("1,600 trials")
    assert "best roc_auc 0.7995 (trial 1599, catboost)" in said[-2]


def test_telling_of_an_iteration_costs_next_to_nothing() -> None:
    told = Progress(lambda _: None, time.monotonic, 60, "roc_auc", gt)
    told.started(0, "catboost")
    began = time.perf_counter()
    for iteration in range(20_000):
        told.iteration(0, iteration, 0.5)
    assert (time.perf_counter() - began) / 20_000 < 5e-6
