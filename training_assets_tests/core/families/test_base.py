from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from training_assets.core.families.base import Fit, shares
from training_assets.core.families.data import Data, Facts
from training_assets_tests.core.encoding.made_rows import made


def test_facts_are_the_size_of_the_split() -> None:
    train, _, _ = made("binary").data()
    assert train.facts == Facts(rows=400, quantities=5, categories=4)


def test_labels_are_codes_or_values() -> None:
    codes, values = made("multiclass").data()[0].y, made("regression").data()[0].y
    assert codes.dtype == np.int32
    assert set(codes.tolist()) == {0, 1, 2}
    assert values.dtype == np.float64


def test_rows_without_labels_have_none_to_give() -> None:
    train, _, _ = made("binary").data()
    bare = Data.of(train.frame.drop("_target"), train.layout)
    assert not bare.has_labels
    with pytest.raises(ValueError, match="without a label"):
        _ = bare.y


def test_a_view_is_built_once_for_all_threads() -> None:
    train, _, _ = made("binary").data()
    built: list[int] = []

    def build() -> object:
        time.sleep(0.01)
        built.append(1)
        return object()

    with ThreadPoolExecutor(8) as pool:
        views = {id(view) for view in pool.map(lambda _: train.shared("view", build), range(32))}
    assert len(built) == len(views) == 1


def test_one_view_does_not_wait_for_another() -> None:
    train, _, _ = made("binary").data()
    release = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: train.shared("slow", lambda: release.wait(10)))
        assert train.shared("quick", lambda: "at once") == "at once"
        release.set()
        assert slow.result() is True


def test_a_view_that_failed_is_built_again() -> None:
    train, _, _ = made("binary").data()

    def fail() -> object:
        message = "no"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        train.shared("view", fail)
    assert train.shared("view", lambda: 1) == 1


def test_a_fit_is_written_with_its_header(tmp_path: Path) -> None:
    fit = Fit("rmse", {"train": [2.0, 1.0], "validation": [2.5, 1.5]}, 2)
    fit.save(tmp_path / "new", {"task": "regression", "city": "Zürich"})
    assert Fit.load(tmp_path / "new") == (fit, {"task": "regression", "city": "Zürich"})


def test_shares_sum_to_one() -> None:
    assert shares({"a": 3.0, "b": 1.0}) == {"a": 0.75, "b": 0.25}
    assert shares({"a": 0.0, "b": 0.0}) == {"a": 0.5, "b": 0.5}


def test_a_lent_view_is_one_for_all_who_hold_it_and_built_again_for_those_after_them() -> None:
    train, _, _ = made("binary").data()
    built: list[int] = []

    def build() -> set[int]:
        built.append(len(built))
        return {len(built)}

    first = train.lent("numbers", build)
    assert train.lent("numbers", build) is first
    assert built == [0]
    del first
    assert train.lent("numbers", build) == {2}


def test_what_is_forgotten_is_built_again() -> None:
    train, _, _ = made("binary").data()
    first = train.shared("list", lambda: [1])
    train.forget()
    again = train.shared("list", lambda: [1])
    assert again == first
    assert again is not first
