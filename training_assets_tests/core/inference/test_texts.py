"""Free text gives features that need no language model, and a key where nothing else is left."""

from __future__ import annotations

import polars as pl

from training_assets.core.inference.notes import Notes
from training_assets.core.inference.texts import FREE_TEXT, text_features
from training_assets.spec import Column

ROWS = pl.DataFrame(
    {
        "text": ["FREE entry, call 12345 or www.win.com for £100", "see you at home tonight, love", "ok"] * 5,
        "y": ["spam", "ham", "ham"] * 5,
        "x": [1, 2, 3] * 5,
    }
)
TEXT = Column(type="string", role="ignored", because=FREE_TEXT)


def test_text_alone_becomes_measures_and_a_key() -> None:
    notes = Notes()
    columns, derived = text_features({"text": TEXT, "y": Column(type="string")}, ROWS, "y", notes)
    assert columns["text"].role == "key"
    assert columns["text"].because is None
    assert set(derived) == {f"text_{each}" for each in ("length", "words", "number", "link", "money", "shouting")}
    assert derived["text_length"] == "LENGTH(text)"
    assert derived["text_words"] == "LENGTH(text) - LENGTH(REPLACE(text, ' ', ''))"
    assert derived["text_number"] == "REGEXP_LIKE(text, '[0-9]{3}')"
    assert "identifies a row" in notes.assumptions[0]


def test_text_beside_other_features_stays_ignored() -> None:
    columns, derived = text_features(
        {"text": TEXT, "x": Column(type="integer"), "y": Column(type="string")}, ROWS, "y", Notes()
    )
    assert columns["text"].role == "ignored"
    assert "text_length" in derived


def test_without_text_nothing_changes() -> None:
    given = {"x": Column(type="integer"), "y": Column(type="string")}
    assert text_features(given, ROWS, "y", Notes()) == (given, {})
