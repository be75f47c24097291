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

from training_assets.core.calibration import Sigmoid, Temperature
from training_assets.core.encoding import FeatureKinds, Preprocessor
from training_assets.core.encoding.target_transform import UNCHANGED, TargetTransform
from training_assets.core.errors import InputError
from training_assets.core.families import FAMILIES, Data
from training_assets.core.families.blend import blended
from training_assets.core.scoring import Scorer, table
from training_assets.core.training import Trained, train
from training_assets.serving import PACKAGE, SCORER, _load_pyfunc, trusted
from training_assets.spec.target import Task
from training_assets_tests.conftest import ROOT
from training_assets_tests.core.encoding.made_rows import KINDS, TASKS, made, strange
from training_assets_tests.core.families.fits import fit
from training_assets_tests.core.small_spec import LABEL, small_spec

EVERY = list(itertools.product(FAMILIES, TASKS))
every_family_and_task = pytest.mark.parametrize(("family", "task"), EVERY)


SIGMOID = Sigmoid(0.8, 0.3)
PARTS: dict[Task, dict[str, Any]] = {
    "binary": {"calibration": SIGMOID},
    "multiclass": {"calibration": Temperature(1.5)},
    "regression": {"transform": TargetTransform("yeo_johnson", 0.25)},
}


@cache
def scorer(family: str, task: Task, *, bare: bool = False) -> Scorer:
    """A model with all that the task may have after it, or with nothing."""
    train, validation, _ = made(task).data()
    parts = {} if bare else PARTS[task]
    transform = parts.get("transform", UNCHANGED)
    learnt = [Data.of(data.frame, data.layout, transform=transform) for data in (train, validation)]
    model = fit(family, learnt[0], learnt[1], max_iterations=25, patience=25)
    threshold = 0.4 if task == "binary" and not bare else None
    return Scorer(made(task).preprocessor(), model, threshold, **parts)


@cache
def blend(task: Task) -> Scorer:
    """Two models of different families, as one."""
    members = [(scorer(family, task).model, weight) for family, weight in (("linear", 0.25), ("lightgbm", 0.75))]
    base = scorer("linear", task)
    return Scorer(base.preprocessor, blended(members), base.threshold, **PARTS[task])


def rows_to_score(task: Task) -> pl.DataFrame:
    """Feature rows alone, in another order of columns, with what training never saw among them."""
    test = made(task).test
    return pl.concat([test, strange(test)]).select(sorted(KINDS))


@every_family_and_task
def test_raw_rows_are_predicted_as_encoded_ones(family: str, task: Task) -> None:
    _, _, test = made(task).data()
    expected = scorer(family, task).predict_encoded(test)
    assert expected.dtype == np.float64
    np.testing.assert_array_equal(scorer(family, task).predict(made(task).test), expected)


@every_family_and_task
def test_with_nothing_after_it_a_model_predicts_for_itself(family: str, task: Task) -> None:
    _, _, test = made(task).data()
    bare = scorer(family, task, bare=True)
    np.testing.assert_array_equal(bare.predict(made(task).test), bare.model.predict(test))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_probabilities_are_calibrated(task: Task) -> None:
    _, _, test = made(task).data()
    scored = scorer("linear", task)
    expected = PARTS[task]["calibration"].apply(scored.model.predict(test))
    np.testing.assert_array_equal(scored.predict(made(task).test), expected)
    assert not np.allclose(expected, scored.model.predict(test), atol=0.01)


def test_values_are_turned_back() -> None:
    _, _, test = made("regression").data()
    scored = scorer("linear", "regression")
    predicted = scored.predict(made("regression").test)
    np.testing.assert_array_equal(predicted, PARTS["regression"]["transform"].back(scored.model.predict(test)))
    assert np.corrcoef(predicted, test.labels)[0, 1] > 0.9
    assert predicted.mean() == pytest.approx(test.labels.mean(), rel=0.05)


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
    every = {f"{family} {task}": (scorer(family, task), task) for family, task in EVERY}
    every |= {f"blend {task}": (blend(task), task) for task in TASKS}
    for name, (saved, task) in every.items():
        folder = tmp_path / name
        saved.save(folder / "scorer")
        rows_to_score(task).write_parquet(folder / "rows.parquet")
    subprocess.run([sys.executable, "-W", "error", "-c", READ_AND_PREDICT, str(tmp_path)], check=True, cwd=ROOT)
    for name, (saved, task) in every.items():
        folder = tmp_path / name
        expected = saved.predict(rows_to_score(task))
        np.testing.assert_allclose(np.load(folder / "predictions.npy"), expected, rtol=1e-12, atol=1e-12)
        assert (folder / "digest").read_text() == saved.digest


