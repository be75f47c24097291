"""An export that broke off, or ran twice, shows in its size."""

from __future__ import annotations

import pytest

from training_assets.core.validation.quarantine import BatchFacts
from training_assets.core.validation.volume import batches_have_their_usual_size


def batches(*sizes: int) -> list[BatchFacts]:
    return [BatchFacts(f"{at}.csv", str(at), size, size, 0, 0, {}) for at, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "passed"),
    [
        ((), True),
        ((10,), True),
        ((100, 100, 1), True),
        ((100, 100, 100, 20), True),
        ((100, 100, 100, 19), False),
        ((100, 100, 100, 500), True),
        ((100, 100, 100, 501), False),
        ((100, 1, 100, 100, 100), True),
        ((*[1] * 20, *[100] * 11), True),
    ],
)
def test_the_newest_batch_is_compared_with_the_usual_one(sizes: tuple[int, ...], *, passed: bool) -> None:
    finding = batches_have_their_usual_size(batches(*sizes))
    assert finding.passed == passed
    assert finding.severity == "warn"


def test_a_miss_names_the_batch_and_both_sizes() -> None:
    finding = batches_have_their_usual_size(batches(1000, 1200, 1100, 90))
    assert finding.text == "3.csv has 90 rows; the median of the 3 batches before it is 1,100"
