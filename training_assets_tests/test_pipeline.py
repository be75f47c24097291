"""One good run, the runs after it, and what is bound to what."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from training_assets_tests.workplace import (
    MODEL,
    SPEC,
    Workplace,
    customers,
    failed_checks,
    failures,
    metadata_of,
    workplace,
)

ASSETS = [
    "raw_data",
    "validated_data",
    "quarantined_rows",
    "drift_report",
    "feature_table",
    "train_split",
    "validation_split",
    "test_split",
    "preprocessor",
    "encoded_features",
    "tuned_model",
    "evaluation_report",
    "registered_version",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workplace, dg.ExecuteInProcessResult]]:
    with workplace(tmp_path_factory.mktemp("trained")) as place:
        place.land("2026-01.csv", customers(600, seed=1))
        yield place, place.train()


def test_a_good_run_registers_one_version(trained: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, result = trained
    assert result.success, failures(result)
    assert failed_checks(result) == []
    made = {event.asset_key.path[-1] for event in result.get_asset_materialization_events()}
    assert made == set(ASSETS)
    assert place.versions() == ["1"]
    assert metadata_of(result, "registered_version")["version"] == 1
    assert [event.kind for event in place.places.ledger.events(MODEL) if event.kind in {"verdict", "registered"}] == [
        "verdict",
        "registered",
    ]


def test_every_asset_says_what_it_holds(trained: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, result = trained
    graph = place.definitions().resolve_asset_graph()
    for asset in [*ASSETS, "staged_version"]:
        node = graph.get(dg.AssetKey([MODEL, asset]))
        assert node.description, asset
        assert node.group_name == MODEL
        assert node.kinds, asset
        assert node.owners == ["team:test"]
        assert node.code_version, asset
    assert metadata_of(result, "validated_data")["dagster/row_count"] == 600
    assert metadata_of(result, "train_split")["share"] == pytest.approx(0.7, abs=0.01)
    report = metadata_of(result, "evaluation_report")
    assert report["verdict"] == "PASS"
    assert 0.6 < report["roc_auc"] <= 1
    assert "data:image/png;base64" in report["roc"]


def test_nothing_new_does_no_work_and_says_what_it_stands_on(
    trained: tuple[Workplace, dg.ExecuteInProcessResult],
) -> None:
    place, first = trained
    again = place.train()
    assert again.success, failures(again)
    for asset in ASSETS:
        assert metadata_of(again, asset)["stands_on"] == first.run_id, asset
    assert place.versions() == ["1"]
    for event in again.get_asset_materialization_events():
        before = next(e for e in first.get_asset_materialization_events() if e.asset_key == event.asset_key)
        version = "dagster/data_version"
        assert event.materialization.tags[version] == before.materialization.tags[version]


def test_the_mlflow_run_is_found_by_tag_and_closed(trained: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    import mlflow

    place, first = trained
    client = mlflow.MlflowClient(tracking_uri=place.places.mlflow_uri)
    experiment = client.get_experiment_by_name(MODEL)
    runs = client.search_runs([experiment.experiment_id], f"tags.dagster_run_id = '{first.run_id}'")
    assert [run.info.status for run in runs] == ["FINISHED"]
    assert runs[0].data.tags["verdict"] == "PASS"
    assert "roc_auc" in runs[0].data.metrics
    assert mlflow.active_run() is None


def test_the_report_tells_of_everything_that_it_rests_on(trained: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, _ = trained
    (page,) = place.places.pages.rglob("report.html")
    text = page.read_text()
    for words in ("Drift", "the first batch, as no version is released yet", "Lineage", "Serving", "roc_auc"):
        assert words in text


def test_the_version_in_the_registry_leads_to_its_report(trained: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    import mlflow

    place, _ = trained
    client = mlflow.MlflowClient(tracking_uri=place.places.mlflow_uri)
    described = client.get_model_version(MODEL, "1").description
    assert "PASS" in described
    (run_id,) = re.findall(r"runs/([0-9a-f]+)/artifacts/evaluation/report\.html", described)
    assert "report.html" in {Path(each.path).name for each in client.list_artifacts(run_id, "evaluation")}


def test_stage_loads_the_version_in_a_fresh_process(trained: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, _ = trained
    staged = place.stage()
    assert staged.success, failures(staged)
    shown = metadata_of(staged, "staged_version")
    assert shown["version"] == 1
    assert shown["largest_difference"] <= 1e-9
    assert place.places.ledger.pointer(MODEL, "staging") == "1"
    assert place.stage().success
    assert len(place.places.ledger.events(MODEL, "staging_moved")) == 1
    assert place.places.ledger.first_broken() is None


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path / "place") as made:
        made.land("2026-01.csv", customers(400, seed=1))
        yield made


@pytest.mark.slow
def test_force_trains_anew_and_makes_no_second_version_of_the_same_candidate(place: Workplace) -> None:
    place = place.with_spec(search={**SPEC["search"], "warm_start": False})  # else it begins with what was best before
    first = place.train()
    forced = place.train(force=True)
    assert forced.success, failures(forced)
    assert "stands_on" not in metadata_of(forced, "tuned_model")
    assert metadata_of(forced, "tuned_model")["candidate"] == metadata_of(first, "tuned_model")["candidate"]
    assert place.versions() == ["1"]


def test_new_rows_move_no_old_row_and_make_a_second_version(place: Workplace) -> None:
    first = place.train()
    before = _deal(place, first.run_id)
    place.land("2026-02.csv", customers(300, seed=2))
    second = place.train()
    assert second.success, failures(second)
    after = _deal(place, second.run_id)
    assert len(after) == 700
    assert {key: after[key] for key in before} == before
    assert sorted(place.versions()) == ["1", "2"]


def _deal(place: Workplace, run_id: str) -> dict[int, str]:
    artifacts = place.definitions().resources["artifacts"]
    dealt = {}
    for split in ("train_split", "validation_split", "test_split"):
        rows = artifacts.of_run(MODEL, run_id, split).artifact.frame("rows.parquet")
        dealt.update(dict.fromkeys(rows["_key"].to_list(), split))
    return dealt


def test_a_changed_threshold_judges_again_and_trains_nothing(place: Workplace) -> None:
    first = place.train()
    stricter = place.with_spec(
        evaluation={**SPEC["evaluation"], "gates": [{"kind": "value", "metric": "roc_auc", "min": 0.99}]}
    )
    judged = stricter.train()
    assert not judged.success
    assert metadata_of(judged, "tuned_model")["stands_on"] == first.run_id
    assert metadata_of(judged, "evaluation_report")["stands_on"] == first.run_id
    assert metadata_of(judged, "evaluation_report")["verdict"] == "REJECT"
    assert len(place.places.ledger.events(MODEL, "verdict")) == 2
    again = place.train()
    assert again.success, failures(again)
    assert place.versions() == ["1"]


def test_a_description_retrains_nothing(place: Workplace) -> None:
    first = place.train()
    told = place.with_spec(description="Said in other words.", owners=["team:other"]).train()
    assert told.success, failures(told)
    assert metadata_of(told, "registered_version")["stands_on"] == first.run_id


def test_the_same_file_twice_is_one_batch(place: Workplace) -> None:
    place.land("copy.csv", customers(400, seed=1))
    result = place.train()
    assert metadata_of(result, "raw_data")["batches"] == 1
    assert metadata_of(result, "raw_data")["dagster/row_count"] == 400


def test_no_file_is_a_clear_failure(tmp_path: Path) -> None:
    with workplace(tmp_path / "empty") as place:
        result = place.train()
    assert not result.success
    assert any("no file matches landing/*.csv" in text for text in failures(result))


def test_a_missing_column_refuses_the_file_and_keeps_the_others(place: Workplace) -> None:
    place.land("broken.csv", customers(50, seed=3).drop("age"))
    result = place.train()
    assert not result.success
    assert failed_checks(result) == ["files_are_readable"]
    assert metadata_of(result, "raw_data")["batches"] == 1
    (place.root / "landing" / "broken.csv").unlink()
    assert place.train().success


def test_broken_rows_go_to_quarantine_with_their_reasons(place: Workplace) -> None:
    rows = customers(400, seed=4).with_columns(
        age=pl.when(pl.int_range(400) < 2).then(999).otherwise("age"),
    )
    place.land("2026-02.csv", rows)
    result = place.train()
    assert result.success, failures(result)
    assert metadata_of(result, "quarantined_rows")["dagster/row_count"] == 2
    assert "age" in metadata_of(result, "quarantined_rows")["sample"]
    assert metadata_of(result, "validated_data")["dagster/row_count"] == 798


def test_a_batch_with_too_many_broken_rows_is_refused_whole(place: Workplace) -> None:
    rows = customers(100, seed=5).with_columns(age=pl.when(pl.int_range(100) < 10).then(999).otherwise("age"))
    place.land("2026-02.csv", rows)
    result = place.train()
    assert not result.success
    assert "rows_obey_schema" in failed_checks(result)
    assert metadata_of(result, "validated_data")["dagster/row_count"] == 400
    assert place.versions() == []


def test_a_first_batch_that_is_refused_fails_the_check_and_not_the_code(tmp_path: Path) -> None:
    with workplace(tmp_path / "refused") as place:
        place.land("2026-01.csv", customers(100, seed=5).with_columns(age=pl.lit(999)))
        result = place.train()
        assert not result.success
        assert "rows_obey_schema" in failed_checks(result)
        assert "label_is_balanced" in failed_checks(result)


def test_a_refused_batch_that_was_mended_holds_nothing_up(place: Workplace) -> None:
    rows = customers(100, seed=5)
    place.land("2026-02.csv", rows.with_columns(age=pl.lit(999)))
    assert not place.train().success
    place.land("2026-02.csv", rows)
    result = place.train()
    assert result.success, failures(result)
    assert metadata_of(result, "validated_data")["dagster/row_count"] == 500


@pytest.mark.slow
def test_another_way_of_reading_reads_every_file_anew(place: Workplace) -> None:
    rows = customers(400, seed=6).with_columns(income=pl.lit("NA"))
    place.land("2026-02.csv", rows)
    assert not place.train().success
    source = {**SPEC["source"], "csv": {"null_values": ["", "NA"]}}
    result = place.with_spec(source=source).train()
    assert result.success, failures(result)
    assert metadata_of(result, "validated_data")["dagster/row_count"] == 800


@pytest.mark.slow
def test_a_batch_whose_file_is_gone_is_missed_when_files_are_read_anew(place: Workplace) -> None:
    place.land("2026-02.csv", customers(300, seed=2))
    assert place.train().success
    (place.root / "landing" / "2026-02.csv").unlink()
    assert metadata_of(place.train(), "raw_data")["batches"] == 2, "what was read stays"
    result = place.with_spec(source={**SPEC["source"], "csv": {"null_values": ["", "NA"]}}).train()
    assert failed_checks(result) == ["files_are_readable"]
    assert result.success, "a warning"


def test_a_file_that_is_still_written_is_not_read(place: Workplace) -> None:
    path = place.land("2026-02.csv", customers(300, seed=2), young=True)
    stop = threading.Event()

    def write_on() -> None:
        with path.open("a") as file:
            while not stop.is_set():
                file.write("c9,30,1.0,pro,,no\n")
                file.flush()
                time.sleep(0.05)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        result = place.train()
    finally:
        stop.set()
        writer.join()
    assert result.success, failures(result)
    shown = metadata_of(result, "raw_data")
    assert (shown["batches"], shown["arriving_files"]) == (1, 1)


@pytest.mark.slow
def test_renamed_levels_make_another_candidate(place: Workplace) -> None:
    renamed = {"derived": {"band": "CASE WHEN age < 40 THEN 'a' ELSE 'b' END"}}
    first = place.with_spec(features=renamed).train()
    other = {"derived": {"band": "CASE WHEN age < 40 THEN 'x' ELSE 'y' END"}}
    second = place.with_spec(features=other).train()
    assert second.success, failures(second)
    assert metadata_of(first, "tuned_model")["candidate"] != metadata_of(second, "tuned_model")["candidate"]


@pytest.mark.slow
def test_going_back_to_an_earlier_spec_stages_its_version_again(place: Workplace) -> None:
    place.train()
    place.stage()
    other = place.with_spec(search={**SPEC["search"], "seed": 9})
    assert other.train().success
    assert other.stage().success
    assert place.places.ledger.pointer(MODEL, "staging") == "2"
    assert place.train().success
    assert place.places.ledger.pointer(MODEL, "registered") == "1"
    assert place.stage().success
    assert place.places.ledger.pointer(MODEL, "staging") == "1"


@pytest.mark.slow
def test_drift_is_judged_against_the_staged_version(place: Workplace) -> None:
    place.train()
    place.stage()
    place.land("2026-02.csv", customers(400, seed=2).with_columns(age=pl.lit(79), income=pl.lit(1.0)))
    result = place.train()
    assert failed_checks(result) == ["columns_have_not_drifted"]
    drift = next(each for each in result.get_asset_check_evaluations() if not each.passed)
    assert drift.severity == dg.AssetCheckSeverity.WARN
    assert "age" in (drift.description or "")
