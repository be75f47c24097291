"""Estimators of the user's own: whatever a function of the project returns that fits and predicts as scikit-learn's."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from training_assets.core.encoding.layout import Layout
from training_assets.core.errors import InputError
from training_assets.core.families import dense_rows, fitted_estimator, skops_file
from training_assets.core.families.base import Fit, Learning, Stop, why_not
from training_assets.core.families.data import Data, Facts
from training_assets.core.families.design_matrix import Scale
from training_assets.core.families.fitted_estimator import FittedEstimator
from training_assets.core.project_code import project_function

KEY = "search.families"
METHODS = ("fit", "predict", "get_params", "set_params")
OURS = (
    "random_state",
    "n_jobs",
)  # parameters that a fit sets: the seed where there is none, threads where there are some


class OwnEstimatorFamily:
    """The family `module:factory`: `factory()` gives an unfitted estimator.

    It reads dense float64 rows without missing values: scaled quantities, target encodings, one-hot categories. Its
    parameters are those of `get_params` that are numbers, texts, booleans or None. They are not searched, unless the
    module has a function `<factory>_space(trial)`, which returns some of them, drawn by an Optuna trial. Each fit has
    one iteration. `trust` names modules, besides that of the factory, whose types a fitted estimator may hold.
    """

    def __init__(self, name: str, root: Path, trust: tuple[str, ...] = ()) -> None:
        """Import the factory, and ask it once; `InputError` E_FAMILY where it gives no estimator."""
        module, _, function = name.partition(":")
        self.name = name
        self._factory = project_function(name, root, KEY, "E_FAMILY")
        space = getattr(importlib.import_module(module), f"{function}_space", None)
        self._space: Callable[[Any], Mapping[str, Any]] | None = space
        self._trust = (module.partition(".")[0], *trust)
        self._made()

    def default_params(self) -> dict[str, Any]:
        """Those of the estimator as the factory gives it."""
        parameters = self._made().get_params(deep=True)
        return {
            name: value
            for name, value in sorted(parameters.items())
            if name.rpartition("__")[2] not in OURS and _is_scalar(value)
        }

    def portfolio(self, _facts: Facts) -> list[dict[str, Any]]:
        """The estimator as the factory gives it."""
        return [self.default_params()]

    def suggest(self, trial: Any, _facts: Facts) -> dict[str, Any]:
        """Draw what `<factory>_space` draws; `InputError` E_FAMILY where it fails or returns no parameters."""
        defaults = self.default_params()
        if self._space is None:
            return defaults
        try:
            drawn = self._space(_Named(trial, self.name))
        except Exception as error:
            message = f"{KEY}: {self.name}_space raised {type(error).__name__}: {str(error)[:200]}; mend it"
            raise InputError("E_FAMILY", message) from error
        if not isinstance(drawn, Mapping) or not set(drawn) <= set(defaults):
            known = ", ".join(defaults)[:400]
            message = f"{KEY}: {self.name}_space must return a dict of parameters of the estimator; it has {known}"
            raise InputError("E_FAMILY", message)
        return {**defaults, **drawn}

    def refusal(self, layout: Layout, learning: Learning) -> str | None:
        """Its loss is its own; what it learns must be what the task is scored by."""
        reason = why_not(layout, learning, losses=("log_loss", "squared_error"))
        if reason is None and any(learning.directions(layout.quantities)):
            return "nothing makes its predictions rise or fall with a quantity"
        has_probabilities = hasattr(self._made(), "predict_proba")
        if reason is None and has_probabilities != (layout.task != "regression"):
            return f"a {layout.task} needs an estimator {'with' if layout.n_classes else 'without'} predict_proba"
        return reason

    def fit(
        self,
        params: Mapping[str, Any],
        train: Data,
        validation: Data | None,
        *,
        learning: Learning,
        threads: int,
        seed: int,
        max_iterations: int,
        patience: int,
        stop: Stop,
    ) -> FittedEstimator:
        """Fit in one go, and ask `stop` then; nothing stops early.

        Raises `InputError`: E_FAMILY for parameters that the estimator does not have, weights that it does not take,
        or a state that cannot be saved, E_TRUST for one that could not be loaded; and whatever its `fit` raises.
        """
        del max_iterations, patience
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn's; has no types

        estimator = self._with(params, threads, seed)
        scale = train.shared("target scale", lambda: Scale.of(train))
        weights = self._weights(estimator, train)
        with threadpool_limits(threads, user_api="openmp"):
            estimator.fit(dense_rows.matrix(train, scale), train.y, **weights)
        content = skops_file.written(estimator, self.name)
        skops_file.trusted_types(content, f"{KEY}: {self.name}, fitted,", self._trust)
        model = FittedEstimator(
            estimator=estimator,
            content=content,
            fit=Fit(learning.curve_metric, {"train": [], "validation": []}, None),
            scale=scale,
            task=train.layout.task,
            n_classes=train.layout.n_classes,
            share_of={},
            family=self.name,
        )
        return fitted_estimator.scored(model, train, validation, seed, stop)

    def load(self, folder: Path) -> FittedEstimator:
        """Read `estimator.skops` and `fit.json`."""
        return fitted_estimator.load(self.name, folder, self._trust)

    def _made(self) -> Any:
        try:
            estimator = self._factory()
        except Exception as error:
            message = f"{KEY}: {self.name}() raised {type(error).__name__}: {str(error)[:200]}; mend it"
            raise InputError("E_FAMILY", message) from error
        lacking = [method for method in METHODS if not callable(getattr(estimator, method, None))]
        if isinstance(estimator, type) or lacking:
            what = "a class" if isinstance(estimator, type) else f"something without {', '.join(lacking)}"
            message = f"{KEY}: {self.name}() returned {what}; return an unfitted estimator as scikit-learn's are"
            raise InputError("E_FAMILY", message)
        return estimator

    def _with(self, params: Mapping[str, Any], threads: int, seed: int) -> Any:
        estimator = self._made()
        for name, value in estimator.get_params(deep=True).items():
            own = name.rpartition("__")[2]
            if own == "random_state" and value is None:
                estimator.set_params(**{name: seed})
            if own == "n_jobs" and value is not None:  # None is one thread
                estimator.set_params(**{name: threads})
        try:
            return estimator.set_params(**params)
        except (ValueError, TypeError) as error:
            message = f"{KEY}: {self.name} does not take these parameters: {str(error)[:300]}"
            raise InputError("E_FAMILY", message) from error

    def _weights(self, estimator: Any, train: Data) -> dict[str, Any]:
        from sklearn.utils.validation import has_fit_parameter

        if train.weights is None:
            return {}
        if not has_fit_parameter(estimator, "sample_weight"):
            message = (
                f"{KEY}: {self.name}'s fit takes no sample_weight, but rows or classes are weighted; give it one, or "
                "leave out the weights or the family"
            )
            raise InputError("E_FAMILY", message)
        return {"sample_weight": train.weights}


class _Named:
    """An Optuna trial that knows each parameter as `<family>.<name>`."""

    def __init__(self, trial: Any, family: str) -> None:
        self._trial, self._family = trial, family

    def suggest_float(self, name: str, low: float, high: float, **options: Any) -> float:
        return self._trial.suggest_float(f"{self._family}.{name}", low, high, **options)  # type: ignore[no-any-return]

    def suggest_int(self, name: str, low: int, high: int, **options: Any) -> int:
        return self._trial.suggest_int(f"{self._family}.{name}", low, high, **options)  # type: ignore[no-any-return]

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self._trial.suggest_categorical(f"{self._family}.{name}", choices)


def _is_scalar(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (bool, int, str))
