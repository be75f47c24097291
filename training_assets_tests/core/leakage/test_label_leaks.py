"""Columns that give the label away are told from honest ones, in any form and at any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_assets.core.leakage.evidence import Evidence, Leak
from training_assets.core.leakage.label_leaks import label_leaks
from training_assets.core.leakage.mistakes import judged

N = 600
CHANCE = np.random.default_rng(0)
NOISE = CHANCE.normal(size=N)
Y = CHANCE.normal(50, 10, N)
CLASS = CHANCE.choice(["a", "b", "c"], N, p=[0.6, 0.3, 0.1])


def holes(empty: Any, values: Any) -> list[Any]:
    """The values, and none where it is empty."""
    return [None if gone else value for gone, value in zip(empty, np.asarray(values).tolist(), strict=True)]


def found(y: Any, **columns: Any) -> list[Leak]:
    rows = pl.DataFrame({"y": y, **columns}, strict=False)
    task: Any = "regression" if rows["y"].dtype.is_numeric() else "multiclass"
    kinds: Any = {
        name: "numeric" if rows[name].dtype.is_numeric() else "categorical" for name in rows.columns if name != "y"
    }
    return label_leaks(Evidence.of(rows, "y", task, kinds))


def kinds_of(leaks: list[Leak], *, strong: bool = True) -> dict[str, str]:
    return {name: leak.kind for leak in leaks for name in leak.columns if leak.strong == strong}


@pytest.mark.parametrize(
    ("kind", "y", "values"),
    [
        ("copy", Y, -3 * Y + 7),
        ("copy", Y, np.exp(Y / 10)),
        ("copy", Y, holes(np.arange(N) % 3 == 0, Y)),
        ("decides the label", CLASS, [f"={each}" for each in CLASS]),
        ("decides the label", CLASS, np.searchsorted(["a", "b", "c"], CLASS) * 2.0 + CHANCE.random(N)),
        ("null pattern", CLASS, holes(CLASS == "b", NOISE)),
        ("null pattern", CLASS, holes(CLASS != "b", ["filled"] * N)),
        ("null pattern", Y, holes(Y < 45, NOISE)),
        ("null pattern", np.where(NOISE > 0, Y, 0.0), holes(NOISE <= 0, CHANCE.random(N))),
        ("identifier", CLASS, [f"n{number}" for number in range(N)]),
        ("identifier", Y, CHANCE.permutation(N) + 7),
    ],
)
def test_each_kind_is_found_and_named(kind: str, y: Any, values: Any) -> None:
    leaks = found(y, planted=values, honest=NOISE, plan=CHANCE.choice(["x", "y"], N))
    assert kinds_of(leaks) == {"planted": kind}
    assert all(len(leak.text) < 400 for leak in leaks)


def test_a_null_pattern_names_its_exceptions() -> None:
    (always,) = found(CLASS, planted=holes(CLASS == "b", NOISE))
    assert always.text.endswith("that is where the label is b, without an exception")
    but_one = (CLASS == "b") & (np.arange(N) != np.flatnonzero(CLASS == "b")[0])
    (nearly,) = found(CLASS, planted=holes(but_one, NOISE))
    assert nearly.text.endswith(f"that is where the label is b, but for 1 of {(CLASS == 'b').sum()} rows")


def test_two_parts_of_a_sum_are_one_leak() -> None:
    parts = CHANCE.integers(0, 500, (2, N))
    (leak,) = found((parts[0] + parts[1]).astype(float), one=parts[0], two=parts[1], noise=NOISE)
    assert (leak.kind, leak.columns, leak.strong) == ("parts of a sum", ("one", "two"), True)


def test_what_nearly_gives_the_label_is_not_strong() -> None:
    assert kinds_of(found(Y, near=Y + 1.0 * NOISE), strong=False) == {"near": "near copy"}
    codes = np.where(CHANCE.random(N) < 0.97, CLASS, "a")
    assert kinds_of(found(CLASS, nearly=codes), strong=False) == {"nearly": "decides the label"}


def test_honest_columns_pass() -> None:
    ids = [f"town {number % 90}" for number in range(N)]
    assert found(Y, level=Y + 8 * NOISE, town=ids, count=CHANCE.integers(0, 9, N), gaps=holes(NOISE > 0, [1] * N)) == []
    assert found(CLASS, level=NOISE + (CLASS == "b"), town=ids, age=CHANCE.integers(18, 90, N)) == []


def test_few_rows_prove_nothing() -> None:
    assert found(Y[:60], copy=Y[:60]) == []
    assert found(CLASS[:60], copy=CLASS[:60], empty=holes(CLASS[:60] == "a", [1.0] * 60)) == []


def test_a_rare_class_needs_more_than_a_lucky_column() -> None:
    rare = np.where(np.arange(N) % 60, "no", "yes")
    assert kinds_of(found(rare, lucky=np.where(rare == "yes", "u", "v"))) == {}


@pytest.mark.parametrize("observed", [1.0, 0.7])
def test_a_mean_of_labels_is_told_from_an_estimate_of_them(observed: float) -> None:
    rng = np.random.default_rng(1)
    town = rng.integers(0, 400, 8000)
    level = rng.normal(0, 1, 400)
    y = 10 + level[town] + rng.normal(0, 1, 8000)
    means = pl.DataFrame({"t": town, "y": y}).select(pl.col("y").mean().over("t"))["y"].to_numpy()
    seen = rng.random(8000) < observed
    leaks = found(
        y[seen], leaked=means[seen], true_level=(10 + level[town])[seen], town=[f"t{each}" for each in town[seen]]
    )
    assert kinds_of(leaks) == {"leaked": "made from the label"}


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from(["regression", "classes"]), st.integers(100, 1500))
def test_noise_is_never_taken_for_a_leak(seed: int, task: str, n: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n) if task == "regression" else rng.choice(["a", "b", "c"], n, p=[0.7, 0.2, 0.1])
    leaks = found(
        y,
        normal=rng.normal(size=n),
        count=rng.poisson(2, n),
        share=rng.integers(0, 11, n) / 10,
        level=rng.choice(list("abcdefgh"), n),
        town=[f"t{each}" for each in rng.integers(0, max(n // 20, 2), n)],
        holes=holes(rng.random(n) < 0.4, rng.normal(size=n)),
    )
    assert leaks == []


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(300, 1500), st.floats(0.001, 50), st.floats(-100, 100))
def test_a_copy_is_found_whatever_its_scale(seed: int, n: int, factor: float, shift: float) -> None:
    y = np.random.default_rng(seed).normal(size=n)
    assert kinds_of(found(y, copy=factor * y + shift)) == {"copy": "copy"}


def test_mistakes_count_with_what_chance_allows() -> None:
    assert [judged(0, possible) for possible in (0, 10, 19, 20, 59, 60)] == [
        *("none", "none", "none", "weak", "weak", "strong"),
    ]
    assert judged(20, 1000) == "strong"
    assert judged(21, 1000) == "weak"
    assert judged(101, 1000) == "none"
