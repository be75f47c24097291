"""From encoded splits to a scorer, the whole way, for every task and what a spec can ask of training."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from training_assets.core.encoding import Preprocessor
from training_assets.core.errors import InputError
from training_assets.core.families.blend import Blend
from training_assets.core.scoring import Scorer
from training_assets.core.search import out_of_fold
from training_assets.core.search.study import Study
from training_assets.core.training import Trained, train
from training_assets.spec import ModelSpec
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, Made, made
from training_assets_tests.core.small_spec import small_spec

ROWS = 1200
QUICK = ["linear", "hist_gradient_boosting"]
SEARCH: dict[str, Any] = {
    "families": QUICK,
    "trials": 4,
    "max_iterations": 60,
    "patience": 15,
    "parallel": 1,
    "budget_seconds": 300,
}
NUMBERS = itertools.count()


@cache
def splits(task: Task) -> tuple[Made, Preprocessor]:
    split = made(task, ROWS)
    return split, split.preprocessor()


def encoded(task: Task) -> dict[str, pl.DataFrame]:
    split, preprocessor = splits(task)
    return {"train": preprocessor.encode_training(split.train), "validation": preprocessor.encode(split.validation)}


def spec(task: Task, search: Mapping[str, Any] | None = None, **sections: Any) -> ModelSpec:
    target: dict[str, Any] = {"column": "y", "task": task}
    if task != "regression":
        target["classes"] = made(task).classes
    if task == "binary":
        target["positive"] = "yes"
    columns: dict[str, Any] = dict.fromkeys(("amount", "noise", "flat"), "number")
    columns["y"] = {"type": "number" if task == "regression" else "string", "role": "ignored"}
    return small_spec(columns, target, search={**SEARCH, **(search or {})}, **sections)


def trained(
    task: Task,
    root: Path = Path("/nowhere"),
    frames: Mapping[str, pl.DataFrame] | None = None,
    search: Mapping[str, Any] | None = None,
    **sections: Any,
) -> Trained:
    return train(
        splits(task)[1],
        frames or encoded(task),
        spec(task, search, **sections),
        root,
        cores=2,
        say=lambda _: None,
    )


@cache
def plain(task: Task) -> Trained:
    return trained(task)


def labels_of(task: Task) -> npt.NDArray[Any]:
    """Codes or values of the test rows."""
    split, preprocessor = splits(task)
    return preprocessor.encode(split.test)["_target"].to_numpy()


def predicted(found: Trained, task: Task) -> npt.NDArray[Any]:
    """What the scorer says of the test rows, after it was saved and loaded."""
    return found.scorer.predict(splits(task)[0].test)


# Every task


@pytest.mark.parametrize("task", TASKS)
def test_a_scorer_is_saved_and_predicts_raw_rows_of_the_test_split(task: Task, tmp_path: Path) -> None:
    found = plain(task)
    found.scorer.save(tmp_path)
    read = Scorer.load(tmp_path)
    np.testing.assert_array_equal(read.predict(splits(task)[0].test), predicted(found, task))
    assert (read.threshold is None) == (task != "binary")
    truth, said = labels_of(task), predicted(found, task)
    if task == "regression":
        assert np.sqrt(np.mean((truth - said) ** 2)) < 0.6 * truth.std()
    else:
        codes = said.argmax(axis=1) if task == "multiclass" else said >= 0.5
        assert np.mean(codes == truth) > 0.75


@pytest.mark.parametrize("task", TASKS)
def test_equal_rows_and_a_seed_give_an_equal_scorer(task: Task) -> None:
    assert trained(task).scorer.digest == plain(task).scorer.digest


def test_another_seed_gives_another_scorer() -> None:
    settings = {"families": ["mlp"], "trials": 1, "max_iterations": 5}
    one, other = (trained("regression", search={**settings, "seed": seed}) for seed in (0, 7))
    assert one.scorer.digest != other.scorer.digest


def test_a_blend_of_every_family_is_trained_by_default(tmp_path: Path) -> None:
    found = trained("multiclass", search={"families": None, "trials": 16, "max_iterations": 10})
    families = {trial.family for trial in found.tuned.study.trials}
    one_of_each_kind = {"lightgbm", "catboost", "mlp", "extra_trees", "linear"}
    assert one_of_each_kind <= families <= one_of_each_kind | {"hist_gradient_boosting", "random_forest"}
    assert {trial.state for trial in found.tuned.study.trials} <= {"complete", "pruned"}
    found.scorer.save(tmp_path)
    read = Scorer.load(tmp_path)
    assert read.digest == found.scorer.digest
    assert len(found.tuned.study.members) == (len(read.model.members) if isinstance(read.model, Blend) else 1)


# Decision


@pytest.mark.parametrize("method", ["stratified", "random", "group", "time", "column"])
def test_a_blend_is_chosen_out_of_fold_only_where_rows_are_dealt_by_chance(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out_of_fold, "LEAST_TRIALS", 4)
    asked = spec("binary")
    asked = asked.model_copy(update={"split": asked.split.model_copy(update={"method": method})})
    nowhere = Path("/nowhere")
    study = train(splits("binary")[1], encoded("binary"), asked, nowhere, cores=2, say=lambda _: None).tuned.study
    assert (study.out_of_fold is not None) == (method in {"stratified", "random"})
    assert Study.from_json(study.to_json()) == study


def test_a_cost_moves_the_threshold_towards_the_cheaper_mistake() -> None:
    thresholds = []
    for false_positive, false_negative in ((10.0, 1.0), (1.0, 1.0), (1.0, 10.0)):
        cost = {"false_positive": false_positive, "false_negative": false_negative}
        found = trained("binary", decision={"objective": "cost", "cost": cost, "calibration": "sigmoid"})
        assert found.scorer.calibration is not None
        assert found.scorer.threshold is not None
        thresholds.append(found.scorer.threshold)
        truth, said = labels_of("binary"), predicted(found, "binary")

        def paid(
            threshold: float,
            truth: Any = truth,
            said: Any = said,
            fp: float = false_positive,
            fn: float = false_negative,
        ) -> float:
            wrong = (said >= threshold) != truth
            return float(np.sum(wrong * np.where(truth == 1, fn, fp)))

        assert paid(found.scorer.threshold) < min(paid(0.0), paid(1.1))
    assert thresholds[0] > thresholds[1] > thresholds[2]


def test_a_sigmoid_keeps_the_order_and_is_part_of_the_scorer(tmp_path: Path) -> None:
    found = trained("binary", decision={"calibration": "sigmoid"})
    before, after = predicted(plain("binary"), "binary"), predicted(found, "binary")
    assert found.scorer.digest != plain("binary").scorer.digest
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))
    found.scorer.save(tmp_path)
    np.testing.assert_array_equal(Scorer.load(tmp_path).predict(splits("binary")[0].test), after)


# Training


@pytest.mark.parametrize("kind", ["log", "yeo_johnson"])
def test_a_transformed_target_is_turned_back(kind: str, tmp_path: Path) -> None:
    """Values that are a logarithm's inverse: what is learnt is linear, and predictions have the values' size."""

    def stretched(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(_target=((pl.col("_target") - 1000) / 100).exp())

    frames = {name: stretched(frame) for name, frame in encoded("regression").items()}
    linear = {"families": ["linear"], "trials": 1}
    found = trained("regression", frames=frames, search=linear, training={"target_transform": kind})
    as_it_is = trained("regression", frames=frames, search=linear)
    assert found.scorer.transform.kind == kind
    truth = np.exp((labels_of("regression") - 1000) / 100)
    error, error_as_it_is = (
        np.sqrt(np.mean((truth - predicted(each, "regression")) ** 2)) for each in (found, as_it_is)
    )
    assert error < 0.8 * error_as_it_is
    found.scorer.save(tmp_path)
    np.testing.assert_array_equal(
        Scorer.load(tmp_path).predict(splits("regression")[0].test), predicted(found, "regression")
    )
    score = found.tuned.study.score  # on validation rows, in the unit of the values
    assert 0.3 * error < score < 3 * error


def test_a_logarithm_of_values_below_minus_one_is_refused_and_says_what_to_do() -> None:
    frames = {
        name: frame.with_columns(_target=pl.col("_target") - 2000) for name, frame in encoded("regression").items()
    }
    with pytest.raises(InputError, match=r"E_TARGET: .*yeo_johnson"):
        trained("regression", frames=frames, training={"target_transform": "log"})


@pytest.mark.parametrize("quantile", [0.1, 0.9])
def test_a_quantile_is_above_its_share_of_rows_that_were_never_seen(quantile: float) -> None:
    found = trained(
        "regression",
        search={"families": ["lightgbm", "hist_gradient_boosting", "catboost"], "trials": 4},
        training={"loss": "quantile", "quantile": quantile},
    )
    assert found.tuned.study.metric == "pinball_loss"
    assert np.mean(labels_of("regression") <= predicted(found, "regression")) == pytest.approx(quantile, abs=0.1)


@pytest.mark.parametrize(("direction", "sign"), [("increasing", 1), ("decreasing", -1)])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_predictions_rise_or_fall_all_the_way(task: Task, direction: str, sign: int) -> None:
    """Through the scorer, of raw rows, whichever families are blended and whatever is made of their predictions."""
    found = trained(
        task,
        search={"families": ["lightgbm", "catboost", *QUICK], "trials": 8, "ensemble": "blend"},
        training={"monotone": {"amount": direction, "noise": "increasing"}},
        decision={"calibration": "none" if task == "regression" else "sigmoid"},
    )
    test = splits(task)[0].test[:50]
    for name, way in (("amount", sign), ("noise", 1)):
        grid = np.quantile(splits(task)[0].train[name].drop_nulls().to_numpy(), np.linspace(0, 1, 40))
        swept = np.array(
            [found.scorer.predict(test.with_columns(pl.lit(float(at)).alias(name))) for at in [-1e6, *grid, 1e6]]
        )
        steps = way * np.diff(swept, axis=0)
        assert steps.min() >= -1e-9 * np.abs(swept).max(), name


def test_a_direction_of_a_category_is_refused() -> None:
    with pytest.raises(InputError, match=r"E_MONOTONE: .*'colour', which is a category"):
        trained("binary", training={"monotone": {"colour": "increasing"}})


def rare(frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows, of the positive ones every sixth alone."""
    positive = pl.col("_target") == 1
    return frame.filter(~positive | (positive.cum_sum() % 6 == 0))


