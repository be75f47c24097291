"""The benchmark of the search: its meter, its ratios, and that both ways make the same trials."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.search.fixed import GRID, TRIALS, by_hand, by_search, points
from benchmarks.search.meter import Meter, Spent
from benchmarks.search.report import ratio
from benchmarks.search.rows import made
from benchmarks.search.runs import least_cpu
from training_assets.core.families import FAMILIES
from training_assets.core.search.sampling import proposals
from training_assets.spec.search import Search


def spent(cpu: float, *, wall: float = 10.0, waited: float = 0.0) -> Spent:
    return Spent(wall=wall, cpu=cpu, waited=waited, peak=0)


def test_cores_are_busy_by_the_share_of_their_seconds_that_was_used_or_waited_for() -> None:
    assert spent(15.0).busy(2) == 0.75
    assert spent(15.0, waited=4.0).ready(2) == 0.95


def test_ways_are_compared_by_their_runs_of_fewest_cpu_seconds() -> None:
    runs = [{"searched": spent(cpu).to_json()} for cpu in (12.0, 11.0, 30.0)]
    assert ratio([least_cpu(runs, "searched"), spent(10.0)]) == pytest.approx(1.1)


def test_the_meter_sees_work_apart_from_sleep_and_memory_that_is_gone_again() -> None:
    meter = Meter()
    time.sleep(0.2)
    held = np.ones(20_000_000)
    del held
    seen = meter.spent()
    assert seen.peak > 150_000_000
    assert meter.held() < 20_000_000
    assert seen.wall > 0.2
    assert seen.cpu < seen.wall


def test_both_ways_try_the_same_in_the_same_order() -> None:
    spec = Search(sampler="grid", grid=GRID, trials=TRIALS)
    families = {name: FAMILIES[name] for name in GRID}
    asked = proposals(spec, families, made(200).data()[0].facts, "higher")
    drawn = [asked.ask() for _ in range(TRIALS)]
    assert [(each.family, each.params) for each in drawn if each is not None] == list(points())
    assert asked.ask() is None


def test_a_search_and_a_loop_by_hand_get_the_same_scores() -> None:
    encoded = made(400)
    found = by_search(encoded, iterations=3, parallel=2, cores=2, folder=None)
    by_loop = by_hand(encoded, 3, 2, found["members"])
    assert found["trials"] == found["new"] == by_loop["trials"] == TRIALS
    assert found["scores"] == by_loop["scores"]
    assert found["members"]
