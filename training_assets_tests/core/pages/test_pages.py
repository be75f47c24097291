"""Pages hold what was measured, escape what users wrote, and print the unknown as unknown."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from training_assets.core.evaluation.aims import Aims
from training_assets.core.evaluation.gates import judge, policy_digest
from training_assets.core.evaluation.report import evaluate
from training_assets.core.pages import card_of, card_page, card_text, report_page
from training_assets.core.pages.templates import number
from training_assets.spec import ModelSpec
from training_assets_tests.core.evaluation import made_up
from training_assets_tests.core.evaluation.made_up import binary, sample

HOSTILE = "<script>alert('x')</script> | **bold**"
DIGESTS = {"report": "r" * 64, "candidate": "c" * 64, "scorer": "s" * 64}
FACTS: dict[str, Any] = {
    "family": "blend",
    "params": {"depth": 6, "learning_rate": 0.04},
    "threshold": 0.3,
    "calibration": None,
    "lineage": {
        "dataset": "v1-abc", "batches": ["b" * 64], "train_split": "t", "validation_split": "v", "test_split": "e",
    },
}  # fmt: skip


def spec(**sections: Any) -> ModelSpec:
    attributes = {
        "description": HOSTILE,
        "source": {"path": "rows.csv", "format": "csv"},
        "columns": {"age": {"type": "integer"}, "churned": {"type": "string", "nullable": False}},
        "target": {"column": "churned", "task": "binary", "positive": "yes", "classes": ["no", "yes"]},
        "evaluation": {"gates": [{"kind": "value", "metric": "roc_auc", "min": 0.5}, {"kind": "parity"}]},
    }
    return ModelSpec.model_validate({**attributes, **sections})


NOT_JUDGED: dict[str, Any] = {"judged": False, "metrics": {}, "champion": None}


def report() -> dict[str, Any]:
    y, scores = binary(400, seed=1)
    found = evaluate(
        "binary", y, scores, classes=["no", HOSTILE], threshold=0.5, spec=spec().evaluation, train_target=y, seed=0,
        groups=None,
    )  # fmt: skip
    slices = [
        {
            "slice": HOSTILE,
            "part": "a",
            "rows": 40,
            "judged": True,
            "reason": None,
            "metrics": {"roc_auc": {"value": 0.7123, "low": 0.6543, "high": 0.7654}},
            "champion": {"rows": 30, "metrics": {"roc_auc": {"difference": 0.0321, "low": -0.0123, "high": 0.0765}}},
        },
        {**NOT_JUDGED, "slice": "small", "part": "b", "rows": 3, "reason": "too few rows"},
    ]
    return {
        **found, "comparison": None, "slices": slices, "candidate": "c" * 64,
        "runtime": {"latency_ms": 3.0, "latency_ms_median": 2.0, "rows_per_second": 54321.0, "size_mb": 1.5},
        "parity": {"rows": 64, "largest_difference": 0.0}, "card": {"fields": {}},
    }  # fmt: skip


def page(found: dict[str, Any]) -> str:
    gates = spec().evaluation.gates
    verdict = judge(found, gates, candidate="c" * 64, report_digest="r" * 64, policy_digest=policy_digest(gates))
    about = {"model": "churn", "description": HOSTILE}
    return report_page(found, verdict, about, {"Data": {HOSTILE: HOSTILE}}, {"roc": b"png"})


def test_the_page_shows_the_gain_over_the_dummy_and_bears_a_report_without_it() -> None:
    found = report()
    gain = found["over_dummy"]["roc_auc"]
    assert f"{number(gain['difference'])} ({number(gain['low'])} to {number(gain['high'])})" in page(found)
    assert "roc_auc" in page({name: each for name, each in found.items() if name != "over_dummy"})


def test_the_verdict_comes_first_and_the_page_stands_alone() -> None:
    text = page(report())
    assert text.index(">PASS<") < text.index("Metrics")
    assert "http://" not in text
    assert "https://" not in text
    assert "54,321" in text
    assert "data:image/png;base64," in text


def test_what_users_wrote_is_text_and_never_markup() -> None:
    assert "<script>" not in page(report())
    assert "&lt;script&gt;" in page(report())
    card = card_of(spec(card={"overview": HOSTILE, "users": [HOSTILE]}), "churn", report(), FACTS, DIGESTS)
    assert "<script>" not in card_page(card)
    assert "<script>" not in card_text(card)
    line = next(line for line in card_text(card).splitlines() if "roc_auc" in line and "alert" in line)
    assert line.count(" | ") == 5


def test_a_champion_is_shown_beside_the_candidate() -> None:
    found = report()
    change = {
        "champion": 0.8,
        "challenger": 0.81,
        "difference": 0.01,
        "low": 0.001,
        "high": 0.02,
        "smallest_change": 0.01,
    }
    found["comparison"] = {"champion": "3", "candidate": "d" * 64, "rows": 300, "pruned": 100, "reason": None}
    found["comparison"] |= {"metrics": {"roc_auc": change}}
    text = page(found)
    assert "Version 3 in production" in text
    assert "100 rows were left out" in text
    assert "0.7123 (0.6543 to 0.7654)" in text
    assert "0.0321 (-0.0123 to 0.0765)" in text
    found["comparison"] |= {"metrics": {}, "reason": "too few rows that the champion never saw"}
    assert "too few rows that the champion never saw" in page(found)


def test_the_unknown_is_printed_as_unknown_and_every_number_has_its_source() -> None:
    found = report()
    card = card_of(spec(), "churn", found, FACTS, DIGESTS)
    for name in ("users", "use_cases", "out_of_scope", "limitations", "ethical_considerations"):
        assert card["considerations"][name] == "unknown"
    metrics = card["quantitative_analysis"]["performance_metrics"]
    assert {each["source"] for each in metrics} == {DIGESTS["report"]}
    assert {each["type"] for each in metrics} == set(found["metrics"])
    assert card["risk_rating"] == "medium"
    assert json.loads(json.dumps(card)) == card
    assert "unknown" in card_page(card)
    assert "- unknown" in card_text(card)


def test_the_page_says_of_which_quantile_the_pinball_loss_is() -> None:
    found = report() | made_up.report("regression", aims=Aims(loss="quantile", quantile=0.9)) | {"slices": []}
    assert "pinball_loss" in page(found)
    assert "that of the 0.9 quantile" in page(found)
    assert "best constant for it.</p>" in page(report())


def test_a_report_that_lacks_what_is_measured_now_has_its_pages() -> None:
    """As those do that were made before."""
    found = report()
    del (
        found["aims"],
        found["metrics"]["brier_score"],
        found["dummy"]["brier_score"],
        found["over_dummy"]["brier_score"],
    )
    assert "brier_score" not in page(found)
    card = card_of(spec(), "churn", found, FACTS, DIGESTS)
    assert "brier_score" not in {each["type"] for each in card["quantitative_analysis"]["performance_metrics"]}


def test_undefined_metrics_are_unknown() -> None:
    found = copy.deepcopy(report())
    found["metrics"]["roc_auc"] |= {"value": None, "low": None, "high": None}
    assert "unknown" in page(found)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_report_on_no_test_rows_is_a_page_of_unknowns(task: Any) -> None:
    y, scores, classes = sample(task, 40)
    found = evaluate(
        task, y[:0], scores[:0], classes=classes, threshold=None, spec=spec().evaluation, train_target=y, seed=0
    )  # fmt: skip
    empty = {**NOT_JUDGED, "slice": "s", "part": "a", "rows": 0, "reason": "no test row is in it"}
    parity = {"rows": 64, "largest_difference": None}
    found |= {"comparison": None, "slices": [empty], "candidate": "c" * 64, "runtime": None, "parity": parity}
    assert ">ERROR<" in page(found)
    for said in ("0 test rows", "unknown ms", "unknown MB", "unknown on 64 rows"):
        assert said in page(found)
    card = card_of(spec(), "churn", found, FACTS, DIGESTS)
    assert "unknown" in card_page(card)
    assert "unknown" in card_text(card)


def test_the_same_report_gives_the_same_page() -> None:
    assert page(report()) == page(report())