@pytest.mark.parametrize("weights", ["balanced", {"yes": 6.0}])
def test_class_weights_raise_the_recall_of_the_rare_class(weights: Any) -> None:
    frames = {name: rare(frame) for name, frame in encoded("binary").items()}
    plainly, weighted = (
        trained("binary", frames=frames, training={"class_weights": each}, decision={"calibration": "none"})
        for each in ("none", weights)
    )
    positive = labels_of("binary") == 1
    before, after = ((predicted(each, "binary")[positive] >= 0.5).mean() for each in (plainly, weighted))
    assert after > before + 0.1


def test_a_calibration_mends_what_class_weights_do_to_probabilities() -> None:
    frames = {name: rare(frame) for name, frame in encoded("binary").items()}
    split, preprocessor = splits("binary")
    rare_test = rare(preprocessor.encode(split.test).with_row_index("place"))["place"]
    truth = labels_of("binary")[rare_test.to_numpy()]
    weighted, mended = (
        trained("binary", frames=frames, training={"class_weights": {"yes": 6.0}}, decision={"calibration": each})
        for each in ("none", "sigmoid")
    )
    off, less_off = (
        abs(predicted(each, "binary")[rare_test.to_numpy()].mean() - truth.mean()) for each in (weighted, mended)
    )
    assert less_off < off


