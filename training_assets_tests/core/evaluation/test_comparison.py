"""Champion and challenger on the same rows, against scikit-learn and by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from training_assets.core.evaluation.comparison import Scored, Setting, compare, unseen
from training_assets.core.evaluation.gates import judge
from training_assets.core.evaluation.metrics import DIRECTION, names
from training_assets.spec.evaluation import ChangeRule
from training_assets_tests.core.evaluation.made_up import sample

SETTING = Setting(replicates=200, confidence=0.95, seed=3, min_unseen=50)


def pair(task: str, rows: int = 400, *, better: float = 0.0, seed: int = 0) -> tuple[Any, Scored, Scored, list[str]]:
    """Labels, a champion, and a challenger that lies so much nearer to the truth."""
    y, predictions, classes = sample(task, rows, seed=seed)
    truth = np.eye(predictions.shape[1])[y] if task == "multiclass" else y.astype(np.float64)
    return y, Scored(predictions, None), Scored(predictions + better * (truth - predictions), None), classes


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_above_zero_the_challenger_is_better_whatever_the_metrics_direction(task: Any) -> None:
    y, champion, challenger, classes = pair(task, better=0.4)
    everyone = np.ones(len(y), dtype=bool)
    found = compare(task, y, champion, challenger, everyone, classes=classes, setting=SETTING)
    back = compare(task, y, challenger, champion, everyone, classes=classes, setting=SETTING)
    assert (found["rows"], found["pruned"], found["reason"]) == (400, 0, None)
    assert set(found["metrics"]) == set(names(task))
    for name, each in found["metrics"].items():
        assert each["difference"] >= 0, name
        assert each["low"] <= each["difference"] <= each["high"]
        sign = 1 if DIRECTION[name] == "higher" else -1
        assert each["difference"] == pytest.approx(sign * (each["challenger"] - each["champion"]))
        assert back["metrics"][name]["difference"] == pytest.approx(-each["difference"])


def test_the_difference_is_scikit_learns() -> None:
    y, champion, challenger, classes = pair("binary", better=0.2)
    found = compare("binary", y, champion, challenger, np.ones(len(y), dtype=bool), classes=classes, setting=SETTING)[
        "metrics"
    ]["roc_auc"]
    expected = roc_auc_score(y, challenger.predictions) - roc_auc_score(y, champion.predictions)
    assert found["difference"] == pytest.approx(expected, abs=1e-12)


def test_a_model_against_itself_has_no_difference_at_all() -> None:
    y, champion, _, classes = pair("binary")
    everyone = np.ones(len(y), dtype=bool)
    for each in compare("binary", y, champion, champion, everyone, classes=classes, setting=SETTING)[
        "metrics"
    ].values():
        assert (each["difference"], each["low"], each["high"], each["smallest_change"]) == (0, 0, 0, 0)


def test_rows_that_the_champion_saw_count_for_nothing() -> None:
    """A champion that knows its rows by heart does not win by them."""
    y, champion, challenger, classes = pair("binary", rows=600)
    test = pl.DataFrame({"_batch": ["b"] * 600, "_row": range(600), "_key": range(600)})
    sent_again = test[:200].with_columns(_batch=pl.lit("again"))
    of_other_features = test[200:300].with_columns(_key=-pl.col("_key"))
    by_heart = champion.predictions.copy()
    by_heart[:300] = y[:300]
    is_unseen = unseen(test, pl.concat([sent_again, of_other_features]))
    found = compare("binary", y, Scored(by_heart, None), challenger, is_unseen, classes=classes, setting=SETTING)
    assert (found["rows"], found["pruned"]) == (300, 300)
    assert found["metrics"]["roc_auc"]["difference"] == 0


def test_too_few_new_rows_give_a_reason_and_no_number() -> None:
    y, champion, challenger, classes = pair("binary")
    few = np.arange(len(y)) < SETTING.min_unseen - 1
    found = compare("binary", y, champion, challenger, few, classes=classes, setting=SETTING)
    assert found["metrics"] == {}
    assert "only 49 of 400" in found["reason"]


@pytest.mark.parametrize("units", [1, 3, 9])
def test_on_too_few_groups_nothing_is_shown(units: int) -> None:
    """However much better the challenger is: all of its rows may be good for one reason."""
    y, champion, challenger, classes = pair("binary", better=0.4)
    everyone, groups = np.ones(len(y), dtype=bool), np.arange(len(y)) % units
    found = compare(
        "binary", y, champion, challenger, everyone, classes=classes, setting=SETTING, groups=groups
    )  # fmt: skip
    entry = found["metrics"]["roc_auc"]
    assert entry["difference"] > 0
    assert (entry["low"], entry["high"], entry["standard_error"], entry["smallest_change"]) == (None,) * 4
    assert entry["reason"].startswith(f"too few groups for an interval: {units}")
    report = {"task": "binary", "comparison": found}
    for must_be in ("superior", "non_inferior"):
        rule = ChangeRule(kind="change", metric="roc_auc", must_be=must_be)
        (result,) = judge(report, [rule], candidate="c", report_digest="r", policy_digest="p").results
        assert (result.outcome, "too few groups" in result.text) == ("INCONCLUSIVE", True)


def test_a_metric_without_a_value_says_why() -> None:
    y, champion, challenger, classes = pair("binary")
    ones = np.flatnonzero(y == 1)[:60]
    kept = np.isin(np.arange(len(y)), ones)
    found = compare("binary", y, champion, challenger, kept, classes=classes, setting=SETTING)["metrics"]["roc_auc"]
    assert found["difference"] is None
    assert "one class" in found["reason"]


ROWS, ROUNDS = 800, 300


def simulated(task: Any, metric: str, noise: float, n_groups: int | None = None) -> list[dict[str, Any]]:
    """What is said of a metric in many rounds: a champion of noise 1 and a challenger of this noise, on new rows."""
    rng, found = np.random.default_rng(0), []
    setting = Setting(replicates=200, confidence=0.95, seed=0, min_unseen=50)
    groups = None if n_groups is None else np.arange(ROWS) % n_groups
    classes = [] if task == "regression" else ["a", "b"]
    for _ in range(ROUNDS):
        y = rng.normal(size=ROWS) if task == "regression" else (rng.random(ROWS) < 0.4).astype(np.int64)
        signal, own = y + rng.normal(size=ROWS), rng.normal(size=(2, ROWS))
        if groups is not None:  # half of what is a model's own is shared by the rows of a group
            own = (own + rng.normal(size=(2, n_groups))[:, groups]) / np.sqrt(2)
        before, after = (signal + each * size for each, size in zip(own, (1.0, noise), strict=True))
        if task != "regression":
            before, after = (1 / (1 + np.exp(0.5 - each)) for each in (before, after))
        models = Scored(before, None), Scored(after, None)
        everyone = np.ones(ROWS, dtype=bool)
        said = compare(task, y, *models, everyone, classes=classes, setting=setting, groups=groups)
        found.append(said["metrics"][metric])
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "metric", "noise", "n_groups"),
    [
        ("binary", "roc_auc", 0.524, None),
        ("binary", "log_loss", 0.661, None),
        ("regression", "rmse", 0.847, None),
        ("binary", "roc_auc", 0.515, 30),
        ("binary", "roc_auc", 0.464, 12),
    ],
    ids=["roc_auc", "log_loss", "rmse", "roc_auc on 30 groups", "roc_auc on 12 groups"],
)
def test_equal_models_are_called_better_as_seldom_and_better_ones_as_often_as_promised(
    task: Any, metric: str, noise: float, n_groups: int | None
) -> None:
    equal = simulated(task, metric, 1.0, n_groups)
    wrong = np.mean([each["low"] > 0 for each in equal])
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / ROUNDS)
    # the noise is chosen so that the true lead is what these very tests say that they can show
    better = simulated(task, metric, noise, n_groups)
    lead, promised = (np.mean([each[name] for each in better]) for name in ("difference", "smallest_change"))
    assert lead == pytest.approx(promised, rel=0.02)
    shown = np.mean([each["low"] > 0 for each in better])
    assert shown == pytest.approx(0.8, abs=3 * np.sqrt(0.8 * 0.2 / ROUNDS))
