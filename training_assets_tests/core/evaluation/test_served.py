"""What a model is as it is served, in numbers whose names say what they are."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import pytest

from training_assets.core.evaluation.served import ALONE, runtime
from training_assets.core.scoring import Scorer


class Counting:
    """Stands for a scorer, and keeps how many rows it was given each time."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def predict(self, rows: pl.DataFrame) -> np.ndarray:
        self.given.append(rows.height)
        return np.zeros(rows.height)


def test_the_size_is_that_of_all_files_on_disk(tmp_path: Path) -> None:
    (tmp_path / "member").mkdir()
    (tmp_path / "model.json").write_bytes(b"x" * 1_000_000)
    (tmp_path / "member" / "trees.bin").write_bytes(b"x" * 500_000)
    found = runtime(cast("Scorer", Counting()), pl.DataFrame({"a": [1, 2]}), tmp_path)
    assert found is not None
    assert found["size_mb"] == pytest.approx(1.5)
    assert set(found) == {"latency_ms", "latency_ms_median", "rows_per_second", "size_mb"}


def test_rows_are_timed_one_by_one_and_together_after_a_first_one(tmp_path: Path) -> None:
    scorer = Counting()
    runtime(cast("Scorer", scorer), pl.DataFrame({"a": [1, 2, 3]}), tmp_path)
    assert scorer.given == [1, *[1] * ALONE, 3]


def test_without_rows_nothing_is_measured(tmp_path: Path) -> None:
    assert runtime(cast("Scorer", Counting()), pl.DataFrame({"a": []}), tmp_path) is None
