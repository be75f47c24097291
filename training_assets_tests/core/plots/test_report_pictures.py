"""Pictures of a report: a title that says the number, whatever the task, the classes or the rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from training_assets.core import fingerprint, plots
from training_assets.core.evaluation.report import evaluate
from training_assets.core.plots.canvas import TO, number, with_bounds
from training_assets.core.plots.thresholds import thresholds
from training_assets.spec.evaluation import Evaluation
from training_assets_tests.core.evaluation import made_up
from training_assets_tests.core.plots.pictures import seen

NASTY = ["_hidden", "a$b$", "<b>", "猫", "new\nline", "x" * 128, "\\frac{1}{2}", "%s {0}", "-", "100%"]


@pytest.fixture(scope="module")
def binary() -> dict[str, Any]:
    return made_up.report("binary")


@pytest.fixture(scope="module")
def multiclass() -> dict[str, Any]:
    return made_up.report("multiclass")


@pytest.fixture(scope="module")
def regression() -> dict[str, Any]:
    return made_up.report("regression")


def test_titles_of_a_binary_report(binary: dict[str, Any]) -> None:
    measured = binary["metrics"]
    assert seen(plots.roc(binary)).title == f"ROC: AUC {with_bounds(measured['roc_auc'])}"
    assert TO in seen(plots.roc(binary)).title
    average = with_bounds(measured["average_precision"])
    assert seen(plots.precision_recall(binary)).title == f"Precision-recall: average precision {average}"
    assert seen(plots.calibration(binary)).title.startswith("Calibration: probabilities are off by 0.")
    assert f"accuracy {measured['accuracy']['value']:.3f}, precision" in seen(plots.confusion(binary)).title


def test_titles_of_a_multiclass_report(multiclass: dict[str, Any]) -> None:
    measured = multiclass["metrics"]
    assert seen(plots.roc(multiclass)).title.endswith(f"mean AUC {with_bounds(measured['roc_auc_ovr'])}")
    assert "the worst class, class " in seen(plots.precision_recall(multiclass)).title
    assert seen(plots.calibration(multiclass)).title.startswith("Calibration: confidence is off by 0.")
    title = seen(plots.confusion(multiclass)).title
    table = np.array(multiclass["confusion"], dtype=float)
    wrong = table / table.sum(axis=1, keepdims=True) * (1 - np.eye(4))
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    actual, predicted = multiclass["classes"][row], multiclass["classes"][column]
    assert title.endswith(f"{wrong.max():.0%} of {actual} is taken for {predicted}")


def test_titles_of_a_regression_report(regression: dict[str, Any]) -> None:
    title = seen(plots.residuals(regression)).title
    assert title.startswith(f"Residuals: RMSE {with_bounds(regression['metrics']['rmse'])}, mean ")
    assert seen(plots.calibration(regression)).title.startswith("Calibration: predictions are off by ")


def test_calibration_is_the_mean_gap_weighted_by_rows() -> None:
    report = made_up.report("binary")
    report["curves"]["calibration"] |= {"predicted": [0.2, 0.4], "observed": [0.1, 0.4], "count": [30, 10]}
    report["curves"]["calibration"] |= {"low": [0.0, 0.3], "high": [0.2, 0.5]}
    assert seen(plots.calibration(report)).title.endswith("off by 0.0750 on average")


def test_thresholds_show_what_another_one_would_do(binary: dict[str, Any]) -> None:
    picture = seen(thresholds(binary))
    assert picture.title == f"Thresholds: {number(binary['threshold'])} is used"
    assert seen(thresholds({**binary, "threshold": None})).title == "Thresholds"
    with pytest.raises(ValueError, match="no counts of scores"):
        thresholds(made_up.report("multiclass"))


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("binary", {"roc", "precision_recall", "thresholds", "calibration", "confusion", "importance"}),
        ("multiclass", {"roc", "precision_recall", "calibration", "confusion", "importance"}),
        ("regression", {"residuals", "importance"}),
    ],
)
def test_each_task_has_its_pictures(task: str, names: set[str]) -> None:
    features = [{"feature": name, "loss": loss, "spread": 0.01} for name, loss in (("age", 0.2), ("height", -0.01))]
    importance = {"metric": "a metric", "rows": 400, "repeats": 5, "features": features, "left_out": 0}
    found = plots.plots_for({**made_up.report(task), "importance": importance})
    assert set(found) == names
    assert len({seen(png).title for png in found.values()}) == len(names)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_report_read_back_from_json_has_the_same_pictures(task: str) -> None:
    report = made_up.report(task)
    read = json.loads(fingerprint.canonical(report))
    assert plots.plots_for(read) == plots.plots_for(report)


@pytest.mark.parametrize("k", [2, 8, 9, 26, 30, 31, 100])
def test_any_number_of_classes_has_a_table(k: int) -> None:
    picture = seen(plots.confusion(made_up.report("multiclass", rows=3000, k=k)))
    assert picture.width >= picture.height


def test_too_many_classes_have_no_table_but_other_pictures() -> None:
    found = plots.plots_for(made_up.report("multiclass", rows=303, k=101))
    assert set(found) == {"roc", "precision_recall", "calibration"}


def test_any_class_name_can_be_drawn() -> None:
    y, p = made_up.multiclass(300, len(NASTY))
    report = evaluate(
        "multiclass", y, p, classes=NASTY, threshold=None, spec=Evaluation(replicates=50), train_target=y, seed=0
    )
    for png in plots.plots_for(report).values():
        seen(png)
    for pair in (NASTY[:2], NASTY[3:5]):
        for png in plots.plots_for({**made_up.report("binary"), "classes": pair}).values():
            seen(png)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_no_rows_have_no_pictures(task: str) -> None:
    assert plots.plots_for(made_up.report(task, rows=0)) == {}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_few_rows_have_pictures_or_none_but_never_an_error(task: str, rows: int) -> None:
    for png in plots.plots_for({**made_up.report(task, rows=rows), "importance": None}).values():
        seen(png)


def test_a_perfect_model_can_be_drawn() -> None:
    y = np.arange(60) % 2
    for task, predictions, classes in (("binary", y.astype(float), ["no", "yes"]), ("regression", y.astype(float), [])):
        report = evaluate(
            task,  # type: ignore[arg-type]  # both are tasks
            y,
            predictions,
            classes=classes,
            threshold=0.5,
            spec=Evaluation(replicates=50),
            train_target=y,
            seed=0,
        )
        assert plots.plots_for(report)
        assert all(seen(png) for png in plots.plots_for(report).values())
    table = {**made_up.report("multiclass"), "confusion": (25 * np.eye(4, dtype=int)).tolist()}
    assert "taken for" not in seen(plots.confusion(table)).title


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6, 1e12])
def test_values_of_any_size_can_be_drawn(scale: float) -> None:
    y, p = made_up.regression(200)
    report = evaluate(
        "regression",
        y * scale,
        p * scale,
        classes=[],
        threshold=None,
        spec=Evaluation(replicates=50),
        train_target=y,
        seed=0,
    )
    assert "undefined" not in seen(plots.residuals(report)).title


@pytest.mark.parametrize(
    ("draw", "task"),
    [
        (plots.roc, "regression"),
        (plots.precision_recall, "regression"),
        (plots.confusion, "regression"),
        (plots.residuals, "binary"),
    ],
)
def test_a_picture_that_a_report_does_not_have_is_refused(draw: Callable[[Any], bytes], task: str) -> None:
    with pytest.raises(ValueError, match="the report has no"):
        draw(made_up.report(task))


def test_without_rows_there_is_no_calibration() -> None:
    with pytest.raises(ValueError, match="no calibration curve"):
        plots.calibration(made_up.report("binary", rows=0))


def test_markdown_carries_the_picture(binary: dict[str, Any]) -> None:
    import base64

    png = plots.roc(binary)
    text = plots.as_markdown(png, "ROC of model")
    start = "![ROC of model](data:image/png;base64,"
    assert text.startswith(start)
    assert base64.b64decode(text.removeprefix(start).removesuffix(")")) == png


def test_markdown_cannot_be_broken_out_of() -> None:
    text = plots.as_markdown(b"png", "x](http://evil) <script>\n![")
    assert text.count("](") == 1
    assert "<" not in text
    assert "\n" not in text
