"""Pictures of training: learning curves, importances and the splits."""

from __future__ import annotations

import math
from typing import Any

import pytest

from training_assets.core import plots
from training_assets.core.plots.balance import MAX_SHOWN
from training_assets_tests.core.plots.pictures import seen

NAN = math.nan


# Learning curves


def test_learning_curves_say_the_kept_score_and_iteration() -> None:
    curves = {"train": [0.6, 0.4, 0.2], "validation": [0.7, 0.5, 0.6]}
    title = seen(plots.learning_curves(curves, 2, "log_loss")).title
    assert title == "Learning curves: log_loss 0.500 at iteration 2 of 3"


def test_without_a_validation_curve_the_first_one_speaks() -> None:
    assert "0.400" in seen(plots.learning_curves({"train": [0.6, 0.4]}, 2, "log_loss")).title


@pytest.mark.parametrize("best", [None, -1, 0, 3, 10**9])
def test_an_iteration_that_is_not_there_is_left_out(best: int | None) -> None:
    assert seen(plots.learning_curves({"validation": [0.6, 0.4]}, best, "rmse")).title == "Learning curves: rmse"


@pytest.mark.parametrize("values", [[0.5], [NAN, 0.5, NAN], [NAN], [0.5] * 2000, [1e-9, 1e9]])
def test_any_curve_can_be_drawn(values: list[float]) -> None:
    seen(plots.learning_curves({"validation": values, "empty": []}, 0, "a$b$"))


@pytest.mark.parametrize("curves", [{}, {"validation": []}])
def test_no_curve_is_refused(curves: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match="no learning curves"):
        plots.learning_curves(curves, None, "rmse")


@pytest.mark.parametrize(("kept", "title"), [(20, "0.500 at iteration 20 of 30"), (None, "rmse")])
def test_curves_may_have_their_own_iterations(kept: int | None, title: str) -> None:
    drawn = plots.learning_curves({"validation": [0.7, 0.5, 0.6]}, kept, "rmse", iterations=[10, 20, 30])
    assert seen(drawn).title.endswith(title)


# Importance


def shuffled(losses: dict[str, float]) -> dict[str, Any]:
    features = [{"feature": name, "loss": loss, "spread": 0.1 * abs(loss)} for name, loss in losses.items()]
    return {"metric": "roc_auc", "rows": 500, "repeats": 5, "features": features, "left_out": 3}


def test_importance_says_which_column_leads() -> None:
    picture = seen(plots.importance(shuffled({"CO2(tCO2)": 0.06, "age": 0.03, "subject#": 0.01})))
    assert picture.title == "Importance: without CO2(tCO2), roc_auc is 0.0600 worse"


def test_more_columns_make_a_taller_picture() -> None:
    many = shuffled({f"column {place}": float(place) for place in range(20)})
    assert seen(plots.importance(shuffled({"one": 1.0}))).height < seen(plots.importance(many)).height


@pytest.mark.parametrize("values", [[0.0, 0.0], [-1.0, -2.0], [1e12, 1e-12], [0.5, -0.5]])
def test_any_importance_can_be_drawn(values: list[float]) -> None:
    seen(plots.importance(shuffled({f"$x${place}": value for place, value in enumerate(values)})))


def test_no_importance_is_refused() -> None:
    with pytest.raises(ValueError, match="no importances"):
        plots.importance(shuffled({}))


# Splits


def test_splits_say_their_shares() -> None:
    counts = {"train": {"no": 600, "yes": 100}, "validation": {"no": 130, "yes": 20}, "test": {"no": 130, "yes": 20}}
    assert seen(plots.split_balance(counts)).title == "Splits: train 70.0% / validation 15.0% / test 15.0%"
    totals = {name: sum(each.values()) for name, each in counts.items()}
    assert seen(plots.split_balance(totals)).title == "Splits: train 70.0% / validation 15.0% / test 15.0%"


def test_rare_and_missing_classes_can_be_drawn() -> None:
    seen(plots.split_balance({"train": {"no": 99_999, "yes": 1}, "test": {"no": 10}}))
    seen(plots.split_balance({"train": {"no": 5}, "test": {}}))


def test_many_classes_show_the_rarest() -> None:
    counts = {split: {f"class {place}": place + 1 for place in range(200)} for split in ("train", "test")}
    assert seen(plots.split_balance(counts)).height < 1300
    assert MAX_SHOWN < 200


@pytest.mark.parametrize("counts", [{}, {"train": 0}, {"train": {}}, {"train": {"no": 0}}])
def test_splits_without_rows_are_refused(counts: Any) -> None:
    with pytest.raises(ValueError, match="no rows"):
        plots.split_balance(counts)
