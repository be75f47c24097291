from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from training_assets.core.errors import InputError
from training_assets.core.search.scores import Metric, metric
from training_assets.spec import OwnMetric

OWN = """
import numpy as np

def profit(labels, predictions):
    return float(np.sum(np.where(predictions >= 0.5, 10 * labels - 1, 0)))

def numpys(labels, predictions):
    return np.float32(0.5)

def nothing(labels, predictions):
    pass

def truth(labels, predictions):
    return True

def writes(labels, predictions):
    predictions[0] = 1
    return 1.0

def nan(labels, predictions):
    return float("nan")

NUMBER = 3
"""


NUMBERS = itertools.count()
Y = np.array([0, 1, 1, 0, 1], dtype=np.int32)
PREDICTIONS = np.array([0.2, 0.9, 0.4, 0.6, 0.7])


@pytest.fixture
def module(tmp_path: Path) -> str:
    """A module of a name of its own below the root, since what was imported once stays."""
    name = f"metrics_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(OWN)
    return name


def own(function: str, root: Path | None) -> Metric:
    return metric(OwnMetric(function=function, better="higher"), "binary", None, root)


def test_a_function_of_the_project_is_a_metric(tmp_path: Path, module: str) -> None:
    scored = own(f"{module}:profit", tmp_path)
    assert (scored.name, scored.direction) == (f"{module}:profit", "higher")
    calls = PREDICTIONS >= 0.5
    assert scored.score(Y, PREDICTIONS) == 10 * np.sum(Y[calls]) - calls.sum()
    assert scored.better(2, 1)
    assert not metric(OwnMetric(function=f"{module}:profit", better="lower"), "binary", None, tmp_path).better(2, 1)


def test_it_may_give_any_number(tmp_path: Path, module: str) -> None:
    assert own(f"{module}:numpys", tmp_path).score(Y, PREDICTIONS) == 0.5


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "gave a NoneType; return one number"),
        ("truth", "gave a bool; return one number"),
        ("writes", r"raised ValueError at metrics_\w+.py, line 17: assignment destination is read-only"),
    ],
)
def test_what_it_does_wrong_is_said(tmp_path: Path, module: str, function: str, message: str) -> None:
    scored = own(f"{module}:{function}", tmp_path)
    with pytest.raises(InputError, match=f"E_METRIC: search.metric {module}:{function} {message}"):
        scored.score(Y, PREDICTIONS)


def test_what_is_no_number_is_no_score(tmp_path: Path, module: str) -> None:
    scored = own(f"{module}:nan", tmp_path)
    with pytest.raises(ValueError, match="nan is nan"):
        scored.score(Y, PREDICTIONS)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("{0}:missing", "has no function missing"),
        ("{0}:NUMBER", "has no function NUMBER"),
        ("no_such_file:f", "no no_such_file.py below the project's root"),
        ("os.path:join", "no os/path.py below the project's root"),
        ("broken_metrics:f", r"importing broken_metrics raised ModuleNotFoundError at broken_metrics.py, line 1"),
    ],
)
def test_a_function_that_there_is_not_is_refused(tmp_path: Path, module: str, reference: str, message: str) -> None:
    (tmp_path / "broken_metrics.py").write_text("import nonsense_that_is_not_installed")
    with pytest.raises(InputError, match=f"E_METRIC: search.metric: .*{message}"):
        own(reference.format(module), tmp_path)


def test_without_a_project_there_is_no_function() -> None:
    with pytest.raises(InputError, match=r"E_METRIC: .*no project to import it from"):
        own("mine:f", None)
