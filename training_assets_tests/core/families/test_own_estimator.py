from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import skops.io  # type: ignore[import-untyped]  # has no types
from sklearn.linear_model import LogisticRegression

from training_assets.core.errors import InputError
from training_assets.core.families import Data, Family, FittedModel, Learning, dense_rows, load, named, skops_file
from training_assets.core.families.design_matrix import Scale
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made
from training_assets_tests.core.families.fits import never, splits, usual
from training_assets_tests.core.families.promises import predicted_elsewhere, weighted

MODULE = "own_models_of_a_test"
SOURCE = """
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class Median(RegressorMixin, BaseEstimator):
    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        self.median_ = float(np.median(y))
        return self

    def predict(self, X):
        return np.full(len(X), self.median_ + self.shift + 0.0 * X[:, 0])


class Endless(Median):
    def predict(self, X):
        return np.full(len(X), np.nan)


def logistic():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.5))


def logistic_space(trial):
    return {"logisticregression__C": trial.suggest_float("C", 0.01, 100.0, log=True)}


def ridge():
    return Ridge()


def network():
    return MLPClassifier(max_iter=20)


def ridge_space(trial):
    return {"beta": 3}


def forest():
    return RandomForestClassifier(5)


def neighbours_space(trial):
    return {"n_neighbors": trial.suggest_int("n_neighbors", 9, 3)}


def neighbours():
    return KNeighborsRegressor()


def median():
    return Median()


def endless():
    return Endless()


def a_class():
    return Ridge


def number():
    return 3


def failing():
    raise RuntimeError("no luck")
"""
OF_TASK: dict[Task, str] = {"binary": "logistic", "multiclass": "logistic", "regression": "ridge"}


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / f"{MODULE}.py").write_text(SOURCE)
    yield tmp_path
    sys.modules.pop(MODULE, None)


def family(root: Path, factory: str, *trust: str) -> Family:
    return named(f"{MODULE}:{factory}", root, trust)


def fit(own: Family, train: Data, validation: Data | None, **settings: Any) -> FittedModel:
    return own.fit(
        settings.pop("params", own.default_params()),
        train,
        validation,
        learning=settings.pop("learning", usual(train.layout.task)),
        threads=1,
        seed=0,
        max_iterations=10,
        patience=10,
        stop=settings.pop("stop", never),
    )


# Fitted


@pytest.mark.parametrize("task", TASKS)
def test_an_estimator_is_a_family_like_the_others(root: Path, task: Task, tmp_path: Path) -> None:
    train, validation, test = splits(task)
    own = family(root, OF_TASK[task])
    model = fit(own, train, validation)
    predictions = model.predict(test)
    assert predictions.shape == ((test.n_rows, 3) if task == "multiclass" else (test.n_rows,))
    assert model.predict(Data.of(test.frame[:0], test.layout)).shape == (0, *predictions.shape[1:])
    importances = model.importances()
    assert set(importances) == set(made(task).kinds)
    assert sum(importances.values()) == pytest.approx(1)
    assert importances["flat"] == importances["empty"] == 0
    model.save(tmp_path / "model")
    read = load(own.name, tmp_path / "model", (MODULE,))
    assert read.canonical() == model.canonical()
    assert (read.importances(), read.curves) == (importances, model.curves)
    np.testing.assert_array_equal(read.predict(test), predictions)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    ("factory", "task"),
    [("logistic", "binary"), ("logistic", "multiclass"), ("network", "binary"), ("ridge", "regression")],
)
def test_a_row_alone_is_predicted_as_among_others(root: Path, factory: str, task: Task) -> None:
    train, validation, test = splits(task)
    model = fit(family(root, factory, "sklearn"), train, validation)
    alone = [model.predict(Data.of(test.frame[place : place + 1], test.layout)) for place in range(test.n_rows)]
    np.testing.assert_allclose(np.concatenate(alone), model.predict(test), rtol=1e-12)


def test_the_loss_is_that_of_the_validation_rows(root: Path) -> None:
    train, validation, _ = splits("binary")
    told: list[tuple[int, float]] = []

    def note(made: int, loss: float) -> bool:
        told.append((made, loss))
        return True

    model = fit(family(root, "logistic"), train, validation, stop=note)
    probabilities = model.predict(validation)
    loss = -np.mean(np.log(np.where(validation.y == 1, probabilities, 1 - probabilities)))
    assert model.curves == {"train": [], "validation": [pytest.approx(loss)]}
    assert told == [(1, model.curves["validation"][0])]
    assert model.best_iteration is None
    alone = fit(family(root, "logistic"), train, None)
    assert alone.canonical() == model.canonical()
    assert alone.curves == {"train": [], "validation": []}


def test_rows_are_dense_finite_and_built_once() -> None:
    train, _, test = splits("multiclass")
    scale = Scale.of(train)
    rows = dense_rows.matrix(test, scale)
    assert rows is dense_rows.matrix(test, scale)
    assert rows.dtype == np.float64
    assert rows.flags.c_contiguous
    assert np.isfinite(rows).all()


