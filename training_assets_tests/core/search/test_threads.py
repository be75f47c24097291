from __future__ import annotations

import threading
import time

from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]  # has no types

from training_assets.core.families import FAMILIES
from training_assets.core.search import search
from training_assets.core.search.scores import metric
from training_assets.spec import Search
from training_assets_tests.core.families.fits import splits, usual


def blas_threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_no_trial_loses_its_limit_to_one_that_ends_before_it() -> None:
    """Networks of unlike sizes side by side: linear algebra stays on one thread until the last one is done."""
    seen: dict[str, set[int]] = {}

    def clock() -> float:
        name = threading.current_thread().name
        if name.startswith(("trial", "final")):
            seen.setdefault(name, set()).update(blas_threads())
        return time.monotonic()

    grid = {"mlp": {"width": [4, 8, 64, 128], "layers": [1, 3], "batch_size": [1024]}}
    spec = Search(families=["mlp"], sampler="grid", grid=grid, trials=8, parallel=2, max_iterations=6)
    train, validation, _ = splits("binary")
    with threadpool_limits(2, user_api="blas"):
        search(
            train,
            validation,
            spec,
            usual("binary"),
            metric(None, "binary"),
            families={"mlp": FAMILIES["mlp"]},
            cores=2,
            clock=clock,
            say=lambda _: None,
        )
        assert blas_threads() == {2}
    assert len(seen) >= 3
    assert set().union(*seen.values()) == {1}
