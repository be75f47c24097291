from __future__ import annotations

import itertools
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Data
from training_assets.core.operating_point import best_threshold
from training_assets.core.scoring import Scorer, table
from training_assets.core.search import Tuned, search
from training_assets.spec import Encoding, Search
from training_assets.spec.target import Task
from training_assets_tests.conftest import ROOT
from training_assets_tests.core.encoding.made_rows import KINDS, TASKS, made, strange

EVERY = list(itertools.product(FAMILIES, TASKS))
every_family_and_task = pytest.mark.parametrize(("family", "task"), EVERY)


@cache
def scorer(family: str, task: Task) -> Scorer:
    split = made(task)
    train, validation, _ = split.data()
    model = FAMILIES[family].fit(
        {}, train, validation, threads=1, seed=0, max_iterations=25, patience=25, deadline=lambda: False
    )
    return Scorer(split.preprocessor(), model, 0.4 if task == "binary" else None)


def rows_to_score(task: Task) -> pl.DataFrame:
    """Feature rows alone, in another order of columns, with what training never saw among them."""
    test = made(task).test
    return pl.concat([test, strange(test)]).select(sorted(KINDS))


@every_family_and_task
def test_raw_rows_are_predicted_as_the_model_predicts_encoded_ones(family: str, task: Task) -> None:
    _, _, test = made(task).data()
    expected = scorer(family, task).model.predict(test)
    np.testing.assert_array_equal(scorer(family, task).predict(made(task).test), expected)


READ_AND_PREDICT = """
import sys
from pathlib import Path
import numpy as np, polars as pl
from training_assets.core.scoring import Scorer
for folder in sorted(Path(sys.argv[1]).iterdir()):
    scorer = Scorer.load(folder / "scorer")
    np.save(folder / "predictions.npy", scorer.predict(pl.read_parquet(folder / "rows.parquet")))
    (folder / "digest").write_text(scorer.digest)
assert not {"dagster", "mlflow", "optuna"} & set(sys.modules), "serving needs none of these"
"""


def test_another_process_gives_the_same_predictions(tmp_path: Path) -> None:
    for family, task in EVERY:
        folder = tmp_path / f"{family} {task}"
        scorer(family, task).save(folder / "scorer")
        rows_to_score(task).write_parquet(folder / "rows.parquet")
    subprocess.run([sys.executable, "-W", "error", "-c", READ_AND_PREDICT, str(tmp_path)], check=True, cwd=ROOT)
    for family, task in EVERY:
        folder = tmp_path / f"{family} {task}"
        expected = scorer(family, task).predict(rows_to_score(task))
        np.testing.assert_allclose(np.load(folder / "predictions.npy"), expected, rtol=1e-12, atol=1e-12)
        assert (folder / "digest").read_text() == scorer(family, task).digest


@every_family_and_task
def test_a_folder_says_what_is_in_it(family: str, task: Task, tmp_path: Path) -> None:
    scorer(family, task).save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    assert description == {
        "format": 1,
        "family": family,
        "task": task,
        "classes": made(task).classes,
        "threshold": 0.4 if task == "binary" else None,
        "digest": scorer(family, task).digest,
    }
    kinds = {"catboost": "model.cbm", "hist_gradient_boosting": "trees.npz", "linear": "weights.npz"}
    assert {path.name for path in tmp_path.iterdir()} == {"model.json", "preprocessor.json", "fit.json", kinds[family]}


