"""What sensors do of themselves after a verdict: they go forward alone, and lose nothing that passed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from training_assets.resources.launches import OF_RUN_TAG
from training_assets.resources.registry import Registry
from training_assets.resources.releases import STAGING, Releases
from training_assets.resources.retractions import batch_named, retract
from training_assets_tests.test_releases import (
    CHANGE,
    EVALUATION,
    launched,
    live,
    next_version,
    open_cases,
    promote,
    released,
    said,
)
from training_assets_tests.workplace import MODEL, Workplace, customers, failures, workplace

pytestmark = pytest.mark.slow
QUICK = {"families": ["linear"], "trials": 1, "max_iterations": 20, "ensemble": "none"}
BY_POLICY: dict[str, Any] = {"release": {"production": "auto"}, "card": {"risk": "low"}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        made.land("2026-01.csv", customers(600, seed=1))
        yield made.with_spec(evaluation=EVALUATION, search=QUICK)


def names(place: Workplace, event: str = "releases") -> list[str]:
    """The jobs that a sensor asks for, all of which succeed."""
    done = launched(place, event)
    assert all(each.success for each in done), [failures(each) for each in done]
    return [each.job_def.name.removeprefix(f"{MODEL}_") for each in done]


def versions(place: Workplace) -> Releases:
    return Releases(place.places.ledger, MODEL)


def retracted(place: Workplace, name: str) -> None:
    ledger = place.places.ledger
    retract(ledger, MODEL, batch_named(ledger, MODEL, name), {}, because="sent twice", actor="Ada")


def test_what_a_person_brought_back_stays(place: Workplace) -> None:
    auto = place.with_spec(**BY_POLICY)
    released(auto, "2026-02.csv", 2)
    next_version(auto, "2026-03.csv", 3)
    assert names(auto) == ["promote"]
    assert live(auto) == "2"
    run = str(versions(auto).version("1").data["trained_in"])
    job = auto.definitions().resolve_job_def(f"{MODEL}_evaluate")
    assert job.execute_in_process(instance=auto.instance, tags={OF_RUN_TAG: run}).success
    assert not promote(auto, "1").success  # policy goes forward alone
    said(auto, open_cases(auto)[-1])
    assert names(auto) == ["promote"]
    assert live(auto) == "1"
    for _ in range(3):
        assert "promote" not in names(auto)
    assert live(auto) == "1"
    assert [move.data["way"] for move in versions(auto).moves()] == ["approval", "policy", "approval"]


def test_a_candidate_that_passed_is_registered_after_all(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Registry, "register", full)
        assert not place.train().success
    assert place.versions() == []
    assert names(place) == ["register"]
    assert place.versions() == ["1"]
    assert names(place) == []


def test_one_that_may_not_be_registered_is_not_tried_for_ever(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registry, "register", lambda *_, **__: 1 / 0)
    assert not place.train().success
    retracted(place, "2026-01.csv")
    tick = place.tick("releases")
    assert not tick.run_requests
    assert "passed and is no version: it was trained on batches that are retracted" in str(tick.skip_message)


def test_an_approved_candidate_does_not_overtake_a_newer_version(tmp_path: Path) -> None:
    gates = [{"kind": "value", "metric": "roc_auc", "min": 0.7, "otherwise": "review"}]
    with workplace(tmp_path / "place") as made:
        place = made.with_spec(evaluation={**EVALUATION, "gates": gates}, search=QUICK)
        place.land("2026-01.csv", customers(400, seed=1, learnable=False))
        assert not place.train().success
        asked = open_cases(place, "verdict")[-1]
        said(place, asked)
        place.land("2026-02.csv", customers(4000, seed=2))
        newer = place.train()
        assert newer.success, failures(newer)
        assert names(place) == []
        assert f"case {asked.name} was approved, and overtaken by version 1" in str(place.tick("releases").skip_message)
        assert place.versions() == ["1"]


def test_a_version_of_a_batch_that_was_taken_back_needs_a_person(place: Workplace) -> None:
    auto = place.with_spec(**BY_POLICY)
    released(auto, "2026-02.csv", 2)
    next_version(auto, "2026-03.csv", 3)
    retracted(auto, "2026-03.csv")
    assert names(auto) == []
    assert "it was trained on a batch that is retracted" in str(auto.tick("releases").skip_message)
    assert live(auto) == "1"


def test_a_stale_verdict_is_made_anew_for_the_version_that_staging_serves(place: Workplace) -> None:
    gates = [{"kind": "value", "metric": "roc_auc", "min": 0.75}, CHANGE]
    auto = place.with_spec(evaluation={**EVALUATION, "gates": gates}, **BY_POLICY)
    released(auto, "2026-02.csv", 2)
    next_version(auto, "2026-03.csv", 3)
    auto.land("2026-04.csv", customers(1500, seed=4, learnable=False))
    assert not auto.train().success  # a newer candidate, which is rejected
    changed = auto.with_spec(evaluation={**EVALUATION, "gates": gates, "replicates": 60})
    assert names(changed) == ["evaluate"]
    judged = changed.places.ledger.latest(MODEL, "verdict")
    assert judged is not None
    assert judged.data["candidate"] == versions(changed).version("2").subject
    assert names(changed) == ["promote"]
    assert live(changed) == "2"
    assert changed.places.ledger.pointer(MODEL, STAGING) == "2"


def test_rows_that_were_taken_back_are_no_others_for_a_look_at_the_rest(place: Workplace) -> None:
    place.land("2026-02.csv", customers(300, seed=2))
    assert place.train().success
    retracted(place, "2026-02.csv")
    for more in ((), ("feature_table",), ("tuned_model", "evaluation_report")):
        refused = place.materialise("raw_data", "validated_data", "quarantined_rows", *more, "registered_version")
        assert any("it was trained on batches that are retracted" in each for each in failures(refused)), more


def test_a_batch_without_a_row_that_counts_is_judged_and_can_be_taken_back(place: Workplace) -> None:
    validation = {**place.spec.validation.model_dump(mode="json"), "duplicates": {"keep": "first"}}
    first = place.with_spec(validation=validation)
    assert first.train().success
    first.land("2026-02.csv", customers(600, seed=1).head(500))
    assert names(first, "new_batches") == ["train"]
    assert names(first, "new_batches") == []
    retracted(first, "2026-02.csv")
    again = first.train()
    assert again.success, failures(again)
