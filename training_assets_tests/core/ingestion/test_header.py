"""Names of columns: sound ones pass as they are, others are refused with their position."""

from __future__ import annotations

import unicodedata

import pytest

from training_assets.core.errors import InputError
from training_assets.core.ingestion.header import sound_names


@pytest.mark.parametrize(
    "name",
    [
        "age",
        "CO2(tCO2)",
        "subject#",
        "Source Port",
        "Sepal..Length",
        "Größe in µm",
        "km/h",
        "1",
        "Возраст (age)",
        "a<b",
        "%",
        "Δtemp",
    ],
)
def test_names_of_real_files_are_sound(name: str) -> None:
    assert sound_names([name, "other"], "rows.csv") == [name, "other"]


def test_names_are_composed() -> None:
    assert sound_names([unicodedata.normalize("NFD", "größe")], "rows.csv") == [unicodedata.normalize("NFC", "größe")]


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (["a", ""], "E_COLUMN_NAME", "column 2"),
        (["", ""], "E_COLUMN_NAME", "column 1"),
        (["a", " b"], "E_COLUMN_NAME", "blank"),
        (["a ", "b"], "E_COLUMN_NAME", "blank"),
        (["a\u200bge"], "E_COLUMN_NAME", "invisible"),
        (["\u202eega"], "E_COLUMN_NAME", "invisible"),
        (["\u0430ge"], "E_COLUMN_NAME", "Cyrillic"),
        (["a\x1b[31m"], "E_CONTROL", "control"),
        (["a\nb"], "E_CONTROL", "control"),
        (["x" * 129], "E_NAME", "longer than 128"),
        (["../../etc/passwd"], "E_NAME", "folder"),
        (["..\\windows"], "E_NAME", "folder"),
        (['a"; DROP TABLE b'], "E_NAME", "SQL"),
        (["a--b"], "E_NAME", "SQL"),
        (["<script>alert(1)</script>"], "E_NAME", "tag"),
        (["^.*$"], "E_NAME", "pattern"),
        (["*"], "E_NAME", "pattern"),
        (["__index_level_0__"], "E_NAME", "'_'"),
        (["_row"], "E_NAME", "'_'"),
        (["age", "b", "age"], "E_DUP_COLUMN", "columns 1 and 3"),
        (["Age", "age"], "E_DUP_COLUMN", "case"),
        ([unicodedata.normalize("NFD", "größe"), "größe"], "E_DUP_COLUMN", "the same name"),
        ([f"c{i}" for i in range(2001)], "E_WIDTH", "2,001"),
    ],
)
def test_other_names_are_refused(names: list[str], code: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        sound_names(names, "rows.csv")
    assert caught.value.code == code
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2000