def test_the_digest_is_over_preprocessor_model_and_threshold() -> None:
    base = scorer("linear", "binary")
    others = [
        Scorer(base.preprocessor, base.model, 0.5),
        Scorer(base.preprocessor, base.model, None),
        Scorer(base.preprocessor, scorer("catboost", "binary").model, 0.4),
        Scorer(made("binary").preprocessor(seed=1), base.model, 0.4),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 5
    assert Scorer(base.preprocessor, base.model, 0.4).digest == base.digest


# Tables


def test_a_binary_table_decides_by_the_threshold() -> None:
    frame = table(scorer("linear", "binary"), made("binary").test)
    assert frame.columns == ["prediction", "probability_no", "probability_yes"]
    assert frame.height == made("binary").test.height
    decided = frame.select(pl.when(pl.col("probability_yes") >= 0.4).then(pl.lit("yes")).otherwise(pl.lit("no")))
    assert frame["prediction"].to_list() == decided.to_series().to_list()
    between = frame.filter(pl.col("probability_yes").is_between(0.4, 0.5, closed="left"))
    assert set(between["prediction"]) <= {"yes"}
    np.testing.assert_allclose((frame["probability_no"] + frame["probability_yes"]).to_numpy(), 1)


def test_without_a_threshold_the_more_likely_class_is_predicted() -> None:
    base = scorer("linear", "binary")
    frame = table(Scorer(base.preprocessor, base.model, None), made("binary").test)
    assert ((frame["prediction"] == "yes") == (frame["probability_yes"] >= 0.5)).all()


def test_a_multiclass_table_predicts_the_most_likely_class() -> None:
    frame = table(scorer("linear", "multiclass"), made("multiclass").test)
    assert frame.columns == ["prediction", "probability_a", "probability_b", "probability_c"]
    likely = frame.drop("prediction").to_numpy().argmax(axis=1)
    assert frame["prediction"].to_list() == ["abc"[code] for code in likely]


def test_a_regression_table_holds_values() -> None:
    frame = table(scorer("linear", "regression"), made("regression").test)
    assert frame.schema == {"prediction": pl.Float64}


@pytest.mark.parametrize("task", TASKS)
def test_no_rows_make_an_empty_table(task: Task) -> None:
    whole, empty = (table(scorer("linear", task), made(task).test[:count]) for count in (5, 0))
    assert_frame_equal(empty, whole[:0])


# Refused


def test_a_threshold_goes_with_a_binary_task_alone() -> None:
    base = scorer("linear", "regression")
    with pytest.raises(ValueError, match="regression task has no threshold"):
        Scorer(base.preprocessor, base.model, 0.5)


def test_missing_features_are_named() -> None:
    with pytest.raises(InputError, match=r"E_SCHEMA.*colour"):
        scorer("linear", "binary").predict(made("binary").test.drop("colour"))


def test_a_label_that_is_no_class_does_not_keep_a_row_from_being_scored() -> None:
    rows = made("binary").test
    odd = rows.with_columns(_target=pl.lit("unheard of"))
    np.testing.assert_array_equal(scorer("linear", "binary").predict(odd), scorer("linear", "binary").predict(rows))


@pytest.mark.parametrize("change", [{"format": 2}, {"family": "pickle"}, {"family": None}])
def test_a_folder_of_another_format_or_family_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    scorer("linear", "binary").save(tmp_path)
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match="E_FORMAT"):
        Scorer.load(tmp_path)


# Real rows, from splits to a scorer


def tuned_on(rows: pl.DataFrame, task: Task, classes: list[str], **settings: Any) -> tuple[Tuned, Scorer, pl.DataFrame]:
    """A search of 10 seconds on 70 % of the rows, with 15 % to validate and 15 % to test."""
    kinds: FeatureKinds = {
        name: "numeric" if dtype.is_numeric() else "categorical"
        for name, dtype in rows.schema.items()
        if name != "_target"
    }
    shuffled = rows.sample(fraction=1, shuffle=True, seed=0)
    cut, end = int(0.7 * rows.height), int(0.85 * rows.height)
    train, validation, test = shuffled[:cut], shuffled[cut:end], shuffled[end:]
    fitted = Preprocessor.fit(train, kinds, Encoding(), task, classes, 0)
    data = [Data.of(frame, fitted.layout) for frame in (fitted.encode_training(train), fitted.encode(validation))]
    spec = Search(budget_seconds=10, **settings)
    tuned = search(data[0], data[1], spec, task, cores=2, progress=lambda _: None)
    threshold = best_threshold(data[1].y, tuned.model.predict(data[1])) if task == "binary" else None
    return tuned, Scorer(fitted, tuned.model, threshold), test


def test_ten_seconds_are_enough_for_diamonds(shared_data: Path) -> None:
    rows = pl.read_csv(shared_data / "various" / "diamonds" / "diamonds.csv").drop("rownames")
    rows = rows.rename({"price": "_target"}).cast({"_target": pl.Float64})
    tuned, scored, test = tuned_on(rows, "regression", [], trials=5)
    assert tuned.study.seconds < 15
    y = test["_target"].to_numpy()
    assert 1 - np.mean((scored.predict(test) - y) ** 2) / y.var() > 0.97
    assert tuned.model.importances()["carat"] > 0.1


def test_ten_seconds_are_enough_for_telco_churn(shared_data: Path) -> None:
    from sklearn.metrics import f1_score, roc_auc_score

    path = shared_data / "various" / "telco_churn" / "Telco-Customer-Churn.csv"
    rows = pl.read_csv(path, schema_overrides={"TotalCharges": pl.String}).drop("customerID")
    rows = rows.with_columns(pl.col("TotalCharges").cast(pl.Float64, strict=False))  # eleven are a blank
    tuned, scored, test = tuned_on(rows.rename({"Churn": "_target"}), "binary", ["No", "Yes"], trials=8)
    assert tuned.study.seconds < 15
    y = (test["_target"] == "Yes").to_numpy()
    assert roc_auc_score(y, scored.predict(test)) > 0.82
    assert f1_score(y, (table(scored, test)["prediction"] == "Yes").to_numpy()) > 0.55
