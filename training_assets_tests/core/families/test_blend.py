"""A blend is one model to everybody else: it predicts, is saved and read back, and is told apart as its members are."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.errors import InputError
from training_assets.core.families import BLEND, FAMILIES, Data, FittedModel, load
from training_assets.core.families.blend import FILE, Blend, blended
from training_assets.core.scoring import Scorer
from training_assets.spec.target import Task
from training_assets_tests.core.encoding.made_rows import TASKS, made, strange
from training_assets_tests.core.families.fits import fitted, splits
from training_assets_tests.core.families.promises import predicted_elsewhere

PAIR = ("linear", "hist_gradient_boosting")


@cache
def member(name: str, task: Task) -> FittedModel:
    return fitted(name, task, max_iterations=5)


@cache
def of_every_family(task: Task) -> Blend:
    """Every family, the first one of them the heaviest."""
    weights = np.arange(len(FAMILIES), 0, -1) / np.arange(len(FAMILIES) + 1).sum()
    found = blended([(member(name, task), weight) for name, weight in zip(FAMILIES, weights.tolist(), strict=True)])
    assert isinstance(found, Blend)
    return found


def of_pair(*weights: float, task: Task = "binary") -> Blend:
    return Blend(tuple((member(name, task), weight) for name, weight in zip(PAIR, weights, strict=True)))


def strange_data(task: Task) -> Data:
    preprocessor = made(task).preprocessor()
    return Data.of(preprocessor.encode(strange(made(task).test).drop("_target")), preprocessor.layout)


# Predictions


@pytest.mark.parametrize("task", TASKS)
def test_predictions_are_the_weighted_mean_of_every_members(task: Task) -> None:
    blend = of_every_family(task)
    assert [one.family for one, _ in blend.members] == list(FAMILIES)
    for data in (splits(task)[2], strange_data(task)):
        expected = np.average(
            [one.predict(data) for one, _ in blend.members], axis=0, weights=[weight for _, weight in blend.members]
        )
        predicted = blend.predict(data)
        assert predicted.dtype == np.float64
        np.testing.assert_allclose(predicted, expected, rtol=1e-12)
        if task == "multiclass":
            np.testing.assert_allclose(predicted.sum(axis=1), 1)


@pytest.mark.parametrize("task", TASKS)
def test_one_row_and_no_row_are_rows_too(task: Task) -> None:
    test, blend = splits(task)[2], of_every_family(task)
    every = blend.predict(test)
    for place in (0, 7, test.n_rows - 1):
        alone = blend.predict(Data.of(test.frame[place : place + 1].drop("_target"), test.layout))
        np.testing.assert_allclose(alone[0], every[place], rtol=1e-12)
    assert blend.predict(Data.of(test.frame[:0].drop("_target"), test.layout)).shape == (0, *every.shape[1:])


@settings(max_examples=30, deadline=None)
@given(share=st.floats(1e-6, 1 - 1e-6), task=st.sampled_from(TASKS))
def test_a_blend_lies_between_its_members(share: float, task: Task) -> None:
    test = splits(task)[2]
    one, other = (member(name, task).predict(test) for name in PAIR)
    predicted = of_pair(share, 1 - share, task=task).predict(test)
    assert (predicted >= np.minimum(one, other)).all()
    assert (predicted <= np.maximum(one, other)).all()


@pytest.mark.parametrize("task", TASKS)
def test_members_that_agree_are_repeated_though_weights_are_rounded(task: Task) -> None:
    one, test = member("linear", task), splits(task)[2]
    blend = Blend(tuple((one, count / 9) for count in (5, 1, 1, 1, 1)))
    np.testing.assert_array_equal(blend.predict(test), one.predict(test))


@pytest.mark.parametrize("task", TASKS)
def test_importances_are_shares_by_feature(task: Task) -> None:
    blend = of_every_family(task)
    importances = blend.importances()
    assert set(importances) == set(made(task).kinds)
    assert sum(importances.values()) == pytest.approx(1)
    expected = sum(weight * one.importances()["amount"] for one, weight in blend.members)
    assert importances["amount"] == pytest.approx(expected)


def test_the_heaviest_comes_first_and_a_single_member_is_itself() -> None:
    light, heavy = (member(name, "binary") for name in PAIR)
    found = blended([(light, 0.25), (heavy, 0.75)])
    assert [one.family for one, _ in found.members] == [heavy.family, light.family]
    assert (found.curves, found.curve_metric) == (heavy.curves, heavy.curve_metric)
    assert found.best_iteration is None
    assert blended([(light, 1.0)]) is light
    equal = blended([(light, 0.5), (heavy, 0.5)])
    assert [one.family for one, _ in equal.members] == [light.family, heavy.family]


# Saved


@pytest.mark.parametrize("task", TASKS)
def test_another_process_reads_the_same_blend_of_every_family(task: Task, tmp_path: Path) -> None:
    blend, split = of_every_family(task), made(task)
    rows = strange(split.test).drop("_target")
    canonical, elsewhere = predicted_elsewhere(blend, split.preprocessor(), rows, tmp_path)
    assert canonical == blend.canonical()
    np.testing.assert_array_equal(elsewhere, blend.predict(strange_data(task)))


@pytest.mark.parametrize("task", TASKS)
def test_a_loaded_blend_is_the_one_that_was_saved(task: Task, tmp_path: Path) -> None:
    blend = of_every_family(task)
    blend.save(tmp_path)
    read = load(BLEND, tmp_path)
    assert (read.family, read.canonical(), read.importances()) == (BLEND, blend.canonical(), blend.importances())
    assert (read.curves, read.curve_metric, read.best_iteration) == (blend.curves, blend.curve_metric, None)
    assert not {path.suffix for path in tmp_path.rglob("*") if path.is_file()} & {".pkl", ".pickle", ".joblib"}


@pytest.mark.parametrize(
    "weights",
    [
        [0.5, 0.4],
        [1.5, -0.5],
        [1.0, 0.0],
        [float("nan"), 0.5],
        [float("nan"), float("nan")],
        [0.5, float("nan")],
        [float("inf"), 0.5],
    ],
    ids=str,
)
def test_weights_that_are_no_shares_of_one_are_refused(weights: list[Any], tmp_path: Path) -> None:
    of_pair(0.5, 0.5).save(tmp_path)
    described = [{"family": name, "weight": weight} for name, weight in zip(PAIR, weights, strict=False)]
    (tmp_path / FILE).write_text(json.dumps({"members": described}))
    with pytest.raises(ValueError, match="weights of this blend are not shares of 1"):
        load(BLEND, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{}",
        '{"members": 3}',
        '{"members": []}',
        '{"members": [3]}',
        '{"members": [{"weight": 1.0}]}',
        '{"members": [{"family": "linear", "weight": null}]}',
        '{"members": [{"family": "linear", "weight": "half"}]}',
        '{"members": [{"family": "blend", "weight": 1.0}]}',
    ],
)
def test_what_describes_no_blend_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ValueError, match="describes no blend"):
        load(BLEND, tmp_path)


@pytest.mark.parametrize("name", ["../elsewhere", "no_family"])
def test_a_member_of_no_family_is_refused(name: str, tmp_path: Path) -> None:
    of_pair(0.5, 0.5).save(tmp_path)
    described = [{"family": name, "weight": 0.5}, {"family": PAIR[1], "weight": 0.5}]
    (tmp_path / FILE).write_text(json.dumps({"members": described}))
    with pytest.raises(InputError, match="E_FAMILY"):
        load(BLEND, tmp_path)


# Told apart


def test_the_canonical_digest_is_of_members_and_weights() -> None:
    digests = [
        of_pair(0.5, 0.5).canonical(),
        of_pair(0.25, 0.75).canonical(),
        of_pair(0.5, 0.5, task="regression").canonical(),
        Blend(((member("linear", "binary"), 0.5), (fitted(PAIR[1], "binary", max_iterations=6), 0.5))).canonical(),
        *(member(name, "binary").canonical() for name in PAIR),
    ]
    assert len(set(digests)) == len(digests)
    assert of_pair(0.5, 0.5).canonical() == digests[0]


# In a scorer


@pytest.mark.parametrize("task", TASKS)
def test_a_scorer_with_a_blend_is_saved_and_read_back(task: Task, tmp_path: Path) -> None:
    split, blend = made(task), of_every_family(task)
    scorer = Scorer(split.preprocessor(), blend, 0.4 if task == "binary" else None)
    scorer.save(tmp_path)
    read = Scorer.load(tmp_path)
    assert (read.digest, read.threshold, read.model.family) == (scorer.digest, scorer.threshold, BLEND)
    rows = strange(split.test)
    np.testing.assert_array_equal(read.predict(rows), scorer.predict(rows))
    np.testing.assert_array_equal(scorer.predict(rows), blend.predict(strange_data(task)))
