"""Texts become the vectors of skrub's StringEncoder, from plain arrays."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skrub import StringEncoder  # type: ignore[import-untyped]  # has no types
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has no types

from training_assets.core.encoding import texts
from training_assets.core.encoding.texts import Embedding
from training_assets.core.fingerprint import digest

WORDS = ("red", "blue", "fast", "slow", "car", "house", "river", "bridge", "north", "engine", "Größe", "日本")


def phrases(rows: int = 300, seed: int = 0) -> pl.Series:
    """Phrases of three words, some of them several times."""
    rng = np.random.default_rng(seed)
    return pl.Series("note", [" ".join(rng.choice(WORDS, 3)) for _ in range(rows)])


def matrix(fitted: Embedding, values: pl.Series) -> np.ndarray:
    return np.column_stack([each.to_numpy() for each in fitted.values({"note": values})])


def test_vectors_are_those_of_skrub() -> None:
    training, others = phrases(), phrases(seed=1)
    fitted = Embedding.fit("note", training, 8, seed=3)
    encoder = StringEncoder(8, vocabulary=list(fitted.ngrams), random_state=3)
    encoder.fit_transform(training.unique().sort())
    assert len(fitted.ngrams) > 50
    for values in (training, others):
        np.testing.assert_allclose(matrix(fitted, values), encoder.transform(values).to_numpy(), atol=1e-6)


def test_alike_texts_lie_close() -> None:
    fitted = Embedding.fit("note", phrases(), 10, seed=0)
    car, cars, house = matrix(fitted, pl.Series(["fast red car", "fast red cars", "slow blue house"]))
    assert np.linalg.norm(car - cars) < 0.3 * np.linalg.norm(car - house)


def test_neither_order_nor_repetition_of_rows_matters() -> None:
    once = phrases().unique()
    shuffled = pl.concat([once.shuffle(seed=1), once.head(20), pl.Series([None], dtype=pl.String)])
    assert Embedding.fit("note", once, 8, 0) == Embedding.fit("note", shuffled, 8, 0)


def test_the_commonest_ngrams_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MOST_NGRAMS", 20)
    fitted = Embedding.fit("note", phrases(), 30, 0)
    assert len(fitted.ngrams) == 20
    assert fitted.n_components == 19
    assert {" nor", "ing", "rive"} & set(fitted.ngrams)
    assert np.isfinite(matrix(fitted, phrases(seed=1))).all()


def test_of_very_many_texts_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MOST_TEXTS", 50)
    training = phrases()
    looked_at = training.unique().sort().to_list()[:: -(-training.n_unique() // 50)]
    assert len(looked_at) <= 50
    assert Embedding.fit("note", training, 8, 0) == Embedding.fit("note", pl.Series(looked_at), 8, 0)


def test_null_has_no_vector_and_an_unknown_text_is_at_zero() -> None:
    fitted = Embedding.fit("note", phrases(), 4, 0)
    found = matrix(fitted, pl.Series(["fast car", None, "", "&&&& ####"]))
    assert np.isnan(found[1]).all()
    assert found[2].tolist() == found[3].tolist() == [0.0] * 4
    assert np.isfinite(found[0]).all()


@pytest.mark.parametrize(
    "values", [[], [None, None], [""], ["", " "], ["a"], ["a b", "b a"], ["x", "y"], ["aaa", "aaaa", "aaaaa"]]
)
def test_few_texts_are_enough(values: list[str | None]) -> None:
    given_ = pl.Series("note", values, dtype=pl.String)
    fitted = Embedding.fit("note", given_, 30, 0)
    assert fitted.n_components == len(fitted.slots) >= 1
    found = matrix(fitted, pl.Series(["a b", "zzz zzz", "a"]))
    assert np.isfinite(found).all()
    assert Embedding.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


letters = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | letters, max_size=12), st.lists(letters, min_size=1, max_size=12))
def test_a_text_has_the_same_vector_in_any_company(training: list[str | None], others: list[str]) -> None:
    fitted = Embedding.fit("note", pl.Series("note", training, dtype=pl.String), 3, 0)
    together = matrix(fitted, pl.Series(others, dtype=pl.String))
    alone = np.vstack([matrix(fitted, pl.Series([each], dtype=pl.String)) for each in others])
    assert np.isfinite(together).all()
    assert together.tobytes() == alone.tobytes()


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_is_learnt_on_any_number_of_threads(threads: int) -> None:
    many = phrases(1000)
    with threadpool_limits(threads):
        found = digest(Embedding.fit("note", many, 30, 0).to_json())
    assert found == digest(Embedding.fit("note", many, 30, 0).to_json())