def test_rows_that_would_fill_the_memory_are_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense_rows, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match=r"E_SIZE: .*set encoding.categorical: target"):
        fit(family(root, "ridge"), made("regression").data()[0], None)


def test_equal_fits_are_equal_and_others_are_not(root: Path) -> None:
    train, validation, _ = splits("binary")
    own = family(root, "forest", "sklearn.tree")
    first, again = fit(own, train, validation), fit(own, train, validation)
    assert first.canonical() == again.canonical()
    other = fit(own, train, validation, params={"max_depth": 3})
    assert other.canonical() != first.canonical()


def test_weights_reach_the_estimator(root: Path) -> None:
    train, validation, test = splits("regression")
    weights = np.where(train.y > np.median(train.y), 5.0, 0.2)
    heavy = fit(family(root, "ridge"), weighted(train, weights), validation).predict(test)
    assert heavy.mean() > fit(family(root, "ridge"), train, validation).predict(test).mean()


def test_an_estimator_that_takes_no_weights_is_refused_with_some(root: Path) -> None:
    train, validation, _ = splits("regression")
    with pytest.raises(InputError, match=r"E_FAMILY: .*median's fit takes no sample_weight"):
        fit(family(root, "median"), weighted(train, np.linspace(1, 2, train.n_rows)), validation)


def test_a_class_without_training_rows_is_still_a_column(root: Path) -> None:
    train, validation, _ = splits("multiclass")
    two = Data.of(train.frame.filter(train.frame["_target"] != 1), train.layout)
    probabilities = fit(family(root, "logistic"), two, validation).predict(validation)
    assert probabilities.shape == (validation.n_rows, 3)
    assert probabilities[:, 1].max() == 0


def test_predictions_that_are_not_finite_are_said(root: Path) -> None:
    train, validation, _ = splits("regression")
    with pytest.raises(InputError, match=r"E_FAMILY: .*endless predicted .* values that are none"):
        fit(family(root, "endless"), train, validation)


# Parameters


def test_parameters_are_the_scalar_ones_without_seed_and_threads(root: Path) -> None:
    defaults = family(root, "logistic").default_params()
    assert defaults["logisticregression__C"] == 0.5
    assert defaults["standardscaler__with_mean"] is True
    assert not {"steps", "logisticregression", "logisticregression__random_state"} & set(defaults)
    assert "n_jobs" not in family(root, "forest").default_params()
    assert family(root, "forest").portfolio(splits("binary")[0].facts) == [family(root, "forest").default_params()]


def test_a_space_is_drawn_from_and_its_parameters_named_by_the_family(root: Path) -> None:
    own = family(root, "logistic")
    trial = optuna.trial.FixedTrial({f"{own.name}.C": 7.0})
    assert own.suggest(trial, splits("binary")[0].facts) == {**own.default_params(), "logisticregression__C": 7.0}


def test_without_a_space_there_is_nothing_to_search(root: Path) -> None:
    own = family(root, "forest")
    assert own.suggest(optuna.trial.FixedTrial({}), splits("binary")[0].facts) == own.default_params()


def test_a_space_of_what_is_no_parameter_is_refused(root: Path) -> None:
    with pytest.raises(InputError, match=r"E_FAMILY: .*ridge_space must return a dict of parameters.*alpha"):
        family(root, "ridge").suggest(optuna.trial.FixedTrial({}), splits("binary")[0].facts)


def test_a_space_that_fails_is_refused(root: Path) -> None:
    own, trial = family(root, "neighbours"), optuna.create_study().ask()
    with pytest.raises(InputError, match=r"E_FAMILY: .*neighbours_space raised ValueError: .*high.*; mend it"):
        own.suggest(trial, splits("regression")[0].facts)


def test_parameters_that_it_does_not_have_are_refused(root: Path) -> None:
    with pytest.raises(InputError, match=r"E_FAMILY: .*does not take these parameters.*beta"):
        fit(family(root, "ridge"), *splits("regression")[:2], params={"beta": 1})


# Refused


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("boosting", "no family is called 'boosting'; there are lightgbm, "),
        (f"{MODULE}:absent", "has no function absent"),
        ("no_such_module_of_a_test:make", "no no_such_module_of_a_test.py below the project's root"),
        ("os:getcwd", "no os.py below the project's root"),
        (f"{MODULE}:a_class", "returned a class"),
        (f"{MODULE}:number", "without fit, predict"),
        (f"{MODULE}:failing", "raised RuntimeError: no luck"),
    ],
)
def test_a_name_that_gives_no_estimator_is_refused(root: Path, name: str, said: str) -> None:
    with pytest.raises(InputError, match="E_FAMILY") as refused:
        named(name, root)
    assert said in refused.value.text


def test_a_built_in_family_is_given_by_its_name(root: Path) -> None:
    assert named("linear", root).name == "linear"


