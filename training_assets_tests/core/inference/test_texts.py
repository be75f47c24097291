"""Free text is a feature that is read by its words, with measures that need no language model."""

from __future__ import annotations

import polars as pl

from training_assets.core.inference.texts import FREE_TEXT, text_features
from training_assets.spec import Column
from training_assets.spec.encoding import AsEmbedded

ROWS = pl.DataFrame(
    {
        "text": ["FREE entry, call 12345 or www.win.com for £100", "see you at home tonight, love", "ok"] * 5,
        "y": ["spam", "ham", "ham"] * 5,
        "x": [1, 2, 3] * 5,
    }
)
TEXT = Column(type="string", role="ignored", because=FREE_TEXT)


def test_text_is_embedded_and_measured() -> None:
    columns, derived, encodings = text_features({"text": TEXT, "y": Column(type="string")}, ROWS)
    assert (columns["text"].role, columns["text"].because) == ("feature", None)
    assert columns["y"] == Column(type="string")
    assert encodings == {"text": AsEmbedded(method="embedded")}
    assert set(derived) == {f"text_{each}" for each in ("length", "words", "number", "link", "money", "shouting")}
    assert derived["text_length"] == "LENGTH(text)"
    assert derived["text_words"] == "LENGTH(text) - LENGTH(REPLACE(text, ' ', ''))"
    assert derived["text_number"] == "REGEXP_LIKE(text, '[0-9]{3}')"


def test_of_many_texts_all_are_embedded_and_the_first_ones_measured() -> None:
    names = [f"t{at}" for at in range(5)]
    rows = pl.DataFrame(dict.fromkeys(names, ROWS["text"]))
    _, derived, encodings = text_features(dict.fromkeys(names, TEXT), rows)
    assert list(encodings) == names
    assert {name.split("_")[0] for name in derived} == {"t0", "t1", "t2"}


def test_without_text_nothing_changes() -> None:
    given = {"x": Column(type="integer"), "y": Column(type="string")}
    assert text_features(given, ROWS) == (given, {}, {})
