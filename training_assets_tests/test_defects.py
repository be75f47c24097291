"""Eight defects that templates of other systems ship, and that this one must not have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from training_assets.core.evaluation.gates import judge, policy_digest
from training_assets.core.splitting import deal
from training_assets.resources.releases import Releases
from training_assets.spec import Split
from training_assets_tests.test_releases import EVALUATION, open_cases, released
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failures, metadata_of, workplace

IMPOSSIBLE = {**EVALUATION, "gates": [{"kind": "value", "metric": "roc_auc", "min": 0.9999}]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Version 1 is live."""
    with workplace(tmp_path_factory.mktemp("defects") / "place") as made:
        made.land("2026-01.csv", customers(600, seed=1))
        ready = made.with_spec(evaluation=EVALUATION)
        released(ready, "2026-02.csv", 2)
        yield ready


def test_1_a_decision_is_not_overwritten_afterwards(place: Workplace) -> None:
    rejected = place.with_spec(evaluation=IMPOSSIBLE, search={**SPEC["search"], "max_iterations": 39})
    assert not rejected.train(force=True).success
    verdict = place.places.ledger.latest(MODEL, "verdict")
    assert verdict is not None
    assert verdict.data["name"] == "REJECT"
    refused = place.materialise("registered_version")  # rules that pass now: the verdict was made by others
    assert "holds no verdict for this candidate under the present rules" in failures(refused)[0]
    again = [event for event in place.places.ledger.events(MODEL, "verdict") if event.subject == verdict.subject]
    assert [event.data["name"] for event in again] == ["REJECT"]


def test_2_splits_are_dealt_by_content_and_not_anew_each_time() -> None:
    labels = ["no", "yes", "no"] * 300
    rows = pl.DataFrame(
        {"_key": range(900), "_batch": ["a"] * 900, "_target": labels}, schema_overrides={"_key": pl.UInt64}
    )
    split = Split.model_validate(SPEC.get("split", {"method": "stratified"}))
    asked = {"column": None, "batch_order": ["a"], "group": None, "time": None}
    first = rows.with_columns(dealt=deal(rows, split, "binary", **asked))
    shuffled = rows.sample(fraction=1, shuffle=True, seed=1)
    second = shuffled.with_columns(dealt=deal(shuffled, split, "binary", **asked))
    assert first.sort("_key").equals(second.sort("_key"))


def test_3_the_winner_is_not_chosen_on_test_rows(place: Workplace) -> None:
    definitions = place.definitions()
    assets = {key.path[-1]: asset for asset in definitions.assets or [] for key in getattr(asset, "keys", [])}
    read = {key.path[-1] for key in assets["tuned_model"].dependency_keys}
    assert read == {"preprocessor", "encoded_features", "train_split", "validation_split"}
    source = (Path(__file__).parents[1] / "training_assets" / "assets" / "tuning.py").read_text()
    assert 'for name in ("train", "validation")' in source
    assert "test.parquet" not in source


def test_4_encoders_are_fitted_on_training_rows_alone(place: Workplace) -> None:
    definitions = place.definitions()
    assets = {key.path[-1]: asset for asset in definitions.assets or [] for key in getattr(asset, "keys", [])}
    assert {key.path[-1] for key in assets["preprocessor"].dependency_keys} == {"feature_table", "train_split"}


def test_5_a_failed_gate_leaves_a_record_and_a_case(place: Workplace) -> None:
    before = len(place.places.ledger.events(MODEL, "verdict"))
    failing = [{"kind": "value", "metric": "roc_auc", "min": 0.9998}]
    rejected = place.with_spec(evaluation={**EVALUATION, "gates": failing})
    done = rejected.train()
    assert not done.success
    assert len(place.places.ledger.events(MODEL, "verdict")) == before + 1
    (case,) = open_cases(place, "verdict")
    assert "roc_auc" in case.text
    assert metadata_of(rejected.materialise("evaluation_report"), "evaluation_report")["case"] == case.name


def test_6_a_run_gets_its_own_version_and_not_the_newest(place: Workplace) -> None:
    other = place.with_spec(search={**SPEC["search"], "max_iterations": 25, "warm_start": False})
    assert other.train().success
    newest = max(place.versions(), key=int)
    again = place.train()
    assert again.success, failures(again)
    shown = metadata_of(again, "registered_version")
    candidate = metadata_of(again, "tuned_model")["candidate"]
    assert str(shown["version"]) != newest
    assert Releases(place.places.ledger, MODEL).version(str(shown["version"])).subject == candidate


def test_7_a_champion_that_cannot_be_loaded_is_an_error_and_no_metric_of_zero(place: Workplace) -> None:
    run = str(Releases(place.places.ledger, MODEL).version("1").data["trained_in"])
    artifacts = place.definitions().resources["artifacts"]
    folder = artifacts.of_run(MODEL, run, "tuned_model").artifact.folder
    model = folder / "scorer" / "model.json"
    before = model.read_bytes()
    versions = place.versions()
    model.write_bytes(before + b" ")
    try:
        place.land("2026-09.csv", customers(200, seed=9))
        done = place.train()
    finally:
        model.write_bytes(before)
        (place.root / "landing" / "2026-09.csv").unlink()
    assert not done.success
    assert any("changed since it was written" in said for said in failures(done)), failures(done)
    assert place.versions() == versions


def test_8_no_thresholds_are_no_pass() -> None:
    report = {"task": "binary", "metrics": {"roc_auc": {"value": 1.0, "low": 1.0, "high": 1.0}}}
    verdict = judge(report, [], candidate="c", report_digest="r", policy_digest=policy_digest([]))
    assert verdict.name == "UNGATED"
    assert not verdict.allows("register")