def test_what_it_cannot_learn_is_refused(root: Path) -> None:
    layouts = {task: splits(task)[0].layout for task in TASKS}
    classifier, regressor = family(root, "logistic"), family(root, "ridge")
    assert classifier.refusal(layouts["binary"], Learning("log_loss")) is None
    assert regressor.refusal(layouts["regression"], Learning("squared_error")) is None
    assert "without predict_proba" in str(classifier.refusal(layouts["regression"], Learning("squared_error")))
    assert "with predict_proba" in str(regressor.refusal(layouts["multiclass"], Learning("log_loss")))
    assert "rise or fall" in str(classifier.refusal(layouts["binary"], Learning("log_loss", monotone={"amount": 1})))
    assert "quantile" in str(regressor.refusal(layouts["regression"], Learning("quantile")))


# Trust


def test_a_type_of_the_users_own_is_loaded_where_its_module_is_trusted(root: Path, tmp_path: Path) -> None:
    split = made("regression")
    own = family(root, "median")
    model = fit(own, *splits("regression")[:2])
    digest, predictions = predicted_elsewhere(model, split.preprocessor(), split.test, tmp_path, MODULE)
    assert digest == model.canonical()
    np.testing.assert_array_equal(predictions, model.predict(splits("regression")[2]))
    with pytest.raises(InputError, match=rf"E_TRUST: .*of the family {MODULE}:median, and '{MODULE}'"):
        load(own.name, tmp_path / "model")
    with pytest.raises(InputError, match="E_TRUST"):
        load(own.name, tmp_path / "model", (MODULE[:-1], f"{MODULE}.Median.more", ""))


def test_what_could_not_be_loaded_is_refused_when_it_is_fitted(root: Path) -> None:
    train, validation, _ = splits("binary")
    with pytest.raises(InputError, match=r"E_TRUST: .*sklearn.tree._tree.Tree"):
        fit(family(root, "forest"), train, validation)
    assert fit(family(root, "forest", "sklearn.tree._tree"), train, validation).importances()


def hostile(folder: Path, module: str, name: str) -> None:
    """A file whose estimator is of another type than scikit-learn's."""
    content = skops.io.dumps(LogisticRegression())
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(changed, "w") as written:
        schema = json.loads(archive.read("schema.json"))
        schema["__module__"], schema["__class__"] = module, name
        for entry in archive.namelist():
            written.writestr(entry, json.dumps(schema) if entry == "schema.json" else archive.read(entry))
    (folder / "estimator.skops").write_bytes(changed.getvalue())


def test_a_hostile_file_imports_nothing(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit(family(root, "ridge"), *splits("regression")[:2]).save(tmp_path / "model")
    (tmp_path / "trap_of_a_test.py").write_text(
        "from pathlib import Path\nPath(__file__).with_name('sprung').touch()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    hostile(tmp_path / "model", "trap_of_a_test", "Model")
    with pytest.raises(InputError, match=r"E_TRUST: .*trap_of_a_test.Model"):
        load(f"{MODULE}:ridge", tmp_path / "model", ("sklearn", MODULE))
    with pytest.raises(InputError, match=r"E_TRUST: .*'trap_of_a_test' is not trusted"):
        load("trap_of_a_test:make", tmp_path / "model")
    assert "trap_of_a_test" not in sys.modules
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(("module", "name"), [("posix", "system"), ("builtins", "eval"), ("subprocess", "Popen")])
def test_functions_of_the_system_are_refused(root: Path, tmp_path: Path, module: str, name: str) -> None:
    fit(family(root, "ridge"), *splits("regression")[:2]).save(tmp_path)
    hostile(tmp_path, module, name)
    with pytest.raises(InputError, match=f"E_TRUST: .*{module}.{name}"):
        load(f"{MODULE}:ridge", tmp_path, (MODULE,))


@pytest.mark.parametrize("content", [b"", b"no archive", skops.io.dumps([1, 2])])
def test_a_file_that_holds_no_estimator_is_refused(root: Path, tmp_path: Path, content: bytes) -> None:
    fit(family(root, "ridge"), *splits("regression")[:2]).save(tmp_path)
    (tmp_path / "estimator.skops").write_bytes(content)
    with pytest.raises(InputError, match=r"E_TRUST: .*fetch the artifact again"):
        load(f"{MODULE}:ridge", tmp_path, (MODULE,))


def test_a_family_that_there_is_not_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="E_FAMILY: no family is called 'boosting'"):
        load("boosting", tmp_path)


def test_an_identity_is_of_every_array_and_setting() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 2))
    fitted = LogisticRegression().fit(rows, rows[:, 0] > 0)
    same = LogisticRegression().fit(rows.copy(), rows[:, 0] > 0)
    identity = skops_file.identity(skops.io.dumps(fitted))
    assert skops_file.identity(skops.io.dumps(same)) == identity
    fitted.coef_ = fitted.coef_ + 1e-9
    assert skops_file.identity(skops.io.dumps(fitted)) != identity
    same.C = 2.0
    assert skops_file.identity(skops.io.dumps(same)) != identity
