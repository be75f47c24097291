"""Two versions of different specs side by side, and a version built again after its data changed: both name it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from training_assets.governance import comparing
from training_assets.governance.reproducing import reproduce, sentences
from training_assets.resources.models import Model
from training_assets_tests.test_releases import EVALUATION, registry
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failures, workplace

PRICES = pl.DataFrame({"plan": ["basic", "plus", "pro"], "price": [1.0, 5.0, 30.0]})
JOIN = {"table": "ref/prices.parquet", "keys": ["plan"], "columns": ["price"]}
SEARCH = {**SPEC["search"], "families": ["linear"], "trials": 1}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Version 1 of joined prices."""
    with workplace(tmp_path_factory.mktemp("place")) as made:
        (made.root / "ref").mkdir()
        PRICES.write_parquet(made.root / "ref" / "prices.parquet")
        made.land("2026-01.csv", customers(600, seed=1))
        features = {"derived": {"income_per_year": "income / (age + 1)"}, "joins": [JOIN]}
        columns = dict(reversed(SPEC["columns"].items()))  # in no order that anybody would sort them in
        place = made.with_spec(evaluation=EVALUATION, features=features, search=SEARCH, columns=columns)
        trained = place.train()
        assert trained.success, failures(trained)
        yield place


def resources(place: Workplace) -> tuple[Any, ...]:
    found = place.definitions().resources or {}
    return Model(MODEL, place.spec), place.places, found["artifacts"], registry(place)


def built_again(place: Workplace) -> str:
    said: list[str] = []
    return sentences("1", reproduce(*resources(place), "1", say=said.append))


def test_a_changed_table_is_named_where_a_version_is_built_again(place: Workplace) -> None:
    unchanged = built_again(place)
    assert "version 1 reproduced at level 1" in unchanged
    assert "the train rows differ" not in unchanged
    assert "was another one" not in unchanged
    table = place.root / "ref" / "prices.parquet"
    PRICES.with_columns(price=pl.Series([30.0, 7.0, 2.0])).write_parquet(table)
    changed = built_again(place)
    PRICES.write_parquet(table)
    assert "changed since: the joined table ref/prices.parquet was another one" in changed
    for split in ("train", "validation", "test"):
        assert f"changed since: the {split} rows differ: in price" in changed
    assert "differ by inf" not in changed


@pytest.mark.slow
def test_specs_that_differ_anywhere_are_told_and_each_version_reads_its_own_features(place: Workplace) -> None:
    columns = {**SPEC["columns"], "income": {"type": "number", "role": "ignored"}}
    gates = [{"kind": "value", "metric": "roc_auc", "min": 0.5}]
    other = place.with_spec(
        evaluation={**EVALUATION, "gates": gates}, columns=columns, features={"derived": {"older": "age + 1"}},
        split={"salt": "other"},
    )  # fmt: skip
    trained = other.train()
    assert trained.success, failures(trained)
    found = comparing.side_by_side(*resources(other), "1", "2")
    assert {"features.joins", "features.derived.older", "columns.income.role", "split.salt", "evaluation.gates"} <= set(
        found["spec"]
    )
    assert "files_that_differ_from_it" in found["code"]
    assert found["metrics"]["roc_auc"]["champion"] is not None, found["predictions"]
    said = comparing.table(found)
    assert "split.salt" in said
    assert "spec\n  the same" not in said