@pytest.mark.parametrize("task", TASKS)
def test_rows_of_next_to_no_weight_do_not_matter(task: Task) -> None:
    """Half of the rows have another's label, and no weight to speak of."""
    rng = np.random.default_rng(3)

    def spoilt(frame: pl.DataFrame) -> pl.DataFrame:
        wrong = rng.random(frame.height) < 0.5
        labels = frame["_target"].to_numpy()
        mixed = pl.Series(np.where(wrong, rng.permutation(labels), labels), dtype=frame["_target"].dtype)
        return frame.with_columns(_target=mixed, _weight=pl.Series(np.where(wrong, 1e-6, 1.0)))

    frames = {
        "train": spoilt(encoded(task)["train"]),
        "validation": encoded(task)["validation"].with_columns(_weight=pl.lit(1.0)),
    }
    heedful = trained(task, frames=frames)
    heedless = trained(
        task, frames={"train": frames["train"].drop("_weight"), "validation": encoded(task)["validation"]}
    )
    better = heedful.tuned.study.score - heedless.tuned.study.score
    assert better > 0 if heedful.tuned.study.direction == "higher" else better < 0


def test_a_gpu_that_is_not_there_is_refused_in_words_that_say_what_to_do() -> None:
    for families in (["catboost"], ["lightgbm"], None):
        with pytest.raises(InputError) as caught:
            trained("binary", search={"families": families, "trials": 3}, training={"device": "gpu"})
        assert caught.value.code == "E_DEVICE"
        assert "training.device" in str(caught.value)
        assert "set it to cpu" in str(caught.value)
        assert "Error" not in str(caught.value)


