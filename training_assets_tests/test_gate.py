"""The poisoned run, and every way around its gate: none of them registers anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from training_assets.core import fingerprint
from training_assets.core.artifact_format import sealed
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failed_checks, failures, workplace

DOWNSTREAM = dg.AssetKey([MODEL, "registered_version"])


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workplace, dg.ExecuteInProcessResult]]:
    """A model of labels that follow from nothing."""
    with workplace(tmp_path_factory.mktemp("poisoned")) as place:
        place.land("2026-01.csv", customers(600, seed=1, learnable=False))
        yield place, place.train()


def test_the_run_fails_at_the_check_and_says_why(poisoned: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, result = poisoned
    assert not result.success
    assert "metrics_reach_floors" in failed_checks(result)
    assert "verdict_allows_registration" in failed_checks(result)
    check = next(each for each in result.get_asset_check_evaluations() if each.check_name == "metrics_reach_floors")
    assert "roc_auc" in (check.description or "")
    assert "0.6" in (check.description or "")
    assert place.versions() == []


def judged_by(result: dg.ExecuteInProcessResult) -> set[str]:
    """Names of the checks that a report was held against."""
    evaluations = result.get_asset_check_evaluations()
    return {each.check_name for each in evaluations if each.asset_key.path[-1] == "evaluation_report"}


def test_only_kinds_of_rule_that_the_spec_has_are_checks(
    poisoned: tuple[Workplace, dg.ExecuteInProcessResult],
) -> None:
    place, result = poisoned
    assert judged_by(result) == {"metrics_reach_floors", "better_than_dummy", "verdict_allows_registration"}
    keys = place.definitions().resolve_asset_graph().asset_check_keys
    assert {key.name for key in keys if key.asset_key.path[-1] == "evaluation_report"} == judged_by(result)


def test_a_record_of_the_rejected_candidate_remains(poisoned: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, result = poisoned
    verdict = place.places.ledger.latest(MODEL, "verdict")
    assert verdict is not None
    assert verdict.data["name"] == "REJECT"
    assert verdict.run_id == result.run_id
    artifacts = place.definitions().resources["artifacts"]
    assert artifacts.of_run(MODEL, result.run_id, "tuned_model").digest == verdict.data["candidate"]
    assert artifacts.of_run(MODEL, result.run_id, "evaluation_report").digest == verdict.data["report"]


def refused(place: Workplace, result: dg.ExecuteInProcessResult) -> None:
    assert not result.success
    assert place.versions() == []
    assert place.places.ledger.latest(MODEL, "registered") is None


def test_a_later_run_of_the_job_is_refused(poisoned: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, _ = poisoned
    refused(place, place.train())


def test_materialize_of_the_asset_alone_is_refused(poisoned: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, _ = poisoned
    result = place.materialise("registered_version")
    refused(place, result)
    assert "not registered: verdict REJECT" in failures(result)[0]


def test_materialize_of_release_without_its_checks_is_refused(
    poisoned: tuple[Workplace, dg.ExecuteInProcessResult],
) -> None:
    place, _ = poisoned
    refused(place, place.materialise("evaluation_report", "registered_version"))


def test_staging_alone_finds_nothing_to_stage(poisoned: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, _ = poisoned
    result = place.stage()
    assert not result.success
    assert "no result yet" in str(failures(result))
    assert place.places.ledger.pointer(MODEL, "staging") is None


def _eager(spec: dg.AssetSpec) -> dg.AssetSpec:
    condition = dg.AutomationCondition.eager()
    return spec.replace_attributes(automation_condition=condition) if spec.key == DOWNSTREAM else spec


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")  # eager() uses what dagster calls beta
def test_automation_that_ignores_checks_is_refused(poisoned: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, _ = poisoned
    definitions = place.definitions()
    eager = dg.Definitions(
        assets=[
            asset.map_asset_specs(_eager)
            for asset in definitions.assets or []
            if isinstance(asset, dg.AssetsDefinition)
        ],
        asset_checks=definitions.asset_checks,
        resources=definitions.resources,
    )
    cursor = dg.evaluate_automation_conditions(defs=eager, instance=place.instance).cursor
    place.materialise("evaluation_report")
    tick = dg.evaluate_automation_conditions(defs=eager, instance=place.instance, cursor=cursor)
    assert tick.get_num_requested(DOWNSTREAM) == 1, "automation walks past a blocking check of another run"
    refused(place, place.materialise("registered_version"))


def test_a_forged_passing_check_changes_nothing(poisoned: tuple[Workplace, dg.ExecuteInProcessResult]) -> None:
    place, _ = poisoned
    for name in ("metrics_reach_floors", "verdict_allows_registration"):
        forged = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey([MODEL, "evaluation_report"]), check_name=name, passed=True, metadata={}
        )
        place.instance.report_runless_asset_event(forged)
    refused(place, place.materialise("registered_version"))


def test_a_doctored_report_is_refused(tmp_path: Path) -> None:
    with workplace(tmp_path / "doctored") as place:
        place.land("2026-01.csv", customers(600, seed=1, learnable=False))
        run = place.train()
        artifacts = place.definitions().resources["artifacts"]
        folder = artifacts.of_run(MODEL, run.run_id, "evaluation_report").artifact.folder
        report = (folder / "report.json").read_text()
        (folder / "report.json").write_text(report.replace('"value":0.', '"value":0.9'))
        result = place.materialise("registered_version")
        refused(place, result)
        assert "has changed since it was written" in str(failures(result))


def test_without_rules_nothing_is_registered(tmp_path: Path) -> None:
    with workplace(tmp_path / "ungated") as made:
        place = made.with_spec(evaluation={"replicates": 50, "gates": []})
        place.land("2026-01.csv", customers(300, seed=1))
        result = place.train()
        assert failed_checks(result) == ["verdict_allows_registration"]
        assert judged_by(result) == {"verdict_allows_registration"}
        refused(place, place.materialise("registered_version"))


def test_a_threshold_that_was_raised_after_the_verdict_refuses(tmp_path: Path) -> None:
    with workplace(tmp_path / "raised") as place:
        place.land("2026-01.csv", customers(400, seed=1))
        steps = [
            *("raw_data", "validated_data", "quarantined_rows", "feature_table", "train_split", "validation_split"),
            *("test_split", "preprocessor", "encoded_features", "tuned_model", "evaluation_report"),
        ]
        assert place.materialise(*steps).success
        raised = place.with_spec(
            evaluation={**SPEC["evaluation"], "gates": [{"kind": "value", "metric": "roc_auc", "min": 0.999}]}
        )
        refused(raised, raised.materialise("registered_version"))
        lowered = place.with_spec(
            evaluation={**SPEC["evaluation"], "gates": [{"kind": "value", "metric": "roc_auc", "min": 0.1}]}
        )
        result = lowered.materialise("registered_version")
        refused(lowered, result)
        assert "the ledger holds no verdict" in str(failures(result))


def test_a_report_about_another_candidate_is_refused(tmp_path: Path) -> None:
    with workplace(tmp_path / "other") as place:
        place.land("2026-01.csv", customers(400, seed=1))
        assert place.train().success
        other = place.with_spec(search={**SPEC["search"], "seed": 7})
        assert other.materialise("tuned_model").success
        result = other.materialise("registered_version")
        assert not result.success
        assert "about another candidate" in str(failures(result))
        assert place.versions() == ["1"]


@pytest.mark.slow
def test_a_run_that_failed_a_data_check_cannot_be_finished_by_hand(tmp_path: Path) -> None:
    with workplace(tmp_path / "leak") as made:
        columns = {**SPEC["columns"], "part": {"type": "string", "role": "split"}}
        place = made.with_spec(columns=columns, split={"method": "column"})
        rows = customers(300, seed=1).with_columns(part=pl.lit("train"))
        again = rows.head(120).with_columns(part=pl.lit("test"))
        place.land("2026-01.csv", pl.concat([rows, again, rows.tail(120).with_columns(part=pl.lit("validation"))]))
        result = place.train()
        assert "splits_share_no_rows" in failed_checks(result)
        steps = ("preprocessor", "encoded_features", "tuned_model", "evaluation_report", "registered_version")
        by_hand = place.materialise(*steps)
        refused(place, by_hand)
        assert "failed a check of the splits: splits_share_no_rows" in str(failures(by_hand))


@pytest.mark.slow
def test_results_of_different_runs_are_not_mixed(tmp_path: Path) -> None:
    with workplace(tmp_path / "mixed") as place:
        place.land("2026-01.csv", customers(400, seed=1))
        assert place.train().success
        place.land("2026-02.csv", customers(300, seed=2))
        upstream = ("raw_data", "validated_data", "quarantined_rows", "feature_table", "train_split")
        assert place.materialise(*upstream, "validation_split", "test_split", "preprocessor").success
        result = place.materialise("tuned_model", "evaluation_report", "registered_version")
        assert not result.success
        assert "encoded_features was made from another preprocessor" in str(failures(result))
        assert place.versions() == ["1"]


def test_swapped_model_files_are_refused_even_with_a_mended_manifest(tmp_path: Path) -> None:
    with workplace(tmp_path / "swapped") as place:
        place.land("2026-01.csv", customers(400, seed=1))
        until_judged = [
            *("raw_data", "validated_data", "quarantined_rows", "feature_table", "train_split", "validation_split"),
            *("test_split", "preprocessor", "encoded_features", "tuned_model", "evaluation_report"),
        ]
        run = place.materialise(*until_judged)
        assert run.success
        folder = place.definitions().resources["artifacts"].of_run(MODEL, run.run_id, "tuned_model").artifact.folder
        scorer = json.loads((folder / "scorer" / "model.json").read_text())
        scorer["threshold"] = 0.01
        (folder / "scorer" / "model.json").write_text(json.dumps(scorer))
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"]["scorer/model.json"] = fingerprint.digest_file(folder / "scorer" / "model.json")
        del manifest["seal"]
        (folder / "manifest.json").write_bytes(sealed(manifest))
        result = place.materialise("registered_version")
        refused(place, result)
        assert "not those of the candidate that was judged" in str(failures(result))
