"""The poison test and the shuffled labels pass for the function in use, and fail for ones that cheat."""

from __future__ import annotations

import polars as pl
import pytest

from training_assets.core.encoding.fitting import fit_preprocessor
from training_assets.core.leakage.poison import poisoned
from training_assets_tests.core.leakage.dealing import Dealt, dealt
from training_assets_tests.core.leakage.sets import made


def done(task: str) -> Dealt:
    base = made(task)
    return dealt(base.raw, base.spec, base.root)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_function_in_use_passes(task: str) -> None:
    assert [finding.passed for finding in done(task).about_the_pipeline()] == [True, True]


def test_poison_changes_every_statistic_and_no_type() -> None:
    dealing = done("binary")
    train, names = dealing.splits["train"], list(dealing.table.kinds)
    poison = poisoned(train, names, 1)
    assert poison.schema == train.schema
    fits = [dealing.fitted(fit_preprocessor, {"train": rows}).to_json() for rows in (train, poison)]
    for name in ("age", "income", "visits"):
        assert fits[0]["quantities"][name] != fits[1]["quantities"][name]
    assert set(fits[0]["categories"]["plan"]).isdisjoint(fits[1]["categories"]["plan"])
    assert fits[0]["encodings"] != fits[1]["encodings"]


def test_too_few_rows_say_so_and_do_not_fail() -> None:
    dealing = done("binary")
    few = Dealt(
        dealing.spec,
        dealing.validated,
        dealing.table,
        {n: rows.head(12) for n, rows in dealing.splits.items()},
        dealing.root,
    )
    shuffled = few.about_the_pipeline()[1]
    assert shuffled.passed
    assert "too few" in shuffled.text


def test_the_same_rows_give_the_same_finding() -> None:
    one, two = (done("binary").about_the_pipeline() for _ in range(2))
    assert one == two
    assert isinstance(one[1].facts["scores"], list)
    assert pl.DataFrame(one[1].facts["scores"]).height == 2