def test_a_family_without_a_gpu_is_refused_where_it_was_named() -> None:
    with pytest.raises(InputError, match=r"E_FAMILY: search.families names linear, but it does not run on a GPU"):
        trained("binary", search={"families": ["linear"]}, training={"device": "gpu"})


# The user's own

OWN = """
import numpy as np
from sklearn.linear_model import LogisticRegression

def factory():
    return LogisticRegression(C=0.5)

def factory_space(trial):
    return {"C": trial.suggest_float("C", 0.01, 10.0, log=True)}

def gain(labels, predictions):
    return float(np.sum(np.where(predictions >= 0.5, 3 * labels - 1, 0)))
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    """A module of a name of its own below the root, since what was imported once stays."""
    name = f"own_training_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(OWN)
    return name


def test_a_family_and_a_metric_of_the_users_own(module: str, tmp_path: Path) -> None:
    search = {
        "families": [f"{module}:factory", "linear"],
        "metric": {"function": f"{module}:gain", "better": "higher"},
        "trials": 6,
    }
    found = trained("binary", tmp_path, search=search)
    study = found.tuned.study
    assert (study.metric, study.direction) == (f"{module}:gain", "higher")
    assert {trial.family for trial in study.trials if trial.state == "complete"} == {f"{module}:factory", "linear"}
    assert len({trial.params["C"] for trial in study.trials if trial.family == f"{module}:factory"}) > 1
    ranked = sorted((trial.score or 0.0) for trial in study.trials)
    assert study.best_trial.score == ranked[-1]
    alone = trained("binary", tmp_path, search={"families": [f"{module}:factory"], "trials": 2})
    alone.scorer.save(tmp_path / "model")
    read = Scorer.load(tmp_path / "model", (module,))
    np.testing.assert_array_equal(read.predict(splits("binary")[0].test), predicted(alone, "binary"))


def test_a_metric_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_METRIC"):
        trained("binary", tmp_path, search={"metric": {"function": "not_there:gain", "better": "higher"}})