@every_family_and_task
def test_a_folder_says_what_is_in_it(family: str, task: Task, tmp_path: Path) -> None:
    scorer(family, task).save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    assert description == {
        "format": 2,
        "family": family,
        "task": task,
        "classes": made(task).classes,
        "transform": scorer(family, task).transform.to_json(),
        "calibration": None if task == "regression" else PARTS[task]["calibration"].to_json(),
        "threshold": 0.4 if task == "binary" else None,
        "digest": scorer(family, task).digest,
    }
    assert {"model.json", "preprocessor.json", "fit.json"} < {path.name for path in tmp_path.iterdir()}
    assert not {".pkl", ".pickle", ".joblib"} & {path.suffix for path in tmp_path.rglob("*")}


def test_the_digest_is_over_all_that_decides_a_prediction() -> None:
    base = scorer("linear", "binary")
    others = [
        Scorer(base.preprocessor, base.model, 0.5, calibration=SIGMOID),
        Scorer(base.preprocessor, base.model, None, calibration=SIGMOID),
        Scorer(base.preprocessor, base.model, 0.4, calibration=Sigmoid(0.8, 0.30000000000000004)),
        Scorer(base.preprocessor, base.model, 0.4),
        Scorer(base.preprocessor, scorer("catboost", "binary").model, 0.4, calibration=SIGMOID),
        Scorer(made("binary").preprocessor(seed=1), base.model, 0.4, calibration=SIGMOID),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 7
    assert Scorer(base.preprocessor, base.model, 0.4, calibration=SIGMOID).digest == base.digest


def test_the_digest_is_over_the_transform() -> None:
    base = scorer("linear", "regression")
    transforms = [UNCHANGED, TargetTransform("log"), TargetTransform("yeo_johnson", 0.5)]
    digests = {Scorer(base.preprocessor, base.model, None, transform=each).digest for each in transforms}
    assert len({base.digest, *digests}) == 4


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


@pytest.mark.parametrize(
    ("task", "threshold", "parts", "message"),
    [
        ("regression", 0.5, {}, "regression task has no threshold"),
        ("multiclass", 0.5, {}, "multiclass task has no threshold"),
        ("regression", None, {"calibration": SIGMOID}, "no probabilities to calibrate"),
        ("binary", None, {"transform": TargetTransform("log")}, "binary task has no values to transform"),
    ],
)
def test_parts_that_the_task_has_no_use_for_are_refused(
    task: Task, threshold: float | None, parts: dict[str, Any], message: str
) -> None:
    base = scorer("linear", task)
    with pytest.raises(ValueError, match=message):
        Scorer(base.preprocessor, base.model, threshold, **parts)


def test_missing_features_are_named() -> None:
    with pytest.raises(InputError, match=r"E_SCHEMA.*colour"):
        scorer("linear", "binary").predict(made("binary").test.drop("colour"))


def test_a_label_that_is_no_class_does_not_keep_a_row_from_being_scored() -> None:
    rows = made("binary").test
    odd = rows.with_columns(_target=pl.lit("unheard of"))
    np.testing.assert_array_equal(scorer("linear", "binary").predict(odd), scorer("linear", "binary").predict(rows))


@pytest.mark.parametrize("change", [{"format": 1}, {"format": 3}, {"calibration": {"kind": "spline"}}])
def test_a_folder_of_another_format_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    scorer("linear", "binary").save(tmp_path)
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match="E_FORMAT"):
        Scorer.load(tmp_path)


