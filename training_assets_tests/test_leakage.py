"""A leak stops its run before anything is trained; a waiver lets it pass and says why; no way around registers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from training_assets.core.lineage import leak_subject
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failed_checks, failures, workplace

REASON = "the exit code is set at the door, a day before anybody leaves"
COLUMNS = {**SPEC["columns"], "exit_code": {"type": "string"}}
UNTIL_JUDGED = (
    *("raw_data", "validated_data", "quarantined_rows", "feature_table", "train_split", "validation_split"),
    *("test_split", "preprocessor", "encoded_features", "tuned_model", "evaluation_report"),
)
CHECKS = {"leakage_checks", "preprocessor_checks", "encoding_checks"}
WAIVED = {"leakage": {"waive": {"exit_code": REASON, "age": "looked at, and found harmless"}}}


def leaky(rows: int, seed: int) -> pl.DataFrame:
    made = customers(rows, seed)
    return made.with_columns(exit_code=pl.when(pl.col("churned") == "yes").then(pl.lit("X9")).otherwise(pl.lit("A1")))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workplace, dg.ExecuteInProcessResult]]:
    with workplace(tmp_path_factory.mktemp("leaky")) as made:
        place = made.with_spec(columns=COLUMNS)
        place.land("2026-01.csv", leaky(400, seed=1))
        yield place, place.train()


def evaluation(result: dg.ExecuteInProcessResult, claim: str) -> dg.AssetCheckEvaluation:
    return next(each for each in result.get_asset_check_evaluations() if each.check_name == claim)


def test_a_copy_of_the_label_stops_the_run_before_training(
    stopped: tuple[Workplace, dg.ExecuteInProcessResult],
) -> None:
    place, result = stopped
    assert not result.success
    assert failed_checks(result) == ["no_column_gives_the_label_away"]
    said = evaluation(result, "no_column_gives_the_label_away").description or ""
    assert "'exit_code' alone decides the label" in said
    assert "validation.leakage.waive" in said
    made = {event.asset_key.path[-1] for event in result.get_asset_materialization_events() if event.asset_key}
    assert "train_split" in made
    assert made.isdisjoint({"preprocessor", "tuned_model", "evaluation_report"})
    assert place.versions() == []


def test_finished_by_hand_it_is_refused(stopped: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, _ = stopped
    by_hand = place.materialise("preprocessor", "encoded_features", "tuned_model", "evaluation_report")
    assert by_hand.success
    result = place.materialise("registered_version")
    assert not result.success
    assert "failed a check of train_split for leaks: no_column_gives_the_label_away" in str(failures(result))
    assert place.versions() == []


def test_a_waiver_lets_it_pass_and_its_reason_is_kept(stopped: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place = stopped[0].with_spec(validation=WAIVED)
    result = place.train()
    assert result.success, failures(result)
    assert place.versions() == ["1"]
    check = evaluation(result, "no_column_gives_the_label_away")
    assert check.passed
    assert REASON in str(check.metadata["waived"].value)
    assert "idle waivers: age" in (check.description or "")
    artifacts = (place.definitions().resources or {})["artifacts"]
    digests = [
        artifacts.of_run(MODEL, result.run_id, f"{name}_split").digest for name in ("train", "validation", "test")
    ]
    event = place.places.ledger.latest(MODEL, "checked", leak_subject(digests, WAIVED["leakage"]["waive"]))
    assert event is not None
    assert event.data["blocked"] == []
    assert [(line["column"], line["reason"]) for line in event.data["waived"]] == [("exit_code", REASON)]
    withdrawn = place.with_spec(validation={}, search={**SPEC["search"], "seed": 3})
    again = withdrawn.materialise("preprocessor", "encoded_features", "tuned_model", "evaluation_report")
    assert again.success
    refused = withdrawn.materialise("registered_version")
    assert not refused.success
    assert "failed a check of train_split for leaks" in str(failures(refused))


@pytest.mark.parametrize(
    ("skipped", "asked"),
    [
        (("train_split", "validation_split", "test_split"), "train_split for leaks"),
        pytest.param(("preprocessor",), "preprocessor", marks=pytest.mark.slow),
        pytest.param(("encoded_features",), "encoded_features", marks=pytest.mark.slow),
    ],
)
def test_registration_refuses_where_a_check_for_leaks_was_skipped(
    tmp_path: Path, skipped: tuple[str, ...], asked: str
) -> None:
    with workplace(tmp_path / "skipped") as place:
        place.land("2026-01.csv", customers(300, seed=1))
        result = trained_without(place, skipped)
        assert not result.success
        assert f"the checks of {asked} have not run for the rows behind this candidate" in str(failures(result))
        assert place.versions() == []


def trained_without(place: Workplace, assets: tuple[str, ...]) -> dg.ExecuteInProcessResult:
    """A whole training run from which somebody took the checks for leaks of some assets."""
    definitions = place.definitions()
    left = [
        each
        for each in definitions.asset_checks or []
        if each.node_def.name not in CHECKS or not {key.asset_key.path[-1] for key in each.check_keys} & set(assets)
    ]
    without = dg.Definitions(
        assets=definitions.assets,
        asset_checks=left,
        jobs=definitions.jobs,
        resources=definitions.resources,
        executor=definitions.executor,
    )
    return without.resolve_job_def(f"{MODEL}_train").execute_in_process(
        instance=place.instance,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )
