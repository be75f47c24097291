"""Permutation importance against scikit-learn's, and where there is nothing to ask."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.inspection import permutation_importance as theirs
from sklearn.linear_model import LogisticRegression, Ridge

from training_assets.core.evaluation.permutation import MOST, ROWS, permutation_importance

NAMES = [f"x{place}" for place in range(4)]


def made(task: str, rows: int = 1500) -> tuple[Any, Any, Any, Any]:
    """Rows, labels, a model that leans on the first column most and on the last not at all, and its predictions."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4))
    value = 2 * x[:, 0] + x[:, 1] + 0.3 * x[:, 2] + rng.normal(size=rows)
    if task == "regression":
        model = Ridge().fit(x, value)
        return x, value, model, model.predict
    y = (value > 0).astype(np.int64)
    model = LogisticRegression().fit(x, y)
    return x, y, model, lambda rows: model.predict_proba(rows)[:, 1]


@pytest.mark.parametrize(("task", "scoring"), [("binary", "roc_auc"), ("regression", "neg_root_mean_squared_error")])
def test_it_is_scikit_learns_but_for_the_shuffles(task: Any, scoring: str) -> None:
    x, y, model, predict = made(task)
    found = permutation_importance(
        task, pl.DataFrame(x, schema=NAMES), y, lambda rows: predict(rows.to_numpy()),
        dict.fromkeys(NAMES, 0.25),
        classes=["no", "yes"] if task == "binary" else [], threshold=None, seed=0,
    )  # fmt: skip
    assert found is not None
    expected = theirs(model, x, y, scoring=scoring, n_repeats=20, random_state=1)
    losses = {each["feature"]: each["loss"] for each in found["features"]}
    assert list(losses)[:3] == NAMES[:3]
    for place, name in enumerate(NAMES):
        assert losses[name] == pytest.approx(expected.importances_mean[place], rel=0.1, abs=0.03)
    assert (found["rows"], found["left_out"]) == (ROWS, 0)
    assert all(0 <= each["spread"] < 0.05 for each in found["features"])


def test_the_first_features_of_a_sample_are_asked_and_the_same_each_time() -> None:
    rows = pl.DataFrame({f"c{place}": np.arange(3000) % (place + 2) for place in range(MOST + 5)})
    y = (rows["c0"].to_numpy() > 0).astype(np.int64)
    asked = {"classes": ["no", "yes"], "threshold": None, "seed": 3}

    def predict(rows: pl.DataFrame) -> Any:
        return 0.2 + 0.6 * rows["c0"].to_numpy()

    leans_on = {name: 1 / (place + 1) for place, name in enumerate(rows.columns)}
    found = permutation_importance("binary", rows, y, predict, leans_on, **asked)
    assert found == permutation_importance("binary", rows, y, predict, leans_on, **asked)
    assert found is not None
    assert (found["rows"], found["left_out"], len(found["features"])) == (ROWS, 5, MOST)
    assert found["features"][0]["feature"] == "c0"
    assert found["features"][0]["loss"] == pytest.approx(0.5, abs=0.05)
    assert {each["loss"] for each in found["features"][1:]} == {0.0}


@pytest.mark.parametrize("labels", [[], [1] * 40])
def test_where_the_metric_has_no_value_nothing_is_said(labels: list[int]) -> None:
    rows = pl.DataFrame({"x": np.zeros(len(labels))})
    y = np.array(labels, dtype=np.int64)
    asked = {"classes": ["no", "yes"], "threshold": None, "seed": 0}
    assert (
        permutation_importance("binary", rows, y, lambda rows: np.full(rows.height, 0.5), {"x": 1.0}, **asked) is None
    )