@pytest.mark.parametrize("family", ["pickle", "os:system", None])
def test_a_family_that_there_is_not_is_refused(family: str | None, tmp_path: Path) -> None:
    scorer("linear", "binary").save(tmp_path)
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "family": family}))
    with pytest.raises(InputError):
        Scorer.load(tmp_path)


# Served


def test_a_served_model_gives_the_table(tmp_path: Path) -> None:
    scorer("linear", "binary").save(tmp_path / PACKAGE / SCORER)
    rows = rows_to_score("binary")
    served = pl.from_pandas(_load_pyfunc(str(tmp_path)).predict(rows.to_pandas()))
    assert_frame_equal(served, table(scorer("linear", "binary"), rows))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ()),
        ({"TRAINING_ASSETS_TRUST": ""}, ()),
        ({"TRAINING_ASSETS_TRUST": "mine, ours.models,"}, ("mine", "ours.models")),
    ],
)
def test_nothing_is_trusted_that_is_not_named(environment: dict[str, str], expected: tuple[str, ...]) -> None:
    assert trusted(environment) == expected


# Real rows, from splits to a scorer


def trained_on(
    rows: pl.DataFrame, task: Task, classes: list[str], root: Path, **sections: Any
) -> tuple[Trained, pl.DataFrame]:
    """A search of seconds on 70 % of the rows, with 15 % to validate and 15 % to test."""
    kinds: FeatureKinds = {
        name: "numeric" if dtype.is_numeric() else "categorical"
        for name, dtype in rows.schema.items()
        if name != "_target"
    }
    shuffled = rows.sample(fraction=1, shuffle=True, seed=0)
    cut, end = int(0.7 * rows.height), int(0.85 * rows.height)
    train_rows, validation, test = shuffled[:cut], shuffled[cut:end], shuffled[end:]
    columns = {name: "number" if kind == "numeric" else "string" for name, kind in kinds.items()}
    spec = small_spec({**columns, "y": dict(LABEL)}, {"column": "y", "task": task}, **sections)
    fitted = Preprocessor.fit(train_rows, kinds, spec.encoding, task, classes, 0)
    encoded = {"train": fitted.encode_training(train_rows), "validation": fitted.encode(validation)}
    return train(fitted, encoded, spec, root, cores=2, say=lambda _: None), test


def test_seconds_are_enough_for_diamonds(shared_data: Path, tmp_path: Path) -> None:
    rows = pl.read_csv(shared_data / "various" / "diamonds" / "diamonds.csv").drop("rownames")
    rows = rows.rename({"price": "_target"}).cast({"_target": pl.Float64})
    trained, test = trained_on(
        rows, "regression", [], tmp_path, search={"budget_seconds": 8}, training={"target_transform": "log"}
    )
    assert trained.scorer.transform == TargetTransform("log")
    y = test["_target"].to_numpy()
    predicted = trained.scorer.predict(test)
    assert 1 - np.mean((predicted - y) ** 2) / y.var() > 0.97
    assert (predicted > 0).all()


def test_seconds_are_enough_for_telco_churn(shared_data: Path, tmp_path: Path) -> None:
    from sklearn.metrics import f1_score, roc_auc_score

    path = shared_data / "various" / "telco_churn" / "Telco-Customer-Churn.csv"
    rows = pl.read_csv(path, schema_overrides={"TotalCharges": pl.String}).drop("customerID")
    rows = rows.with_columns(pl.col("TotalCharges").cast(pl.Float64, strict=False))  # eleven are a blank
    training = {"class_weights": "balanced"}
    trained, test = trained_on(
        rows.rename({"Churn": "_target"}),
        "binary",
        ["No", "Yes"],
        tmp_path,
        search={"budget_seconds": 8},
        training=training,
    )
    y = (test["_target"] == "Yes").to_numpy()
    probability = trained.scorer.predict(test)
    assert roc_auc_score(y, probability) > 0.82
    assert f1_score(y, (table(trained.scorer, test)["prediction"] == "Yes").to_numpy()) > 0.55
    # balanced weights make the rarer class as likely as the other; the calibration takes it back
    assert isinstance(trained.scorer.calibration, Sigmoid)
    assert probability.mean() == pytest.approx(y.mean(), abs=0.03)
