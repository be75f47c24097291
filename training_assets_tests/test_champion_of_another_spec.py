"""A champion of another spec: rows that it saw stay seen, and one that cannot be asked is a matter for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.assets.features import ROWS
from training_assets.core import fingerprint
from training_assets.core.bundle import spec_of
from training_assets.governance.champion import LEARNT_FROM
from training_assets.governance.judging import REPORT_FILE
from training_assets.governance.packaging import BUNDLE
from training_assets.resources.packages import package_of
from training_assets_tests.test_releases import GATES, launched, live, open_cases, promote, said
from training_assets_tests.workplace import MODEL, SPEC, Workplace, customers, failures, metadata_of, workplace

EVALUATION = {**SPEC["evaluation"], "min_unseen": 20, "gates": GATES[1:]}
QUICK = {"families": ["linear"], "trials": 1, "max_iterations": 20, "ensemble": "none"}
WITHOUT_KEY = {**SPEC["columns"], "customer": {"type": "string", "role": "ignored"}}
WITHOUT_INCOME = {**WITHOUT_KEY, "income": {"type": "number", "role": "ignored"}}
WITHOUT_PLAN = {**WITHOUT_KEY, "plan": {"type": "string", "role": "ignored"}}


def rows_of(place: Workplace, run: str, *splits: str) -> pl.DataFrame:
    """Batch and row of a run's splits."""
    artifacts = place.definitions().resources["artifacts"]
    found = [artifacts.of_run(MODEL, run, split).artifact.frame(ROWS) for split in splits]
    return pl.concat(each.select("_batch", "_row") for each in found)


def comparison_of(place: Workplace, run: str) -> dict[str, Any]:
    """The comparison in a run's report."""
    found = place.definitions().resources["artifacts"].of_run(MODEL, run, "evaluation_report")
    comparison: dict[str, Any] = found.artifact.json(REPORT_FILE)["comparison"]
    return comparison


@pytest.mark.slow
def test_what_the_champion_saw_or_says_is_known_under_another_spec(tmp_path: Path) -> None:
    with workplace(tmp_path / "place") as made:
        first = made.with_spec(columns=WITHOUT_INCOME, features={}, search=QUICK, evaluation=EVALUATION)
        first.land("2026-01.csv", customers(900, seed=1))
        begun = first.train()
        assert begun.success, failures(begun)
        assert first.stage().success
        said(first, open_cases(first)[0])
        assert promote(first).success
        assert live(first) == "1"
        seen = rows_of(first, begun.run_id, *LEARNT_FROM)

        more = first.with_spec(columns=WITHOUT_KEY)  # one feature more: every row has another key, and is dealt anew
        trained = more.train()
        assert trained.success, failures(trained)
        test = rows_of(more, trained.run_id, "test_split")
        comparison = comparison_of(more, trained.run_id)
        unseen = test.join(seen, on=["_batch", "_row"], how="anti").height
        assert 20 <= unseen < 0.5 * test.height
        assert (comparison["rows"], comparison["pruned"]) == (unseen, test.height - unseen)

        less = first.with_spec(columns=WITHOUT_PLAN)  # the champion reads what is no feature any more, as it did
        less = less.with_spec(evaluation={**EVALUATION, "min_unseen": 10})
        compared = comparison_of(less, less.train().run_id)
        assert compared["reason"] is None
        assert compared["metrics"]["roc_auc"]["champion"] > 0.6

        other = first.with_spec(target={**SPEC["target"], "positive": "no"})
        refused, reason = other.train(), "predicts another target: its positive 'yes'"
        assert not refused.success
        assert reason in comparison_of(other, refused.run_id)["reason"]
        assert metadata_of(other.materialise("evaluation_report"), "evaluation_report")["verdict"] == "REVIEW"
        assert reason in open_cases(other, "verdict")[-1].text


@pytest.mark.slow
def test_the_champion_reads_features_as_its_own_spec_makes_them(tmp_path: Path) -> None:
    with workplace(tmp_path / "place") as made:
        columns = {**SPEC["columns"], "age": {"type": "integer", "role": "ignored"}}
        first = made.with_spec(
            columns=columns, features={"derived": {"years": "age - 50"}}, search=QUICK, evaluation=EVALUATION
        )
        first.land("2026-01.csv", customers(900, seed=1))
        assert first.train().success
        assert first.stage().success
        said(first, open_cases(first)[0])
        assert promote(first).success

        turned = first.with_spec(features={"derived": {"years": "50 - age"}})
        trained = turned.train()
        assert trained.success, failures(trained)
        same = comparison_of(turned, trained.run_id)["metrics"]["roc_auc"]
        assert same["champion"] == pytest.approx(same["challenger"], abs=0.01)


@pytest.mark.slow
def test_a_version_names_the_spec_that_made_it(tmp_path: Path) -> None:
    with workplace(tmp_path / "place") as made:
        asks = {**EVALUATION, "gates": [{"kind": "value", "metric": "roc_auc", "min": 0.999, "otherwise": "review"}]}
        made.land("2026-01.csv", customers(900, seed=1))
        first = made.with_spec(search=QUICK, evaluation=asks)
        first.train()
        later = first.with_spec(split={**first.spec.split.model_dump(mode="json"), "salt": "another"}, description="?")
        said(later, open_cases(later, "verdict")[0])
        assert [each.success for each in launched(later)] == [True]
        registered = later.places.ledger.events(MODEL, "registered")[0]
        registry = later.definitions().resources["registry"]
        packed = package_of(MODEL, registry, registered, tmp_path / "fetched")
        bundled = spec_of(fingerprint.read_json(packed / BUNDLE))
        assert bundled.split == first.spec.split
        assert bundled.description == "?"
