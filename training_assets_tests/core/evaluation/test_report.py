"""A report says what was measured, against what, and how sure; in JSON that always has an identity."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.dummy import DummyClassifier, DummyRegressor

from training_assets.core import fingerprint
from training_assets.core.evaluation import metrics
from training_assets.core.evaluation.bootstrap import intervals
from training_assets.core.evaluation.comparison import Scored, Setting, differences
from training_assets.core.evaluation.gates import judge
from training_assets.core.evaluation.report import MAX_CONFUSION, evaluate
from training_assets.spec.evaluation import Evaluation, ValueRule
from training_assets_tests.core.evaluation import made_up

TASKS = ["binary", "multiclass", "regression"]
tasks = pytest.mark.parametrize("task", TASKS)
NO = ["no", "yes"]


@tasks
def test_a_report_is_canonical_json_and_survives_it(task: str) -> None:
    report = made_up.report(task)
    assert json.loads(fingerprint.canonical(report)) == report
    assert len(fingerprint.canonical(report)) < 60_000


@tasks
def test_the_same_rows_and_seed_give_the_same_identity(task: str) -> None:
    first, again = made_up.report(task), made_up.report(task)
    other = made_up.report(task, spec=Evaluation(replicates=51))
    assert fingerprint.digest(first) == fingerprint.digest(again)
    assert fingerprint.digest(first) != fingerprint.digest(other)


@tasks
def test_metrics_are_the_intervals(task: Any) -> None:
    y, p, classes = made_up.sample(task)
    report = made_up.report(task)
    expected = intervals(task, y, p, classes=classes, threshold=0.4, replicates=50, confidence=0.95, seed=0)
    assert list(report["metrics"]) == list(metrics.names(task))
    for name, interval in expected.items():
        entry = report["metrics"][name]
        assert (entry["value"], entry["low"], entry["high"]) == (interval.point, interval.low, interval.high)
        assert entry["direction"] == metrics.DIRECTION[name]
        assert "reason" not in entry


def test_the_smallest_change_is_one_that_four_of_five_tests_show() -> None:
    entry = made_up.report("binary")["metrics"]["roc_auc"]
    z = stats.norm.ppf(0.95) + stats.norm.ppf(0.8)
    assert entry["smallest_change"] == pytest.approx(z * entry["standard_error"])
    assert stats.norm.sf(stats.norm.ppf(0.95) - entry["smallest_change"] / entry["standard_error"]) == pytest.approx(
        0.8
    )


@tasks
def test_groups_reach_the_intervals(task: str) -> None:
    plain, grouped = made_up.report(task), made_up.report(task, groups=np.arange(400) // 10)
    name = metrics.names(task)[0]
    assert plain["metrics"][name]["value"] == grouped["metrics"][name]["value"]
    assert plain["metrics"][name]["low"] != grouped["metrics"][name]["low"]


def test_of_too_few_groups_the_report_says_so_and_a_bound_is_inconclusive() -> None:
    report = made_up.report("binary", groups=np.arange(400) % 3)
    entry = report["metrics"]["roc_auc"]
    assert (entry["low"], entry["high"], entry["standard_error"], entry["smallest_change"]) == (None,) * 4
    assert entry["reason"] == "too few groups for an interval: 3, and 10 are needed"
    bound = ValueRule(kind="value", metric="roc_auc", min=0.5, compare="bound")
    rules = [bound, bound.model_copy(update={"compare": "point"})]
    verdict = judge(report, rules, candidate="c", report_digest="r", policy_digest="p")
    assert [each.outcome for each in verdict.results] == ["INCONCLUSIVE", "PASS"]
    assert "too few groups" in verdict.explanation


# The dummy


@pytest.mark.parametrize("positives", [30, 70])
def test_the_binary_dummy_is_scikit_learns_prior(positives: int) -> None:
    y, _ = made_up.binary()
    train = np.r_[np.ones(positives), np.zeros(100 - positives)].astype(int)
    report = made_up.report("binary", train_target=train, threshold=0.1)
    theirs = DummyClassifier(strategy="prior").fit(np.zeros((100, 1)), train)
    shares = theirs.predict_proba(np.zeros((400, 1)))[:, 1]
    expected = metrics.compute("binary", y, shares, classes=NO, threshold=0.5)
    assert (theirs.predict(np.zeros((1, 1)))[0] == 1) == (report["dummy"]["recall"] == 1)
    for name, value in expected.items():
        assert report["dummy"][name] == (None if math.isnan(value) else value), name
    assert report["dummy"]["roc_auc"] == 0.5


def test_a_dummy_that_names_no_positive_has_no_precision() -> None:
    dummy = made_up.report("binary", train_target=np.zeros(10, dtype=int))["dummy"]
    assert (dummy["precision"], dummy["recall"], dummy["f1"]) == (None, 0, 0)


def test_the_multiclass_dummy_knows_shares_of_absent_classes() -> None:
    report = made_up.report("multiclass", train_target=np.array([0, 0, 1, 2]))
    assert report["dummy"]["accuracy"] == 0.25
    assert report["dummy"]["balanced_accuracy"] == 0.25
    assert report["dummy"]["roc_auc_ovr"] == 0.5
    assert report["dummy"]["log_loss"] > 5  # the fourth class was thought impossible


def test_the_regression_dummy_is_scikit_learns_mean() -> None:
    y, _ = made_up.regression()
    train = made_up.regression(50, seed=9)[0]
    report = made_up.report("regression", train_target=train)
    constant = DummyRegressor().fit(np.zeros((50, 1)), train).predict(np.zeros((400, 1)))
    assert report["dummy"] == pytest.approx(metrics.compute("regression", y, constant, classes=[], threshold=None))
    assert report["dummy"]["r2"] <= 0


def test_without_training_rows_the_dummy_is_unknown() -> None:
    for task in TASKS:
        assert set(made_up.report(task, train_target=np.array([]))["dummy"].values()) == {None}


@tasks
def test_the_gain_over_the_dummy_is_of_the_same_replicates(task: str) -> None:
    y, predictions, classes = made_up.sample(task)
    report = made_up.report(task)
    threshold = 0.4 if task == "binary" else None
    dummy = {
        "binary": lambda: np.full(len(y), y.mean()),
        "multiclass": lambda: np.tile(np.bincount(y, minlength=4) / len(y), (len(y), 1)),
        "regression": lambda: np.full(len(y), y.mean()),
    }[task]()
    paired = differences(
        task,  # type: ignore[arg-type]  # a task
        y,
        Scored(dummy, None),
        Scored(predictions, threshold),
        np.arange(len(y)),
        classes=classes,
        setting=Setting(50, report["confidence"], 0, 1),
        groups=None,
    )
    for name, gain in report["over_dummy"].items():
        assert {key: paired[name][key] for key in ("difference", "low", "high")} == {
            key: gain[key] for key in ("difference", "low", "high")
        }, name


def test_what_makes_a_metric_uncertain_for_both_makes_no_gain_uncertain() -> None:
    rng = np.random.default_rng(3)
    y = np.exp(3 * rng.normal(size=400))  # the largest value decides the error of any model
    report = evaluate(
        "regression",
        y,
        y.mean() + 0.5 * (y - y.mean()),
        classes=[],
        threshold=None,
        spec=Evaluation(replicates=200),
        train_target=y,
        seed=0,
    )
    assert report["metrics"]["rmse"]["high"] > report["dummy"]["rmse"] * 0.75
    assert report["over_dummy"]["rmse"]["low"] > 0


# Details


def test_confusion_has_actual_classes_down_and_predicted_ones_across() -> None:
    report = evaluate(
        "binary",
        np.array([0, 0, 0, 1, 1]),
        np.array([0.1, 0.2, 0.9, 0.3, 0.8]),
        classes=["no", "yes"],
        threshold=0.3,
        spec=Evaluation(replicates=50),
        train_target=np.array([0, 1]),
        seed=0,
    )
    assert report["confusion"] == [[2, 1], [0, 2]]
    assert report["class_counts"] == {"no": 3, "yes": 2}
    assert report["per_class"]["yes"] == {"rows": 2, "precision": 2 / 3, "recall": 1.0, "f1": 4 / 5}


def test_confusion_agrees_with_the_metrics() -> None:
    for task in ("binary", "multiclass"):
        report = made_up.report(task)
        table = np.array(report["confusion"])
        assert table.sum() == report["rows"] == sum(report["class_counts"].values())
        assert np.trace(table) / table.sum() == pytest.approx(report["metrics"]["accuracy"]["value"])
        recalls = [each["recall"] for each in report["per_class"].values()]
        assert np.mean(recalls) == pytest.approx(report["metrics"]["balanced_accuracy"]["value"])


def test_a_class_that_never_occurs_has_no_scores() -> None:
    y, p = made_up.multiclass(90, 3)
    report = evaluate(
        "multiclass",
        np.where(y == 2, 1, y),
        np.column_stack([p[:, 0], p[:, 1] + p[:, 2], np.zeros(90)]),
        classes=["a", "b", "c"],
        threshold=None,
        spec=Evaluation(replicates=50),
        train_target=y,
        seed=0,
    )
    assert report["per_class"]["c"] == {"rows": 0, "precision": None, "recall": None, "f1": None}
    assert report["metrics"]["roc_auc_ovr"]["value"] is None
    assert report["metrics"]["roc_auc_ovr"]["reason"] == "a class has no rows"


def test_too_many_classes_have_no_confusion_table() -> None:
    report = made_up.report("multiclass", rows=300, k=MAX_CONFUSION + 1)
    assert report["confusion"] is None
    assert len(report["per_class"]) == MAX_CONFUSION + 1


def test_each_task_has_its_own_details() -> None:
    assert set(made_up.report("binary")["curves"]) == {"roc", "precision_recall", "calibration", "scores"}
    assert set(made_up.report("multiclass")["curves"]) == {"roc", "precision_recall", "calibration"}
    regression = made_up.report("regression")
    assert set(regression["curves"]) == {"calibration"}
    assert regression["residuals"]["counts"]
    assert regression["class_counts"] == {}


@pytest.mark.parametrize(
    ("task", "given", "said"), [("binary", None, 0.5), ("binary", 0.2, 0.2), ("multiclass", 0.2, None)]
)
def test_the_threshold_is_the_one_that_was_used(task: str, given: float | None, said: float | None) -> None:
    assert made_up.report(task, threshold=given)["threshold"] == said


# What has no value


@tasks
def test_no_rows_give_a_report_that_says_so(task: str) -> None:
    report = made_up.report(task, rows=0)
    fingerprint.canonical(report)
    assert report["rows"] == 0
    for entry in report["metrics"].values():
        assert (entry["value"], entry["low"], entry["reason"]) == (None, None, "there are no rows")
    assert set(report["dummy"].values()) == {None}


def test_sick_predictions_give_a_report_that_says_so() -> None:
    y, p = made_up.regression(20)
    p[4] = math.inf
    report = evaluate(
        "regression", y, p, classes=[], threshold=None, spec=Evaluation(replicates=50), train_target=y, seed=0
    )
    assert {entry["reason"] for entry in report["metrics"].values()} == {
        "1 of 20 rows have a prediction that is not a finite number"
    }
    assert report["residuals"] is None
    assert report["dummy"]["mae"] is not None  # the rows themselves are sound


def test_an_interval_that_cannot_be_had_says_why() -> None:
    y, p = np.r_[np.zeros(60, dtype=int), 1], np.r_[np.full(60, 0.1), 0.9]
    report = evaluate("binary", y, p, classes=NO, threshold=0.5, spec=Evaluation(replicates=50), train_target=y, seed=0)
    entry = report["metrics"]["roc_auc"]
    assert (entry["value"], entry["low"], entry["high"], entry["standard_error"]) == (1, None, None, None)
    assert "too few rows" in entry["reason"]


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1) | st.just(math.nan)), max_size=6), st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_whatever_the_rows_a_report_has_an_identity(rows: list[tuple[int, float]], train: int) -> None:
    y, p = np.array([row[0] for row in rows], dtype=int), np.array([row[1] for row in rows], dtype=float)
    for task, classes in (("binary", NO), ("regression", [])):
        report = evaluate(
            task,  # type: ignore[arg-type]  # both are tasks
            y,
            p,
            classes=classes,
            threshold=None,
            spec=Evaluation(replicates=50),
            train_target=np.arange(train),
            seed=0,
        )
        assert len(fingerprint.digest(report)) == 64
        for entry in report["metrics"].values():
            assert (entry["value"] is None) <= ("reason" in entry)
