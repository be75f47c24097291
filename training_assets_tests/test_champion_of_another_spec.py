"""A champion of another spec: rows that it saw stay seen, and one that cannot be asked is a matter for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from training_assets.assets.features import ROWS
from training_assets.governance.champion import LEARNT_FROM
from training_assets.governance.judging import REPORT_FILE
from training_assets_tests.test_releases import GATES, live, open_cases, promote, said
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

        for spec, reason in (
            (first.with_spec(columns=WITHOUT_PLAN), "reads what is no feature any more: plan"),
            (
                first.with_spec(target={**SPEC["target"], "positive": "no"}),
                "predicts another target: its positive 'yes'",
            ),
        ):
            refused = spec.train()
            assert not refused.success
            assert reason in comparison_of(spec, refused.run_id)["reason"]
            assert metadata_of(spec.materialise("evaluation_report"), "evaluation_report")["verdict"] == "REVIEW"
            assert reason in open_cases(spec, "verdict")[-1].text
