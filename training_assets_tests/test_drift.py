"""A new batch that has drifted waits for a person where the spec says so, and shows in the report."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import polars as pl
import pytest

from training_assets.core import statistics
from training_assets.resources.batch_statistics import NAME, kept
from training_assets.resources.cases import Case
from training_assets.resources.models import Model
from training_assets_tests.workplace import MODEL, Workplace, customers, failed_checks, failures, metadata_of, workplace

CLAIM = "columns_have_not_drifted"


def moved(seed: int) -> pl.DataFrame:
    """Customers of whom all are old: far from the training data, and of an effect that the model has learned."""
    return customers(400, seed=seed).with_columns(age=pl.lit(79), churned=pl.lit("yes"))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """One staged version; drift asks for a review."""
    with workplace(tmp_path_factory.mktemp("drift")) as place:
        strict = place.with_spec(validation={"drift": {"severity": "review"}})
        strict.land("2026-01.csv", customers(600, seed=1))
        result = strict.train()
        assert result.success, failures(result)
        assert CLAIM not in failed_checks(result)
        assert metadata_of(result, "drift_report")["reference"] == "the first batch, as no version is released yet"
        assert strict.stage().success
        yield strict


def drift_check(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    return next(each for each in result.get_asset_check_evaluations() if each.check_name == CLAIM)


def the_case(place: Workplace) -> Case:
    (case,) = (case for case in place.places.reviews.cases(MODEL) if case.kind == "drift")
    return case


def test_drift_waits_for_a_person_and_goes_on_once_approved(released: Workplace) -> None:
    place = released
    place.land("2026-02.csv", moved(2))
    stopped = place.train()
    assert not stopped.success
    check = drift_check(stopped)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    case = the_case(place)
    assert (case.kind, case.state) == ("drift", "OPEN")
    assert "batch 2026-02.csv drifted from version 1's training data: age (PSI " in case.text
    assert f"training-assets review {MODEL} {case.name} --approve --comment" in (check.description or "")
    assert place.versions() == ["1"]

    again = place.train()
    assert not again.success
    assert the_case(place) == case

    reported = place.materialise("drift_report")
    assert reported.success, failures(reported)
    shown = metadata_of(reported, "drift_report")
    assert (shown["reference"], shown["batches"], shown["new_batches"]) == ("version 1's training data", 2, 1)
    assert shown["newest_batch"] == "2026-02.csv"
    assert shown["drifted_columns"] >= 1
    assert shown["overall_psi"] > 0.1
    assert "| age | drifted | 2026-02.csv | version 1's training data |" in shown["worst_columns"]
    assert "| age | drifted | 2026-02.csv | the batch before it |" in shown["worst_columns"]
    for picture in ("drift_map", "overlay_1"):
        assert "data:image/png;base64" in shown[picture]

    place.places.reviews.decide(case, "APPROVED", actor="ann", comment="the old ones were asked on purpose")
    done = place.train()
    assert drift_check(done).passed
    assert (drift_check(done).description or "").startswith("approved by ann: the old ones were asked on purpose; ")


def test_a_decision_holds_for_those_rows_alone(released: Workplace) -> None:
    place = released
    place.land("2026-03.csv", moved(3))
    assert not drift_check(place.materialise("raw_data", "validated_data", "quarantined_rows")).passed
    cases = place.places.reviews.cases(MODEL)
    assert cases[-1].state == "OPEN"
    place.places.reviews.decide(cases[-1], "REJECTED", actor="bob", comment="a broken form")
    refused = drift_check(place.materialise("raw_data", "validated_data", "quarantined_rows"))
    assert (refused.passed, refused.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (refused.description or "").startswith("rejected by bob: a broken form; ")


def test_statistics_are_made_once_a_batch_and_are_those_of_its_rows(released: Workplace) -> None:
    place = released
    artifacts = place.definitions().resources["artifacts"]
    model = Model(MODEL, place.spec)
    latest = place.instance.fetch_materializations(model.key("validated_data"), limit=1).records[0]
    facts = artifacts.of_run(MODEL, latest.run_id, "validated_data").artifact.facts
    found = kept(artifacts, place.places, model, facts, facts["batches"])
    files = {path: path.stat().st_mtime_ns for path in (place.places.artifacts / MODEL / "by_content" / NAME).iterdir()}
    assert len(files) == len(facts["batches"])
    for batch, described in found.items():
        rows = place.places.tables.read(MODEL, facts["table"], [batch])
        assert described.to_json() == statistics.of_batch(rows, place.spec).to_json()
    assert set(kept(artifacts, place.places, model, facts, facts["batches"])) == set(found)
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_the_reference_is_the_training_split(released: Workplace) -> None:
    place = released
    artifacts = place.definitions().resources["artifacts"]
    registered = place.places.ledger.events(MODEL, "registered")[0]
    run = str(registered.data["trained_in"])
    line = artifacts.of_run(MODEL, run, "tuned_model").artifact.json("profile.json")
    rows = artifacts.of_run(MODEL, run, "train_split").artifact.frame("rows.parquet")
    again = statistics.BatchStatistics.from_json(line)
    assert again.rows == rows.height
    assert again.columns["age"].moments is not None
    assert again.columns["age"].moments.mean == pytest.approx(rows["age"].mean())
    assert again.columns["churned"].top == dict(rows["_target"].value_counts(sort=True).iter_rows())
